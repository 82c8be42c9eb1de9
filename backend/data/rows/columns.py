"""The columns of a row under other names, and what stands beside a conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from backend.data.rows.formats import FORM_COLUMNS, detect
from backend.data.rows.spellings import (
    CHAT_LISTS,
    COLUMNS,
    CONTEXTS,
    EXCHANGES,
    RANKED,
    ROLES,
    SYSTEM_KEYS,
    TEXTS,
    TOOL_LISTS,
)
from backend.data.rows.turns import Say, normal_turns

Row = dict[str, Any]
_NAMES = frozenset({
    *TEXTS, *CHAT_LISTS, *TOOL_LISTS, *CONTEXTS, *SYSTEM_KEYS,
    *(name for names in COLUMNS for name in names),
})  # fmt: skip
_SPEAKER = re.compile(r"\n\n(Human|Assistant):")
_BAIZE = re.compile(r"\[\|(Human|AI)\|\]")
_VIEWED = frozenset({"row_idx", "row", "truncated_cells"})
# The columns that make a form: null where the rows of several data sets stand in one file.
NULLABLE = frozenset(name for _, names in FORM_COLUMNS for name in names)


def stands_beside(row: Mapping[str, Any]) -> bool:
    """Whether a column may belong into the conversation that is in another."""
    if "system" in row and ("messages" in row or "completion" in row):
        return True
    return "history" in row or any(name in row for name in SYSTEM_KEYS)


def inner_row(row: Row, say: Say) -> Row:
    """A row inside another object, as the dataset viewer of Hugging Face exports it."""
    inner = row.get("row")
    if not isinstance(inner, dict) or not row.keys() <= _VIEWED or row.get("truncated_cells"):
        return row
    say("the object under 'row' is read as the row")
    return inner


def without_nulls(row: Row, say: Say) -> Row:
    """Columns of another form that are null, where the row has a form without them."""
    nulls = [name for name, value in row.items() if value is None and name in NULLABLE]
    made = {name: value for name, value in row.items() if name not in nulls}
    if not nulls or detect(common_columns(made, lambda _: None)) == "unknown":
        return row
    for name in nulls:
        say(f"{name!r} is null and passed over")
    return made


def ranked_pair(row: Row, say: Say) -> Row:
    """Two answers under neutral names, and a column that says which of them is better."""
    for first, second, mark, values in RANKED:
        if not {first, second, mark} <= row.keys() or row[mark] not in values:
            continue
        if isinstance(row[mark], bool):
            continue
        chosen, rejected = (first, second) if row[mark] == values[0] else (second, first)
        say(f"the better of {first!r} and {second!r}, by {mark!r}, is read as 'chosen'")
        names = {chosen: "chosen", rejected: "rejected"}
        return {names.get(name, name): value for name, value in row.items()}
    return row


def spoken_row(row: Row, say: Say) -> Row:
    """A whole conversation in one text, as Baize's exports have it."""
    if detect(row) != "unknown":
        return row
    names = [name for name, value in row.items() if isinstance(value, str) and _BAIZE.search(value)]
    if len(names) != 1:
        return row
    before, *parts = _BAIZE.split(row[names[0]])
    turns = _speeches(parts)
    if turns[-1]["role"] == "user" and not turns[-1]["content"]:
        turns.pop()  # It ends with the mark of a question that nobody asked.
    say(f"'[|Human|]' and '[|AI|]' in {names[0][:60]!r} are read as turns of messages")
    system = [{"role": "system", "content": before.strip()}] if before.strip() else []
    others = {name: value for name, value in row.items() if name != names[0]}
    return {"messages": [*system, *turns], **others}


def small_letters(row: Row, say: Say) -> Row:
    """Columns in capitals, where the row has no form otherwise."""
    if detect(row) != "unknown":
        return row
    other = {name: name.strip().lower() for name in row}
    changed = {name: low for name, low in other.items() if name != low and low in _NAMES}
    if (
        not changed
        or set(changed.values()) & row.keys()
        or len(set(changed.values())) < len(changed)
    ):
        return row
    made = {changed.get(name, name): value for name, value in row.items()}
    if detect(made) == "unknown" and detect(common_columns(made, lambda _: None)) == "unknown":
        return row
    for name, low in changed.items():
        say(f"{name[:60]!r} is read as {low!r}")
    return made


def common_columns(row: Row, say: Say) -> Row:
    """Columns of one pair under other names, where nothing else stands beside it."""
    if detect(row) != "unknown":
        return row
    for names in COLUMNS:
        others = {ours for name, ours in names.items() if name != ours}
        if names.keys() <= row.keys() and not others & row.keys():
            if any(row.get(name) not in (None, "") for name in CONTEXTS - names.keys()):
                return row  # What stands there may be half of the question.
            for name, ours in names.items():
                if name != ours:
                    say(f"{name!r} is read as {ours!r}")
            return {names.get(name, name): value for name, value in row.items()}
    return row


def beside_answers(row: Row, say: Say) -> Row:
    """What two answers are to, where it is no `prompt`: a conversation, or an instruction."""
    if {"preferred_output", "non_preferred_output"} <= row.keys():  # OpenAI's.
        asked = row.get("input")
        turns = asked.get("messages") if isinstance(asked, dict) else None
        if not isinstance(turns, list):
            return row
        say("'input', 'preferred_output' and 'non_preferred_output' are read as 'prompt', "
            "'chosen' and 'rejected'")  # fmt: skip
        gone = {"input", "preferred_output", "non_preferred_output"}
        others = {key: value for key, value in row.items() if key not in gone}
        chosen, rejected = row["preferred_output"], row["non_preferred_output"]
        return {"prompt": turns, "chosen": chosen, "rejected": rejected, **others}
    if not {"chosen", "rejected"} <= row.keys() or "prompt" in row:
        return row
    for name in CHAT_LISTS:
        if _ends_with_question(row.get(name)):
            say(f"{name!r} beside 'chosen' and 'rejected' is read as 'prompt'")
            return {("prompt" if key == name else key): value for key, value in row.items()}
    if isinstance(row.get("instruction"), str) and isinstance(row.get("input"), str | None):
        say("'instruction' beside 'chosen' and 'rejected' is read as 'prompt'")
        text = "\n\n".join(part for part in (row["instruction"], row.get("input")) if part)
        gone = {"instruction", "input"}
        return {"prompt": text, **{key: value for key, value in row.items() if key not in gone}}
    return row


