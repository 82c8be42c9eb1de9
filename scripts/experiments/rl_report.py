"""docs/rl-learning.md and its pictures from the results: pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.training.request.methods_table import METHODS as TABLE
from scripts.experiments.plot import Curve, plot
from scripts.experiments.rl_grid import METHODS, STYLE, SUMS, Task

REWARD_IMAGE = "rl-learning-reward.svg"
PAIRS_IMAGE = "rl-learning-pairs.svg"
_ASKED = 3.0  # Standard errors: what counts as learned.

Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Of one method over its seeds. `error` is the standard error of the mean rise over seeds,
    None with fewer than two.
    """

    method: str
    seeds: int
    start: float
    end: float
    rise: float
    error: float | None
    least: float
    seconds: float
    cpu_seconds: float

    @property
    def errors(self) -> float | None:
        """The rise in standard errors; infinite when all seeds rose alike."""
        if self.error is None:
            return None
        return self.rise / self.error if self.error else math.copysign(math.inf, self.rise)

    @property
    def holds(self) -> bool:
        return self.errors is not None and self.errors > _ASKED and self.least > 0


def learned(results: Results, method: str, metric: str) -> Learned | None:
    """From the first to the last validation of each seed; None without a finished run."""
    runs = [one for one in results.values() if one["method"] == method]
    if not runs:
        return None
    ends = [(run["curve"][0][metric], run["curve"][-1][metric]) for run in runs]
    rises = [end - start for start, end in ends]
    error = statistics.stdev(rises) / math.sqrt(len(rises)) if len(rises) > 1 else None
    return Learned(
        method=method,
        seeds=len(runs),
        start=statistics.fmean(start for start, _ in ends),
        end=statistics.fmean(end for _, end in ends),
        rise=statistics.fmean(rises),
        error=error,
        least=min(rises),
        seconds=max(run["seconds"] for run in runs),
        cpu_seconds=max(run["cpu_seconds"] for run in runs),
    )


def report(results: Results, machine: str) -> tuple[str, dict[str, str]]:
    """The page, and the SVGs by file name."""
    parts = [
        _HEAD,
        machine + "\n",
        _section(_REWARDS, SUMS, results, REWARD_IMAGE),
        _components(results),
        _section(_PREFERENCES, STYLE, results, PAIRS_IMAGE),
        _LIMITS,
    ]
    images = {
        REWARD_IMAGE: _picture(results, SUMS, "held-out mean reward"),
        PAIRS_IMAGE: _picture(results, STYLE, "held-out preference accuracy"),
    }
    return "\n".join(parts), images


