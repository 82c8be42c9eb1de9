"""Parameters of a method that do nothing with some value of another one, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backend.jobs.run.recipe import StartWarning
from backend.training.request.method import Method
from backend.training.request.method_answers import Inactive
from backend.training.request.method_fields import EnhancedStart

_ONE_UPDATE = Inactive(
    field="updates_per_rollout",
    equals=1,
    reason="At one update per rollout the ratio is exactly 1 and nothing is ever clipped. Set "
    "updates per rollout to 2 or more for this to count.",
)
_NO_PENALTY = Inactive(
    field="beta",
    equals=0,
    reason="At beta 0 there is no KL penalty, so no other model is asked.",
)
_REWARDS_JUDGE = Inactive(
    field="reward_functions",
    equals="",
    otherwise=True,
    reason="Reward functions judge the answers, so no judge model is asked.",
)
_ODDS_RATIO = Inactive(
    field="dsla_loss",
    equals="orpo",
    reason="ORPO's loss has one form only.",
)
_NO_REFERENCE = Inactive(
    field="dsla_loss",
    equals="dpo",
    otherwise=True,
    reason="Only DPO's loss compares with another model.",
)

_POLICY = {"epsilon": _ONE_UPDATE, "epsilon_high": _ONE_UPDATE, "reference_model_path": _NO_PENALTY}
_ONLINE = {"judge": _REWARDS_JUDGE, "judge_system_prompt": _REWARDS_JUDGE}
_DSLA = {
    "preference_loss": _ODDS_RATIO, "delta": _ODDS_RATIO, "reference_model_path": _NO_REFERENCE,
}  # fmt: skip


def inactive_of(method: Method) -> Mapping[str, Inactive]:
    """By the name of the parameter."""
    if method.train_mode == "grpo":
        return _POLICY
    if method.family == "online":
        return _ONLINE
    return _DSLA if method.train_mode == "dsla" else {}


def idle_fields(request: EnhancedStart) -> Iterator[StartWarning]:
    """A sentence for each value that was asked for and does nothing."""
    for name, inactive in inactive_of(request.method).items():
        is_set = name in request.model_fields_set
        differs = getattr(request, name) != EnhancedStart.model_fields[name].default
        equal = getattr(request, inactive.field) == inactive.equals
        # The ratio at one update is told by itself, whatever epsilon is.
        if is_set and differs and equal != inactive.otherwise and inactive is not _ONE_UPDATE:
            text = f"{name} does nothing here. {inactive.reason}"
            yield StartWarning(text, code="unused_field")
