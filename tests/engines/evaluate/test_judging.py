"""Scores come from replies alone; a call that failed is told as one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest

from backend.contract.jobs.evaluation import JudgeScores
from backend.engines.evaluate.judge_prompts import SCORES, Messages
from backend.engines.evaluate.judges import JudgeFailed
from backend.engines.evaluate.judging import Judging, calls_for
from backend.engines.evaluate.questions import Question
from backend.engines.evaluate.summary import answer_to
from backend.engines.inference.generate import Watch

ASKED = Question(messages=[{"role": "user", "content": "2 + 2?"}], expected="4")


class Scripted:
    """A judge that likes one word, and fails where told to."""

    name = "scripted"

    def __init__(self, likes: str, fails_on: str = "\x00", always: str | None = None) -> None:
        self.likes, self.fails_on, self.always = likes, fails_on, always
        self.calls = 0

    def ask(
        self, talks: Sequence[Messages], watch: Watch
    ) -> Iterator[tuple[int, str | JudgeFailed]]:
        for at in reversed(range(len(talks))):  # In whichever order.
            watch.check()
            self.calls += 1
            said = talks[at][1]["content"]
            yield (
                at,
                JudgeFailed("the judge answered 500")
                if self.fails_on in said
                else self.reply(said),
            )

    def reply(self, said: str) -> str:
        if "[FIRST ANSWER]" in said:
            first = said.split("[FIRST ANSWER]")[1].split("[END OF FIRST ANSWER]")[0]
            better = self.always or ("first" if self.likes in first else "second")
            return json.dumps({"better": better, "reason": "r"})
        grade = 9 if self.likes in said.split("[ANSWER]")[1] else 2
        return json.dumps({**dict.fromkeys(SCORES, grade), "reason": "r"})


def watch() -> Watch:
    return Watch(lambda: False, None)


def test_both_sides_are_scored_and_compared_in_both_orders() -> None:
    judge, told = Scripted("four"), list[int]()
    base, adapter = (
        [answer_to(text="no"), answer_to(text="no")],
        [answer_to(text="four"), answer_to(text="four")],
    )
    found = Judging(judge, watch(), told.append).sides([ASKED, ASKED], [base, adapter])
    assert found.scores.overall == 90.0
    assert found.base_model_scores == JudgeScores(**dict.fromkeys(("overall", *SCORES), 20.0))
    swaps = found.judge.swaps
    assert swaps is not None
    assert (swaps.asked, swaps.consistent, swaps.adapter_wins) == (2, 2, 2)
    assert len(told) == judge.calls == calls_for(2, 2) == found.judge.asked
    assert adapter[0].judged == {**dict.fromkeys(SCORES, 9), "reason": "r"}


def test_a_judge_that_likes_the_first_place_is_found_out() -> None:
    found = Judging(Scripted("x", always="first"), watch(), lambda _: None).sides(
        [ASKED], [[answer_to(text="a")], [answer_to(text="b")]]
    )
    swaps = found.judge.swaps
    assert swaps is not None
    assert (swaps.consistent, swaps.first_wins, swaps.adapter_wins) == (0, 2, 0)


def test_failed_calls_are_counted_and_never_averaged() -> None:
    side = [answer_to(text="four"), answer_to(text="broken"), answer_to(problem="too long")]
    judging = Judging(Scripted("four", fails_on="broken"), watch(), lambda _: None)
    found = judging.sides([ASKED, ASKED, ASKED], [side])
    assert found.scores.overall == 90.0
    assert found.judge.failed == 1
    assert side[1].judged == {"problem": "the judge answered 500"}
    assert side[2].judged is None


@pytest.mark.parametrize("questions", [[None], [ASKED]])
def test_a_judge_that_never_answers_leaves_every_score_unknown(
    questions: list[Question | None],
) -> None:
    judging = Judging(Scripted("x", fails_on="4"), watch(), lambda _: None)
    found = judging.sides(questions, [[answer_to(text="4")]])
    assert found.scores == JudgeScores()
    assert found.base_model_scores is None
