"""The arguments that a reward function of one's own may ask for: the engine's names and TRL's."""

from __future__ import annotations

from collections.abc import Iterable

NEEDED = "completions"  # What tells a reward function from any other function of a file.
# The column `answer` under the names that data sets for TRL's functions give it.
ANSWERS = (
    "answer", "answers", "solution", "solutions", "ground_truth", "ground_truths", "target",
    "targets", "label", "labels", "gold", "reference", "references", "expected", "expected_answer",
)  # fmt: skip
TYPES = ("types", "type")
GIVEN = frozenset({"prompts", NEEDED, *ANSWERS, *TYPES})
_NOT_GIVEN = {
    "completion_ids": "the completions' tokens",
    "completions_ids": "the completions' tokens",
    "prompt_ids": "the prompts' tokens",
    "trainer_state": "the trainer of TRL",
}


def unfit_reason(name: str, required: Iterable[str]) -> str | None:
    """Why a function with those required arguments can't be called here; None where it can."""
    missing = [argument for argument in required if argument not in GIVEN]
    if not missing:
        return None
    first = missing[0]
    what = _NOT_GIVEN.get(first, "a column that rows of reward methods don't hand on")
    return (
        f"{name} asks for {first!r}, {what}. Handed over are prompts, completions, the row's "
        f"answer (as {', '.join(ANSWERS[:3])}, … {ANSWERS[5]}) and types."
    )
