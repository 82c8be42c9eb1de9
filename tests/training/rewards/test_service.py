"""Names and weights as requests write them, and reward functions tried before any training."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import AppError, BadContent, EngineMissing, EngineTimeout, Invalid, NotTrusted
from backend.settings import CHECKOUT, Settings
from backend.training.request.reward_names import DEFAULT_REWARDS, names_of, split_names, weights_of
from backend.training.rewards.schemas import TryRequest
from backend.training.rewards.service import Rewards

DEMO = CHECKOUT / "test_data" / "demo"


@pytest.fixture
def rewards(settings: Settings) -> Rewards:
    return Rewards(dataclasses.replace(settings, python=Path(sys.executable)))


def rows(folder: Path, *given: Any) -> str:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    return str(path)


def own(rewards: Rewards, folder: Path, body: str, *, trusted: bool = True) -> str:
    path = folder / "own.py"
    source = (
        f"import sys, time, os\ndef own(prompts, completions, answer, types=None):\n    {body}\n"
    )
    path.write_text(source, encoding="utf-8")
    if trusted:
        rewards.trusted.trust(str(path), rewards.trusted.inspect(str(path)).sha256)
    return str(path)


TWO = ({"prompt": "2 + 2?", "answer": "4"}, {"prompt": "3 + 3?", "answer": "6"})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("token_f1", ["token_f1"]),
        (" token_f1 , exact_match,", ["token_f1", "exact_match"]),
        ("length_window(20;80),token_f1", ["length_window(20;80)", "token_f1"]),
        (r"regex_match(^\d{1,3}$), token_f1", [r"regex_match(^\d{1,3}$)", "token_f1"]),
        (r"regex_match((a|b), c),x", ["regex_match((a|b), c)", "x"]),
        (r"regex_match(\(, ),x", [r"regex_match(\(, )", "x"]),
        ("broken(1,2", ["broken(1,2"]),
        ("x),y", ["x)", "y"]),
    ],
)
def test_names_are_split_at_commas_outside_brackets(text: str, names: list[str]) -> None:
    assert split_names(text) == names


_NAME = st.from_regex(r"[a-z_][a-z0-9_]{0,12}", fullmatch=True)
_FLAT = st.text(st.characters(exclude_characters="()\\", exclude_categories=["Cs"]), max_size=12)
_ARGUMENT = st.recursive(
    _FLAT, lambda inner: st.tuples(_FLAT, inner, _FLAT).map(lambda t: f"{t[0]}({t[1]}){t[2]}")
)
_CALL = st.one_of(_NAME, st.tuples(_NAME, _ARGUMENT).map(lambda pair: f"{pair[0]}({pair[1]})"))


@given(st.lists(_CALL, max_size=6))
def test_names_that_are_joined_come_apart_again(names: list[str]) -> None:
    assert split_names(",".join(names)) == names


@given(st.text(max_size=80))
def test_any_text_is_split_without_losing_more_than_commas_and_spaces(text: str) -> None:
    kept = [character for character in text if character != "," and not character.isspace()]
    found = [c for c in "".join(split_names(text)) if c != "," and not c.isspace()]

    assert found == kept


def test_no_names_mean_the_engines_five() -> None:
    assert names_of("") == names_of([]) == list(DEFAULT_REWARDS)
    assert names_of(["token_f1 "]) == ["token_f1"]


@pytest.mark.parametrize(
    ("given", "weights"),
    [(None, None), ("", None), ("[1, 0.5]", [1.0, 0.5]), ([2.0], [2.0]), ("[]", None)],
)
def test_weights_are_a_list_or_a_json_array(given: Any, weights: list[float] | None) -> None:
    assert weights_of(given) == weights


@pytest.mark.parametrize("given", ["1, 2", '["a"]', "{}", "[true]", "x"])
def test_other_weights_are_refused(given: str) -> None:
    with pytest.raises(Invalid, match="JSON array of numbers"):
        weights_of(given)


async def test_all_functions_are_listed_with_their_documentation(
    rewards: Rewards, tmp_path: Path
) -> None:
    path = own(rewards, tmp_path, '"""Mine."""')

    answer = await rewards.known()

    by_name = {function.name: function for function in answer.functions}
    assert [f.source for f in answer.functions] == ["app"] * 8 + ["engine"] * 5 + ["file"]
    assert all(function.doc for function in answer.functions)
    assert by_name["length_window"].parameters[0].name == "shortest"
    assert (by_name["own"].file, by_name["own"].maximum) == (path, None)
    assert set(answer.default) <= set(by_name)
    assert [file.state for file in answer.files] == ["trusted"]


async def test_functions_are_checked_before_a_run(rewards: Rewards) -> None:
    found = await rewards.check("length_window(1;5), r1_accuracy_reward_func", weights="[1, 0.5]")

    assert [(f.name, f.weight, f.maximum, f.needs) for f in found] == [
        ("length_window(1;5)", 1.0, 1.0, []),
        ("r1_accuracy_reward_func", 0.5, 2.0, ["answer"]),
    ]


@pytest.mark.parametrize(
    ("names", "weights", "sentence", "field"),
    [
        ("token_f2", None, "did you mean token_f1", "reward_functions"),
        ("length_window(9;1)", None, "from 9 to 1", "reward_functions"),
        ("token_f1", "[1, 2]", "2 reward weights", "reward_weights"),
        ("token_f1", "[0]", "Every reward weight is 0", "reward_weights"),
    ],
)
async def test_a_wrong_name_or_weight_is_told_before_a_run_with_its_field(
    rewards: Rewards, names: str, weights: str | None, sentence: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await rewards.check(names, weights=weights)

    assert sentence in refused.value.detail
    assert refused.value.errors[0].field == field


async def test_rows_are_scored_by_their_own_answers(rewards: Rewards) -> None:
    answer = await rewards.try_on(
        TryRequest(
            reward_functions="exact_match,r1_accuracy_reward_func,r1_count_xml",
            reward_weights="[1, 2, 0.5]",
            data_path=str(DEMO / "grpo"),
            samples=5,
        )
    )

    assert [sample.scores[:2] for sample in answer.samples] == [[1.0, 2.0]] * 5
    assert answer.samples[0].total == 5.0
    assert [sample.line for sample in answer.samples] == [1, 2, 3, 4, 5]
    assert [function.mean for function in answer.functions] == [1.0, 2.0, 0.0]
    assert "own answers" in answer.notes[0]


async def test_pasted_completions_are_scored_on_rows_in_order_or_all_on_one(
    rewards: Rewards, tmp_path: Path
) -> None:
    path = rows(tmp_path, *TWO)
    request = TryRequest(
        reward_functions="number_match", data_path=path, completions=["4", "5", "four"]
    )

    one = await rewards.try_on(request.model_copy(update={"samples": 1}))
    each = await rewards.try_on(request.model_copy(update={"completions": ["4", "5"]}))

    assert [sample.scores for sample in one.samples] == [[1.0], [0.0], [0.0]]
    assert [sample.scores for sample in each.samples] == [[1.0], [0.0]]
    assert (each.functions[0].mean, each.functions[0].std) == (0.5, 0.5)
    with pytest.raises(Invalid, match="3 completions for 2 rows"):
        await rewards.try_on(request)


async def test_functions_that_apply_to_no_row_are_told_of(rewards: Rewards, tmp_path: Path) -> None:
    path = rows(tmp_path, {"prompt": "q", "answer": "no digits"})

    answer = await rewards.try_on(TryRequest(reward_functions="number_match", data_path=path))

    assert (answer.samples[0].scores, answer.samples[0].total) == ([None], None)
    assert (answer.functions[0].mean, answer.functions[0].coverage) == (None, 0.0)
    assert answer.mean_total is None
    assert "No function applies to 1 of 1 samples" in answer.notes[-1]


@pytest.mark.parametrize(("form", "word"), [("preference", "chosen"), ("chat", "chat rows")])
async def test_other_forms_are_read_as_questions_and_answers(
    rewards: Rewards, form: str, word: str
) -> None:
    answer = await rewards.try_on(
        TryRequest(reward_functions="token_f1", data_path=str(DEMO / form), samples=2)
    )

    assert [sample.scores for sample in answer.samples] == [[1.0], [1.0]]
    assert any(word in note for note in answer.notes)


async def test_bad_lines_are_passed_over_and_counted(rewards: Rewards, tmp_path: Path) -> None:
    path = rows(tmp_path, TWO[0], {"prompt": "q"}, "text", TWO[1])

    answer = await rewards.try_on(TryRequest(reward_functions="exact_match", data_path=path))

    assert [sample.line for sample in answer.samples] == [1, 4]
    assert "2 line(s) could not be used. Line 2 has no 'answer'." in answer.notes


async def test_a_file_without_answers_is_refused(rewards: Rewards, tmp_path: Path) -> None:
    path = rows(tmp_path, {"prompt": "q"})

    with pytest.raises(BadContent, match=r"No row of rows\.jsonl has a prompt and an answer"):
        await rewards.try_on(TryRequest(reward_functions="exact_match", data_path=path))


async def test_own_functions_score_once_they_are_trusted(rewards: Rewards, tmp_path: Path) -> None:
    path = own(rewards, tmp_path, "print('x' * 9); return [len(c) for c in completions]")
    request = TryRequest(
        reward_functions="own", reward_functions_file=path, data_path=rows(tmp_path, *TWO)
    )

    answer = await rewards.try_on(request)

    assert [sample.scores for sample in answer.samples] == [[1.0], [1.0]]
    own(rewards, tmp_path, "return [0.0] * len(completions)", trusted=False)
    with pytest.raises(NotTrusted):
        await rewards.try_on(request)
    with pytest.raises(NotTrusted):
        await rewards.check("own", file=path)


async def test_a_file_may_be_named_from_the_home_folder(
    rewards: Rewards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(rewards, tmp_path, "return [0.0] * len(completions)")
    monkeypatch.setenv("HOME", str(tmp_path))

    found = await rewards.check("own", file="~/own.py")

    assert found[0].source == "file"


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        ("return [1 / 0]", BadContent, "own raised ZeroDivisionError"),
        ("return [1 / (a != '6') for a in answer]", BadContent, "(line 2 of the data)"),
        ("return [1.0]", BadContent, "1 scores for 2 completions"),
        ("sys.exit(3)", BadContent, "ended their process (exit code 3)"),
        ("os.kill(os.getpid(), 9)", BadContent, "exit code -9"),
        ("sys.stdout.write('x' * 9_000_000); return [1.0] * 2", BadContent, "wrote more than"),
        ("x = bytes(10**13)", BadContent, "MemoryError"),
    ],
)
async def test_a_function_that_fails_is_an_answer_and_the_next_one_works(
    rewards: Rewards, tmp_path: Path, body: str, kind: type[AppError], sentence: str
) -> None:
    path = own(rewards, tmp_path, body)
    data = rows(tmp_path, *TWO)

    with pytest.raises(kind) as refused:
        await rewards.try_on(
            TryRequest(reward_functions="own", reward_functions_file=path, data_path=data)
        )
    after = await rewards.try_on(TryRequest(reward_functions="exact_match", data_path=data))

    assert sentence in refused.value.detail
    assert len(after.samples) == 2


async def test_a_function_that_takes_too_much_memory_is_ended(
    rewards: Rewards, tmp_path: Path
) -> None:
    path = own(rewards, tmp_path, "x = b'x' * (400 * 1024**2); time.sleep(600)")
    request = TryRequest(
        reward_functions="own", reward_functions_file=path, data_path=rows(tmp_path, *TWO)
    )
    rewards.memory = 200 * 1024**2

    with pytest.raises(BadContent, match="more than 200 MiB of memory"):
        await rewards.try_on(request)


async def test_a_function_that_never_ends_is_ended(rewards: Rewards, tmp_path: Path) -> None:
    path = own(rewards, tmp_path, "time.sleep(600)")
    request = TryRequest(
        reward_functions="own", reward_functions_file=path, data_path=rows(tmp_path, *TWO)
    )
    rewards.seconds = 1.0

    with pytest.raises(EngineTimeout, match="own did not answer within 1 seconds") as refused:
        await rewards.try_on(request)

    assert "loop" in str(refused.value.hint)


async def test_a_file_that_fails_to_load_is_told_apart(rewards: Rewards, tmp_path: Path) -> None:
    path = tmp_path / "raises.py"
    path.write_text("raise RuntimeError('boom')", encoding="utf-8")
    rewards.trusted.trust(str(path), rewards.trusted.inspect(str(path)).sha256)

    with pytest.raises(BadContent, match="RuntimeError in line 1: boom") as refused:
        await rewards.check("token_f1", file=str(path))

    assert refused.value.errors[0].field == "reward_functions_file"


async def test_a_missing_engine_is_told(settings: Settings) -> None:
    gone = dataclasses.replace(settings, python=Path("/nowhere/python"))

    with pytest.raises(EngineMissing):
        await Rewards(gone).known()
