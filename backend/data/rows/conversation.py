"""One row between any two forms: read into a conversation, written in the form that is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backend.data.rows.formats import ROLES, Format
from backend.data.rows.turns import normal_turns

_SHAREGPT_NAMES = {"system": "system", "user": "human", "assistant": "gpt", "tool": "tool"}
_OPENING = ("system", "developer")
_LABELS = {
    "system": "system", "user": "user", "human": "user", "assistant": "assistant",
    "instruction": "user", "response": "assistant",
}  # fmt: skip
_WORDS = {"system": "System", "user": "User", "assistant": "Assistant"}
_LABEL = re.compile(r"^(System|User|Human|Assistant):[ ]?", re.MULTILINE)
# As `### Human:` of openassistant-guanaco, which begins no line, and `### Response:` of Alpaca.
_HEADING = re.compile(r"\s*###[ ]?(System|User|Human|Assistant|Instruction|Response):\s*")


class Unsuitable(Exception):
    """A row can't be written in that form; the text follows "Line 7 …"."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What every form says, as messages. `text` is prose that is no conversation at all."""

    messages: tuple[Mapping[str, Any], ...] = ()
    tools: Sequence[Any] | None = None
    rejected: str | None = None
    text: str | None = None


def read_row(row: Mapping[str, Any], form: Format) -> Conversation:
    """Raises Unsuitable. The row must have passed `formats.check`."""
    return _READ[form](row)


def write_row(said: Conversation, form: Format) -> dict[str, Any]:
    """Raises Unsuitable when the form has no place for something that was said."""
    return _WRITE[form](said)


def with_system(said: Conversation, system: str | None) -> Conversation:
    """The same with a system message in front, where there is none yet."""
    if not system or said.text is not None:
        return said
    if said.messages and said.messages[0]["role"] in _OPENING:
        return said
    return replace(said, messages=(_turn("system", system), *said.messages))


def shortened(said: Conversation) -> Conversation:
    """Its system message, first question and first answer, where it begins with those. One that
    has a worse answer besides stays whole: that one is to the last question.
    """
    if said.rejected is not None:
        return said
    opening = 1 if said.messages and said.messages[0]["role"] in _OPENING else 0
    return replace(said, messages=said.messages[: opening + 2])


def _turn(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}


def _asked(system: Any, question: str, answer: str) -> tuple[Mapping[str, Any], ...]:
    first = (_turn("system", system),) if system else ()
    return (*first, _turn("user", question), _turn("assistant", answer))


# -- reading ------------------------------------------------------------------------------------


def _from_text(row: Mapping[str, Any]) -> Conversation:
    text: str = row["text"]
    headings = list(_HEADING.finditer(text))
    labels = headings or list(_LABEL.finditer(text))
    if not labels or (labels[0].start() != 0 and not headings):
        return Conversation(text=text)
    ends = [label.start() - (not headings) for label in labels[1:]] + [len(text)]
    messages = tuple(
        _turn(_LABELS[label[1].lower()], text[label.end() : end])
        for label, end in zip(labels, ends, strict=True)
    )
    if not any(message["role"] == "assistant" and message["content"] for message in messages):
        return Conversation(text=text)
    before = text[: labels[0].start()].strip()  # As Alpaca's "Below is an instruction …".
    return Conversation(messages=(_turn("system", before), *messages) if before else messages)


def _from_chat(row: Mapping[str, Any]) -> Conversation:
    return Conversation(messages=tuple(row["messages"]), tools=row.get("tools") or None)


def _from_completions(row: Mapping[str, Any]) -> Conversation:
    messages = _asked(None, row["prompt"], row["completion"])
    return Conversation(messages=messages, tools=row.get("tools") or None)


def _from_grpo(row: Mapping[str, Any]) -> Conversation:
    return Conversation(messages=_asked(row.get("system"), row["prompt"], row["answer"]))


def _from_preference(row: Mapping[str, Any]) -> Conversation:
    prompt, system = row["prompt"], row.get("system")
    asked = prompt if isinstance(prompt, list) else [_turn("user", prompt)]
    first = [_turn("system", system)] if system else []
    messages = (*first, *asked, _turn("assistant", row["chosen"]))
    return Conversation(messages=messages, rejected=row["rejected"])


def _from_alpaca(row: Mapping[str, Any]) -> Conversation:
    question = "\n\n".join(part for part in (row["instruction"], row.get("input")) if part)
    return Conversation(messages=_asked(row.get("system"), question, row["output"]))


def _from_sharegpt(row: Mapping[str, Any]) -> Conversation:
    messages = []
    if row.get("system"):
        messages.append(_turn("system", str(row["system"])))
    turns = normal_turns(row["conversations"], lambda _: None)
    for number, turn in enumerate(turns, start=1):
        if turn.get("role") not in ROLES:
            raise Unsuitable(f"has a turn {number} from {str(turn.get('role'))[:40]!r}")
        messages.append(turn)
    tools = row.get("tools")
    return Conversation(messages=tuple(messages), tools=tools if isinstance(tools, list) else None)


