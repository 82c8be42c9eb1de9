"""GGUF exports: every tensor in its place, the tokenizer whole, and nothing where it can't be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from mlx_lm.utils import load_model

from backend.engines.export import gguf_format
from backend.engines.export.merging import merged_model
from backend.engines.process.endings import Unusable
from tests.engines.architectures import CONFIGS, make_model, spec_of
from tests.engines.export.exporting import adapter_of, request, result, run
from tests.engines.export.gguf_models import gguf_model

pytestmark = pytest.mark.engine


def read(root: Path) -> tuple[gguf.GGUFReader, dict[str, Any]]:
    (file,) = (root / "exports" / "mine").glob("*.gguf")
    reader = gguf.GGUFReader(file)
    return reader, {name: field.contents() for name, field in reader.fields.items()}


def dense(tensor: Any) -> np.ndarray[Any, Any]:
    whole: np.ndarray[Any, Any] = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    return whole


def test_a_gguf_file_has_the_merged_weights_and_the_whole_tokenizer(tmp_path: Path) -> None:
    model = gguf_model(tmp_path / "model", "qwen2")
    adapter = adapter_of(tmp_path, model)

    run(tmp_path, request(tmp_path, model, adapter, format="gguf_f16"))

    reader, fields = read(tmp_path)
    merged = merged_model(model, spec_of(adapter)).model
    tensors = {tensor.name: dense(tensor) for tensor in reader.tensors}
    assert len(tensors) == 2 + 2 * 12
    expected = np.array(merged.model.layers[1].mlp.up_proj.weight).astype(np.float16)
    assert np.array_equal(tensors["blk.1.ffn_up.weight"], expected)
    assert fields["general.architecture"] == "qwen2"
    assert fields["tokenizer.ggml.pre"] == "smollm"
    stored = json.loads((model / "tokenizer.json").read_text())
    assert len(fields["tokenizer.ggml.tokens"]) == len(stored["model"]["vocab"]) + 3 + 5
    assert fields["tokenizer.ggml.merges"][:2] == ["t h", "th e"]
    assert "<|im_start|>" in fields["tokenizer.chat_template"]
    assert fields["tokenizer.ggml.eos_token_id"] == stored["added_tokens"][-1]["id"]
    assert fields["tokenizer.ggml.add_bos_token"] is False
    assert fields["qwen2.context_length"] == 128
    found = result(tmp_path)
    assert found.quantisation is not None
    assert found.quantisation.type == "F16"
    assert found.merged_modules == 14
    output = tmp_path / "exports" / "mine"
    assert {"Modelfile", "README.md", "droid.json"} <= {p.name for p in output.iterdir()}


def test_queries_and_keys_of_llama_are_put_into_its_order(tmp_path: Path) -> None:
    model = gguf_model(tmp_path / "model", "llama")

    run(tmp_path, request(tmp_path, model, format="gguf_f16"), smoke="none")

    network, _ = load_model(model)
    reader, _ = read(tmp_path)
    key = next(dense(t) for t in reader.tensors if t.name == "blk.0.attn_k.weight")
    own = np.array(network.model.layers[0].self_attn.k_proj.weight)
    assert np.array_equal(key[0:4], own[[0, 8, 1, 9]])


@pytest.mark.parametrize(
    ("kind", "name", "error"),
    [("gguf_q8", "Q8_0", 0.02), ("gguf_q5", "Q5_0", 0.15), ("gguf_q4", "Q4_0", 0.3)],
)
def test_without_llama_cpp_the_package_quantises_and_is_named(
    tmp_path: Path, kind: str, name: str, error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = gguf_model(tmp_path / "model", "qwen3")
    monkeypatch.setenv("PATH", str(tmp_path))

    run(tmp_path, request(tmp_path, model, format=kind), smoke="here")

    found = result(tmp_path).quantisation
    assert found is not None
    assert found.type.startswith(name)
    assert found.program.startswith("gguf ")
    reader, _ = read(tmp_path)
    kinds = {tensor.name: tensor.tensor_type.name for tensor in reader.tensors}
    assert kinds["blk.0.ffn_up.weight"] == name
    assert kinds["token_embd.weight"] == "Q8_0"
    network, _ = load_model(model)
    expected = np.array(network.model.layers[0].mlp.up_proj.weight)
    up = next(dense(t) for t in reader.tensors if t.name == "blk.0.ffn_up.weight")
    assert np.abs(up - expected).max() / np.abs(expected).max() < error


def test_llama_cpps_own_quantiser_is_taken_where_it_is_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = gguf_model(tmp_path / "model", "qwen2")
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / gguf_format.QUANTISER
    tool.write_text('#!/bin/sh\necho "to $3"\ncp "$1" "$2"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")

    run(tmp_path, request(tmp_path, model, format="gguf_q4"), smoke="none")

    found = result(tmp_path)
    assert found.quantisation is not None
    assert (found.quantisation.type, found.quantisation.program) == (
        "Q4_K_M",
        "llama.cpp llama-quantize",
    )
    assert [f.name for f in found.files if f.name.endswith("gguf")] == ["mine-Q4_K_M.gguf"]
    assert not [f.name for f in found.files if f.name.endswith(".tmp")]


def test_a_quantiser_that_fails_ends_the_export_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = gguf_model(tmp_path / "model", "qwen2")
    tool = tmp_path / gguf_format.QUANTISER
    tool.write_text("#!/bin/sh\necho no such type\nexit 3\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(Unusable, match="could not make Q5_K_M of it: no such type"):
        run(tmp_path, request(tmp_path, model, format="gguf_q5"))

    assert list((tmp_path / "exports").iterdir()) == []


def test_what_gguf_has_no_place_for_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", CONFIGS["mixtral"])

    with pytest.raises(Unusable, match="this one is mixtral"):
        run(tmp_path, request(tmp_path, model, format="gguf_f16"))

    assert list((tmp_path / "exports").iterdir()) == []
