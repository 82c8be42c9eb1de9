"""`python -m scripts.bench.peers.mlx_child <trainer> <run folder>`: train it with that trainer.

The run folder is one of the app's, with `data` and `config.yaml`, which all of them follow. Notes
of each step go into `notes-<trainer>.jsonl` there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import yaml

from backend.contract.run.folder import CONFIG
from scripts.bench.peers.notes import Notes

Train = Callable[[Path, dict[str, Any], Notes], None]


def train_app(folder: Path, _values: dict[str, Any], notes: Notes) -> None:
    """The app's own process, with a look at its reports."""
    from backend.engines.sft.__main__ import main as run
    from backend.engines.trainer.reports import Reports

    report = Reports.on_train_loss_report

    def on_train_loss_report(self: Reports, info: dict[str, Any]) -> None:
        report(self, info)
        _note(notes, info)

    Reports.on_train_loss_report = on_train_loss_report  # type: ignore[method-assign]
    if run([str(folder)]) != 0:
        raise SystemExit(1)


def train_mlx_lm(folder: Path, values: dict[str, Any], notes: Notes) -> None:
    """`mlx_lm.lora` on the same YAML."""
    from mlx_lm.lora import CONFIG_DEFAULTS, run
    from mlx_lm.tuner.callbacks import SUPPORT_CALLBACK

    SUPPORT_CALLBACK["notes"] = lambda **_: _callback(notes)
    run(SimpleNamespace(**CONFIG_DEFAULTS | values | {"report_to": "notes"}))


def train_mlx_lm_lora(folder: Path, values: dict[str, Any], notes: Notes) -> None:
    """mlx_lm_lora's own loop of fine-tuning, which asks even a CPU for its working set."""
    from backend.engines.rl.hooks import allow_cpu

    allow_cpu()
    from mlx_lm_lora.train import CONFIG_DEFAULTS, run

    own = {
        "train_mode": "sft", "train_type": "lora", "wandb": None, "fuse": False, "test": False,
        "epochs": None, "gradient_accumulation_steps": 1,
    }  # fmt: skip
    taken = {name: value for name, value in values.items() if name in CONFIG_DEFAULTS}
    run(SimpleNamespace(**CONFIG_DEFAULTS | taken | own), training_callback=_callback(notes))


def train_unsloth(folder: Path, values: dict[str, Any], notes: Notes) -> None:
    """Unsloth's MLX trainer on the texts of the rows; only its test of the platform is answered."""
    import platform

    from mlx_lm.tuner.utils import linear_to_lora_layers
    from mlx_lm.utils import load

    if platform.system() != "Darwin":  # After what asks for libraries of that system.
        platform.system, platform.machine = lambda: "Darwin", lambda: "arm64"
        platform.mac_ver = lambda *_: ("15.0", ("", "", ""), "arm64")
    unsloth = import_module("unsloth_zoo.mlx.trainer")
    model, tokenizer = load(values["model"])[:2]
    model.freeze()
    linear_to_lora_layers(model, values["num_layers"], values["lora_parameters"])
    lines = (folder / "data" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [
        {"text": tokenizer.apply_chat_template(json.loads(line)["messages"], tokenize=False)}
        for line in lines
    ]
    trainer = unsloth.MLXTrainer(
        model,
        tokenizer,
        texts,
        args=unsloth.MLXTrainingConfig(
            per_device_train_batch_size=values["batch_size"],
            gradient_accumulation_steps=1,
            max_steps=values["iters"],
            warmup_steps=0,
            lr_scheduler_type="constant",
            learning_rate=values["learning_rate"],
            weight_decay=0.01,
            max_seq_length=values["max_seq_length"],
            gradient_checkpointing=values["grad_checkpoint"],
            seed=values["seed"],
            output_dir=str(folder / "unsloth"),
            append_eos=False,
            compile=False,
        ),
    )

    def log(*report: Any) -> None:
        """Step, steps, loss, rate, tokens per second, peak, seconds, tokens, norm."""
        notes.add(int(report[0]), float(report[2]), int(report[7]), int(mx.get_peak_memory()))

    trainer.add_step_callback(log)
    trainer.train()


_TRAINERS: dict[str, Train] = {
    "app": train_app,
    "mlx_lm": train_mlx_lm,
    "mlx_lm_lora": train_mlx_lm_lora,
    "unsloth": train_unsloth,
}


def main() -> int:
    trainer, folder = sys.argv[1], Path(sys.argv[2])
    values = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
    _TRAINERS[trainer](folder, values, Notes(folder / f"notes-{trainer}.jsonl"))
    return 0


def _callback(notes: Notes) -> Any:
    from mlx_lm.tuner.callbacks import TrainingCallback

    class Callback(TrainingCallback):  # type: ignore[misc]  # the engine has no types
        def on_train_loss_report(self, train_info: dict[str, Any]) -> None:
            _note(notes, train_info)

    return Callback()


def _note(notes: Notes, info: dict[str, Any]) -> None:
    step, tokens = int(info["iteration"]), int(info.get("trained_tokens", 0))
    notes.add(step, float(info["train_loss"]), tokens, int(mx.get_peak_memory()))


if __name__ == "__main__":
    sys.exit(main())
