"""Who says which of two completions is better: reward functions, or a model.

The engine makes a judge for every batch by calling its class with a model, a tokenizer and a system
prompt. What stands here takes that class's place for the time of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mlx_lm_lora.trainer.judge import LLMPairwiseJudge, LLMPPOJudge

from backend.contract.thoughts import answer_of
from backend.engines.process.events import Emitter
from backend.engines.rl.scorer import Scorer
from backend.engines.trainer.feed import Halted

_UNREADABLE = {0.5, 1.0}  # What the engine answers when it can't read a judge's scores.
_MANY = 0.5
_ENOUGH = 8

Pairs = Sequence[Sequence[str]]


class RewardJudge:
    """Judges by reward functions: cheap, repeatable, and the same measure as in validation.

    `rows` finds the data row of a rendered prompt, for the answer and type that rewards may need.
    """

    def __init__(self, scorer: Scorer, rows: Mapping[str, Mapping[str, Any]], *, scores: bool):
        self._scorer = scorer
        self._rows = rows
        self._scores = scores

    def __call__(self, **_: Any) -> RewardJudge:
        return self

    def judge(self, prompts: Sequence[str], completions: Pairs, **_: Any) -> list[Any]:
        """Of each pair the number of the better one, the first in a tie; or both their scores."""
        rows = [self._rows.get(prompt, {}) for prompt in prompts for _ in range(2)]
        totals = self._scorer.score(
            [question(row) for row in rows],
            [text for pair in completions for text in pair],
            [str(row.get("answer", "")) for row in rows],
            [row.get("type") for row in rows],
        )
        scores = [0.0 if total is None else total for total in totals]
        pairs = [scores[at : at + 2] for at in range(0, len(scores), 2)]
        return pairs if self._scores else [int(second > first) for first, second in pairs]


class ModelJudge:
    """The engine's judge model, with what it can't read counted and decided by chance instead of
    always for the same side.
    """

    def __init__(
        self,
        emit: Emitter,
        scorer: Scorer,
        rows: Mapping[str, Mapping[str, Any]],
        *,
        scores: bool,
        stopping: Callable[[], bool],
    ) -> None:
        self._emit = emit
        self._scorer = scorer
        self._rows = rows
        self._kind = LLMPPOJudge if scores else LLMPairwiseJudge
        self._readable = self._clean_scores if scores else self._clean_ranks
        self._stopping = stopping
        self._judge: Any = None
        self._asked = self._unread = 0
        self._said = False

    def __call__(self, **arguments: Any) -> ModelJudge:
        self._judge = self._kind(**arguments)
        return self

    def judge(self, prompts: Sequence[str], completions: Pairs, **arguments: Any) -> list[Any]:
        if self._stopping():
            raise Halted
        answers = [self._rows.get(prompt, {}) for prompt in prompts for _ in range(2)]
        texts = [text for pair in completions for text in pair]
        self._scorer.note([question(row) for row in answers], texts, [None] * len(texts), ())
        answers_only = [[answer_of(text) for text in pair] for pair in completions]
        found = self._judge.judge(prompts, completions=answers_only, **arguments)
        self._asked += len(found)
        clean = [self._readable(one) for one in found]
        self._warn()
        return clean

    def _clean_ranks(self, rank: int) -> int:
        if rank in (0, 1):
            return rank
        self._unread += 1
        return int(np.random.randint(2))

    def _clean_scores(self, scores: list[float]) -> list[float]:
        if set(scores) != _UNREADABLE:
            return scores
        self._unread += 1
        return [0.5, 0.5]

    def _warn(self) -> None:
        if self._said or self._asked < _ENOUGH or self._unread < _MANY * self._asked:
            return
        self._said = True
        self._emit.warning(
            "judge_unreadable",
            f"The judge's answer could not be read in {self._unread} of {self._asked} cases; they "
            "say nothing about which completion is better.",
            "Use a larger judge model, another judge prompt, or reward functions as the judge.",
        )


def question(row: Mapping[str, Any]) -> str:
    """What a prompt row asks, as text: of messages the last one."""
    prompt = row.get("prompt", "")
    if isinstance(prompt, list) and prompt:
        last = prompt[-1]
        return str(last.get("content", "")) if isinstance(last, dict) else str(last)
    return str(prompt)
