"""A model's own suggestions for the form, reduced to what the form has."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from backend.training.request.sft_fields import StandardStart


def known_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """Only fields of a start request, with values that the field takes; others are dropped."""
    return {name: value for name, value in values.items() if _is_valid(name, value)}


def _is_valid(name: str, value: Any) -> bool:
    if name not in StandardStart.model_fields:
        return False
    need: dict[str, Any] = {"model_path": "-", "train_data_path": "-"}
    request: type[BaseModel] = StandardStart
    try:
        request.model_validate(need | {name: value})
    except ValidationError:
        return False
    return True
