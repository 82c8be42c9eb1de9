"""docs/lora-without-regret.md and its picture from the results: pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from scripts.experiments.grid import ALPHA, RANKS, STEPS
from scripts.experiments.plot import Curve, plot

CURVE_NAME = "lora-without-regret.svg"
RANK_CURVE_NAME = "lora-without-regret-ranks.svg"
_NOISE = 0.02  # Losses closer than this are called equal, unless the seeds differ by more.
_LABELS = {"full": "LoRA, all", "mlp": "LoRA, mlp", "attention": "LoRA, attention",
           "weights": "full fine-tuning"}  # fmt: skip

Setting = tuple[str, int]
Grid = dict[Setting, dict[float, float]]
Best = Mapping[Setting, tuple[float, float]]


def report(results: Mapping[str, Mapping[str, Any]], machine: str) -> tuple[str, dict[str, str]]:
    """The page, and its pictures as SVG by file name."""
    grid, trained = _gather(results.values())
    best = {
        setting: min(curve.items(), key=lambda item: item[1]) for setting, curve in grid.items()
    }
    noise = max(_NOISE, _spread(results.values()))
    parts = [
        _HEAD.format(alpha=ALPHA, steps=STEPS, seeds=_seeds(results.values()), noise=noise),
        machine + "\n",
        f"![Validation loss by learning rate](images/{CURVE_NAME})\n",
        _table(grid, trained, best),
        f"![Validation loss by rank](images/{RANK_CURVE_NAME})\n",
        _claims(best, noise),
    ]
    largest = {(method, ranks[-1]) for method, ranks in RANKS.items()} | {("weights", 0)}
    rates = [
        Curve(label(setting), sorted(curve.items()))
        for setting, curve in sorted(grid.items())
        if setting in largest
    ]
    return "\n".join(parts), {
        CURVE_NAME: plot(rates, x="learning rate", y="validation loss"),
        RANK_CURVE_NAME: plot(_by_rank(best), x=_RANK_AXIS, y="validation loss", form="g"),
    }


def _by_rank(best: Best) -> list[Curve]:
    """The best loss of each size; full fine-tuning, which has no rank, as a level line."""
    sizes = RANKS["full"]
    curves = [
        Curve(
            _LABELS[method],
            [
                (float(size), best[method, rank][1])
                for size, rank in zip(sizes, ranks, strict=True)
                if (method, rank) in best
            ],
        )
        for method, ranks in RANKS.items()
    ]
    if ("weights", 0) in best:
        level = best["weights", 0][1]
        curves.append(
            Curve(_LABELS["weights"], [(float(sizes[0]), level), (float(sizes[-1]), level)])
        )
    return [curve for curve in curves if curve.points]


def _seeds(results: Iterable[Mapping[str, Any]]) -> str:
    number = len({one["seed"] for one in results})
    if number > 1:
        return f"mean of {number} seeds"
    return "of one seed, so that the noise is assumed and not measured"


def label(setting: Setting) -> str:
    method, rank = setting
    return _LABELS[method] if rank == 0 else f"{_LABELS[method]}, rank {rank}"


def _gather(results: Iterable[Mapping[str, Any]]) -> tuple[Grid, dict[Setting, int]]:
    """Per setting and rate the mean over seeds; a rate at which any seed diverged is left out."""
    found: dict[Setting, dict[float, list[float | None]]] = {}
    trained: dict[Setting, int] = {}
    for one in results:
        setting = (one["method"], one["rank"])
        found.setdefault(setting, {}).setdefault(one["rate"], []).append(one["loss"])
        trained[setting] = one["trained"]
    grid: Grid = {}
    for setting, curve in found.items():
        for rate, losses in curve.items():
            finite = [loss for loss in losses if loss is not None]
            if len(finite) == len(losses):
                grid.setdefault(setting, {})[rate] = statistics.fmean(finite)
    return grid, trained


def _spread(results: Iterable[Mapping[str, Any]]) -> float:
    """How far seeds of one cell lie apart, typically."""
    by_cell: dict[tuple[str, int, float], list[float]] = {}
    for one in results:
        if one["loss"] is not None:
            by_cell.setdefault((one["method"], one["rank"], one["rate"]), []).append(one["loss"])
    ranges = [max(losses) - min(losses) for losses in by_cell.values() if len(losses) > 1]
    return statistics.median(ranges) if ranges else 0.0


def _table(grid: Grid, trained: Mapping[Setting, int], best: Best) -> str:
    rates = sorted({rate for curve in grid.values() for rate in curve})
    lines = [
        f"| | trained weights | {' | '.join(f'{rate:g}' for rate in rates)} |",
        "|---|---|" + "---|" * len(rates),
    ]
    for setting, curve in sorted(grid.items()):
        cells = []
        for rate in rates:
            text = f"{curve[rate]:.3f}" if rate in curve else "–"
            cells.append(f"**{text}**" if rate == best[setting][0] else text)
        lines.append(f"| {label(setting)} | {trained[setting]:,} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _claims(best: Best, noise: float) -> str:
    lines = ["## What holds here\n"]
    everything, weights = ("full", RANKS["full"][-1]), ("weights", 0)
    for claim, first, second in (
        ("LoRA on every matrix beats attention alone at equal size", "full", "attention"),
        ("MLP alone beats attention alone at equal size", "mlp", "attention"),
    ):
        for rank, other in zip(RANKS[first], RANKS[second], strict=True):
            if {(first, rank), (second, other)} <= best.keys():
                compared = _compared(best, (first, rank), (second, other), noise)
                lines.append(f"- *{claim}*: {compared}")
    if {everything, weights} <= best.keys():
        lines.append(
            "- *LoRA learns as well as full fine-tuning*: "
            + _compared(best, everything, weights, noise, equal_is_yes=True)
        )
        ratio = best[everything][0] / best[weights][0]
        verdict = "holds" if 5 <= ratio <= 20 else "does not hold on this grid"
        lines.append(
            "- *LoRA's best rate is about ten times that of full fine-tuning*: "
            f"{best[everything][0]:g} against {best[weights][0]:g}, × {ratio:.3g}; {verdict}."
        )
    ranks = sorted(rank for method, rank in best if method == "full")
    if len(ranks) > 1:
        rates = ", ".join(f"{best['full', rank][0]:g} at rank {rank}" for rank in ranks)
        same = len({best["full", rank][0] for rank in ranks}) == 1
        lines.append(
            "- *With alpha / rank the best rate does not depend on the rank*: "
            f"{rates}; {'holds' if same else 'does not hold on this grid'}."
        )
        low, high = ("full", ranks[0]), ("full", ranks[-1])
        lines.append("- *A small rank runs out of capacity*: " + _compared(best, high, low, noise))
    return "\n".join(lines) + "\n"


def _compared(
    best: Best,
    first: Setting,
    second: Setting,
    noise: float,
    *,
    equal_is_yes: bool = False,
) -> str:
    a, b = best[first][1], best[second][1]
    numbers = f"{label(first)} {a:.3f}, {label(second)} {b:.3f}; "
    if abs(a - b) <= noise:
        return numbers + ("holds." if equal_is_yes else "not seen: equal within noise.")
    return numbers + ("holds." if a < b else "does not hold.")


_RANK_AXIS = "rank on all matrices; the other curves train about as many weights"
_HEAD = """# LoRA without regret, at this small scale

Written by `npm run experiment:lora`, from runs of the app's own training process on the bundled
demo model (2.7 million weights) and `test_data/demo/chat`: {steps} steps of 4 rows, AdamW without
weight decay, constant rate, multiplier {alpha:g} / rank. Numbers are the loss on the validation
rows after the last step, {seeds}; differences up to {noise:.3f} count as noise. Neighbouring rates
lie a factor of about two to three apart, so a best rate is known no better than that. The claims
are those of *LoRA Without Regret* (Thinking Machines, 2025), made for models a thousand times as
large: what is found here says how this app and engine behave, and little about theirs.
"""
