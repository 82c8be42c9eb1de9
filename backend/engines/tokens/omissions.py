"""What a row says and the chat template does not write, found by rendering the row without it.

A part is left out where the conversation reads the same with it as without it. Comparing texts
alone would take a name that is mentioned elsewhere for the part itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

Part = Literal[
    "tools", "tool_calls", "reasoning_content", "thoughts", "name", "message",
    "doubled_start", "doubled_end", "beyond_embedding",
]  # fmt: skip
PARTS: tuple[Part, ...] = get_args(Part)
Turns = Sequence[Mapping[str, Any]]
Render = Callable[[Turns, Any], str]  # Of turns and tools; raises what the template raises.

_THOUGHTS = re.compile(r"(?:<think>)?(.*?)</think>", re.DOTALL)
_FIELDS: Mapping[Part, tuple[str, ...]] = {
    "tool_calls": ("tool_calls",),
    "reasoning_content": ("reasoning_content", "reasoning", "thinking"),
    "name": ("name",),
}


def omitted_parts(turns: Turns, tools: Any, text: str, render: Render) -> list[Part]:
    """The parts of a conversation that are not in `text`, which `render` made of it."""

    def same(changed: Turns, with_tools: Any = tools) -> bool:
        try:
            return render(changed, with_tools) == text
        except Exception:  # noqa: BLE001 - a template raises what it likes: it reads the part
            return False

    return list(_find_omissions(turns, tools, text, same))


def _find_omissions(
    turns: Turns, tools: Any, text: str, same: Callable[..., bool]
) -> Iterator[Part]:
    if tools and same(turns, None):
        yield "tools"
    for part, names in _FIELDS.items():
        holders = [at for at, turn in enumerate(turns) if any(turn.get(name) for name in names)]
        if any(same(_find_changes(turns, at, _without(turns[at], names))) for at in holders):
            yield part
    if any(_lost_thoughts(turns, at, same) for at in range(len(turns))):
        yield "thoughts"
    if any(_lost_message(turns, at, text, same) for at in range(len(turns))):
        yield "message"


def beyond_parts(ids: Sequence[int], rows: int | None) -> list[Part]:
    """Whether a token has no row in the embedding, which has `rows` (None: not known)."""
    return ["beyond_embedding"] if rows is not None and max(ids, default=0) >= rows else []


def doubled_parts(text: str, ids: Sequence[int], *, start: int | None, end: str) -> list[Part]:
    """Marks that stand twice in a row: those the tokenizer or template adds to one that is there.
    `start` is the id of the tokenizer's first token, `end` the text of its end mark.
    """
    parts: list[Part] = []
    if start is not None and list(ids[:2]) == [start, start]:
        parts.append("doubled_start")
    if end and (at := text.find(end)) >= 0:
        while (following := text.find(end, at + len(end))) >= 0:
            if not text[at + len(end) : following].strip():
                parts.append("doubled_end")
                break
            at = following
    return parts


def _lost_thoughts(turns: Turns, at: int, same: Callable[..., bool]) -> bool:
    content = turns[at].get("content")
    if turns[at].get("role") != "assistant" or not isinstance(content, str):
        return False
    # Without the mark, the search would begin again at every letter.
    thoughts = _THOUGHTS.search(content) if "</think>" in content else None
    if thoughts is None or not thoughts.group(1).strip():
        return False
    begin, stop = thoughts.span(1)
    other = f"{content[:begin]}\nother thoughts\n{content[stop:]}"
    return same(_find_changes(turns, at, {**turns[at], "content": other}))


def _lost_message(turns: Turns, at: int, text: str, same: Callable[..., bool]) -> bool:
    content = turns[at].get("content")
    reply = content.strip() if isinstance(content, str) else ""
    if not reply or reply in text:
        return False
    if "</think>" in reply:  # What is cut there has a word of its own.
        reply = reply.rpartition("</think>")[2].strip()
        if not reply or reply in text:
            return False
    other = f"{content} another text"
    return same(_find_changes(turns, at, {**turns[at], "content": other}))


def _find_changes(turns: Turns, at: int, turn: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*turns[:at], turn, *turns[at + 1 :]]


def _without(turn: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in turn.items() if name not in names}
