"""Checkpoints that PyTorch and transformers wrote, sharded and in 16 bits, through the job."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten
from mlx_lm.utils import load_model

from tests.engines.convert.test_run import run
from tests.engines.tiny_model import write_tokenizer
from tests.exports.conftest import Record

pytestmark = pytest.mark.exports
TOKENS = [[3, 5, 8, 13, 21, 34, 55]]


def torch_checkpoint(folder: Path, kind: str, dtype: str) -> Any:
    """A random model as `save_pretrained` leaves it: several files and their index."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    size = write_tokenizer(folder)
    torch.manual_seed(5)
    shape = AutoConfig.for_model(
        kind, vocab_size=size, hidden_size=64, intermediate_size=96, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, head_dim=16, max_position_embeddings=128,
        tie_word_embeddings=kind == "qwen2",
    )  # fmt: skip
    network: Any = AutoModelForCausalLM.from_config(shape, dtype=getattr(torch, dtype))
    network.save_pretrained(str(folder), max_shard_size="60KB")
    return network


@pytest.mark.parametrize(
    ("kind", "dtype"), [("llama", "bfloat16"), ("qwen2", "float16"), ("qwen3", "bfloat16")]
)
def test_a_torch_checkpoint_becomes_the_same_model_for_mlx(
    tmp_path: Path, record: Record, kind: str, dtype: str
) -> None:
    import torch

    network = torch_checkpoint(tmp_path / "source", kind, dtype)
    shards = sorted((tmp_path / "source").glob("model-*-of-*.safetensors"))
    assert len(shards) > 2
    assert (tmp_path / "source" / "model.safetensors.index.json").is_file()

    ending = run(tmp_path, tmp_path / "source")

    assert ending.state == "completed", ending
    new = tmp_path / "models" / "new"
    made, direct = load_model(new)[0], load_model(tmp_path / "source")[0]
    weights = dict(tree_flatten(made.parameters()))
    assert {k: v.dtype for k, v in weights.items()} == dict.fromkeys(weights, getattr(mx, dtype))
    for name, value in tree_flatten(direct.parameters()):
        assert mx.array_equal(weights[name], value).item(), f"{name} is not as of a direct load"
    index = json.loads((new / "model.safetensors.index.json").read_text())
    assert all((new / file).is_file() for file in index["weight_map"].values())
    # In float32, so that what differs is the weights and not the rounding of each program.
    made.set_dtype(mx.float32)
    with torch.no_grad():
        expected = network.float().eval()(torch.tensor(TOKENS)).logits.numpy()
    worst = float(np.abs(np.array(made(mx.array(TOKENS))) - expected).max())
    program = f"transformers {version('transformers')}, torch {version('torch').partition('+')[0]}"
    what = f"{dtype}, {len(shards)} files, converted for MLX: logits"
    record("PyTorch safetensors", program, kind, what, f"within {worst:.1e}")
    assert worst < 1e-4
