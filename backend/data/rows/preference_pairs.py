"""Preference rows whose answers are lists of messages, as many shared data sets have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.data.rows.conversation import Unsuitable

Turn = Mapping[str, Any]


def plain_pair(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same pair as texts: prompt, chosen, rejected and system. Other rows as they are.

    What they answer is in front of both, in the prompt, or in both; of a longer conversation the
    prompt is the list of its turns. Raises Unsuitable, with words to follow "Line 7 …", when the
    two answer different questions.
    """
    chosen, rejected = _turns(row.get("chosen")), _turns(row.get("rejected"))
    if chosen is None or rejected is None:
        return row
    if chosen[-1]["role"] != "assistant" or rejected[-1]["role"] != "assistant":
        raise Unsuitable("has a 'chosen' or 'rejected' that does not end with an answer")
    asked = _common(chosen[:-1], rejected[:-1])
    system, question = _question([*_opening(row, asked), *asked])
    given = row.get("system") or system
    return {
        **row,
        "prompt": question,
        "chosen": chosen[-1]["content"],
        "rejected": rejected[-1]["content"],
        **({"system": given} if given else {}),
    }


def are_equal(pair: Mapping[str, Any]) -> bool:
    """Whether the answers of a pair as texts are the same one, so that neither is preferred."""
    return bool(pair["chosen"].strip() == pair["rejected"].strip())


def pair_problem(row: Mapping[str, Any]) -> str | None:
    """Why answers as lists of messages are no plain pair; None where they are, or are texts."""
    if not any(isinstance(row.get(name), list | dict) for name in ("chosen", "rejected")):
        return None
    try:
        plain = plain_pair(row)
    except Unsuitable as problem:
        return str(problem)
    for name in ("chosen", "rejected"):
        if isinstance(plain.get(name), list | dict):
            return f"has a {name!r} that is neither a text nor a list of messages"
    return None


def _turns(value: Any) -> Sequence[Turn] | None:
    if isinstance(value, dict):
        value = value.get("messages", [value])
    good = isinstance(value, list) and value and all(map(_is_turn, value))
    return value if good else None


def _is_turn(turn: Any) -> bool:
    return (
        isinstance(turn, dict)
        and isinstance(turn.get("role"), str)
        and isinstance(turn.get("content"), str)
    )


def _common(one: Sequence[Turn], other: Sequence[Turn]) -> list[Turn]:
    plain = [[(turn["role"], turn["content"]) for turn in turns] for turns in (one, other)]
    if plain[0] != plain[1]:
        raise Unsuitable("has a 'chosen' and a 'rejected' that answer different conversations")
    return list(one)


def _opening(row: Mapping[str, Any], asked: Sequence[Turn]) -> Sequence[Turn]:
    """What the prompt says, unless the answers' own lists say it already."""
    prompt = row.get("prompt")
    if isinstance(prompt, str) and prompt.strip():
        return () if asked else ({"role": "user", "content": prompt},)
    return () if asked else (_turns(prompt) or ())


def _question(turns: list[Turn]) -> tuple[str | None, str | list[Turn]]:
    """The system text, and the one question or the conversation that the answers follow."""
    system = None
    if turns and turns[0]["role"] in ("system", "developer"):
        system = turns.pop(0)["content"]
    if not turns:
        raise Unsuitable("has no question before its answers")
    if [turn["role"] for turn in turns] != ["user"]:
        return system or None, turns
    return system or None, turns[0]["content"]
