from __future__ import annotations

import pytest

from backend.errors import Invalid
from backend.training.plan.effective_scale import (
    confirmation_for,
    refuse_unconfirmed,
    strength,
    strength_warning,
)
from tests.training.requests import request


def test_the_defaults_are_warned_of_but_not_held_up() -> None:
    asked = request()

    assert "3.2e-03" in (strength_warning(asked) or "")
    assert "alpha_over_rank would make the multiplier 1" in (strength_warning(asked) or "")
    refuse_unconfirmed(asked)


@pytest.mark.parametrize(
    "fields",
    [{"lora_scaling": "alpha_over_rank"}, {"fine_tune_type": "full"}, {"lora_alpha": 9.9}],
    ids=str,
)
def test_a_mild_run_is_not_warned_of(fields: dict[str, object]) -> None:
    assert strength_warning(request(**fields)) is None


def test_above_a_hundredth_a_run_must_be_confirmed() -> None:
    asked = request(lora_alpha=128.0, confirm_high_scale=False)

    with pytest.raises(Invalid, match="ruin the model") as refusal:
        refuse_unconfirmed(asked)

    assert refusal.value.errors[0].field == "confirm_high_scale"
    assert confirmation_for(asked)
    refuse_unconfirmed(request(lora_alpha=128.0, confirm_high_scale=True))
    exact = request(lora_alpha=100.0, confirm_high_scale=False)
    refuse_unconfirmed(exact)  # Exactly 1e-2 is not above it.


def test_a_script_that_says_nothing_is_not_refused() -> None:
    refuse_unconfirmed(request(lora_alpha=128.0))
    refuse_unconfirmed(request(lora_alpha=128.0, confirm_high_scale=None))


def test_with_the_alternative_on_already_lower_numbers_are_advised() -> None:
    asked = request(lora_scaling="alpha_over_rank", learning_rate=0.1)

    assert "Lower alpha" in (confirmation_for(asked) or "")


def test_a_rate_that_adafactor_picks_is_the_one_that_counts() -> None:
    relative = {"optimizer": "adafactor", "relative_step": True, "iterations": 2000}

    assert strength(request(**relative)) == pytest.approx(32 * 1e-2)
    assert "learning rate 0.01" in (strength_warning(request(**relative)) or "")
    assert strength(request(**relative, warmup_init=True)) == pytest.approx(32 * 2e-3)
    scaled = relative | {"scale_parameter": True}
    assert strength(request(**scaled)) == pytest.approx(32 * 1e-5)
    assert strength(request(**scaled, epsilon_scale=0.1)) == pytest.approx(32 * 1e-3)
