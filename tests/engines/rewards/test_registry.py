"""The reward functions as a run uses them: by name, with weights, and refused in sentences."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.engines.rewards.engine import BUILT_IN, registry
from backend.engines.rewards.registry import (
    RewardFailed,
    list_rewards,
    load_rewards,
    parse_name,
    weighted_total,
)
from backend.settings import CHECKOUT


def score(name: str, completion: str, answer: str = "", kind: Any = None) -> float | None:
    [reward] = load_rewards([name])
    return reward(["q"], [completion], [answer], [kind])[0]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("exact_match", "1"), ("token_f1", "1"), ("number_match", "1"), ("keyword_coverage", "1"),
        ("valid_json", ""), (r"regex_match(^\d+$)", ""), ("length_window", "1"),
        ('json_schema({"type":"number"})', ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "completion",
    ["<think>\nIs it 2?\n</think>\n\n1", "<reasoning>2 or 3</reasoning> 1", "[THINK]2[/THINK]1"],
)
def test_thoughts_are_no_part_of_what_a_reward_scores(
    name: str, answer: str, completion: str
) -> None:
    assert score(name, completion, answer) == 1.0


def own_file(folder: Path, source: str) -> tuple[Path, str]:
    path = folder / "my_rewards.py"
    path.write_text(source, encoding="utf-8")
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("name", "completion", "answer", "expected"),
    [
        ("token_f1", "a red and a blue boat", "the red boat", 2 * 2 / (4 + 2)),
        ("token_f1", "<think>boat</think><answer>red boat</answer>", "red boat", 1.0),
        ("token_f1", "green", "red boat", 0.0),
        ("exact_match", "The Red Boat.", "red boat", 1.0),
        ("exact_match", "<answer>red</answer>", "red boat", 0.0),
        ("exact_match", "?!", "?!", 1.0),
        ("exact_match", "!", "?!", 0.0),
        ("number_match", "9 + 6 = 15", "15", 1.0),
        ("number_match", "It is 1,250.50 euros", "1250.5", 1.0),
        ("number_match", "\u22123", "-3", 1.0),
        ("number_match", "3-4", "4", 1.0),
        ("number_match", "no idea", "15", 0.0),
        ("number_match", "15", "fifteen", None),
        ("number_match(0.01)", "100.9", "100", 1.0),
        ("number_match(0.01)", "102", "100", 0.0),
        ("keyword_coverage", "Red and yellow", "red, blue", 0.5),
        ("keyword_coverage", "redder", "red", 0.0),
        ("keyword_coverage(old harbour;anchor)", "the Old  harbour", "", 0.5),
        ("length_window(2;4)", "one two", "", 1.0),
        ("length_window(2;4)", "one", "", 0.5),
        ("length_window(2;4)", "1 2 3 4 5 6", "", 0.5),
        ("length_window(2;4)", "", "", 0.0),
        ("length_window(2;4;characters)", "abcd", "", 1.0),
        ("length_window", "one two three", "four five", 1.0),
        ("regex_match(^\\d+$)", "<answer>42</answer>", "", 1.0),
        ("regex_match(^\\d+$)", "42 boats", "", 0.0),
        ("valid_json", '{"a": 1}', "", 1.0),
        ("valid_json", '```json\n{"a": 1}\n```', "", 1.0),
        ("valid_json", "NaN", "", 0.0),
        ("valid_json(object)", "[1]", "", 0.0),
        ("valid_json(array)", "[1]", "", 1.0),
        ('json_schema({"type":"object","required":["a"]})', '{"a": 1}', "", 1.0),
        ('json_schema({"type":"object","required":["a"]})', '{"b": 1}', "", 0.0),
        ("json_schema", '{"a": 1}', "", None),
    ],
)
def test_a_completion_is_scored(
    name: str, completion: str, answer: str, expected: float | None
) -> None:
    assert score(name, completion, answer) == expected


def test_a_schema_may_come_from_the_row_or_from_a_file(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(schema), encoding="utf-8")

    assert score("json_schema", '{"a": 1}', kind=schema) == 1.0
    assert score("json_schema", '{"a": "x"}', kind=json.dumps(schema)) == 0.0
    assert score(f"json_schema({path})", '{"a": "x"}') == 0.0


def test_a_schema_that_refers_to_the_internet_is_an_error_and_no_request() -> None:
    with pytest.raises(RewardFailed, match="Nothing is fetched"):
        score('json_schema({"$ref":"http://127.0.0.1:9/schema"})', "1")


@pytest.mark.parametrize(
    ("names", "weights", "sentence"),
    [
        (["token_f2"], None, "did you mean token_f1"),
        (["zzzz"], None, "there are token_f1, exact_match"),
        ([], None, "No reward function is named"),
        (["token_f1", "token_f1"], None, "named twice"),
        (["token_f1"], [1.0, 2.0], "2 reward weights for 1 reward functions"),
        (["token_f1"], [float("nan")], "not a finite number"),
        (["token_f1"], [0.0], "nothing could be learned"),
        (["token_f1(2)"], None, "takes no parameters"),
        (["r1_int_reward_func(2)"], None, "takes no parameters"),
        (["regex_match"], None, "needs a pattern"),
        (["regex_match(()"], None, "no valid pattern"),
        (["length_window(80;20)"], None, "from 80 to 20"),
        (["length_window(x;20)"], None, "'x' is none"),
        (["length_window(20)"], None, "is not a window"),
        (["number_match(2)"], None, "from 0 to below 1"),
        (["keyword_coverage( )"], None, "empty brackets"),
        (["valid_json(text)"], None, "valid_json(object)"),
        (['json_schema({"type": "thing"})'], None, "is not valid"),
        (["json_schema(schema.json)"], None, "full path"),
        (["json_schema(/nowhere/schema.json)"], None, "can't be read"),
        (["two words"], None, "is no name"),
        (["token_f1"] * 40, None, "at most 32"),
    ],
)
def test_what_the_engine_would_pass_over_is_refused(
    names: list[str], weights: list[float] | None, sentence: str
) -> None:
    with pytest.raises(ValueError) as refused:
        load_rewards(names, weights=weights)

    assert sentence in str(refused.value)


def test_a_reward_carries_its_whole_name_its_weight_and_its_range() -> None:
    window, accuracy = load_rewards(
        ["length_window(2;4)", "r1_accuracy_reward_func"], weights=[0.5, 2]
    )

    assert (window.__name__, window.weight, window.maximum) == ("length_window(2;4)", 0.5, 1.0)
    assert (accuracy.source, accuracy.weight, accuracy.maximum) == ("engine", 2, 2.0)
    assert accuracy(["q"], ["<answer>7</answer>"], ["7"]) == [2.0]


def test_the_engine_calls_a_reward_by_keywords() -> None:
    [reward] = load_rewards(["exact_match"])

    assert reward(prompts=["q"], completions=["a"], answer=["a"], types=None) == [1.0]


def test_every_function_of_the_engine_is_documented_with_its_range() -> None:
    assert set(registry()) == set(BUILT_IN)
    assert all(entry["doc"] and entry["maximum"] for entry in list_rewards())


def test_the_page_about_rewards_has_each_function_and_its_example_works() -> None:
    page = (CHECKOUT / "docs" / "rewards.md").read_text(encoding="utf-8")

    for entry in list_rewards():
        assert f"`{entry['name']}" in page
        assert load_rewards([entry["example"]])[0].name == entry["example"]


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_the_range_of_the_engines_functions_is_what_they_reach(name: str) -> None:
    best = {
        "r1_strict_format_reward_func": "<think> a </think> <answer> 7 </answer>",
        "r1_count_xml": "<think>\na\n</think>\n<answer>7</answer>",
    }.get(name, "<think>a</think><answer>7</answer>")

    assert score(name, best, "7") == BUILT_IN[name].maximum
    assert score(name, "", "7") == BUILT_IN[name].minimum


def test_functions_that_do_not_apply_are_left_out_of_the_total() -> None:
    assert weighted_total([1.0, None, 0.5], [1.0, 5.0, 2.0]) == 2.0
    assert weighted_total([None, None], [1.0, 1.0]) is None


def test_scoring_loads_nothing_of_the_engine_but_its_one_file() -> None:
    code = (
        "import sys; from backend.engines.rewards.registry import load_rewards\n"
        "load_rewards(['token_f1', 'r1_count_xml'])\n"
        "engine = ('mlx', 'mlx_lm', 'mlx_lm_lora', 'numpy')\n"
        "print(*(name for name in sys.modules if name.split('.')[0] in engine))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )

    assert set(done.stdout.split()) <= {"mlx_lm_lora.trainer.grpo_reward_functions"}


REGISTERED = '''
from mlx_lm_lora.trainer.grpo_reward_functions import register_reward_function

@register_reward_function("shouting")
def any_name(prompts, completions, answer, types=None):
    """Loud words."""
    return [float(text.isupper()) for text in completions]

def plain(prompts, completions, answer, types=None):
    return [None, float("nan"), True][: len(completions)]

plain.maximum = 1

def _hidden(prompts, completions, answer, types=None):
    return [0.0]

def unrelated(text):
    return text
'''


def test_own_functions_are_found_by_decorator_and_by_their_arguments(tmp_path: Path) -> None:
    path, sha256 = own_file(tmp_path, REGISTERED)

    shouting, plain, f1 = load_rewards(["shouting", "plain", "token_f1"], file=path, sha256=sha256)
    listed = {
        entry["name"]: entry
        for entry in list_rewards(file=path, sha256=sha256)
        if entry["source"] == "file"
    }

    assert shouting(["q", "q"], ["AHOY", "ahoy"], ["", ""]) == [1.0, 0.0]
    assert plain(["q"] * 3, ["a"] * 3, [""] * 3) == [None, None, 1.0]
    assert (plain.maximum, shouting.maximum, f1.source) == (1.0, None, "app")
    assert sorted(listed) == ["plain", "shouting"]
    assert listed["shouting"]["doc"] == "Loud words."
    assert set(registry()) == set(BUILT_IN), "the engine's registry is as it was"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("raise RuntimeError('boom')", "RuntimeError in line 1: boom"),
        ("def broken(:\n", "SyntaxError in line 1"),
        ("import no_such_module_at_all", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "ended the program"),
        ("x = 1", "has no reward function"),
        ("def token_f1(prompts, completions, answer, types=None): ...", "as a built-in one is"),
        ("def r1_count_xml(prompts, completions, answer, types=None): ...", "as a built-in one"),
    ],
)
def test_a_file_that_can_not_be_used_says_why(tmp_path: Path, source: str, sentence: str) -> None:
    path, sha256 = own_file(tmp_path, source)

    with pytest.raises(ValueError) as refused:
        load_rewards(["token_f1"], file=path, sha256=sha256)

    assert sentence in str(refused.value)


def test_a_file_that_is_not_the_trusted_one_is_not_run(tmp_path: Path) -> None:
    path, sha256 = own_file(tmp_path, "import pathlib\npathlib.Path(__file__ + '.ran').touch()\n")
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")

    for trusted, sentence in ((sha256, "changed since it was trusted"), (None, "not been trusted")):
        with pytest.raises(ValueError, match=sentence):
            load_rewards(["token_f1"], file=path, sha256=trusted)
    with pytest.raises(ValueError, match="can't be read"):
        load_rewards(["token_f1"], file=tmp_path / "none.py", sha256=sha256)

    assert not list(tmp_path.glob("*.ran"))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("1 / 0", "own raised ZeroDivisionError"),
        ("[1.0, 2.0]", "2 scores for 1 completions"),
        ("[float('inf')]", "infinite"),
        ("['good']", "no number"),
        ("5", "a list of one number"),
    ],
)
def test_a_function_that_does_not_score_is_named(tmp_path: Path, body: str, sentence: str) -> None:
    source = f"def own(prompts, completions, answer, types=None):\n    return {body}\n"
    path, sha256 = own_file(tmp_path, source)
    [reward] = load_rewards(["own"], file=path, sha256=sha256)

    with pytest.raises(RewardFailed, match=sentence):
        reward(["q"], ["a"], ["a"])


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,30}", fullmatch=True), st.text(max_size=60))
def test_whatever_stands_in_the_brackets_reaches_the_function(name: str, argument: str) -> None:
    assert parse_name(f"{name}({argument})") == (name, argument)
    assert parse_name(name) == (name, None)
