"""Model folders made of a few bytes, for tests that never load them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from backend.settings import Settings, read_settings

CONFIG: dict[str, Any] = {
    "model_type": "qwen2",
    "hidden_size": 4,
    "num_hidden_layers": 2,
    "vocab_size": 10,
    "max_position_embeddings": 128,
}


def model_folder(folder: Path, config: Any = None, *, weights: str = "model.safetensors") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    chosen = CONFIG if config is None else config
    text = chosen if isinstance(chosen, str) else json.dumps(chosen)
    (folder / "config.json").write_text(text)
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text('{"chat_template": "x"}')
    if weights:
        write_weights(folder / weights)
    return folder


def write_weights(path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [5], "data_offsets": [0, 20]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 20)


def settings_for(root: Path, *models: Path) -> Settings:
    return read_settings({}, data_dir=str(root), models_dirs=[str(path) for path in models])
