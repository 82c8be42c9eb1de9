"""Starts of both tabs, and what becomes of each: configuration, command, warnings, estimates.

`recorded_starts.json` holds what the version before answered; a configuration stands there as what
differs from the first one of its engine. After a change that is meant, write it again by
`python -m tests.training.recorded_starts`, and look at what the difference says.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from backend.errors import AppError
from backend.jobs.prepare import prepare
from backend.jobs.run.recipe import Recipe
from backend.jobs.run.state import RunState
from backend.models.catalog import ModelCatalog
from backend.training.lora.inspector import ModelInspector
from backend.training.manager import TrainingManager
from backend.training.plan.context import PlanContext
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.methods_table import METHODS
from backend.training.request.sft_fields import StandardStart
from backend.training.run_data.token_counts import TokenCounter, TokenCounts
from tests.jobs.run.test_saved_states import write_events, write_state
from tests.models.folders import CONFIG, model_folder
from tests.training.enhanced_house import EnhancedHouse, FakeRewards
from tests.training.plan.test_resume import own_adapter
from tests.training.requests import qwen_tree, targets, write_rows

RECORDED = Path(__file__).with_name("recorded_starts.json")
COUNTS = TokenCounts(
    lengths=(10, 40, 80, 200) * 4 + (700, 30), starts=(5, 30) * 8 + (650, 7), valid=(90, 20)
)

Fields = Mapping[str, Any]
STANDARD: Mapping[str, Fields] = {
    "plain": {},
    "masked": {"mask_prompt": True, "max_seq_length": 600, "batch_size": 2, "early_stop": False},
    "dora by epochs": {"fine_tune_type": "dora", "epochs": 3.0, "lora_scaling": "rslora"},
    "full": {"fine_tune_type": "full", "learning_rate": 1e-3, "lora_num_layers": 1},
    "adam": {"optimizer": "adam", "beta1": 0.8, "epsilon": 1e-7, "weight_decay": 0.1},
    "sgd": {"optimizer": "sgd", "momentum": 0.5, "nesterov": "on", "warmup_steps": 5},
    "muon": {"optimizer": "muon", "ns_steps": 4, "lr_schedule": "cosine", "warmup_steps": 3},
    "adafactor": {
        "optimizer": "adafactor", "relative_step": True, "scale_parameter": True,
        "epsilon_scale": 1e-4, "beta1": 0.9, "confirm_high_scale": True,
    },
    "own validation": {"val_data_path": "valid.jsonl", "test": True, "keep_checkpoints": 0},
    "no validation": {"val_split": 0.0, "val_batches": 0, "grad_accumulation_steps": 4},
    "qlora": {"quantize_base": 4, "lora_keys": ["self_attn.q_proj"], "grad_checkpoint": False},
    "too strong": {"lora_alpha": 256.0, "learning_rate": 1e-3, "lora_rank": 8},
    "unconfirmed": {"lora_alpha": 256.0, "learning_rate": 1e-3, "confirm_high_scale": False},
    "ranks": {"distributed": {"processes": 2}, "batch_size": 4, "notes": "ü: ok", "tags": ["a"]},
    "same name": {"adapter_name": "taken"},
    "replaced": {"adapter_name": "taken", "overwrite": True, "lora_dropout": 0.1},
    "continued": {"resume_from": "sft", "iterations": 90, "lr_schedule": "linear"},
    "nothing left": {"resume_from": "sft", "iterations": 10},
}  # fmt: skip
ENHANCED: Mapping[str, Fields] = {
    **{f"plain {method}": {"training_method": method} for method in METHODS},
    "sft by epochs": {
        "training_method": "sft", "epochs": 2.0, "group_size": 8, "mask_prompt": True,
    },
    "sft continued": {"training_method": "sft", "resume_from": "sft", "group_size": 8},
    "grpo at its widest": {
        "training_method": "grpo", "group_size": 16, "batch_size": 2, "temperature": 0.0,
        "reward_functions": "token_f1, number_match", "reward_weights": "[1, 0.5]",
        "success_function": "token_f1", "beta": 0.0, "epsilon_high": 0.3, "xpo_alpha": 0.1,
        "reference_model_path": "tiny", "mask_prompt": True,
    },
    "gspo in full": {
        "training_method": "gspo", "fine_tune_type": "full", "learning_rate": 1e-3,
        "grpo_loss_type": "dr_grpo", "updates_per_rollout": 2, "epochs": 1.0,
    },
    "dpo on a copy": {
        "training_method": "dpo", "quantize_base": 8, "preference_loss": "dpop", "delta": 10.0,
        "optimizer": "muon", "lr_schedule": "cosine", "warmup_steps": 4, "max_seq_length": 64,
    },
    "dsla by orpo": {"training_method": "dsla", "dsla_loss": "orpo", "delta": 3.0},
    "judged by a model": {
        "training_method": "online_dpo", "judge": "tiny", "judge_system_prompt": "Be fair.",
    },
    "judged by functions": {
        "training_method": "xpo", "reward_functions": "token_f1", "judge": "tiny",
    },
    "klpo by draws": {"training_method": "klpo", "klpo_mc_samples": 16, "quantize_base": 4},
    "grpo continued": {"training_method": "grpo", "resume_from": "grpo", "iterations": 200},
    "grpo with another batch": {"training_method": "grpo", "resume_from": "grpo", "batch_size": 2},
    "no such reward": {"training_method": "grpo", "reward_functions": "nope"},
    "too few prompts": {"training_method": "ppo", "batch_size": 1, "optimizer": "sgd"},
}  # fmt: skip


QUEUED = ("plain", "continued", "sft by epochs", "grpo at its widest")
SHOWN = (
    "config_yaml", "command", "memory", "estimated_seconds", "iterations", "checkpoint_bytes",
    "checkpoints_kept", "needs_confirmation", "warnings",
)  # fmt: skip


class _LargerTree:
    async def targets(self, _: Any) -> Any:
        return targets(qwen_tree(layers=4, hidden=1024, inner=4096, kv=256))


class RecordedHouse(EnhancedHouse):
    """With a model of some size, a session of each engine to continue, and an adapter `taken`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        model_folder(
            self.folder,
            CONFIG | {"hidden_size": 1024, "vocab_size": 30_000, "max_position_embeddings": 1500},
        )
        write_rows(root / "valid.jsonl", 8)
        write_rows(root / "test.jsonl", 4)
        own_adapter(self.settings.adapters_dir / "taken", "another")
        self.context = PlanContext(
            self.settings,
            ModelCatalog(self.settings),
            cast(ModelInspector, _LargerTree()),
            self.context.sessions,
            working_set=lambda: 8_000_000_000,
        )
        self.manager = TrainingManager(
            self.context,
            cast(Any, self.supervisor),
            queue=self.queue,
            rewards=cast(Any, FakeRewards()),
        )
        self.sources: dict[str, str] = {}

    async def sources_written(self) -> None:
        for engine, asked in (
            ("sft", self.request(lora_rank=4, adapter_name="mine")),
            ("grpo", self.enhanced(reward_functions="token_f1", adapter_name="ours")),
        ):
            recipe = await self._started(asked)
            record = prepare(recipe, self.context.sessions)
            record.state = record.training_state = RunState.STOPPED
            record.metrics |= {
                "tokens_per_second": 500.0, "iterations_per_second": 0.5, "current_step": 20,
                "completion_length_mean": 20.0, "hit_max_tokens_ratio": 0.0,
                "total_parameters": 1000, "trained_tokens": 5000,
            }  # fmt: skip
            self.context.sessions.save(record)
            folder = self.settings.sessions_dir / recipe.session_id
            write_state(folder, 20)
            write_events(folder, [{"type": "metrics", "step": 20, "train_loss": 1.0}])
            own_adapter(recipe.adapter_path, recipe.session_id)
            self.sources[engine] = recipe.session_id

    async def waiting(self, asked: StandardStart | EnhancedStart) -> dict[str, Any]:
        """How such a request stands in the queue's file."""
        self.supervisor.busy = True
        await self.manager.start(asked.model_copy(update={"queue": True}), idempotency_key=None)
        self.supervisor.busy = False
        (queued,) = self.queue.all()
        await self.queue.remove(queued.session_id)
        return queued.request

    async def outcome(self, asked: StandardStart | EnhancedStart) -> dict[str, Any]:
        """What is answered to a preview and to a start, and kept of both."""
        found: dict[str, Any] = {}
        try:
            shown = (await self.manager.preview(asked)).model_dump(mode="json")
            found["preview"] = {name: shown[name] for name in SHOWN}
        except AppError as refusal:
            found["preview"] = _refused(refusal)
        try:
            recipe = await self._started(asked)
        except AppError as refusal:
            return {**found, "start": _refused(refusal)}
        return {
            **found,
            "config": yaml.safe_dump(dict(recipe.config), sort_keys=False, allow_unicode=True),
            "start": {
                "method": recipe.method,
                "engine": recipe.engine,
                "steps": recipe.total_steps,
                "command": recipe.command,
                "overwrite": recipe.overwrite,
                "adapter": str(recipe.adapter_path),
                "request": dict(recipe.request),
                "resumed": recipe.resumed_from and recipe.resumed_from.model_dump(),
                "warnings": list(recipe.warnings),
                "codes": [getattr(text, "code", "") for text in recipe.warnings],
            },
            "session": recipe.session_id,
        }

    def asked(self, fields: Fields) -> StandardStart | EnhancedStart:
        known: dict[str, Any] = {**fields}
        if "resume_from" in known:
            known["resume_from"] = self.sources[known["resume_from"]]
        else:
            known = {"adapter_name": "new", **known}
        if "val_data_path" in known:
            known["val_data_path"] = str(self.rows.with_name(known["val_data_path"]))
        if "training_method" in known:
            length = {} if "resume_from" in known else {"max_completion_length": 100}
            return self.enhanced(known.pop("training_method"), **{**length, **known})
        kept = {"resume_from", "max_seq_length"} & known.keys()
        length = {} if kept else {"max_seq_length": 512}
        named = {"model_path": "tiny", "train_data_path": str(self.rows)}
        more = {} if {"iterations", "epochs"} & known.keys() else {"iterations": 30}
        return StandardStart.model_validate(named | length | more | known)

    async def _started(self, asked: StandardStart | EnhancedStart) -> Recipe:
        await self.manager.start(asked, idempotency_key=None)
        return self.supervisor.started.pop()


