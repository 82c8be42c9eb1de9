"""Names and weights of reward functions as requests write them: lists, or lists in a text."""

from __future__ import annotations

import json
from collections.abc import Sequence

from backend.errors import FieldProblem, Invalid

# What the engine rewards when nothing is named, in its order.
DEFAULT_REWARDS = (
    "r1_accuracy_reward_func",
    "r1_int_reward_func",
    "r1_strict_format_reward_func",
    "r1_soft_format_reward_func",
    "r1_count_xml",
)


def split_names(text: str) -> list[str]:
    """The names between commas; commas in brackets, as in `regex_match(^\\d{1,3}$)`, are theirs.

    Inside brackets a backslash takes the next character with it, and other brackets come in pairs.
    What is wrong with a name is for the functions themselves to say.
    """
    names, depth, start, escaped = [], 0, 0, False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif depth and character == "\\":
            escaped = True
        elif character == "(":
            depth += 1
        elif character == ")" and depth:
            depth -= 1
        elif character == "," and not depth:
            names.append(text[start:index])
            start = index + 1
    names.append(text[start:])
    return [name.strip() for name in names if name.strip()]


def names_of(text: str | Sequence[str]) -> list[str]:
    """The names of a request, or the engine's five where it has none."""
    names = split_names(text) if isinstance(text, str) else [name.strip() for name in text]
    return names or list(DEFAULT_REWARDS)


def weights_of(value: str | Sequence[float] | None) -> list[float] | None:
    """The weights of a request; a text is a JSON array. Raises Invalid. None means 1 each."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        return list(value) or None
    try:
        weights = json.loads(value)
    except ValueError:
        weights = None
    if not isinstance(weights, list) or not all(type(each) in (int, float) for each in weights):
        text = f"reward_weights must be a JSON array of numbers, such as [1.0, 0.5]; got {value!r}."
        raise Invalid(text, errors=[FieldProblem("reward_weights", text)])
    return [float(each) for each in weights] or None
