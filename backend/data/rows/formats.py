"""The forms of training rows: told apart by their keys, checked key by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from backend.data.rows.spellings import CHAT_LISTS, NO_TEXT, NO_TEXTS
from backend.data.rows.turns import is_blank, is_turn

Format = Literal[
    "text", "chat", "completions", "grpo", "preference", "alpaca", "sharegpt", "unknown"
]
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# The columns that tell a form, in the engine's own order for its three: completions, chat, text.
FORM_COLUMNS: tuple[tuple[Format, frozenset[str]], ...] = (
    ("completions", frozenset({"prompt", "completion"})),
    ("chat", frozenset({"messages"})),
    ("preference", frozenset({"prompt", "chosen", "rejected"})),
    ("grpo", frozenset({"prompt", "answer"})),
    ("alpaca", frozenset({"instruction", "output"})),
    ("sharegpt", frozenset({"conversations"})),
    ("text", frozenset({"text"})),
)

# Whose answers are learned, and the columns that say whether an answer is a good one.
_LEARNED = frozenset({"completions", "chat", "alpaca", "sharegpt"})
_MARKS = ("label", "kto_tag")
_SPEAKERS = 'write messages as {"role": …, "content": …}'


def detect(row: Mapping[str, Any]) -> Format:
    """The form of one row."""
    keys = row.keys()
    for form, columns in FORM_COLUMNS:
        if columns <= keys:
            return form
    return "unknown"


def file_form(form: Format | None, row: Mapping[str, Any]) -> Format:
    """The form of a file whose rows so far have `form`: that of its first row that has one."""
    return detect(row) if form in (None, "unknown") else form


def check(row: Mapping[str, Any], form: Format) -> str | None:
    """What is wrong with a row of that form, to follow "Line 7 …"; None when it is fine."""
    if form != "unknown" and (name := _no_text(row)):
        return f"has {name!r}, of which nothing can be learned here; only text can be learned"
    if form in _LEARNED and (mark := next((n for n in _MARKS if row.get(n) is False), None)):
        return (
            f"has the {mark} false (as KTO marks a bad answer), which fine-tuning would learn as "
            "a good one; leave the row out"
        )
    return _CHECKS[form](row)


def conversation_problem(prompt: Any) -> str | None:
    """What is wrong with a prompt that is a list of messages, which an answer is to follow."""
    if not isinstance(prompt, list) or not prompt:
        return "has a 'prompt' that is neither a text nor a list of messages"
    for number, message in enumerate(prompt, start=1):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES or not isinstance(message.get("content"), str):
            return f"has a message {number} in its 'prompt' without a known role or a text"
    return None if prompt[-1]["role"] != "assistant" else "has a 'prompt' that ends with an answer"


def _no_text(row: Mapping[str, Any]) -> str | None:
    """The column of pictures and the like: a list, an object, or a file that the text points at."""
    for name in NO_TEXTS:
        if isinstance(row.get(name), list) and row[name]:
            return name
    for name in NO_TEXT:
        value = row.get(name)
        if value and (isinstance(value, dict | list) or f"<{name}>" in str(row)):
            return name
    return None


def _texts(row: Mapping[str, Any], *names: str, optional: tuple[str, ...] = ()) -> str | None:
    for name in names:
        if name not in row:
            return f"has no {name!r}"
        if not isinstance(row[name], str):
            return f"has a {name!r} that is not a text"
        if is_blank(row[name]):
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
    answered = learned = False
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, dict):
            return f"has a message {number} that is not an object"
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            return f"has a message {number} with the role {role!r}; known are {', '.join(ROLES)}"
        wrong = _call_problem(message)
        if wrong:
            return f"has a message {number} {wrong}"
        if message.get("tool_calls") and (content is None or _is_blank_text(content)):
            content = "…"
        if not isinstance(content, str):
            return f"has a message {number} {_content_problem(content)}"
        if role == "assistant":
            if is_blank(content):
                return f"has an empty answer (message {number})"
            if message.get("weight") not in (None, 0, 1):
                return (
                    f"has a message {number} of the weight {message['weight']!r}; a turn is "
                    "learned (1) or not (0)"
                )
            answered = True
            learned = learned or message.get("weight") != 0
    if isinstance(row.get("tools"), str) and row["tools"].strip():
        return "has 'tools' that are a text and no JSON list"
    if answered and not learned:
        return "has no answer to learn: each has the weight 0"
    return None if answered else "has no assistant message to learn from"


def _is_blank_text(content: Any) -> bool:
    return isinstance(content, str) and is_blank(content)


def _content_problem(content: Any) -> str:
    parts = content if isinstance(content, list) else [content]
    kinds = [part.get("type") for part in parts if isinstance(part, dict)]
    other = next((kind for kind in kinds if isinstance(kind, str) and kind != "text"), None)
    if other is not None:
        return f"with a part of the type {other[:40]!r}; only text can be learned"
    return "whose 'content' is null" if content is None else "whose 'content' is not a text"


def _call_problem(message: Mapping[str, Any]) -> str | None:
    calls = message.get("tool_calls")
    if isinstance(calls, str):
        return "whose 'tool_calls' are a text and no JSON list"
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            return "that calls a tool with arguments that are no JSON object"
    return None


def _long_prompt(row: Mapping[str, Any]) -> str | None:
    if not isinstance(row.get("prompt"), list):
        return None
    return (
        f"has a 'prompt' of {len(row['prompt'])} messages; the method takes one question of the "
        "user, with a system message or without"
    )


def _preference(row: Mapping[str, Any]) -> str | None:
    if isinstance(row.get("prompt"), list):
        wrong = conversation_problem(row["prompt"])
        return wrong or _texts(row, "chosen", "rejected", optional=("system",))
    return _texts(row, "prompt", "chosen", "rejected", optional=("system",))


def _text(row: Mapping[str, Any]) -> str | None:
    if isinstance(row.get("role"), str) and "parent_id" in row:  # OpenAssistant's.
        return (
            f"is a single message of {row['role'][:40]!r} in a tree of messages, and no whole "
            "text; use a version of the data set with whole conversations"
        )
    return _texts(row, "text")


def _alpaca(row: Mapping[str, Any]) -> str | None:
    asked = row.get("input")
    if row.get("instruction") == "" and isinstance(asked, str) and not is_blank(asked):
        return _texts(row, "input", "output", optional=("system",))
    return _texts(row, "instruction", "output", optional=("input", "system"))


def _unknown(row: Mapping[str, Any]) -> str:
    """What a row of no known form is, as far as its columns tell."""
    if row.get("truncated_cells"):
        return (
            f"has cells that the dataset viewer cut off ({str(row['truncated_cells'])[:80]}); "
            "download the data set's own file"
        )
    if {"mapping", "title"} <= row.keys():
        return (
            "is a conversation of ChatGPT's own export, a tree of messages that is not read; "
            "write it as messages of role and content"
        )
    for name in CHAT_LISTS:
        value = row.get(name)
        if isinstance(value, list) and value and all(isinstance(text, str) for text in value):
            return f"has a list of texts {name!r} that does not say who speaks; {_SPEAKERS}"
    columns = ", ".join(repr(name) for name in list(row)[:8])
    return (
        f"has none of the known forms; its columns are {columns}" if row else "is an empty object"
    )


def _sharegpt(row: Mapping[str, Any]) -> str | None:
    turns = row.get("conversations")
    if not isinstance(turns, list) or not turns:
        return "has 'conversations' that are not a list of at least one turn"
    return None if all(map(is_turn, turns)) else "has a turn without a 'value'"


_CHECKS: dict[Format, Callable[[Mapping[str, Any]], str | None]] = {
    "text": _text,
    "chat": _turns,
    "completions": lambda row: _texts(row, "prompt", "completion"),
    "grpo": lambda row: _long_prompt(row) or _texts(row, "prompt", "answer", optional=("system",)),
    "preference": _preference,
    "alpaca": _alpaca,
    "sharegpt": _sharegpt,
    "unknown": _unknown,
}
