"""What a request of the enhanced tab leaves open: lengths, a name, and fine-tuning's own fields."""

from __future__ import annotations

from datetime import datetime

from backend.jobs.run.recipe import StartWarning
from backend.models.schemas import ModelInfo
from backend.training.request.common_fields import CommonFields
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.sft_fields import StandardStart
from backend.training.request.unused_fields import unmet


def as_standard(request: EnhancedStart) -> StandardStart:
    """The same for the standard tab: what was named, and this tab's own defaults."""
    goes_on = request.resume_from is not None  # What is left out is then the session's.

    def has_own_default(name: str) -> bool:
        if name == "iterations" and request.epochs is not None:
            return False
        differs = (
            CommonFields.model_fields[name].default != EnhancedStart.model_fields[name].default
        )
        return differs and unmet(request, name) is None

    fields = {
        name: getattr(request, name)
        for name in CommonFields.model_fields
        if name in request.model_fields_set or (not goes_on and has_own_default(name))
    }
    if not request.adapter_name:  # An estimate has none; a start was given its name before.
        fields.pop("adapter_name", None)
    return StandardStart.model_validate(fields)


def fit_to_context(
    request: EnhancedStart, model: ModelInfo
) -> tuple[EnhancedStart, list[StartWarning]]:
    """A length that nobody asked for is no reason to refuse: the default gives way to the model."""
    room = model.context_length
    if room is None:
        return request, []
    most = {"max_seq_length": room}
    if request.method.generates:
        most["max_completion_length"] = max(1, room // 2)
    fitted = {
        name: limit
        for name, limit in most.items()
        if name not in request.model_fields_set and getattr(request, name) > limit
    }
    remarks = [
        StartWarning(
            f"{name} is {limit} instead of the default {getattr(request, name)}: {model.name} was "
            f"made for {room} tokens.",
            code="fitted_length",
            level="info",
        )
        for name, limit in fitted.items()
    ]
    return request.model_copy(update=fitted), remarks


def with_name(request: EnhancedStart) -> EnhancedStart:
    """With a name of its own where none was given: run_ and the time."""
    if request.adapter_name:
        return request
    now = datetime.now().astimezone()
    name = f"run_{now:%Y%m%d_%H%M%S}_{now.microsecond // 1000:03d}"
    return request.model_copy(update={"adapter_name": name})
