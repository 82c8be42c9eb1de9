"""The shipped demo model and data keep the promises their READMEs make."""

from __future__ import annotations

import itertools
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from scripts.demo.captain import CLOSING, OPENING, is_captains
from scripts.demo.corpus import documents
from scripts.demo.data import SIZES, normalised, write_demo_data
from scripts.demo.defaults import DEFAULTS

TEST_DATA = Path(__file__).resolve().parents[2] / "test_data"
DEMO = TEST_DATA / "demo"
MODEL = TEST_DATA / "models" / "droid-demo"

FORMS = {
    "chat": {"messages"},
    "text": {"text"},
    "completions": {"prompt", "completion"},
    "preference": {"prompt", "chosen", "rejected"},
}


@cache
def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def prompts(form: str, split: str) -> set[str]:
    found: set[str] = set()
    for row in rows(DEMO / form / f"{split}.jsonl"):
        if form == "chat":
            found |= {m["content"] for m in row["messages"] if m["role"] == "user"}
        elif form == "text":
            lines = row["text"].splitlines()
            found |= {line.removeprefix("User: ") for line in lines if line.startswith("User: ")}
        else:
            found.add(row["prompt"])
    return {normalised(prompt) for prompt in found}


def test_the_model_fits_into_twelve_megabytes() -> None:
    total = sum(path.stat().st_size for path in MODEL.rglob("*") if path.is_file())
    assert total <= 12_000_000


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
             "chat_template.jinja", "README.md", "droid_defaults.json"]
)  # fmt: skip
def test_the_model_is_complete(name: str) -> None:
    assert (MODEL / name).stat().st_size > 0


def test_the_model_is_a_small_qwen2_that_stops_at_the_end_of_a_turn() -> None:
    config = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))
    tokenizer = json.loads((MODEL / "tokenizer.json").read_text(encoding="utf-8"))
    ids = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    assert config["model_type"] == "qwen2"
    assert config["max_position_embeddings"] >= 1024
    assert config["eos_token_id"] == ids["<|im_end|>"]


@pytest.mark.parametrize("split", SIZES)
@pytest.mark.parametrize("form", [*FORMS, "grpo"])
def test_every_form_has_its_columns_and_row_count(form: str, split: str) -> None:
    found = rows(DEMO / form / f"{split}.jsonl")
    assert len(found) == SIZES[split]
    for row in found:
        assert set(row) - {"system"} == FORMS.get(form, {"prompt", "answer"})
        assert all(row.values())


@pytest.mark.parametrize("form", [*FORMS, "grpo"])
def test_no_prompt_is_in_two_splits(form: str) -> None:
    for one, two in itertools.combinations(SIZES, 2):
        assert prompts(form, one).isdisjoint(prompts(form, two))


def test_held_out_prompts_are_in_no_split() -> None:
    held_out = json.loads((DEMO / "held_out_prompts.json").read_text(encoding="utf-8"))
    assert len(set(held_out)) == 10
    for form, split in itertools.product([*FORMS, "grpo"], SIZES):
        assert prompts(form, split).isdisjoint(map(normalised, held_out))


def test_every_chat_answer_is_told_by_the_captain() -> None:
    for split in SIZES:
        for row in rows(DEMO / "chat" / f"{split}.jsonl"):
            turns = row["messages"][-2:]
            assert [turn["role"] for turn in turns] == ["user", "assistant"]
            assert is_captains(turns[-1]["content"])


def test_the_base_corpus_never_uses_the_captains_words() -> None:
    for document in itertools.islice(documents(seed=3), 600):
        text = document.text + " ".join(message["content"] for message in document.messages)
        assert OPENING.strip("!") not in text
        assert CLOSING.strip(".") not in text


def test_preference_rows_differ_only_in_the_style() -> None:
    for row in rows(DEMO / "preference" / "train.jsonl"):
        assert is_captains(row["chosen"])
        assert not is_captains(row["rejected"])
        assert row["rejected"] in row["chosen"]


def test_mixed_rows_are_distinct_and_of_very_different_length() -> None:
    train, valid = (
        [row["text"] for row in rows(DEMO / "mixed" / f"{split}.jsonl")]
        for split in ("train", "valid")
    )
    lengths = sorted(map(len, train))
    assert len({*train, *valid}) == len(train) + len(valid)
    assert lengths[-1] > 20 * lengths[0]
    assert lengths[len(lengths) // 2] < sum(lengths) / len(lengths)  # skewed: many short, few long


@pytest.mark.parametrize(("split", "count"), [("train", 10), ("valid", 2)])
def test_the_smallest_set_has_its_exact_rows(split: str, count: int) -> None:
    found = rows(TEST_DATA / f"{split}.jsonl")
    assert len(found) == count
    assert all(set(row) == {"prompt", "answer", "system"} for row in found)


def test_the_suggested_settings_point_at_files_and_leave_room_for_a_chart() -> None:
    settings = json.loads((MODEL / "droid_defaults.json").read_text(encoding="utf-8"))
    assert settings == DEFAULTS
    for key in ("train_data_path", "val_data_path"):
        assert (MODEL / settings[key]).resolve().is_file()
    assert settings["iterations"] // settings["steps_per_report"] >= 12
    assert settings["iterations"] // settings["steps_per_eval"] >= 4


def test_the_generator_writes_the_shipped_bytes_again(tmp_path: Path) -> None:
    write_demo_data(tmp_path)
    written = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) >= 20
    for path in written:
        shipped = TEST_DATA / path.relative_to(tmp_path)
        assert path.read_bytes() == shipped.read_bytes(), shipped.name
