from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.data.schemas import SplitAnswer
from backend.data.write.split import split_file
from backend.errors import AlreadyExists, BadContent, Invalid


def write(path: Path, *texts: str) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def texts_in(path: str | Path) -> list[str]:
    return [json.loads(line)["text"] for line in Path(path).read_text().splitlines()]


def split(source: Path, folder: Path, **options: Any) -> SplitAnswer:
    chosen = {"valid_share": 0.1, "test_share": 0.0, "seed": 0, **options}
    return split_file(source, folder, **chosen)


@settings(max_examples=25)
@given(st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=12), st.integers(0, 5))
def test_every_row_is_in_one_set_and_equal_rows_are_together(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("split")
    source = write(folder / "a.jsonl", *texts)
    try:
        answer = split(source, folder / "out", valid_share=0.2, test_share=0.2, seed=seed)
    except BadContent:
        assert len(set(texts)) < len(texts)  # Too few different ones.
        return

    sets = [texts_in(each.path) for each in (answer.train, answer.valid, answer.test) if each]
    assert sorted(text for each in sets for text in each) == sorted(texts)
    for text in texts:
        assert sum(text in each for each in sets) == 1


def test_the_shares_are_met_and_the_order_is_kept(tmp_path: Path) -> None:
    texts = [f"{number:03}" for number in range(100)]
    source = write(tmp_path / "a.jsonl", *texts)

    answer = split(source, tmp_path / "out", valid_share=0.1, test_share=0.05)

    assert answer.test is not None
    assert (answer.train.rows, answer.valid.rows, answer.test.rows) == (85, 10, 5)
    assert texts_in(answer.train.path) == sorted(texts_in(answer.train.path))


def test_a_seed_gives_the_same_split_again_and_another_seed_another(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", *[str(number) for number in range(50)])

    valid = [
        texts_in(split(source, tmp_path / name, seed=seed).valid.path)
        for name, seed in (("one", 1), ("again", 1), ("other", 2))
    ]

    assert valid[0] == valid[1] != valid[2]


def test_unusable_rows_are_named_and_left_out(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", *[str(number) for number in range(10)])
    with source.open("a") as file:
        file.write('{"text": ""}\n{broken\n')

    answer = split(source, tmp_path / "out")

    assert [problem.line for problem in answer.skipped] == [11, 12]
    assert answer.train.rows + answer.valid.rows == 10


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    source = write(tmp_path / "train.jsonl", *[str(number) for number in range(10)])

    with pytest.raises(AlreadyExists):
        split(source, tmp_path)

    assert not (tmp_path / "valid.jsonl").exists()
    assert len(texts_in(source)) == 10


@pytest.mark.parametrize(
    ("texts", "options", "error"),
    [
        (["a"], {}, BadContent),
        (["a"] * 20, {}, BadContent),
        (["a", "b", "c"], {"valid_share": 0.5, "test_share": 0.5}, Invalid),
    ],
)
def test_a_split_that_leaves_a_set_empty_is_refused(
    tmp_path: Path, texts: list[str], options: dict[str, Any], error: type[Exception]
) -> None:
    source = write(tmp_path / "a.jsonl", *texts)

    with pytest.raises(error):
        split(source, tmp_path / "out", **options)

    assert not list(tmp_path.glob("out/*"))
