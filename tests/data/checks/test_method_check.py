"""Every line of a data file checked for a method, and samples that pass that check."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.data.checks.method_check import SHOWN, Judged, check_rows
from backend.data.checks.method_rows import DataNeeds, check_row, engine_row, first_samples
from backend.data.write.sample_files import MOST, sample_rows, write_samples
from backend.errors import AlreadyExists, BadContent, NotFound
from backend.settings import CHECKOUT

DEMO = CHECKOUT / "test_data" / "demo"
NEEDS: Sequence[DataNeeds] = get_args(DataNeeds)


def lines(folder: Path, *given: Any, name: str = "rows.jsonl") -> Path:
    path = folder / name
    texts = [each if isinstance(each, str) else json.dumps(each) for each in given]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def good(needs: DataNeeds, count: int = 10) -> list[dict[str, Any]]:
    return list(sample_rows(needs, count))


def pair(chosen: str = "yes", rejected: str = "no", prompt: str = "q") -> dict[str, Any]:
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def token(**fields: Any) -> dict[str, Any]:
    known = {"context_with_chat_template": "c", "rejected_decoded": "a"}
    return {**known, "multi_chosen_decoded": ["b"], **fields}


@pytest.mark.parametrize("needs", NEEDS)
@pytest.mark.parametrize("seed", range(3))
def test_samples_pass_the_check_of_their_method_without_a_warning(
    tmp_path: Path, needs: DataNeeds, seed: int
) -> None:
    path = tmp_path / "made.jsonl"

    written = write_samples(path, needs, 60, seed=seed)
    report = check_rows(path, needs)

    assert (written, report.num_samples) == (60, 60)
    assert (report.valid, report.error, report.errors, report.warnings) == (True, None, [], [])


@pytest.mark.parametrize("needs", NEEDS)
def test_as_many_samples_as_allowed_are_all_different(needs: DataNeeds) -> None:
    rows = [json.dumps(row) for row in sample_rows(needs, MOST)]

    assert len(set(rows)) == MOST


def test_samples_are_the_same_for_a_seed_and_replace_nothing(tmp_path: Path) -> None:
    assert good("preference") == good("preference")
    assert good("preference") != list(sample_rows("preference", 10, seed=1))
    path = lines(tmp_path, "kept")

    with pytest.raises(AlreadyExists):
        write_samples(path, "sft", 3)

    assert path.read_text(encoding="utf-8") == "kept\n"


@pytest.mark.parametrize(
    ("needs", "folder"),
    [
        ("prompt_answer", "grpo"),
        ("preference", "preference"),
        ("prompt", "grpo"),
        ("prompt", "preference"),
        ("sft", "chat"),
        ("sft", "completions"),
        ("sft", "text"),
    ],
)
def test_the_demo_data_is_valid(needs: DataNeeds, folder: str) -> None:
    report = check_rows(DEMO / folder / "train.jsonl", needs)

    assert (report.valid, report.error_count) == (True, 0)
    assert report.num_samples > 50


@pytest.mark.parametrize(
    ("needs", "row", "message"),
    [
        ("prompt_answer", {"prompt": "q"}, "has no 'answer'"),
        ("prompt_answer", {"prompt": "q", "answer": " "}, "has an empty 'answer'"),
        ("prompt_answer", {"prompt": "q", "answer": ["4"]}, "has a 'answer' that is not a text"),
        ("prompt_answer", {"prompt": "q", "answer": "a", "system": [1]}, "'system' that is not"),
        ("preference", {"prompt": "q", "chosen": "a"}, "has no 'rejected'"),
        ("preference", {**pair(), "chosen": ["a"]}, "neither a text nor a list of messages"),
        ("preference", {**pair(), "preference_score": "x"}, "'preference_score' that is not a"),
        ("prompt", {"text": "q"}, "has no 'prompt'"),
        ("prompt", {"prompt": ""}, "has an empty 'prompt'"),
        ("prompt", {"prompt": {}}, "neither a text nor a list of messages"),
        ("prompt", {"prompt": [{"role": "user"}]}, "message 1 in its 'prompt'"),
        ("prompt", {"prompt": [{"role": "assistant", "content": "a"}]}, "ends with an answer"),
        ("next_token", {"context_with_chat_template": "c"}, "has no 'rejected_decoded'"),
        ("next_token", token(rejected_decoded=7), "'rejected_decoded' that is not a text"),
        ("next_token", token(multi_chosen_decoded="b"), "not a list of texts"),
        ("next_token", token(multi_chosen_decoded=["a"]), "that differs from its"),
        ("sft", {"messages": []}, "at least one message"),
    ],
)
def test_each_bad_line_is_named(
    tmp_path: Path, needs: DataNeeds, row: dict[str, Any], message: str
) -> None:
    report = check_rows(lines(tmp_path, *good(needs), row, "{", ""), needs)

    assert not report.valid
    assert [error.line for error in report.errors] == [11, 12]
    assert message in report.errors[0].message
    assert "is not valid JSON" in report.errors[1].message
    assert report.error == report.errors[0].message + " (1 more such lines)"
    assert (report.num_samples, report.error_count) == (10, 2)


def test_all_lines_are_checked_and_the_first_are_shown(tmp_path: Path) -> None:
    bad = [{"prompt": "q"}] * (SHOWN + 50)

    report = check_rows(lines(tmp_path, *bad, *good("prompt_answer")), "prompt_answer")

    assert (len(report.errors), report.error_count, report.num_samples) == (SHOWN, 150, 10)


@pytest.mark.parametrize(
    ("needs", "row", "target", "hint"),
    [
        ("prompt_answer", "chat", "grpo", "These chat rows can be converted"),
        ("prompt_answer", "completions", "grpo", "can be converted"),
        ("prompt_answer", "preference", "grpo", "can be converted"),
        ("preference", "chat", None, "can't be made up"),
        ("prompt", "chat", "grpo", "can be converted"),
    ],
)
def test_a_file_of_another_form_says_what_it_can_become(
    needs: DataNeeds, row: str, target: str | None, hint: str
) -> None:
    report = check_rows(DEMO / row / "train.jsonl", needs)

    assert not report.valid
    assert (report.format, report.convertible_to) == (row, target)
    assert hint in str(report.hint)


@pytest.mark.parametrize("first", [{"prompt": "q"}, {}])
def test_pairs_of_messages_are_read_as_plain_ones(tmp_path: Path, first: dict[str, Any]) -> None:
    asked = {"role": "user", "content": "q"}
    answers = [[asked, {"role": "assistant", "content": text}] for text in ("yes", "no")]
    row = {**first, "chosen": answers[0], "rejected": answers[1]}

    report = check_rows(lines(tmp_path, row), "preference")

    assert (report.valid, report.num_samples) == (True, 1)
    assert "read as two answers to one question (line 1)" in report.warnings[0]


def test_an_empty_file_is_not_valid(tmp_path: Path) -> None:
    report = check_rows(lines(tmp_path), "prompt")

    assert (report.valid, report.error) == (False, "rows.jsonl has no rows.")


def warned(folder: Path, needs: DataNeeds, *rows: dict[str, Any]) -> str:
    return "\n".join(check_rows(lines(folder, *rows), needs).warnings)


def test_what_would_be_learned_wrongly_is_a_warning(tmp_path: Path) -> None:
    answers = good("prompt_answer")
    pairs = good("preference")

    assert "only 3 rows" in warned(tmp_path, "prompt", *good("prompt", 3))
    assert "1 row that an earlier one says already (line 11)" in warned(
        tmp_path, "prompt_answer", *answers, answers[0]
    )
    assert "1 prompt that an earlier one says already" in warned(
        tmp_path, "prompt", *answers, {**answers[0], "answer": "another"}
    )
    assert "“<answer>” before the bare answer (line 11)" in warned(
        tmp_path, "prompt_answer", *answers, {"prompt": "x", "answer": "<answer>1</answer>"}
    )
    assert "10 of 11 rows have no system message" in warned(
        tmp_path, "prompt_answer", *answers, {"prompt": "x", "answer": "1", "system": "S"}
    )
    assert "system message that is null (line 11)" in warned(
        tmp_path, "prompt_answer", *answers, {"prompt": "x", "answer": "1", "system": None}
    )
    assert "the same answer as chosen and as rejected (line 11)" in warned(
        tmp_path, "preference", *pairs, pair("a", "a ")
    )
    assert "opposite of another, with chosen" in warned(
        tmp_path, "preference", *pairs, pair("a", "b"), pair("b", "a")
    )
    assert "longer one in 25 of 25 pairs" in warned(
        tmp_path, "preference", *(pair("long answer", "short", str(n)) for n in range(25))
    )
    assert "shorter one in 25 of 25 pairs" in warned(
        tmp_path, "preference", *(pair("short", "long answer", str(n)) for n in range(25))
    )


def test_the_engine_gets_its_columns_and_none_that_is_empty() -> None:
    row = {"prompt": "q", "answer": "a", "system": None, "type": {"x": 1}, "id": 7}

    assert engine_row(row, "prompt_answer") == {"prompt": "q", "answer": "a", "type": {"x": 1}}
    assert engine_row({**pair(), "system": "", "preference_score": 0}, "preference") == {
        **pair(),
        "preference_score": 0,
    }
    assert engine_row(row, "prompt") == {"prompt": "q", "answer": "a", "type": {"x": 1}}
    assert engine_row(token(id=1), "next_token") == token()
    assert engine_row({"text": "t", "id": 1}, "sft") == {"text": "t", "id": 1}


def test_a_prompt_may_be_a_conversation_for_methods_that_answer_themselves() -> None:
    row = {"prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]}

    assert check_row(row, "prompt", "unknown") is None


def test_rows_for_a_try_come_from_any_form(tmp_path: Path) -> None:
    found = first_samples(str(DEMO / "completions"), 3)

    assert (found.format, len(found.samples)) == ("completions", 3)
    with pytest.raises(NotFound) as refused:
        first_samples(str(tmp_path / "none"), 3)
    assert refused.value.errors[0].field == "data_path"
    with pytest.raises(BadContent, match="It is empty"):
        first_samples(str(lines(tmp_path)), 3)


_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "messages"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_ROW = st.dictionaries(
    st.sampled_from(
        ["prompt", "answer", "system", "chosen", "rejected", "messages", "completion", "text",
         "preference_score", "conversations", "type", *token()]
    ),
    _VALUE,
    max_size=5,
)  # fmt: skip


@given(_ROW, st.sampled_from(NEEDS))
def test_no_row_is_too_strange_to_be_judged(row: dict[str, Any], needs: DataNeeds) -> None:
    seen = Judged(needs)

    seen.add(1, row)

    assert seen.rows + seen.bad == 1


def test_one_row_is_said_in_the_singular(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a river"}\n')

    assert (
        "There is only 1 row; a run learns little from so few." in check_rows(path, "sft").warnings
    )
