"""Where the demo model lives, and the settings the app offers for a first run with it."""

from __future__ import annotations

from pathlib import Path

MODEL_FOLDER = Path("models") / "droid-demo"
# The settings the app offers for a first run; whatever is not here keeps the app's default.
# 120 steps of 4 rows see each training row once and a third.
DEFAULTS: dict[str, object] = {
    "train_data_path": "../../demo/chat/train.jsonl",
    "val_data_path": "../../demo/chat/valid.jsonl",
    "iterations": 120,
    "batch_size": 4,
    "max_seq_length": 256,
    "steps_per_report": 8,
    "steps_per_eval": 24,
    "save_every": 60,
    "adapter_name": "demo_captain",
}
