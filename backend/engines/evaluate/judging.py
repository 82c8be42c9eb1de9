"""A judge's view of every answer: four scores each, and of two sides which is the better one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backend.contract.jobs.evaluation import GivenAnswer, JudgeReport, JudgeScores, JudgeSwaps
from backend.engines.evaluate.judge_prompts import (
    Judgement,
    Unreadable,
    Winner,
    count_swaps,
    mean_scores,
    pair_messages,
    read_scores,
    read_winner,
    score_messages,
)
from backend.engines.evaluate.judges import Judge, JudgeFailed
from backend.engines.evaluate.questions import Question
from backend.engines.inference.generate import Watch

_PROBLEMS = 5  # Different ones that are kept.


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said of the judge, and of each side."""

    judge: JudgeReport
    scores: JudgeScores
    base_model_scores: JudgeScores | None


class Judging:
    """`tell` hears how many calls have been answered, one by one."""

    def __init__(self, judge: Judge, watch: Watch, tell: Callable[[int], None]) -> None:
        self._judge = judge
        self._watch = watch
        self._tell = tell
        self._problems: dict[str, None] = {}
        self._asked = self._failed = 0

    def sides(
        self, questions: Sequence[Question | None], sides: Sequence[Sequence[GivenAnswer]]
    ) -> Verdict:
        """Fill in each row's `judged`; answer what is said of the judge and of each side.

        A call that failed leaves no score: the row says why, and it is counted.
        """
        scores = [self._score(questions, side) for side in sides]
        swaps = self._compare(questions, *sides) if len(sides) == 2 else None
        return Verdict(
            judge=JudgeReport(
                model=self._judge.name,
                asked=self._asked,
                failed=self._failed,
                problems=tuple(self._problems),
                swaps=swaps,
            ),
            scores=scores[-1],
            base_model_scores=scores[0] if len(sides) == 2 else None,
        )

    def _score(
        self, questions: Sequence[Question | None], side: Sequence[GivenAnswer]
    ) -> JudgeScores:
        rows = [
            (row, score_messages(_asked(question), question.expected, row.answer))
            for question, row in zip(questions, side, strict=True)
            if question is not None and row.answer is not None
        ]
        judgements: list[Judgement] = []
        for at, reply in self._judge.ask([messages for _, messages in rows], self._watch):
            self._asked += 1
            row = rows[at][0]
            try:
                judgement = read_scores(_reply(reply))
            except (Unreadable, JudgeFailed) as failure:
                row.judged = {"problem": self._note(failure)}
            else:
                row.judged = {**judgement.scores, "reason": judgement.reason}
                judgements.append(judgement)
            self._tell(1)
        return mean_scores(judgements)

    def _compare(
        self,
        questions: Sequence[Question | None],
        base: Sequence[GivenAnswer],
        adapter: Sequence[GivenAnswer],
    ) -> JudgeSwaps:
        pairs = [
            (_asked(question), question.expected, first.answer, second.answer)
            for question, first, second in zip(questions, base, adapter, strict=True)
            if question is not None and first.answer is not None and second.answer is not None
        ]
        talks = [
            pair_messages(question_text, want, one, two) for question_text, want, one, two in pairs
        ]
        talks += [
            pair_messages(question_text, want, two, one) for question_text, want, one, two in pairs
        ]
        verdicts: dict[int, Winner] = {}
        for at, reply in self._judge.ask(talks, self._watch):
            self._asked += 1
            try:
                verdicts[at] = read_winner(_reply(reply))[0]
            except (Unreadable, JudgeFailed) as failure:
                self._note(failure)
            self._tell(1)
        return count_swaps(
            [
                (verdicts[at], verdicts[at + len(pairs)])
                for at in range(len(pairs))
                if at in verdicts and at + len(pairs) in verdicts
            ]
        )

    def _note(self, failure: Exception) -> str:
        self._failed += 1
        text = str(failure)
        if len(self._problems) < _PROBLEMS:
            self._problems.setdefault(text)
        return text


def calls_for(answers: int, sides: int) -> int:
    """How many calls will be made for that many answered questions."""
    return answers * sides + (2 * answers if sides == 2 else 0)


def _asked(question: Question) -> str:
    return "\n".join(
        str(message.get("content")) for message in question.messages if message.get("content")
    )


def _reply(reply: str | JudgeFailed) -> str:
    if isinstance(reply, JudgeFailed):
        raise reply
    return reply