def spoken_pair(row: Row, say: Say) -> Row:
    """Answers that are whole conversations in one text, as Anthropic's hh-rlhf has them."""
    if "prompt" in row or not {"chosen", "rejected"} <= row.keys():
        return row
    made = {name: _spoken(row[name]) for name in ("chosen", "rejected")}
    if not all(made.values()):
        return row
    say("'Human:' and 'Assistant:' in 'chosen' and 'rejected' are read as turns of messages")
    return {**row, **made}


def checkable_answer(row: Row, say: Say) -> Row:
    """verl's rows: the answer to check against is inside an object."""
    judged = row.get("reward_model")
    truth = judged.get("ground_truth") if isinstance(judged, dict) else None
    if "prompt" not in row or "answer" in row or not isinstance(truth, str | int | float):
        return row
    say("'ground_truth' in 'reward_model' is read as 'answer'")
    return {**row, "answer": truth}


def exchanges(row: Row, say: Say) -> Row:
    """A list of questions with their answers, each in one object: the turns of a conversation."""
    if detect(row) not in ("unknown", "sharegpt"):
        return row
    for name, value in row.items():
        for question, answer in EXCHANGES:
            if _are_exchanges(value, question, answer):
                say(f"{name[:60]!r} of {question!r} and {answer!r} is read as 'messages'")
                first = value[0].get("system")
                turns: list[Row] = [{"role": "system", "content": first}] if first else []
                for each in value:
                    turns.append({"role": "user", "content": each[question]})
                    turns.append({"role": "assistant", "content": each[answer]})
                others = {key: other for key, other in row.items() if key != name}
                return {"messages": turns, **others}
    return row


def earlier_turns(row: Row, say: Say) -> Row:
    """An alpaca row with a `history` of earlier questions and answers: one conversation."""
    history = row.get("history")
    if detect(row) != "alpaca" or not isinstance(history, list):
        return row
    if not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
        for pair in history
    ):
        return row
    say("'history' is read as the earlier turns of the conversation")
    question = "\n\n".join(part for part in (row["instruction"], row.get("input")) if part)
    turns: list[Row] = [{"role": "system", "content": row["system"]}] if row.get("system") else []
    for asked, answered in [*history, [question, row["output"]]]:
        turns.append({"role": "user", "content": asked})
        turns.append({"role": "assistant", "content": answered})
    gone = {"instruction", "input", "output", "system", "history"}
    return {"messages": turns, **{key: value for key, value in row.items() if key not in gone}}


def system_beside(row: Row, say: Say) -> Row:
    """A system text in a column of its own: before the conversation that it belongs to."""
    name = next((key for key in SYSTEM_KEYS if row.get(key)), None)
    if name is not None and not row.get("system"):
        said = _text_of(row[name])
        if said is None:
            return row
        say(f"{name!r} is read as 'system'")
        row = {("system" if key == name else key): (said if key == name else value)
               for key, value in row.items() if key != "system"}  # fmt: skip
    form = detect(row)
    system = row.get("system")
    if form not in ("chat", "completions") or not isinstance(system, str | None):
        return row
    others = {key: value for key, value in row.items() if key != "system"}
    first = [{"role": "system", "content": system}] if system else []
    if form == "completions" and "system" in row:
        say("'system' beside 'prompt' and 'completion' is read as one conversation with them")
        asked = {"role": "user", "content": others.pop("prompt")}
        answer = {"role": "assistant", "content": others.pop("completion")}
        return {"messages": [*first, asked, answer], **others}
    turns = row.get("messages")
    if not first or not isinstance(turns, list) or not turns or _opens(turns[0]):
        return row
    say("'system' beside 'messages' is read as their first message")
    return {**others, "messages": [*first, *turns]}


def _spoken(text: Any) -> list[Row]:
    """The turns of such a text; none of any other."""
    if not isinstance(text, str) or not text.lstrip().startswith("Human:"):
        return []
    return _speeches(_SPEAKER.split("\n\n" + text.lstrip())[1:])


def _speeches(parts: Sequence[str]) -> list[Row]:
    """Turns of speaker and text by turns."""
    return [
        {"role": ROLES[who.lower()], "content": said.strip()}
        for who, said in zip(parts[::2], parts[1::2], strict=True)
    ]


def _ends_with_question(value: Any) -> bool:
    if not isinstance(value, list) or not value or not isinstance(value[-1], dict):
        return False
    (turn,) = normal_turns(value[-1:], lambda _: None)
    return turn.get("role") in ("user", "tool")


def _opens(turn: Any) -> bool:
    return isinstance(turn, dict) and turn.get("role") in ("system", "developer")


def _text_of(value: Any) -> str | None:
    """A text, also one in the parts of a message."""
    if isinstance(value, dict):
        (turn,) = normal_turns([{"role": "system", **value}], lambda _: None)
        value = turn.get("content")
    return value if isinstance(value, str) else None


def _are_exchanges(value: Any, question: str, answer: str) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, dict) and {question, answer} <= each.keys() for each in value)
    )
