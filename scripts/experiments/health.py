"""`npm run experiment:health`: runs with a planted fault and healthy ones, and what the rules say.

Every run is one of the app's own training process on the demo model. The table of hits and false
alarms is written to docs/health.md. Faults of a machine are planted where the run reports them.
"""

from __future__ import annotations

import copy
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.jobs.health.facts import RunFacts
from backend.jobs.health.monitor import HealthMonitor
from backend.jobs.run.events import parse_event
from backend.training.lora.groups import SEVEN
from scripts.bench.machine import machine
from scripts.experiments.course import finish, options
from scripts.experiments.rl_grid import METHODS, RlCell
from scripts.experiments.rl_runs import make_method_run
from scripts.experiments.runs import Event, make_run, train
from scripts.setup.stamps import CHECKOUT

PAGE = CHECKOUT / "docs" / "health.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_CHAT = CHECKOUT / "test_data" / "demo" / "chat"
Plant = Callable[[list[Event]], None]
_HEARD = {"metrics", "validation", "warning"}
_ATTENTION = SEVEN[:4]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCell:
    """One run. `expected` are the codes of which one should be raised; none of a healthy run.

    `plant` changes what the run reports, for faults that no setting makes; `memory_share` is the
    share of the machine's limit that its peak shall have.
    """

    name: str
    method: str = "sft"
    data: Path = _CHAT
    keys: tuple[str, ...] = SEVEN
    own: dict[str, Any] = field(default_factory=dict)
    rewards: tuple[str, ...] | None = None
    rows: int | None = None
    expected: tuple[str, ...] = ()
    plant: Plant | None = None
    memory_share: float | None = None

    @property
    def asked(self) -> dict[str, Any]:
        """Of the start request, beside model and data."""
        common = _SFT if self.method == "sft" else RlCell(self.method, 0).fields
        rewards = {} if self.rewards is None else {"reward_functions": ", ".join(self.rewards)}
        return common | self.own | rewards

    @property
    def fields(self) -> dict[str, Any]:
        """What a result was made with."""
        return self.asked | {"rows": self.rows, "keys": list(self.keys), "data": self.data.name}


_SFT: dict[str, Any] = {
    "iterations": 60, "batch_size": 4, "max_seq_length": 128, "lora_rank": 8, "lora_alpha": 16.0,
    "lora_scaling": "alpha_over_rank", "optimizer": "adamw", "weight_decay": 0.0,
    "learning_rate": 3e-4, "steps_per_report": 2, "steps_per_eval": 10, "save_every": 1000,
    "val_batches": 5, "grad_checkpoint": False, "seed": 0,
}  # fmt: skip
_LONG = {"steps_per_report": 2, "steps_per_eval": 6, "iterations": 30}


def healthy() -> Iterator[HealthCell]:
    yield HealthCell(name="LoRA on every matrix, seed 0")
    yield HealthCell(name="LoRA on every matrix, seed 1", own={"seed": 1})
    yield HealthCell(name="LoRA on attention", keys=_ATTENTION)
    yield HealthCell(name="rank 32, rate 1e-3", own={"lora_rank": 32, "learning_rate": 1e-3})
    yield HealthCell(name="one row a batch", own={"batch_size": 1})
    yield HealthCell(name="warm-up and cosine", own={"lr_schedule": "cosine", "warmup_steps": 10})
    yield HealthCell(name="accumulation of 2", own={"grad_accumulation_steps": 2})
    yield HealthCell(name="clipped to norm 1", own={"max_grad_norm": 1.0})
    yield HealthCell(name="prompt masked, completions", data=_CHAT.parent / "completions",
                     own={"mask_prompt": True})  # fmt: skip
    yield HealthCell(name="full fine-tuning", own={"fine_tune_type": "full", "learning_rate": 1e-4})
    yield HealthCell(name="SGD with momentum", own={
        "optimizer": "sgd", "momentum": 0.9, "learning_rate": 3e-2})  # fmt: skip
    yield HealthCell(name="DPO", method="dpo", own=_LONG)
    yield HealthCell(name="ORPO", method="orpo", own=_LONG)
    yield HealthCell(name="GRPO", method="grpo")
    yield HealthCell(name="GSPO", method="gspo")
    yield HealthCell(name="Dr. GRPO", method="dr_grpo")