async def recorded(root: Path) -> dict[str, Any]:
    """Every case, without what differs from one machine and minute to the next."""
    house = RecordedHouse(root)
    house.settings.sessions_dir.mkdir(parents=True)
    await house.sources_written()
    known = {str(root): "ROOT"} | {session: f"OF-{name}" for name, session in house.sources.items()}
    found: dict[str, Any] = {}
    for name, fields in {**STANDARD, **ENHANCED}.items():
        outcome = await house.outcome(house.asked(fields))
        if name in QUEUED:
            outcome["queued"] = await house.waiting(house.asked(fields))
        names = known | {outcome.pop("session", "no session"): "<session>"}
        text = json.dumps(outcome)
        for real, shown in names.items():
            text = text.replace(real, shown)
        found[name] = json.loads(text)
    return found


def packed(found: Mapping[str, Any]) -> dict[str, Any]:
    """Configurations and requests as what differs from the first of their kind."""
    first: dict[str, Any] = {}
    cases = {}
    for name, outcome in found.items():
        case = json.loads(json.dumps(outcome))
        _drop_what_the_preview_has(case)
        for place in (case["preview"], case):
            for key in {"config_yaml", "config"} & place.keys():
                place[key] = _difference(first, place[key])
        if "start" in case and "request" in case["start"]:
            start = case["start"]
            kind = "enhanced" if "training_method" in start["request"] else "standard"
            base = first.setdefault(f"request {kind}", start["request"])
            start["request"] = {k: v for k, v in start["request"].items() if base.get(k, "-") != v}
        cases[name] = case
    return {"first": first, "cases": cases}


