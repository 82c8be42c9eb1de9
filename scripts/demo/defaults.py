"""Where the demo model lives, and the settings the app offers for a first run with it."""

from __future__ import annotations

from pathlib import Path

MODEL_FOLDER = Path("models") / "droid-demo"
# The settings the app offers for a first run; whatever is not here keeps the app's default.
# 200 steps of 4 rows see each training row a little over twice.
DEFAULTS: dict[str, object] = {
    "train_data_path": "../../demo/chat/train.jsonl",
    "val_data_path": "../../demo/chat/valid.jsonl",
    "iterations": 200,
    "batch_size": 4,
    "max_seq_length": 256,
    "steps_per_report": 10,
    "steps_per_eval": 40,
    "save_every": 100,
    "adapter_name": "demo_captain",
}