def _from_unknown(row: Mapping[str, Any]) -> Conversation:
    raise Unsuitable("has none of the known forms")


# -- writing ------------------------------------------------------------------------------------


def _to_text(said: Conversation) -> dict[str, Any]:
    if said.text is not None:
        return {"text": said.text}
    lines = []
    for number, message in enumerate(_spoken(said, "text"), start=1):
        word = _WORDS.get(message["role"])
        if word is None:
            raise Unsuitable(f"has a message of the role {message['role']}, which text can't show")
        if _LABEL.search(message["content"]):
            raise Unsuitable(f"has a line in message {number} that looks like the next speaker's")
        lines.append(f"{word}: {message['content']}")
    return {"text": "\n".join(lines)}


def _to_chat(said: Conversation) -> dict[str, Any]:
    _need_turns(said)
    row: dict[str, Any] = {"messages": [dict(message) for message in said.messages]}
    return {**row, "tools": list(said.tools)} if said.tools else row


def _to_completions(said: Conversation) -> dict[str, Any]:
    system, question, answer = _one_exchange(said, "completions")
    row: dict[str, Any] = {
        "prompt": f"{system}\n\n{question}" if system else question,
        "completion": answer,
    }
    return {**row, "tools": list(said.tools)} if said.tools else row


def _to_grpo(said: Conversation) -> dict[str, Any]:
    system, question, answer = _one_exchange(said, "prompt/answer")
    row = {"prompt": question, "answer": answer}
    return {**row, "system": system} if system else row


def _to_preference(said: Conversation) -> dict[str, Any]:
    if said.rejected is None:
        raise Unsuitable("has no rejected answer; map a column to 'rejected'")
    messages = list(_spoken(said, "preference"))
    if len(messages) > 3 and messages[-1]["role"] == "assistant":  # More than one exchange.
        system = messages.pop(0)["content"] if messages[0]["role"] in _OPENING else None
        prompt: Any = [dict(message) for message in messages[:-1]]
        answer = messages[-1]["content"]
    else:
        system, prompt, answer = _one_exchange(said, "preference")
    row = {"prompt": prompt, "chosen": answer, "rejected": said.rejected}
    return {**row, "system": system} if system else row


def _to_alpaca(said: Conversation) -> dict[str, Any]:
    system, question, answer = _one_exchange(said, "alpaca")
    row = {"instruction": question, "input": "", "output": answer}
    return {**row, "system": system} if system else row


def _to_sharegpt(said: Conversation) -> dict[str, Any]:
    turns = []
    for message in _spoken(said, "sharegpt"):
        name = _SHAREGPT_NAMES.get(message["role"])
        if name is None:
            raise Unsuitable(f"has a message of the role {message['role']}, unknown to sharegpt")
        turns.append({"from": name, "value": message["content"]})
    row: dict[str, Any] = {"conversations": turns}
    return {**row, "tools": list(said.tools)} if said.tools else row


def _need_turns(said: Conversation) -> None:
    if said.text is not None:
        raise Unsuitable('is plain text without "User:" and "Assistant:" to tell who speaks')


def _spoken(said: Conversation, form: str) -> Sequence[Mapping[str, Any]]:
    """The messages, where each is only words: a call of a tool has no place in other forms."""
    _need_turns(said)
    for number, message in enumerate(said.messages, start=1):
        if message.get("tool_calls"):
            raise Unsuitable(f"calls a tool in message {number}, which {form} rows can't show")
    return said.messages


def _one_exchange(said: Conversation, form: str) -> tuple[str | None, str, str]:
    messages = list(_spoken(said, form))
    system = None
    if messages and messages[0]["role"] in _OPENING:
        system = messages.pop(0)["content"]
    if [message["role"] for message in messages] != ["user", "assistant"]:
        raise Unsuitable(
            f"has {len(messages)} messages; {form} rows hold one question and one answer"
        )
    return system or None, messages[0]["content"], messages[1]["content"]


_READ: dict[Format, Callable[[Mapping[str, Any]], Conversation]] = {
    "text": _from_text,
    "chat": _from_chat,
    "completions": _from_completions,
    "grpo": _from_grpo,
    "preference": _from_preference,
    "alpaca": _from_alpaca,
    "sharegpt": _from_sharegpt,
    "unknown": _from_unknown,
}
_WRITE: dict[Format, Callable[[Conversation], dict[str, Any]]] = {
    "text": _to_text,
    "chat": _to_chat,
    "completions": _to_completions,
    "grpo": _to_grpo,
    "preference": _to_preference,
    "alpaca": _to_alpaca,
    "sharegpt": _to_sharegpt,
    "unknown": _to_chat,
}
