"""The forms of training rows: told apart by their keys, checked key by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

Format = Literal[
    "text", "chat", "completions", "grpo", "preference", "alpaca", "sharegpt", "unknown"
]
ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def detect(row: Mapping[str, Any]) -> Format:
    """The form of one row. The engine's own order for its three: completions, chat, text."""
    keys = row.keys()
    if {"prompt", "completion"} <= keys:
        return "completions"
    if "messages" in keys:
        return "chat"
    if {"prompt", "chosen", "rejected"} <= keys:
        return "preference"
    if {"prompt", "answer"} <= keys:
        return "grpo"
    if {"instruction", "output"} <= keys:
        return "alpaca"
    if "conversations" in keys:
        return "sharegpt"
    if "text" in keys:
        return "text"
    return "unknown"


def check(row: Mapping[str, Any], form: Format) -> str | None:
    """What is wrong with a row of that form, to follow "Line 7 …"; None when it is fine."""
    return _CHECKS[form](row)


def _texts(row: Mapping[str, Any], *names: str, optional: tuple[str, ...] = ()) -> str | None:
    for name in names:
        if name not in row:
            return f"has no {name!r}"
        if not isinstance(row[name], str):
            return f"has a {name!r} that is not a text"
        if not row[name].strip():
            return f"has an empty {name!r}"
    for name in optional:
        if not isinstance(row.get(name, ""), str | None):
            return f"has a {name!r} that is not a text"
    return None


def _turns(row: Mapping[str, Any]) -> str | None:
    if "messages" not in row:
        return "has no 'messages'"
    messages = row["messages"]
    if not isinstance(messages, list) or not messages:
        return "has 'messages' that are not a list of at least one message"
    answered = False
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, dict):
            return f"has a message {number} that is not an object"
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            return f"has a message {number} with the role {role!r}; known are {', '.join(ROLES)}"
        if content is None and message.get("tool_calls"):
            content = "…"
        if not isinstance(content, str):
            return f"has a message {number} whose 'content' is not a text"
        if role == "assistant":
            if not content.strip():
                return f"has an empty answer (message {number})"
            answered = True
    return None if answered else "has no assistant message to learn from"


def _preference(row: Mapping[str, Any]) -> str | None:
    return _texts(row, "prompt", "chosen", "rejected", optional=("system",))


def _sharegpt(row: Mapping[str, Any]) -> str | None:
    turns = row.get("conversations")
    if not isinstance(turns, list) or not turns:
        return "has 'conversations' that are not a list of at least one turn"
    good = all(isinstance(turn, dict) and isinstance(turn.get("value"), str) for turn in turns)
    return None if good else "has a turn without a 'value'"


_CHECKS: dict[Format, Callable[[Mapping[str, Any]], str | None]] = {
    "text": lambda row: _texts(row, "text"),
    "chat": _turns,
    "completions": lambda row: _texts(row, "prompt", "completion"),
    "grpo": lambda row: _texts(row, "prompt", "answer", optional=("system",)),
    "preference": _preference,
    "alpaca": lambda row: _texts(row, "instruction", "output", optional=("input", "system")),
    "sharegpt": _sharegpt,
    "unknown": lambda row: (
        "has none of the known forms; its columns are "
        + ", ".join(repr(name) for name in list(row)[:8])
        if row
        else "is an empty object"
    ),
}
