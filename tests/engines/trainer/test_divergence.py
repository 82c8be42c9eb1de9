"""What is called ruined, and above all what is not."""

from __future__ import annotations

import math

import pytest

from backend.engines.trainer.divergence import LossGuard

VOCABULARY = 1280
GUESS = math.log(VOCABULARY)

Heard = list[tuple[str, float]]


def verdict(base: float | None, heard: Heard, vocabulary: int | None = VOCABULARY) -> str | None:
    """The first thing that is said of reports (r) and validations (v), in order."""
    ruin = LossGuard(vocabulary)
    for kind, loss in heard:
        said = ruin.reported(loss, base) if kind == "r" else ruin.validated(loss, base)
        if said:
            return said
    return None


CALM: dict[str, tuple[float | None, Heard]] = {
    "a good run": (2.0, [("r", 1.9), ("v", 1.7), ("r", 1.2), ("v", 1.4)]),
    "a low loss that doubles": (0.05, [("r", 0.05), ("v", 0.1), ("r", 0.1), ("v", 0.12)] * 9),
    "noisy rows of a good base": (1.0, [("r", loss) for loss in (0.2, 4.0, 0.5, 5.5, 3.0) * 20]),
    "a spike that passes": (2.0, [("r", 2.0), ("v", 4.0), ("r", 2.5), ("v", 2.2), ("v", 4.0)]),
    "rows learned by heart": (1.5, [("r", 1.5), ("r", 0.1), ("v", 3.0), ("v", 3.5), ("v", 4.0)]),
    "other rows than those validated on": (
        1.0, [("r", 5.0), ("v", 1.5), ("r", 3.0), ("v", 2.2), ("r", 2.5), ("v", 2.4)],
    ),
    "a model that was never trained": (GUESS, [("r", GUESS)] * 9),
    "one strange row": (2.0, [("r", GUESS), ("r", 2.0), ("r", GUESS), ("r", GUESS), ("r", 2.0)]),
    "no baseline and no vocabulary": (None, [("r", 9.0), ("v", 9.0), ("v", 9.0)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CALM)
def test_noise_forgetting_and_learning_by_heart_are_no_ruin(name: str) -> None:
    base, heard = CALM[name]

    assert verdict(base, heard, None if "vocabulary" in name else VOCABULARY) is None


@pytest.mark.parametrize(
    ("base", "heard", "said"),
    [
        (4.5, [("r", 4.5), ("r", 12.2)], "worse than guessing"),
        (4.5, [("r", 7.15), ("r", 7.15), ("r", 7.15)], "that of guessing for 3 reports"),
        (None, [("r", 4.5), ("r", 7.15), ("r", 7.15), ("r", 7.15)], "that of guessing"),
        (4.5, [("r", 9.3), ("v", 7.155), ("v", 7.155)], "far above the untrained model's 4.50"),
        (0.1, [("v", 1.5), ("v", 1.6)], "far above the untrained model's 0.10"),
    ],
)
def test_a_ruined_model_is_told_by_its_numbers(base: float | None, heard: Heard, said: str) -> None:
    assert said in (verdict(base, heard) or "")
