"""The app against every trainer that a user could take instead, on the same model and data.

In turn, each in a process of its own: what the machine does meanwhile meets all of them.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from backend.contract.run.folder import CONFIG
from backend.training.lora.groups import SEVEN
from scripts.bench.machine import machine
from scripts.bench.page import write_section
from scripts.bench.peers.notes import Note, read_notes
from scripts.experiments.runs import environment, make_run
from scripts.setup.stamps import CHECKOUT

TORCH_PYTHON = "DROID_BENCH_TORCH_PYTHON"
UNSLOTH_PATH = "DROID_BENCH_UNSLOTH"
PEERS = ("app", "mlx_lm", "mlx_lm_lora", "unsloth", "peft")
_NAMES = {
    "app": "**the app**", "mlx_lm": "plain `mlx_lm.lora`", "mlx_lm_lora": "`mlx_lm_lora` SFT",
    "unsloth": "Unsloth's MLX trainer", "peft": "transformers + PEFT, CPU PyTorch",
}  # fmt: skip
_TITLE = "The app and its peers"
_HEAD = """Written by `npm run bench -- peers --write`. Each trainer in a process of its own, in
turn, on the same model, data, batch, LoRA (rank 16, seven matrices), rate, precision (float32) and
number of steps; medians of the rounds. *Tokens per CPU second* are learned tokens after the first
fifth of the steps, *÷ app* those as a share of the app's: below 1 the app is faster. *First step*
is CPU seconds from the process to the end of its first step. Each trainer takes the rows in its own
order, so losses at equal steps differ by that too.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`shape` of a random model in the place of the demo model; `data` below test_data/demo."""

    name: str
    data: str
    batch: int
    length: int
    steps: int
    shape: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Of one trainer on one case. Sizes in bytes; `mlx` is None for what is not mlx."""

    speed: float
    first: float
    resident: int
    mlx: int | None
    loss: float

    @classmethod
    def of(cls, notes: Sequence[Note]) -> Result:
        start, end = notes[len(notes) // 5], notes[-1]
        last = [note.loss for note in notes[-max(1, len(notes) // 5) :]]
        return cls(
            speed=(end.tokens - start.tokens) / (end.cpu - start.cpu),
            first=notes[0].cpu,
            resident=end.resident,
            mlx=end.mlx,
            loss=statistics.fmean(last),
        )


def cases(*, small: bool) -> tuple[Case, ...]:
    """`small`: enough to see that it works."""
    shape = {
        "hidden_size": 896, "intermediate_size": 4864, "num_attention_heads": 14,
        "num_key_value_heads": 2, "num_hidden_layers": 2 if small else 24,
        "vocab_size": 16_000 if small else 151_936,
    }  # fmt: skip
    size = "random Qwen2 of 2 layers" if small else "random Qwen2 of the 0.5B shape"
    demo, wide = (5, 5) if small else (50, 10)
    mixed = 5 if small else 30
    return (
        Case(name="demo model, demo/chat", data="chat", batch=4, length=256, steps=demo),
        Case(name="demo model, demo/mixed", data="mixed", batch=8, length=512, steps=mixed),
        Case(name=size, data="chat", batch=2, length=128, steps=wide, shape=shape),
    )


def bench_peers(*, rounds: int, write: bool, small: bool = False) -> int:
    """Print the tables and with `write` keep them; 1 when another mlx trainer is ahead."""
    missing = {peer: reason for peer in PEERS if (reason := why_not(peer))}
    texts, good = [], True
    with tempfile.TemporaryDirectory(prefix="droid-peers-") as folder:
        for number, case in enumerate(cases(small=small)):
            results, failed = _measure(Path(folder) / str(number), case, rounds, missing)
            text = f"### {case.name}\n\n{_subject(case)}\n\n{_table(results, missing | failed)}"
            print(f"\n{text}", flush=True)
            texts.append(text)
            good = good and _ahead(results)
    where = machine()
    print(f"\n  {where}")
    if write:
        write_section(_TITLE, _HEAD + where + "\n\n" + "\n\n".join(texts))
    return 0 if good else 1


def why_not(peer: str) -> str | None:
    """Why it can't be run here; None where it can."""
    installed = os.environ.get(UNSLOTH_PATH) or importlib.util.find_spec("unsloth_zoo")
    if peer == "unsloth" and not installed:
        return (
            f"unsloth_zoo is not installed; {UNSLOTH_PATH} names a folder that it was installed "
            "into with `pip install --no-deps --target`"
        )
    if peer == "peft" and not Path(os.environ.get(TORCH_PYTHON) or "/nowhere").is_file():
        return f"{TORCH_PYTHON} names no Python that has torch, transformers and peft"
    return None


def _measure(
    root: Path, case: Case, rounds: int, missing: Mapping[str, str]
) -> tuple[dict[str, list[Result]], dict[str, str]]:
    results: dict[str, list[Result]] = {}
    failed: dict[str, str] = {}
    model = _make_model(root / "model", case.shape) if case.shape else None
    for number in range(rounds):
        for peer in PEERS:
            if peer in missing or peer in failed:
                continue
            run = _run_folder(root / f"{number}-{peer}", case, model)
            reason = _train(peer, run)
            if reason is None:
                result = Result.of(read_notes(run / f"notes-{peer}.jsonl"))
                results.setdefault(peer, []).append(result)
                print(f"    {case.name}, {peer}: {result.speed:.0f} tokens per CPU second")
            elif peer == "app":
                raise RuntimeError(f"The app's run failed: {reason}")
            else:
                failed[peer] = reason
    return results, failed


def _make_model(folder: Path, shape: Mapping[str, object]) -> Path:
    from scripts.bench.inference_models import make_model  # It imports the engine.

    return make_model(folder, shape)


def _run_folder(root: Path, case: Case, model: Path | None) -> Path:
    run = make_run(
        root, CHECKOUT / "test_data" / "demo" / case.data, SEVEN, iterations=case.steps,
        batch_size=case.batch, max_seq_length=case.length, steps_per_report=1,
        steps_per_eval=10_000, val_batches=1, save_every=10_000, grad_checkpoint=False,
        lora_rank=16, lora_alpha=16.0, lora_scaling="alpha_over_rank", learning_rate=1e-3,
    )  # fmt: skip
    if model is not None:
        path = run / CONFIG
        values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump(values | {"model": str(model)}), encoding="utf-8")
    return run


def _train(peer: str, run: Path) -> str | None:
    """Why it failed, if it did."""
    env = environment()
    if peer == "peft":
        env = {name: value for name, value in env.items() if name != "LD_PRELOAD"}
        argv = [os.environ[TORCH_PYTHON], "-m", "scripts.bench.peers.torch_child", str(run)]
    else:
        argv = [sys.executable, "-m", "scripts.bench.peers.mlx_child", peer, str(run)]
    if peer == "unsloth" and (path := os.environ.get(UNSLOTH_PATH)):
        env["PYTHONPATH"] = f"{env['PYTHONPATH']}:{path}"
    done = subprocess.run(argv, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)
    if done.returncode == 0 and read_notes(run / f"notes-{peer}.jsonl"):
        return None
    lines = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()
    return f"it ended with {done.returncode} on {platform.system()}: {lines[-1][:200]}"


def _subject(case: Case) -> str:
    return f"{case.steps} steps of {case.batch} rows of at most {case.length} tokens."


def _ahead(results: Mapping[str, list[Result]]) -> bool:
    """Whether no other mlx trainer is faster or takes less memory."""
    own = _median(results["app"])
    others = [_median(each) for peer, each in results.items() if peer not in ("app", "peft")]
    return all(
        own.speed >= 0.98 * other.speed and (own.mlx or 0) <= 1.02 * (other.mlx or 0)
        for other in others
    )


def _median(results: Sequence[Result]) -> Result:
    sizes = [each.mlx for each in results if each.mlx is not None]
    return Result(
        speed=statistics.median(each.speed for each in results),
        first=statistics.median(each.first for each in results),
        resident=int(statistics.median(each.resident for each in results)),
        mlx=int(statistics.median(sizes)) if sizes else None,
        loss=statistics.median(each.loss for each in results),
    )


def _table(results: Mapping[str, list[Result]], missing: Mapping[str, str]) -> str:
    lines = [
        "| trainer | tokens per CPU second | ÷ app | MLX peak | resident | first step | loss |",
        "|---|---|---|---|---|---|---|",
    ]
    for peer in PEERS:
        if peer not in results:
            lines.append(f"| {_NAMES[peer]} | not run: {missing[peer]} | | | | | |")
            continue
        one = _median(results[peer])
        # Paired by round, as both met the same machine.
        pairs = zip(results[peer], results["app"], strict=False)
        ratio = statistics.median(its.speed / own.speed for its, own in pairs)
        peak = "—" if one.mlx is None else f"{one.mlx / 1e6:.0f} MB"
        lines.append(
            f"| {_NAMES[peer]} | {one.speed:.0f} | {ratio:.2f} | {peak} | "
            f"{one.resident / 1e6:.0f} MB | {one.first:.2f} s | {one.loss:.3f} |"
        )
    return "\n".join(lines)
