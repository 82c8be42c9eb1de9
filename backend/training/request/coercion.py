"""What requests of the enhanced tab may write in more than one way, as it is meant."""

from __future__ import annotations

import difflib
import json
from typing import Any

from pydantic_core import PydanticCustomError

from backend.training.request.methods_table import METHODS


def empty_if_null(value: Any) -> Any:
    return "" if value is None else value


def known_method(value: Any) -> Any:
    """An id of the table, or an error that names the nearest."""
    if value in METHODS:
        return value
    near = difflib.get_close_matches(str(value), METHODS, n=1, cutoff=0.4)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise PydanticCustomError(
        "unknown_method",
        "there is no such method.{meant} Known are {known}",
        {"meant": meant, "known": ", ".join(METHODS)},
    )


def comma_list(value: Any) -> Any:
    is_names = isinstance(value, list) and all(isinstance(name, str) for name in value)
    return ", ".join(value) if is_names else value


def weights(value: Any) -> Any:
    """A list, or the JSON array as text that older scripts send."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return json.loads(value)
    except ValueError:
        raise PydanticCustomError(
            "not_a_list", "must be a JSON array of numbers, such as [1.0, 0.5]"
        ) from None
