"""The reward functions as the engine calls them, listened to: what they scored becomes events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from backend.engines.process.endings import Unusable
from backend.engines.rewards.registry import RewardFailed, weighted_total
from backend.engines.rl.rollouts import Completion, Rollouts
from backend.engines.trainer.feed import Halted

_CLOSE = 1e-9


class RewardLike(Protocol):
    """What is needed of a reward function."""

    @property
    def name(self) -> str: ...
    @property
    def weight(self) -> float: ...
    @property
    def maximum(self) -> float | None: ...

    def __call__(
        self,
        prompts: Sequence[str],
        completions: Sequence[str],
        answer: Sequence[str],
        types: Sequence[Any] | None = None,
    ) -> Sequence[float | None]: ...


class Scorer:
    """Calls rewards, adds them up by their weights as the engine does, and notes the results.

    `rollouts` collects them until somebody takes it; `group` is how many completions a prompt gets.
    """

    def __init__(
        self,
        rewards: Sequence[RewardLike],
        *,
        group: int,
        stopping: Callable[[], bool],
        success: str | None = None,
    ) -> None:
        self.rewards = rewards
        self.rollouts = Rollouts()
        self._group = max(group, 1)
        self._stopping = stopping
        self._success = next((one for one in rewards if one.name == success), None)
        if success is not None and self._success is None:
            names = ", ".join(one.name for one in rewards)
            raise Unusable(
                f"The success function {success} is not one of the reward functions: {names}.",
                "Choose one of them, or none.",
            )

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.rewards]

    @property
    def weights(self) -> list[float]:
        return [one.weight for one in self.rewards]

    def functions(self) -> list[Any]:
        """One callable per reward, for the engine; it calls all of them, in order, each time."""
        heard: list[Sequence[float | None]] = []
        return [_Heard(self, number, heard) for number in range(len(self.rewards))]

    def take(self) -> Rollouts:
        """What has come in since the last time."""
        taken, self.rollouts = self.rollouts, Rollouts()
        return taken

    def success_rate(self, rollouts: Rollouts) -> float | None:
        """The share of completions at the success function's maximum, of those it applies to."""
        top = self._success.maximum if self._success else None
        if self._success is None or top is None:
            return None
        scores = rollouts.scores(self._success.name)
        if not scores:
            return None
        return sum(score >= top - _CLOSE for score in scores) / len(scores)

    def score(
        self,
        prompts: Sequence[str],
        texts: Sequence[str],
        answers: Sequence[str],
        types: Sequence[Any] | None = None,
    ) -> list[float | None]:
        """All of them at once, for a judge: the weighted total of each completion."""
        scores = [one(prompts, texts, answers, types) for one in self.rewards]
        self.note(prompts, texts, answers, scores)
        return [one.total for one in self.rollouts.latest]

    def hear(self, number: int, **arguments: Any) -> Sequence[float | None]:
        """Call one reward function. Raises Unusable when it fails: the run can't go on."""
        if self._stopping():
            raise Halted
        try:
            return self.rewards[number](**arguments)
        except RewardFailed as problem:
            raise Unusable(
                str(problem), "Try the reward functions on samples of your data first."
            ) from problem

    def note(
        self,
        prompts: Sequence[str],
        texts: Sequence[str],
        answers: Sequence[str | None],
        scores: Sequence[Sequence[float | None]],
    ) -> None:
        """Take in one step's completions; `scores` has a list for each reward function."""
        first = self.rollouts.groups
        rows = []
        for row, (prompt, text, answer) in enumerate(zip(prompts, texts, answers, strict=True)):
            own = [column[row] for column in scores]
            rows.append(
                Completion(
                    group=first + row // self._group,
                    prompt=prompt,
                    text=text,
                    answer=answer or None,
                    scores=dict(zip(self.names, own, strict=True)),
                    total=weighted_total(own, self.weights),
                )
            )
        self.rollouts.add(rows, groups=-(-len(rows) // self._group))


class _Heard:
    """One reward function in the engine's hands."""

    def __init__(self, scorer: Scorer, number: int, heard: list[Sequence[float | None]]) -> None:
        self.__name__ = scorer.names[number]
        self._scorer = scorer
        self._number = number
        self._heard = heard

    def __call__(
        self, prompts: Any, completions: Any, answer: Any, types: Any = None
    ) -> Sequence[float | None]:
        if self._number == 0:
            self._heard.clear()
        scores = self._scorer.hear(
            self._number, prompts=prompts, completions=completions, answer=answer, types=types
        )
        self._heard.append(scores)
        if len(self._heard) == len(self._scorer.rewards):
            self._scorer.note(prompts, completions, answer, self._heard)
        return scores
