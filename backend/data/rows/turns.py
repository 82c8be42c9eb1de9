"""Turns of a conversation in any common spelling, written as `{"role", "content", …}`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backend.data.rows.spellings import (
    CALLING_ROLES,
    CONTENT_KEYS,
    PART_TYPES,
    ROLE_KEYS,
    ROLES,
    WEIGHT_KEYS,
    ZERO_WIDTH,
)

Say = Callable[[str], None]  # Called with what was understood: "the role 'gpt' is read as …".

_USUAL = ("system", "user", "assistant", "tool")
_UNSEEN = str.maketrans("", "", ZERO_WIDTH)


def normal_turns(turns: Sequence[Any], say: Say) -> list[Any]:
    """Every turn that can be understood in our spelling; the others are left as they are."""
    return [turn if is_usual(turn) else _turn(turn, say) for turn in turns]


def is_usual(turn: Any) -> bool:
    """Whether it is a role and a text, as most turns are."""
    return (
        type(turn) is dict
        and len(turn) == 2
        and turn.get("role") in _USUAL
        and type(turn.get("content")) is str
    )


def is_turn(value: Any) -> bool:
    """Whether an object says who speaks and what, by any of the known keys."""
    if not isinstance(value, dict):
        return False
    speaks = any(isinstance(value.get(key), str) for key in ROLE_KEYS)
    says = any(key in value for key in (*CONTENT_KEYS, "tool_calls", "function_call"))
    return speaks and says


def is_blank(text: str) -> bool:
    """Whether nothing can be seen of it: no sign at all, or none that takes a place."""
    bare = text.strip()
    return not bare or (bare[0] in ZERO_WIDTH and not bare.translate(_UNSEEN).strip())


def as_text(value: bool | int | float) -> str:
    """A number or true and false, as JSON writes it."""
    return json.dumps(value)


def parsed(value: Any) -> Any:
    """A JSON list or object that is written as a text; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def listed(value: Any) -> Any:
    """As `parsed`; and an object of lists, as Arrow has a list of objects, as that list."""
    value = parsed(value)
    if isinstance(value, dict) and value:
        cells = list(value.values())
        if all(isinstance(each, list) and len(each) == len(cells[0]) for each in cells):
            return [dict(zip(value, row, strict=True)) for row in zip(*cells, strict=True)]
    return value


def _turn(given: Any, say: Say) -> Any:
    if not isinstance(given, dict):
        return given
    turn = dict(given)
    _rename(turn, "role", ROLE_KEYS, say)
    _rename(turn, "content", CONTENT_KEYS, say)
    if turn.get("role") in CALLING_ROLES:
        _call_from_text(turn, say)
    role = turn.get("role")
    if isinstance(role, str):
        known = ROLES.get(role.strip().lower(), role)
        if known != role:
            say(f"the role {role[:40]!r} is read as {known!r}")
            turn["role"] = known
    _content(turn, say)
    _calls(turn, say)
    _weight(turn, say)
    first = {key: turn.pop(key) for key in ("role", "content") if key in turn}
    return {**first, **turn}


def _rename(turn: dict[str, Any], name: str, keys: Sequence[str], say: Say) -> None:
    if name in turn:
        return
    for key in keys:
        if key in turn:
            turn[name] = turn.pop(key)
            say(f"{key!r} in a turn is read as {name!r}")
            return


def _content(turn: dict[str, Any], say: Say) -> None:
    content = turn.get("content")
    if isinstance(content, bool | int | float):
        turn["content"] = as_text(content)
        say("a number or true and false in a turn is read as a text")
    elif isinstance(content, list) and content:
        texts = [_part(part) for part in content]
        if None not in texts:
            turn["content"] = "".join(text for text in texts if text is not None)
            say("a list of text parts is read as one text")
    elif isinstance(content, dict) and _part(content) is not None:
        turn["content"] = _part(content)
        say("a list of text parts is read as one text")


def _part(part: Any) -> str | None:
    """The text of one part; None of a picture, a sound or a file."""
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type", "text") in PART_TYPES:
        text = part.get("text")
        return text if isinstance(text, str) else None
    return None


def _call_from_text(turn: dict[str, Any], say: Say) -> None:
    call = parsed(turn.get("content"))
    calls = call if isinstance(call, list) else [call]
    if all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in calls):
        say(f"a turn of {turn['role']!r} is read as a call of a tool by the assistant")
        turn.update(role="assistant", content=None, tool_calls=[_wrapped(one) for one in calls])


def _calls(turn: dict[str, Any], say: Say) -> None:
    old = parsed(turn.get("function_call"))
    if isinstance(old, dict) and not turn.get("tool_calls"):
        del turn["function_call"]
        turn["tool_calls"] = [_wrapped(old)]
        turn.setdefault("content", None)
        say("'function_call' is read as 'tool_calls'")
    elif "function_call" in turn and not turn["function_call"]:
        del turn["function_call"]
    calls = parsed(turn.get("tool_calls"))
    if isinstance(calls, list) and calls:
        turn["tool_calls"] = [_call(call, say) for call in calls]


def _wrapped(call: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": dict(call)}


def _call(call: Any, say: Say) -> Any:
    if not isinstance(call, dict):
        return call
    if "function" not in call and isinstance(call.get("name"), str):
        call = {"type": "function", "function": call}
        say("a tool call without 'function' is read as a call of that function")
    function = call.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        return call
    text = function["arguments"]
    arguments = parsed(text) if text.strip() else {}
    if not isinstance(arguments, dict):
        return call
    say("tool arguments in JSON text are read as an object")
    return {**call, "function": {**function, "arguments": arguments}}


def _weight(turn: dict[str, Any], say: Say) -> None:
    """`weight` 0 alone stays: every other turn of the assistant is learned anyway."""
    for key in WEIGHT_KEYS:
        value = turn.get(key)
        if key not in turn or value not in (None, 0, 1, 0.0, 1.0, "0", "1"):
            continue
        del turn[key]
        if value in (0, "0") and turn.get("role") == "assistant":
            turn["weight"] = 0
            say(f"a turn with {key!r} {json.dumps(value)} is not learned")
            return
