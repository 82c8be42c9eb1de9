"""How hard an adapter pushes: multiplier × learning rate, told with its reason.

With Adam every step moves B by about the learning rate, so a LoRA branch moves its output by
multiplier × rate, whatever the gradient. Runs of equal product behave alike: measured, 1e-4 left
other text nearly as it was (loss 0.66 → 1.05), 3.2e-3 overwrote most of it (2.66), and from 1e-2 on
the training itself became unstable. Adafactor may pick its rate: then that one counts. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.errors import FieldProblem, Invalid
from backend.jobs.run.recipe import StartFix, StartWarning
from backend.training.request.sft_fields import StandardStart
from backend.training.request.start_request import StartRequest

WARN = 1e-3
CONFIRM = 1e-2
INSTEAD = "alpha_over_rank"
_SCALE = ("lora_rank", "lora_alpha", "lora_scaling", "learning_rate")

# mlx.optimizers.Adafactor: the relative step is at most this, or grows by that each update; scaled
# by weights, those that are still zero (B at its start) count as SMALLEST_SCALE.
_RELATIVE, _RISING = 1e-2, 1e-6
SMALLEST_SCALE = 1e-3


def strength(request: StartRequest) -> float | None:
    """Multiplier × learning rate; None for full fine-tuning, which has no multiplier."""
    if request.fine_tune_type == "full":
        return None
    return request.effective_scale * highest_rate(request)


def highest_rate(request: StartRequest) -> float:
    """The learning rate that moves B: the given one, unless adafactor picks or scales its own."""
    if request.optimizer != "adafactor":
        return request.learning_rate
    rate = request.learning_rate
    if request.relative_step:
        rising = _RISING * request.iterations if request.warmup_init else _RELATIVE
        rate = min(_RELATIVE, rising)
    if not request.scale_parameter:
        return rate
    smallest = request.epsilon_scale if isinstance(request, StandardStart) else None
    return rate * (SMALLEST_SCALE if smallest is None else smallest)


def strength_warning(
    request: StartRequest, suggested: Mapping[str, Any] | None = None
) -> StartWarning | None:
    """From WARN on: the numbers, what they do, and the alternative. A fact where all of it are
    defaults, of the form or `suggested` by the model.
    """
    product = strength(request)
    if product is None or product < WARN:
        return None
    return StartWarning(
        _strength_text(request, product),
        code="strong_scaling",
        level="info" if _is_default(request, suggested or {}) else "caution",
        fix=StartFix("Use alpha / rank", "lora_scaling", INSTEAD)
        if request.lora_scaling == "mlx"
        else None,
    )


def _is_default(request: StartRequest, suggested: Mapping[str, Any]) -> bool:
    fields = type(request).model_fields
    return all(
        getattr(request, name) in (fields[name].default, suggested.get(name)) for name in _SCALE
    )


def _strength_text(request: StartRequest, product: float) -> str:
    effect = (
        "training may become unstable and ruin the model."
        if product > CONFIRM
        else "the model may forget what it knew."
    )
    return (
        f"The effective learning rate is high: multiplier {request.effective_scale:g} × learning "
        f"rate {highest_rate(request):g} = {product:.1e}; {effect} {_alternative(request)}"
    )


def confirmation_for(
    request: StartRequest, *, before: StartRequest | None = None
) -> StartWarning | None:
    """What a person should confirm before such a run starts; None where nothing or already done.

    `before` is what a continued session was asked: no stronger than that needs no new word.
    """
    product = strength(request)
    if product is None or product <= CONFIRM or request.confirm_high_scale:
        return None
    if before is not None and product <= (strength(before) or 0.0):
        return None
    return strength_warning(request)


def refuse_unconfirmed(request: StartRequest, *, before: StartRequest | None = None) -> None:
    """Raises Invalid for a run above CONFIRM whose `confirm_high_scale` is false. Null, which is
    what a script sends that leaves it out, starts with the warning; true starts without it.
    """
    if request.confirm_high_scale is not False:
        return
    text = confirmation_for(request, before=before)
    if text is not None:
        raise Invalid(
            text,
            hint="Set confirm_high_scale to true to start anyway.",
            errors=[FieldProblem("confirm_high_scale", text)],
        )


def _alternative(request: StartRequest) -> str:
    if request.lora_scaling == INSTEAD:
        return "Lower alpha or the learning rate."
    multiplier = request.lora_alpha / request.lora_rank
    return (
        f"Scaling {INSTEAD} would make the multiplier {multiplier:g}, and the product "
        f"{multiplier * highest_rate(request):.1e}."
    )
