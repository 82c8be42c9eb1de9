"""The form, the preview, the YAML and the session say the same, field by field."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.jobs.prepare import prepare
from backend.jobs.run.recipe import Recipe
from backend.training.lora.groups import SEVEN
from backend.training.plan.run_config import command_for
from backend.training.request.sft_fields import StandardStart
from backend.training.run_data.token_counts import TokenCounter, TokenCounts
from backend.training.schemas import Preview
from tests.models.folders import model_folder
from tests.training.agreement import Planning, tree_of_the_tiny_model

SAMPLE = 200

SAME_NAME = (
    "learning_rate", "batch_size", "max_seq_length", "steps_per_report", "steps_per_eval",
    "save_every", "fine_tune_type", "lora_rank", "lora_alpha", "lora_scaling", "lora_dropout",
    "optimizer", "grad_accumulation_steps", "grad_checkpoint", "mask_prompt", "seed",
    "val_batches", "test", "keep_checkpoints", "adapter_name", "report_to",
)  # fmt: skip
OTHER_NAME = {
    "iterations": "iters",
    "lora_num_layers": "num_layers",
    "early_stop": "enable_early_stop",
    "patience": "no_improve_patience_evals",
    "min_delta": "early_stop_min_delta",
}
OPTIONS = {
    "epsilon": "eps", "bias_correction": "bias_correction", "momentum": "momentum",
    "clip_threshold": "clip_threshold", "dampening": "dampening", "ns_steps": "ns_steps",
    "decay_rate": "decay_rate", "relative_step": "relative_step",
    "scale_parameter": "scale_parameter", "warmup_init": "warmup_init",
}  # fmt: skip
PRESETS = {
    "full": SEVEN,
    "attention": SEVEN[:4],
    "mlp": SEVEN[4:],
    "qv": ("self_attn.q_proj", "self_attn.v_proj"),
}


@pytest.fixture
def planning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planning:
    async def count(*_: Any, **__: Any) -> TokenCounts:
        return TokenCounts(lengths=(10,) * 30, starts=(5,) * 30)

    monkeypatch.setattr(TokenCounter, "count", count)
    # Two hundred folders: the disk's promise to keep them is not what is tested.
    monkeypatch.setattr("os.fsync", lambda _: None)
    folder = model_folder(tmp_path / "models" / "tiny")
    return Planning(tmp_path, folder, tree_of_the_tiny_model())


async def test_two_hundred_random_requests_are_told_the_same_everywhere(
    planning: Planning,
) -> None:
    for number in range(SAMPLE):
        request = planning.request(number)
        preview = await planning.manager.preview(request)
        await planning.manager.start(request, idempotency_key=None)
        recipe = planning.recipes.pop()
        record = await asyncio.to_thread(prepare, recipe, planning.store)

        folder = planning.settings.sessions_dir / recipe.session_id
        written = yaml.safe_load((folder / "config.yaml").read_text())
        agrees_with_request(written, request)
        agrees_with_preview(written, preview, recipe)
        assert record.config == request.model_dump(mode="json")
        assert (record.notes, record.tags) == (request.notes, request.tags)
        assert record.lora == preview.lora == recipe.lora
        assert record.data is not None and record.data.train is not None
        assert record.data.train.rows == preview.data.rows
        assert record.command == command_for(folder, request)
        assert record.metrics["total_steps"] == preview.iterations == request.iterations


def agrees_with_request(written: dict[str, Any], request: StandardStart) -> None:
    asked = request.model_dump()
    for name in SAME_NAME:
        assert written[name] == asked[name], name
    for name, key in OTHER_NAME.items():
        assert written[key] == asked[name], name
    assert written["project_name"] == (request.project_name or None)
    (options,) = written["optimizer_config"].values()
    assert list(written["optimizer_config"]) == [request.optimizer]
    for name, key in OPTIONS.items():
        if (name, request.optimizer) == ("epsilon", "adafactor"):
            continue  # It has a pair of its own.
        assert options.get(key) in (asked[name], asked[name] or None), name
    if request.beta1 is not None:
        assert options.get("beta_1", options.get("betas", [None])[0]) == request.beta1
    if request.beta2 is not None:
        assert options["betas"][1] == request.beta2
    eps = request.epsilon_squares, request.epsilon_scale
    if any(eps):
        assert options["eps"] == [eps[0] or 1e-30, eps[1] or 1e-3]
    if request.nesterov is not None:
        assert options["nesterov"] is (request.nesterov == "on")
    if request.optimizer != "adam":
        assert options["weight_decay"] == request.weight_decay
    agrees_on_lora(written["lora_parameters"], request)
    agrees_on_schedule(written["lr_schedule"], request)


def agrees_on_lora(lora: dict[str, Any] | None, request: StandardStart) -> None:
    if request.fine_tune_type == "full":
        assert lora is None
        return
    assert lora is not None
    divisor = {"mlx": 1.0, "alpha_over_rank": request.lora_rank}.get(
        request.lora_scaling, math.sqrt(request.lora_rank)
    )
    asked = request.lora_keys
    assert lora["scale"] == pytest.approx(request.lora_alpha / divisor)
    assert (lora["rank"], lora["dropout"]) == (request.lora_rank, request.lora_dropout)
    assert set(lora["keys"]) == set(PRESETS[asked] if isinstance(asked, str) else asked)


def agrees_on_schedule(schedule: dict[str, Any] | None, request: StandardStart) -> None:
    if request.lr_schedule == "constant" and request.warmup_steps == 0:
        assert schedule is None
        return
    assert schedule is not None
    updates = request.iterations // request.grad_accumulation_steps
    warmup = math.ceil(request.warmup_steps / request.grad_accumulation_steps)
    assert schedule.get("warmup", 0) == warmup
    assert request.learning_rate == schedule["arguments"][0]
    assert max(1, updates - warmup) in schedule["arguments"]
    ends = {"constant": request.learning_rate, "cosine": 0.0, "linear": 0.0}
    assert ends[request.lr_schedule] in schedule["arguments"][1:]


def agrees_with_preview(written: dict[str, Any], preview: Preview, recipe: Recipe) -> None:
    shown = yaml.safe_load(preview.config_yaml.replace("<session>", recipe.session_id))
    assert shown == written
    lora, told = written["lora_parameters"], preview.lora
    assert told is not None
    if lora is None:
        assert (told.keys, told.effective_scale) == ([], 1.0)
        return
    assert told.keys == lora["keys"]
    assert told.effective_scale == lora["scale"]
    layers = 2 if written["num_layers"] < 1 else written["num_layers"]
    assert (told.layers, told.matched_modules) == (layers, layers * len(lora["keys"]))


@pytest.mark.parametrize(
    ("fields", "copies"),
    [
        ({"optimizer": "adamw"}, 3),
        ({"optimizer": "sgd"}, 2),
        ({"optimizer": "muon"}, 2),
        ({"optimizer": "adafactor"}, 1 + 1 / 32),  # A row and a column: by rank 32.
        ({"optimizer": "adafactor", "beta1": 0.9}, 2 + 1 / 32),
    ],
    ids=str,
)
async def test_a_checkpoint_is_counted_with_the_state_that_a_resume_needs(
    planning: Planning, fields: dict[str, Any], copies: float
) -> None:
    needed = {"train_data_path": str(planning.root / "rows" / "train.jsonl"), "max_seq_length": 64}
    request = StandardStart.model_validate(needed | {"model_path": str(planning.folder)} | fields)

    preview = await planning.manager.preview(request)

    assert preview.lora is not None
    assert preview.checkpoint_bytes == preview.lora.trainable_parameters * 4 * copies
