"""Names of files are written once, and an adapter's files are told from all others."""

from __future__ import annotations

import re

import pytest

from backend.contract.run.folder import OF_A_RUN, checkpoint_file, checkpoint_of
from tests.house.sources import name_of, under

NAMES = re.compile(
    r'"(config\.yaml|warnings\.json|events\.jsonl|train\.log|adapter_config\.json|droid\.json'
    r'|adapters\.safetensors|best_adapters\.safetensors|engine\.safetensors)"'
)
ELSEWHERE = {"backend/contract/run/folder.py"}


def test_a_checkpoint_is_named_by_its_step() -> None:
    assert checkpoint_file(100) == "0000100_adapters.safetensors"
    assert checkpoint_of(checkpoint_file(100)) == 100
    assert checkpoint_of("best_adapters.safetensors") is None


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("adapters.safetensors", True),
        ("best_adapters.safetensors", True),
        ("0000100_adapters.safetensors", True),
        ("droid.json", True),
        ("model.safetensors", False),
        ("100_adapters.safetensors", False),
    ],
)
def test_the_files_of_a_run_are_told_from_others(name: str, own: bool) -> None:
    assert (re.fullmatch(OF_A_RUN, name) is not None) is own


def test_no_name_is_written_twice() -> None:
    found = [
        name_of(path)
        for path in under("backend", ".py")
        if NAMES.search(path.read_text(encoding="utf-8")) and name_of(path) not in ELSEWHERE
    ]
    assert found == []
