"""What can't become a GGUF file is told from configuration and tokenizer, with the reason."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from backend.contract.export.gguf import check_gguf, pre_tokenizer_name

QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
CONFIG: dict[str, Any] = {"model_type": "qwen2", "vocab_size": 10}
MODEL: dict[str, Any] = {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}


def split(regex: str, **changed: Any) -> dict[str, Any]:
    first = {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [first | changed, BYTES]}


def folder(root: Path, config: dict[str, Any], tokenizer: dict[str, Any]) -> Path:
    (root / "config.json").write_text(json.dumps(CONFIG | config))
    (root / "tokenizer.json").write_text(
        json.dumps({"model": MODEL, "pre_tokenizer": split(QWEN)} | tokenizer)
    )
    return root


@pytest.mark.parametrize(
    ("steps", "name"),
    [
        (split(QWEN), "qwen2"),
        (split(LLAMA3), "llama-bpe"),
        (split(r"\s+"), None),
        (split(QWEN, behavior="Removed"), None),
        ({"type": "ByteLevel", "add_prefix_space": False}, "gpt-2"),
        ({"type": "ByteLevel", "add_prefix_space": True}, None),
        (
            {
                "type": "Sequence",
                "pretokenizers": [
                    {"type": "Digits", "individual_digits": True},
                    {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
                ],
            },
            "smollm",
        ),
        (None, None),
    ],
)
def test_the_way_of_splitting_has_the_name_of_llama_cpp(steps: Any, name: str | None) -> None:
    assert pre_tokenizer_name({"pre_tokenizer": steps}) == name


def test_a_model_of_a_known_kind_can_be_written(tmp_path: Path) -> None:
    assert check_gguf(folder(tmp_path, {}, {})) is None


@pytest.mark.parametrize(
    ("config", "tokenizer", "reason"),
    [
        ({"model_type": "gpt2"}, {}, "this one is gpt2"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4}}, {}, "scaled by yarn"),
        ({"rope_parameters": {"rope_type": "dynamic"}}, {}, "scaled by dynamic"),
        ({"use_sliding_window": True}, {}, "sliding-window"),
        ({"hidden_act": "gelu"}, {}, "activation is gelu"),
        ({"vocab_size": 0}, {}, "1 tokens and its embedding 0 rows"),
        ({}, {"model": MODEL | {"merges": []}}, "no merges"),
        ({}, {"model": MODEL | {"byte_fallback": True}}, "SentencePiece"),
        ({}, {"model": MODEL | {"ignore_merges": True}}, "treats merges otherwise"),
        ({}, {"normalizer": {"type": "Lowercase"}}, "normalises text .Lowercase"),
        ({}, {"pre_tokenizer": split(r"\w+")}, "no name for the way"),
    ],
)
def test_what_can_not_be_written_is_said_before(
    tmp_path: Path, config: dict[str, Any], tokenizer: dict[str, Any], reason: str
) -> None:

    found = check_gguf(folder(tmp_path, config, tokenizer))

    assert found is not None
    assert re.search(reason, found)


def test_a_missing_or_damaged_file_is_a_reason(tmp_path: Path) -> None:
    assert "no config.json" in str(check_gguf(tmp_path))
    (tmp_path / "config.json").write_text("{")
    assert "can't be read" in str(check_gguf(tmp_path))