def _drop_what_the_preview_has(case: dict[str, Any]) -> None:
    """A start's configuration and warnings, where they are the same."""
    preview, start = case["preview"], case["start"]
    if case.get("config") == preview.get("config_yaml"):
        case.pop("config", None)
    if start.get("warnings") == preview.get("warnings"):
        start.pop("warnings", None)


def _difference(first: dict[str, Any], text: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    base = first.setdefault(f"config {config['method'] == 'sft'}", config)
    order = list(config)
    if order[: len(base)] != list(base):
        return {"whole": text}
    changed = {key: value for key, value in config.items() if base.get(key, "-") != value}
    again = yaml.safe_dump({**base, **changed}, sort_keys=False, allow_unicode=True)
    return changed if again == text else {"whole": text}


def lines_of(value: Mapping[str, Any]) -> Iterator[str]:
    """A line for each case, so that a change shows which case it is."""
    yield "{"
    groups = list(value.items())
    for group, (title, entries) in enumerate(groups):
        yield f" {json.dumps(title)}: {{"
        rows = list(entries.items())
        for row, (name, entry) in enumerate(rows):
            comma = "," if row < len(rows) - 1 else ""
            yield f"  {json.dumps(name)}: {json.dumps(entry, ensure_ascii=False)}{comma}"
        yield " }," if group < len(groups) - 1 else " }"
    yield "}"


def _refused(refusal: AppError) -> dict[str, Any]:
    fields = [[problem.field, problem.message] for problem in refusal.errors]
    return {"refused": refusal.detail, "hint": refusal.hint, "errors": fields}


async def count(*_: Any, **__: Any) -> TokenCounts:
    """In place of `TokenCounter.count`."""
    return COUNTS


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(TokenCounter, "count", count)
        made = packed(asyncio.run(recorded(Path(folder).resolve())))
    RECORDED.write_text("\n".join(lines_of(made)) + "\n", encoding="utf-8")
