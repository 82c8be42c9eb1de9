"""`python -m scripts.bench.inference_models <folder> <layers> <adapters>`: something to ask.

Writes a random model with the demo model's tokenizer into `<folder>/models/bench` and adapters for
it, each of another seed, into `<folder>/adapters`; the last line is the number of parameters.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm.tuner.utils import linear_to_lora_layers
from mlx_lm.utils import load_model

from backend.engines.modules.tree import build
from scripts.setup.stamps import CHECKOUT

_DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"
_SIZES = {
    "hidden_size": 768, "intermediate_size": 2048, "num_attention_heads": 12,
    "num_key_value_heads": 4, "max_position_embeddings": 4096,
}  # fmt: skip
# One more than plain: adapters of every shape that may follow each other.
_KINDS: tuple[dict[str, Any], ...] = (
    {"rank": 8},
    {"rank": 16, "keys": ["self_attn.q_proj", "self_attn.v_proj"]},
    {"rank": 4, "layers": 2},
    {"rank": 8, "dora": True},
    {"rank": 8, "keys": ["mlp.up_proj", "mlp.down_proj"]},
)


def main() -> int:
    folder, layers, adapters = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    shape = _SIZES | {"num_hidden_layers": layers}
    model = make_model(folder / "models" / "bench", shape) if layers else _DEMO
    for number in range(adapters):
        # The bench's are alike, to be measured; the soak's differ, to find what leaks.
        kind = _KINDS[0] if layers else _KINDS[number % len(_KINDS)]
        make_adapter(folder / "adapters" / f"adapter-{number}", model, seed=number, **kind)
    loaded, _ = load_model(model, lazy=True)
    sys.stdout.write(f"\n{sum(v.size for _, v in tree_flatten(loaded.parameters()))}\n")
    return 0


def make_model(folder: Path, shape: Mapping[str, object], *, dtype: mx.Dtype = mx.float32) -> Path:
    """A random model of this shape, with the demo model's tokenizer."""
    shutil.copytree(_DEMO, folder, ignore=shutil.ignore_patterns("*.safetensors", "droid_*"))
    config = json.loads((_DEMO / "config.json").read_text(encoding="utf-8"))
    config |= shape
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    mx.random.seed(1)
    made = tree_flatten(build(config).parameters())
    weights = {name: value.astype(dtype) for name, value in made}
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    return folder


def make_adapter(
    folder: Path, model: Path, *, seed: int, rank: int, layers: int = -1,
    keys: list[str] | None = None, dora: bool = False,
) -> None:  # fmt: skip
    folder.mkdir(parents=True)
    base, _ = load_model(model, lazy=True)
    base.freeze()
    mx.random.seed(seed)
    parameters: dict[str, Any] = {"rank": rank, "scale": 2.0, "dropout": 0.0}
    if keys is not None:
        parameters["keys"] = keys
    linear_to_lora_layers(base, layers, dict(parameters), use_dora=dora)
    weights = {
        name: value + 0.01 * mx.random.normal(value.shape)
        for name, value in tree_flatten(base.trainable_parameters())
    }
    mx.save_safetensors(str(folder / "adapters.safetensors"), weights)
    config = {
        "model": str(model),
        "fine_tune_type": "dora" if dora else "lora",
        "num_layers": layers,
        "lora_parameters": parameters,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