def _section(text: str, task: Task, results: Results, image: str) -> str:
    fields = task.fields
    said = text.format(
        **fields,
        answers=fields["batch_size"] * fields.get("group_size", 1),
        scale=fields["lora_alpha"] / fields["lora_rank"],
    )
    lines = [
        said,
        _settings(task) + "\n",
        f"![Held-out curves](images/{image})\n",
        "| method | seeds | start | end | rise ± standard error | in standard errors | smallest "
        "rise | longest run | of it on a core |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    verdicts = []
    for method in _of(task):
        found = learned(results, method, task.metric)
        if found is None:
            lines.append(f"| {_label(method)} | – | – | – | – | – | – | – | – |")
            continue
        lines.append(_row(found))
        verdicts.append(_verdict(found))
    return "\n".join([*lines, "", *verdicts]) + "\n"


def _settings(task: Task) -> str:
    """What differs between the methods of a task."""
    said = []
    for method in _of(task):
        own = [f"{name.replace('_', ' ')} {value:g}" for name, value in METHODS[method][1].items()]
        said.append(f"{_label(method)} with {' and '.join(own)}")
    return "; ".join(said) + "."


def _row(found: Learned) -> str:
    error = "–" if found.error is None else f"{found.error:.3f}"
    errors = found.errors
    counted = (
        "–" if errors is None else "all seeds equal" if math.isinf(errors) else f"{errors:.1f}"
    )
    return (
        f"| {_label(found.method)} | {found.seeds} | {found.start:.3f} | {found.end:.3f} "
        f"| {found.rise:+.3f} ± {error} | {counted} | {found.least:+.3f} | {found.seconds:.0f} s "
        f"| {found.cpu_seconds:.0f} s |"
    )


def _verdict(found: Learned) -> str:
    asked = f"more than {_ASKED:g} standard errors, in every seed"
    if found.error is None:
        return f"- {_label(found.method)}: one seed says nothing about chance."
    return f"- {_label(found.method)}: {'rises by' if found.holds else 'does not rise by'} {asked}."


def _components(results: Results) -> str:
    """What of the reward rose: a total hides that."""
    lines = ["What rose, as means over seeds (start → end):\n"]
    lines += [f"| method | {' | '.join(SUMS.rewards)} | tokens per answer | clipped tokens |"]
    lines += ["|---" * (3 + len(SUMS.rewards)) + "|"]
    for method in _of(SUMS):
        runs = [one for one in results.values() if one["method"] == method]
        if not runs:
            continue
        cells = [
            _moved([[point["val_rewards"][name] for point in run["curve"]] for run in runs])
            for name in SUMS.rewards
        ]
        lengths = [[point["val_completion_length"] for point in run["curve"]] for run in runs]
        clipped = [share for run in runs for share in run["clipped"]]
        share = f"{statistics.fmean(clipped):.1%}" if clipped else "–"
        cells += [_moved(lengths, digits=1), share]
        lines.append(f"| {_label(method)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _moved(curves: Sequence[Sequence[float]], digits: int = 3) -> str:
    first = statistics.fmean(curve[0] for curve in curves)
    last = statistics.fmean(curve[-1] for curve in curves)
    return f"{first:.{digits}f} → {last:.{digits}f}"


def _picture(results: Results, task: Task, y: str) -> str:
    curves = []
    for method in _of(task):
        points: dict[int, list[float]] = {}
        for one in results.values():
            if one["method"] == method:
                for point in one["curve"]:
                    points.setdefault(point["step"], []).append(point[task.metric])
        means = [(float(step), statistics.fmean(found)) for step, found in sorted(points.items())]
        if means:
            curves.append(Curve(_label(method), means))
    return plot(curves, x="step", y=y, linear=True)


def _of(task: Task) -> list[str]:
    return [method for method, (own, _) in METHODS.items() if own is task]


def _label(method: str) -> str:
    return TABLE[method].display_name


_HEAD = """# Reinforcement and preference learning, seen to learn

Written by `npm run experiment:rl`, from runs of the app's own training process on the bundled demo
model (2.7 million weights). Each method runs once per seed; the seed decides the adapters' first
weights, the order of rows and what is sampled. Learned means here: the held-out measure rises from
before the first step to after the last by more than three standard errors of the mean over the
seeds, and in each of them. Held-out rows share no prompt with the training rows; the last step is
measured, not the best one, so nothing is chosen by what it is measured on. Where the longest run
took far more seconds than it had on a core, it waited for other work on the machine.
"""
_REWARDS = """## Learning from rewards

Sums, differences and comparisons of small numbers (`test_data/demo/grpo`), asked with the engine's
default GRPO prompt. The reward is the sum of `r1_soft_format_reward_func` (0.5 for
`<think> … </think> … <answer> … </answer>`) and `number_match` (1 for the right last number).
{iterations} steps of {batch_size} prompts with {group_size} answers each ({answers} answers per
step, at most {max_completion_length} tokens, temperature {temperature:g}, nothing cut off), no KL
penalty. LoRA on all seven matrices of every layer,
rank {lora_rank}, scale {scale:g}; AdamW without weight decay at a constant {learning_rate:g}.
Validation: {group_size} sampled answers to each held-out prompt, with the same random numbers each
time. GRPO with one update per rollout is the engine's own training; GSPO and Dr. GRPO make
[this app's updates](decisions/0015-clipped-updates-of-our-own.md).
"""
_PREFERENCES = """## Learning from preferences

Pairs of the same answer in a sea captain's words (chosen) and in plain ones (rejected),
`test_data/demo/preference`: {iterations} steps of {batch_size} pairs, beta {beta:g}, the same
adapters and optimizer. Accuracy is the share of held-out pairs whose chosen
answer has the higher implicit reward; a tie counts half. DPO measures against the model it starts
from, so it starts with nothing but ties, at exactly one half; ORPO compares likelihoods per token,
and the captain's words start as the less likely.
"""
_LIMITS = """## What this does not show

- The demo model was trained on texts in this very format, part of them broken on purpose, so that
  there is something to sharpen: rewards bring out what it can already do now and then. That a model
  learns something new from rewards is not shown.
- In so few steps the rise is mostly one of format; the table of what rose tells how little of it is
  right numbers.
- The captain's style is easy to tell from plain words, which is why accuracies end near 1.
- Three seeds make a standard error that is itself uncertain by about half. The rows are the same in
  all of them, so the error tells the chance of training, not that of choosing other rows.
- Methods are not ranked: their rates and clipping ranges were not searched for.
"""
