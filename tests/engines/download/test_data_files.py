"""Which files are the rows of which split: by the card, by the hub's branch, by their names."""

from __future__ import annotations

from typing import Any

import pytest

from backend.contract.download import HubFile
from backend.engines.download.data_files import (
    NoData,
    NoSuchPart,
    choose_split,
    configs_of,
    describe,
    license_of,
)


def files(*names: str) -> list[HubFile]:
    return [HubFile(name=name, size=10, digest="d", large=False) for name in names]


def layout(names: list[str], card: dict[str, Any] | None = None) -> dict[str, dict[str, list[str]]]:
    return {
        config.name: {split.name: [file.name for file in split.files] for split in config.splits}
        for config in configs_of(files(*names), card or {})
    }


def test_the_card_names_configurations_and_the_default_one_is_first() -> None:
    card = {
        "configs": [
            {"config_name": "b", "data_files": "b.csv"},
            {
                "config_name": "a",
                "default": True,
                "data_files": [
                    {"split": "train", "path": ["data/a/**"]},
                    {"split": "test", "path": "data/test-[0-9]*.parquet"},
                ],
            },
            {"config_name": "gone", "data_files": "gone/*"},
        ]
    }
    names = ["b.csv", "data/a/deep/1.parquet", "data/a/0.parquet", "data/test-1.parquet"]

    found = layout(names, card)

    assert list(found) == ["a", "b"]
    assert found["a"] == {
        "train": ["data/a/deep/1.parquet", "data/a/0.parquet"],
        "test": ["data/test-1.parquet"],
    }
    assert found["b"] == {"train": ["b.csv"]}


def test_the_hubs_branch_of_parquet_files_is_read_by_its_folders() -> None:
    found = layout(["main/train/0000.parquet", "main/train/0001.parquet", "x/test/0000.parquet"])

    assert found == {
        "main": {"train": ["main/train/0000.parquet", "main/train/0001.parquet"]},
        "x": {"test": ["x/test/0000.parquet"]},
    }


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["all.jsonl"], {"train": ["all.jsonl"]}),
        (
            ["data/test-0.parquet", "data/train-0.parquet"],
            {"train": ["data/train-0.parquet"], "test": ["data/test-0.parquet"]},
        ),
        (["dev/x.json", "train/x.json"], {"train": ["train/x.json"], "validation": ["dev/x.json"]}),
        (["train.csv", "train.parquet"], {"train": ["train.parquet"]}),
        (["rows.jsonl", "dataset_infos.json", ".cache/x.jsonl"], {"train": ["rows.jsonl"]}),
        (["rows.jsonl", "../../up.jsonl", "/etc/x.jsonl", "a\0.jsonl"], {"train": ["rows.jsonl"]}),
    ],
)
def test_without_a_card_names_tell_the_split(
    names: list[str], splits: dict[str, list[str]]
) -> None:
    assert layout(names) == {"default": splits}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["load.py"], "never run"),
        (["train.jsonl.gz"], "packed"),
        (["README.md"], "no files of rows"),
    ],
)
def test_a_repository_without_rows_says_what_it_holds(names: list[str], words: str) -> None:
    with pytest.raises(NoData, match=words):
        layout(names)


def test_what_is_not_named_is_the_training_split_of_the_first_configuration() -> None:
    configs = configs_of(files("m/test/0000.parquet", "m/train/0000.parquet"), {})

    assert choose_split(configs, None, None).name == "train"
    assert choose_split(configs, "m", "test").name == "test"
    with pytest.raises(NoSuchPart, match="no split 'dev', only test, train"):
        choose_split(configs, None, "dev")


def test_rows_columns_and_licence_are_those_of_the_card() -> None:
    card = {
        "license": "other",
        "license_name": "own-terms",
        "dataset_info": {
            "features": [{"name": "question", "dtype": "string"}, {"name": "answer"}],
            "splits": [{"name": "train", "num_examples": 7473}],
        },
    }
    (config,) = describe(configs_of(files("train.csv", "test.csv"), card), card)

    assert config.columns == ("question", "answer")
    assert [(split.name, split.rows) for split in config.splits] == [
        ("train", 7473),
        ("test", None),
    ]
    assert license_of(card) == "own-terms"
    assert license_of({"license": ["mit", "cc-by-4.0"]}) == "mit, cc-by-4.0"
    assert license_of({}) is None