def faulty() -> Iterator[HealthCell]:
    high = ("loss_not_finite", "divergence", "learning_rate_high")
    yield HealthCell(name="rate 1e-2", own={"learning_rate": 1e-2}, expected=high)
    yield HealthCell(name="rate 3e-2, attention", keys=_ATTENTION,
                     own={"learning_rate": 3e-2}, expected=high)  # fmt: skip
    yield HealthCell(name="full fine-tuning, rate 1e-2", own={
        "fine_tune_type": "full", "learning_rate": 1e-2}, expected=high)  # fmt: skip
    yield HealthCell(name="rate 1e30", own={"learning_rate": 1e30}, expected=high)
    yield HealthCell(name="ORPO, rate 3e-2", method="orpo", own=_LONG | {"learning_rate": 3e-2},
                     expected=high)  # fmt: skip
    low = ("learning_rate_low",)
    yield HealthCell(name="rate 1e-6", own={"learning_rate": 1e-6}, expected=low)
    yield HealthCell(name="rate 5e-6, attention", keys=_ATTENTION,
                     own={"learning_rate": 5e-6}, expected=low)  # fmt: skip
    yield HealthCell(name="DPO, rate 1e-8", method="dpo", own=_LONG | {"learning_rate": 1e-8},
                     expected=low)  # fmt: skip
    yield HealthCell(name="rate 1e-14", own={"learning_rate": 1e-14},
                     expected=("weights_not_moving",))  # fmt: skip
    over = ("overfitting",)
    yield HealthCell(name="12 rows, rank 32", rows=12, own={
        "iterations": 100, "lora_rank": 32, "learning_rate": 1e-3}, expected=over)  # fmt: skip
    yield HealthCell(name="12 rows, full fine-tuning", rows=12, own={
        "iterations": 80, "fine_tune_type": "full", "learning_rate": 3e-4},
        expected=over)  # fmt: skip
    equal = ("equal_rewards",)
    yield HealthCell(name="GRPO, a reward that never comes", method="grpo",
                     rewards=("r1_strict_format_reward_func",), expected=equal)  # fmt: skip
    yield HealthCell(name="GRPO, temperature 0.01", method="grpo", own={"temperature": 0.01},
                     expected=equal)  # fmt: skip
    yield HealthCell(name="GRPO, 4 tokens an answer", method="grpo", own={
        "max_completion_length": 4}, expected=("completions_cut",))  # fmt: skip
    yield HealthCell(name="memory at 95 % of the limit", memory_share=0.95,
                     expected=("memory_near_limit",))  # fmt: skip
    yield HealthCell(name="memory over the limit", memory_share=1.1,
                     expected=("memory_near_limit",))  # fmt: skip
    yield HealthCell(name="memory that leaks (reports changed)", own={"steps_per_report": 1},
                     plant=_leak, expected=("memory_creeping",))  # fmt: skip
    yield HealthCell(name="a machine that throttles (reports changed)",
                     own={"steps_per_report": 1}, plant=_throttle,
                     expected=("throughput_drop",))  # fmt: skip


def _leak(events: list[Event]) -> None:
    reports = [event for event in events if event["type"] == "metrics"]
    for number, event in enumerate(reports):
        event["peak_memory_gb"] *= 1 + max(0, number - 20) * 0.01


def _throttle(events: list[Event]) -> None:
    reports = [event for event in events if event["type"] == "metrics"]
    for event in reports[30:]:
        event["tokens_per_second"] *= 0.3


def main() -> int:
    cells = [*healthy(), *faulty()]
    results = finish("health", cells, options("health"), run=run_cell, say=_words)
    _write(table(cells, results))
    return 0


def run_cell(cell: HealthCell) -> dict[str, Any]:
    """Train it; answer its reports, so that the rules can look again when they have changed."""
    root = Path(tempfile.mkdtemp(prefix="droid-experiment-"))
    try:
        if cell.method == "sft":
            run = make_run(root / "cell", cell.data, cell.keys, **cell.asked)
        else:
            task = METHODS[cell.method][0]
            rewards = task.rewards if cell.rewards is None else cell.rewards
            run = make_method_run(root / "cell", task.data, cell.asked, rewards)
        if cell.rows is not None:
            path = run / "data" / "train.jsonl"
            kept = path.read_text(encoding="utf-8").splitlines(keepends=True)[: cell.rows]
            path.write_text("".join(kept), encoding="utf-8")
        module = "backend.engines.sft" if cell.method == "sft" else "backend.engines.rl"
        events = train(run, module)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return {"fields": cell.fields, "events": [e for e in events if e["type"] in _HEARD]}


def look(cell: HealthCell, events: list[Event]) -> tuple[list[str], str | None]:
    """The codes that the rules of today raise over a run, and the last verdict."""
    told = copy.deepcopy(events)
    if cell.plant is not None:
        cell.plant(told)
    monitor = HealthMonitor(_facts(cell, told))
    codes = [
        alert.code
        for raw in told
        if (event := parse_event(raw)) is not None
        for alert in monitor.apply(event)
    ]
    return list(dict.fromkeys(codes)), monitor.verdict


def table(cells: list[HealthCell], results: dict[str, dict[str, Any]]) -> str:
    """Hits and false alarms, and every run, as Markdown."""
    looked = [
        (cell, *look(cell, results[cell.name]["events"])) for cell in cells if cell.name in results
    ]
    faults = [row for row in looked if row[0].expected]
    sound = [row for row in looked if not row[0].expected]
    hits = sum(bool(set(cell.expected) & set(codes)) for cell, codes, _ in faults)
    alarms = sum(verdict != "healthy" for _, _, verdict in sound)
    lines = [
        machine(),
        "",
        f"**{hits} of {len(faults)} planted faults found, {alarms} false alarms in {len(sound)} "
        "healthy runs.**",
        "",
        "| run | alerts | last verdict | as it should be |",
        "|---|---|---|---|",
    ]
    for cell, codes, verdict in looked:
        found = bool(set(cell.expected) & set(codes)) if cell.expected else verdict == "healthy"
        method = "SFT" if cell.method == "sft" else ""
        shown = ", ".join(f"`{code}`" for code in codes) or "–"
        name = f"{method}: {cell.name}" if method else cell.name
        lines.append(f"| {name} | {shown} | {verdict or '–'} | {'yes' if found else '**no**'} |")
    return "\n".join(lines)


def _facts(cell: HealthCell, events: list[Event]) -> RunFacts:
    limit = None
    if cell.memory_share is not None:
        peak = max(e.get("peak_memory_gb") or 0 for e in events if e["type"] == "metrics")
        limit = round(peak * 1e9 / cell.memory_share)
    return RunFacts.of_request(cell.method, cell.fields, memory_limit=limit)


def _words(result: dict[str, Any]) -> str:
    return f"{len(result['events'])} events"


def _write(measured: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{measured}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    print(f"  wrote {PAGE.relative_to(CHECKOUT)}")


if __name__ == "__main__":
    sys.exit(main())
