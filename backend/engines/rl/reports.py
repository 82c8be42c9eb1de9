"""The engine's reports of reinforcement learning as events, and what in them needs a warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from backend.contract.run.events import EngineDetails, Sample, Validation
from backend.contract.run.numbers import FunctionReward, RewardNumbers, Split
from backend.engines.process.events import Emitter
from backend.engines.rl.rollouts import Completion, Rollouts
from backend.engines.rl.scorer import Scorer
from backend.engines.trainer.reports import MethodReport
from backend.engines.trainer.steps import say

# The engine's names without "train_", and ours. What is missing here goes into `details`.
_NAMES: Mapping[str, Callable[[float], RewardNumbers]] = {
    "kl": lambda value: RewardNumbers(kl=value),
    "kl_penalty": lambda value: RewardNumbers(kl=value),
    "kl_clip_ratio": lambda value: RewardNumbers(kl_saturation=value),
    "clip_ratio_low": lambda value: RewardNumbers(clip_ratio_low=value),
    "clip_ratio_high": lambda value: RewardNumbers(clip_ratio_high=value),
    "clip_ratio_total": lambda value: RewardNumbers(clip_ratio=value),
    "clip_fraction": lambda value: RewardNumbers(clip_ratio=value),
    "accuracies": lambda value: RewardNumbers(accuracy=value),
    "chosen_win": lambda value: RewardNumbers(accuracy=value),
    "margins": lambda value: RewardNumbers(margin=value),
    "mean_delta": lambda value: RewardNumbers(margin=value),
    "rewards": lambda value: RewardNumbers(avg_reward=value),
    # `preferences` puts them where the engine would add up something that it reports twice.
    "chosen_logits_mean": lambda value: RewardNumbers(rewards_chosen=value),
    "rejected_logits_mean": lambda value: RewardNumbers(rewards_rejected=value),
    "chosen_reward": lambda value: RewardNumbers(rewards_chosen=value),
    "rejected_reward": lambda value: RewardNumbers(rewards_rejected=value),
}
# Reported elsewhere, or computed here from the completions themselves.
_OURS = (
    "total_rewards", "grouped_rewards", "reward_mean", "reward_std", "entropy",
    "generated_tokens", "hit_max_tokens_ratio", "loss",
)  # fmt: skip
_EMPTY_SHARE = 0.25
_LINE_FIELDS = {field.name for field in fields(RewardNumbers)}


class RlReport(MethodReport):
    """What rewards, completions and pairs add to the reports, and samples of completions.

    `samples` is how many completions a report shows.
    `held_out()` answers the completions of the last validation.
    """

    def __init__(
        self,
        emit: Emitter,
        scorer: Scorer,
        *,
        samples: int,
        sums: bool,
        has_kl: bool,
        held_out: Callable[[], Rollouts] = Rollouts,
    ) -> None:
        self._emit = emit
        self._scorer = scorer
        self._samples = samples
        self._sums = _Sums() if sums else None
        self._has_kl = has_kl
        self._held_out = held_out
        self._rollouts = Rollouts()
        self._reported: tuple[Mapping[str, Any], dict[str, Any]] = ({}, {})
        self._guards = Guards(emit)

    def numbers(self, info: Mapping[str, Any], steps: int) -> dict[str, Any]:
        values = {
            name.removeprefix("train_"): float(value)
            for name, value in info.items()
            if name.startswith("train_") and name != "train_loss"
        }
        if self._sums is not None:
            values = self._sums.means(values, steps)
        self._rollouts = rollouts = self._scorer.take()
        numbers = (
            self._by_name(values)
            | rollouts.rewards_report(self._scorer.names).set_fields()
            | rollouts.lengths_report().set_fields()
            | {"success_rate": self._scorer.success_rate(rollouts)}
        )
        self._reported = (info, numbers)
        return numbers

    def show_training(self, step: int) -> None:
        """A line, and of the last step the best and the worst completion first."""
        info, numbers = self._reported
        if info:
            known = {name: value for name, value in numbers.items() if name in _LINE_FIELDS}
            say(training_line(step, info, RewardNumbers(**known)))
        self._show(step, _telling(self._rollouts.latest), "train")

    def show_validation(self, validation: Validation) -> None:
        """A line, and completions of the same prompts each time."""
        if line := validation_line(validation):
            say(line)
        self._show(validation.step, _firsts(self._held_out().completions), "valid")

    def warn(self) -> None:
        self._guards.look(self._rollouts)

    def _show(self, step: int, completions: list[Completion], split: Split) -> None:
        for one in completions[: self._samples]:
            self._emit(
                Sample(
                    step=step,
                    prompt=one.prompt,
                    text=one.text,
                    answer=one.answer,
                    rewards=one.scores or None,
                    total=one.total,
                    split=split,
                )
            )

    def _by_name(self, values: dict[str, float]) -> dict[str, Any]:
        numbers: dict[str, Any] = {}
        for name, number in _NAMES.items():
            if name in values:
                numbers |= number(values[name]).set_fields()
        if not self._has_kl:  # The engine says 0 when it did not compare with anything.
            numbers |= RewardNumbers(kl=None, kl_saturation=None).set_fields()
        functions = tuple(f"{name}_" for name in self._scorer.names)
        details = {
            name: value
            for name, value in values.items()
            if name not in _NAMES
            and not name.startswith(functions)
            and not any(word in name for word in _OURS)
        }
        return numbers | (EngineDetails(details=details).set_fields() if details else {})


class Guards:
    """Warnings about what the numbers mean, each at most once in a run."""

    def __init__(self, emit: Emitter) -> None:
        self._emit = emit
        self._said: set[str] = set()

    def look(self, rollouts: Rollouts) -> None:
        """At the completions of one report."""
        if not rollouts.completions:
            return
        if rollouts.empty_share >= _EMPTY_SHARE:
            self._say(
                "empty_completions",
                f"{rollouts.empty_share:.0%} of the completions are empty: the model ends its "
                "answer at once.",
                "Check that the prompts ask for an answer and that the rewards do not favour "
                "silence; lower the learning rate if it began during the run.",
            )

    def _say(self, code: str, message: str, hint: str) -> None:
        if code not in self._said:
            self._said.add(code)
            self._emit.warning(code, message, hint)


class _Sums:
    """Means of a stretch from reports that forget to begin anew: there each value is the sum over
    the whole run, divided by the steps of the last stretch.
    """

    def __init__(self) -> None:
        self._before: dict[str, float] = {}

    def means(self, values: dict[str, float], steps: int) -> dict[str, float]:
        sums = {name: value * steps for name, value in values.items()}
        means = {
            name: (total - self._before.get(name, 0.0)) / steps for name, total in sums.items()
        }
        self._before = sums
        return means


def _telling(completions: list[Completion]) -> list[Completion]:
    """The best, the worst, and then the rest."""
    if len(completions) < 2 or any(one.total is None for one in completions):
        return completions
    ranked = sorted(completions, key=lambda one: one.total or 0.0, reverse=True)
    return [ranked[0], ranked[-1], *ranked[1:-1]]


def _firsts(completions: list[Completion]) -> list[Completion]:
    """The first completion of each prompt."""
    return list({one.group: one for one in reversed(completions)}.values())[::-1]


def training_line(step: int, info: Mapping[str, Any], numbers: RewardNumbers) -> str:
    """Of one report. What a method does not have is left out."""
    parts = [
        f"Train loss {float(info['train_loss']):.3f}",
        *_spread("Reward", numbers.avg_reward, numbers.reward_std),
        *_by_function(numbers.rewards or {}),
        *_share("Success", numbers.success_rate),
        *_number("Margin", numbers.margin),
        *_share("Accuracy", numbers.accuracy),
        *_number("KL", numbers.kl),
        *_number("Length", numbers.completion_length_mean),
        *_share("Cut off", numbers.hit_max_tokens_ratio),
        *_number("Learning Rate", info.get("learning_rate")),
        *_number("It/sec", info.get("iterations_per_second")),
        *_number("Tokens/sec", info.get("tokens_per_second")),
        *_number("Peak mem", info.get("peak_memory"), " GB"),
    ]
    return f"Iter {step}: {', '.join(parts)}"


def validation_line(validation: Validation) -> str | None:
    """Of held-out prompts or pairs; None where nothing was measured."""
    parts = [
        *_number("Val loss", validation.val_loss),
        *_spread("Val reward", validation.val_reward, validation.val_reward_std),
        *_share("Val success", validation.val_success_rate),
        *_share("Val accuracy", validation.val_accuracy),
        *_number("Val margin", validation.val_margin),
    ]
    if not parts:
        return None
    parts += _number("Val took", validation.val_time, "s")
    return f"Iter {validation.step}: {', '.join(parts)}"


def _by_function(rewards: Mapping[str, FunctionReward]) -> list[str]:
    if len(rewards) < 2:  # The one is the reward itself.
        return []
    return [part for name, one in rewards.items() for part in _spread(name, one.mean, one.std)]


def _spread(name: str, mean: float | None, std: float | None) -> list[str]:
    if mean is None:
        return []
    return [f"{name} {mean:.3f}" + (f" ± {std:.3f}" if std is not None else "")]


def _share(name: str, value: float | None) -> list[str]:
    return [] if value is None else [f"{name} {value:.0%}"]


def _number(name: str, value: float | None, unit: str = "") -> list[str]:
    return [] if value is None else [f"{name} {value:.3g}{unit}"]
