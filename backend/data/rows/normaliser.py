"""A row in any common spelling, written as one of our forms; the tables are `spellings.py`.

Rows that are written as the documentation asks go through untouched, after one look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from backend.data.rows.columns import (
    NULLABLE,
    beside_answers,
    checkable_answer,
    common_columns,
    earlier_turns,
    exchanges,
    inner_row,
    ranked_pair,
    small_letters,
    spoken_pair,
    spoken_row,
    stands_beside,
    system_beside,
    without_nulls,
)
from backend.data.rows.conversation import Unsuitable
from backend.data.rows.formats import FORM_COLUMNS, detect
from backend.data.rows.line import Line
from backend.data.rows.preference_pairs import plain_pair
from backend.data.rows.spellings import CHAT_LISTS, ROLES, TEXTS, TOOL_LISTS
from backend.data.rows.turns import Say, as_text, is_turn, is_usual, listed, normal_turns, parsed

Row = dict[str, Any]
_STRUCTURES = frozenset({*CHAT_LISTS, *TOOL_LISTS})
_READ = TEXTS | _STRUCTURES
_NOT_A_CHAT = frozenset({"prompt", "completion", "chosen", "rejected", *TOOL_LISTS})
# What a ShareGPT row is by its own rules, so nothing to be told.
_SHAREGPT = frozenset({
    "'from' in a turn is read as 'role'", "'value' in a turn is read as 'content'",
    *(f"the role {name!r} is read as {role!r}" for name, role in ROLES.items()),
})  # fmt: skip


def normal_line(line: Line) -> Line:
    """The line with its row in one of our forms, and what of it was understood."""
    if line.row is None or _is_plain(line.row):
        return line
    row, readings = normalise(line.row)
    if not readings:
        return line
    return replace(
        line, row=row, columns=line.row, readings=(*line.readings, *readings), clean=False
    )


def normalise(row: Row) -> tuple[Row, tuple[str, ...]]:
    """The row in one of our forms, as far as it can be understood without doubt, and how it was
    read, in words. A row that needs nothing is answered itself.
    """
    readings: dict[str, None] = {}

    def say(reading: str) -> None:
        readings[reading] = None

    steps = (
        inner_row, without_nulls, small_letters, checkable_answer, spoken_row, spoken_pair,
        ranked_pair, beside_answers, exchanges, _chat, common_columns, _messages, _pair, _tools,
        _texts, earlier_turns, system_beside,
    )  # fmt: skip
    for step in steps:
        row = step(row, say)
    return row, tuple(readings)


def doubled_forms(row: Mapping[str, Any]) -> str | None:
    """What to say of a row whose columns are those of two forms; None of any other."""
    return _doubled(tuple(row)) if len(row) > 1 else None


@lru_cache(maxsize=256)
def _doubled(columns: tuple[str, ...]) -> str | None:
    forms = [form for form, needed in FORM_COLUMNS if needed <= set(columns)]
    if len(forms) < 2:
        return None
    return f"the columns are those of {' and '.join(forms)} rows at once; used are the {forms[0]}"


def _is_plain(row: Row) -> bool:
    chat = False
    if stands_beside(row):
        return False
    for name, value in row.items():
        if type(value) is str:
            if name in _STRUCTURES:
                return False
        elif name == "messages":
            if type(value) is not list or not all(map(is_usual, value)):
                return False
            chat = True
        elif value is None:
            if name in NULLABLE:
                return False
        elif name in _READ:
            return False
    return chat or detect(row) != "unknown"


def _chat(row: Row, say: Say) -> Row:
    """The conversation of a chat row under `messages`, with its turns in our spelling."""
    name = _chat_column(row)
    if name is None:
        return row
    turns: list[Any] = listed(row[name])
    if name == "conversations" and all("from" in turn for turn in turns):
        # A form of ours, which is read turn by turn anyway.
        own: dict[str, None] = {}
        normal_turns(turns, lambda reading: own.setdefault(reading))
        for reading in own:
            if reading not in _SHAREGPT:
                say(reading)
        return row if turns is row[name] else {**row, name: turns}
    if name != "messages":
        say(f"{name[:60]!r} is read as 'messages'")
    if isinstance(row[name], str):
        say(f"{name[:60]!r} in JSON text is read as a list")
    elif isinstance(row[name], dict):
        say(f"{name[:60]!r} as an object of lists is read as a list of turns")
    made = normal_turns(turns, say)
    return {("messages" if key == name else key): (made if key == name else value)
            for key, value in row.items()}  # fmt: skip


def _chat_column(row: Row) -> str | None:
    if "messages" in row:
        return "messages" if _is_chat(row["messages"]) else None
    if detect(row) not in ("unknown", "sharegpt"):
        return None
    found = [name for name in row if name not in _NOT_A_CHAT and _is_chat(row[name])]
    named = [name for name in CHAT_LISTS if name in found]
    if named:
        return named[0]
    return found[0] if len(found) == 1 else None


def _is_chat(value: Any) -> bool:
    turns = listed(value)
    return isinstance(turns, list) and bool(turns) and all(map(is_turn, turns))


def _messages(row: Row, say: Say) -> Row:
    """`prompt` and `completion` as lists of messages: one conversation, whose end is learned."""
    prompt, completion = _turns(row.get("prompt"), "user"), _turns(row.get("completion"))
    listed = [isinstance(row.get(name), list) for name in ("prompt", "completion")]
    if not any(listed) or prompt is None:
        return row
    if listed[0] and ("answer" in row or isinstance(row.get("chosen"), str)):
        return _question(row, normal_turns(prompt, say), say)
    if completion is None:  # A prompt alone, or beside answers that are lists themselves.
        return {**row, "prompt": normal_turns(prompt, say)} if listed[0] else row
    asked = [
        {**turn, "weight": 0} if turn.get("role") == "assistant" else turn
        for turn in normal_turns(prompt, say)
    ]
    say("'prompt' and 'completion' as messages are read as one conversation, of which only the "
        "completion is learned" if any("weight" in turn for turn in asked) else
        "'prompt' and 'completion' as messages are read as one conversation")  # fmt: skip
    others = {key: value for key, value in row.items() if key not in ("prompt", "completion")}
    return {"messages": [*asked, *normal_turns(completion, say)], **others}


def _turns(value: Any, role: str = "assistant") -> list[Any] | None:
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    return value if isinstance(value, list) and value and all(map(is_turn, value)) else None


def _question(row: Row, turns: list[Any], say: Say) -> Row:
    """A prompt of one question, with a system message or without, as texts."""
    opening = turns[0].get("role") in ("system", "developer")
    system = turns[0].get("content") if opening else None
    rest = turns[1:] if opening else turns
    if [turn.get("role") for turn in rest] != ["user"] or not isinstance(
        rest[0].get("content"), str
    ):
        return {**row, "prompt": turns}
    say("a 'prompt' of messages is read as its question" + (" and 'system'" if system else ""))
    given = {"system": system} if system and not row.get("system") else {}
    return {**row, "prompt": rest[0]["content"], **given}


def _pair(row: Row, say: Say) -> Row:
    """`chosen` and `rejected` as lists of messages: texts."""
    lists = [name for name in ("chosen", "rejected") if isinstance(row.get(name), list | dict)]
    if len(lists) < 2:
        return row
    made = dict(row)
    for name in ("prompt", *lists):
        turns = made.get(name)
        turns = [turns] if isinstance(turns, dict) and is_turn(turns) else turns
        if isinstance(turns, list):
            made[name] = normal_turns(turns, say)
    try:
        plain = dict(plain_pair(made))
    except Unsuitable:
        return made
    if isinstance(plain["chosen"], str):
        to = "conversation" if isinstance(plain["prompt"], list) else "question"
        say(f"'chosen' and 'rejected' as messages are read as two answers to one {to}")
    return plain


def _tools(row: Row, say: Say) -> Row:
    name = next((name for name in TOOL_LISTS if row.get(name)), None)
    if name is None or (name == "functions" and not row.get("messages")):
        return row
    tools = parsed(row[name])
    tools = [tools] if isinstance(tools, dict) else tools
    if not isinstance(tools, list):
        return row
    if isinstance(row[name], str):
        say(f"{name!r} in JSON text is read as a list")
    if name != "tools":
        say(f"{name!r} is read as 'tools'")
    made = [_tool(tool, say) for tool in tools]
    return {("tools" if key == name else key): (made if key == name else value)
            for key, value in row.items()}  # fmt: skip


def _tool(tool: Any, say: Say) -> Any:
    if isinstance(tool, dict) and "function" not in tool and isinstance(tool.get("name"), str):
        say("a tool without 'function' is read as that function")
        return {"type": "function", "function": tool}
    return tool


def _texts(row: Row, say: Say) -> Row:
    numbers = [
        name for name, value in row.items()
        if isinstance(value, bool | int | float) and name in TEXTS
    ]  # fmt: skip
    for name in numbers:
        say(f"a number or true and false in {name!r} is read as a text")
    return {**row, **{name: as_text(row[name]) for name in numbers}} if numbers else row
