"""What a template leaves out of a conversation is found, and what it writes is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.engines.tokens.omissions import doubled_parts, omitted_parts

CALL = {"id": "1", "type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
TOOLS = [{"type": "function", "function": {"name": "add"}}]


def turn(role: str, content: str | None, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def plain(turns: Any, tools: Any) -> str:
    """A template that writes role and content."""
    return "".join(f"<{one['role']}>{one['content'] or ''}\n" for one in turns)


def whole(turns: Any, tools: Any) -> str:
    """A template that writes everything."""
    return json.dumps([turns, tools], ensure_ascii=False)


def without_tools(turns: Any, tools: Any) -> str:
    return plain([one for one in turns if one["role"] != "tool"], tools)


def cut(turns: Any, tools: Any) -> str:
    parted = [{**one, "content": (one["content"] or "").split("</think>")[-1]} for one in turns]
    return plain(parted, tools)


ASK = turn("user", "use add, anna")
CASES: dict[str, tuple[list[dict[str, Any]], Any, Any, list[str]]] = {
    "a call": ([ASK, turn("assistant", None, tool_calls=[CALL])], TOOLS, plain,
               ["tools", "tool_calls"]),
    "a call that is written": ([ASK, turn("assistant", None, tool_calls=[CALL])], TOOLS, whole, []),
    "a result": ([ASK, turn("tool", "seven"), turn("assistant", "8")], None, without_tools,
                 ["message"]),
    "a name": ([{**ASK, "name": "anna"}, turn("assistant", "8")], None, plain, ["name"]),
    "reasoning": ([ASK, turn("assistant", "8", reasoning_content="use")], None, plain,
                  ["reasoning_content"]),
    "thoughts": ([ASK, turn("assistant", "<think>add</think>8")], None, cut, ["thoughts"]),
    "thoughts that are written": ([ASK, turn("assistant", "<think>add</think>8")], None, plain, []),
    "an opened block of thoughts": ([ASK, turn("assistant", "add</think>8")], None, cut,
                                    ["thoughts"]),
    "a weight, which is no text": ([ASK, turn("assistant", "8", weight=0)], None, plain, []),
    "nothing unusual": ([ASK, turn("assistant", " 8 ")], None, plain, []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_left_out_is_named(name: str) -> None:
    turns, tools, render, expected = CASES[name]

    assert omitted_parts(turns, tools, render(turns, tools), render) == expected


@pytest.mark.parametrize(
    ("text", "ids", "expected"),
    [
        ("<s>a</s>\n", [1, 5, 2], []),
        ("<s>a</s>\n", [1, 1, 5, 2], ["doubled_start"]),
        ("a</s>\n</s>", [5, 2, 2], ["doubled_end"]),
        ("a</s>b</s>", [5, 2, 6, 2], []),
        ("a</s>b</s></s>", [5, 2, 6, 2, 2], ["doubled_end"]),
    ],
)
def test_marks_that_stand_twice_in_a_row_are_named(
    text: str, ids: list[int], expected: list[str]
) -> None:
    assert doubled_parts(text, ids, start=1, end="</s>") == expected
