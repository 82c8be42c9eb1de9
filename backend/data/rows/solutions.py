"""Answers that are a whole solution: the mark before the bare answer, and what stands behind it."""

from __future__ import annotations

# As `answer_after` of a conversion takes them; the first that an answer has counts.
MARKS = (
    "####", "\\boxed{", "<answer>", "Final answer:", "Final Answer:", "The answer is:",
    "The answer is", "the answer is", "Answer:",
)  # fmt: skip
_CLOSING = {"<answer>": "</answer>"}
WHOLE = ("r1_accuracy_reward_func", "exact_match")  # Rewards that compare the whole answer.


def mark_of(answer: str) -> str | None:
    """The mark of a solution, None of an answer that is bare."""
    for mark in MARKS:
        if mark in answer and behind(answer, mark):
            return mark
    return None


def behind(answer: str, mark: str) -> str | None:
    """What stands behind the last such mark, to the brace or tag that closes it; None without it.

    So “\\boxed{12}.” gives 12.
    """
    _, found, rest = answer.rpartition(mark)
    if not found:
        return None
    if mark.endswith("{"):
        return _to_closing_brace(rest).strip()
    if mark in _CLOSING:
        return rest.partition(_CLOSING[mark])[0].strip()
    return rest.strip()


def advice(mark: str) -> str:
    """What to do about answers with that mark, to follow how many there are."""
    tags = (
        "exact_match looks between the tags; the engine's r1_accuracy_reward_func"
        if mark == "<answer>"
        else f"{' and '.join(WHOLE)}"
    )
    verb = "compares" if mark == "<answer>" else "compare"
    return (
        f"{tags} {verb} a row's answer whole, so it would never match. number_match compares the "
        f"last numbers; or Data → Convert with answer_after “{mark}” keeps the bare answer."
    )


def _to_closing_brace(text: str) -> str:
    depth = 1
    for at, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if depth == 0:
            return text[:at]
    return text
