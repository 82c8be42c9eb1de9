"""A disk that fills up in the middle of a file: nothing is left of it, and the end says why.

The kernel refuses to let a file grow (a limit of the process), as it does on a full disk or quota.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.engines.process.endings import Ending, explain
from tests.engines.architectures import CONFIGS, make_adapter, make_model
from tests.engines.convert import test_run as conversion
from tests.engines.export import exporting
from tests.engines.export.gguf_models import gguf_model
from tests.engines.fusion import test_run as fusion
from tests.engines.tiny_model import build_tiny_model

pytestmark = pytest.mark.engine
ROOM = 30_000  # Enough for events, tokenizer and card, and less than any of these weights.


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """No file can grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def ending_on_a_full_disk(work: Callable[[], Ending]) -> Ending:
    """As the process's last event would tell it."""
    with full_disk(ROOM):
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - as the entry of every engine does
            return explain(error, training=False)


def files_of(*folders: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for folder in folders for p in folder.rglob("*") if p.is_file()}


def assert_full(ending: Ending, made_in: Path) -> None:
    assert (ending.state, ending.message[:17]) == ("error", "The disk is full:"), ending
    assert "Free some space and start it again" in (ending.hint or "")
    assert not made_in.exists() or list(made_in.iterdir()) == []


@pytest.mark.parametrize("form", ["merged", "merged_q8", "gguf_f16", "gguf_q8", "peft"])
def test_an_export_ends_and_leaves_nothing(tmp_path: Path, form: str) -> None:
    model = gguf_model(tmp_path / "model", "qwen2")
    adapter = exporting.adapter_of(tmp_path, model, rank=32)
    before = files_of(model, adapter)
    asked = exporting.request(tmp_path, model, adapter, format=form)

    ending = ending_on_a_full_disk(lambda: exporting.run(tmp_path, asked, smoke="none"))

    assert_full(ending, tmp_path / "exports")
    assert not (tmp_path / "job" / "result.json").exists()
    assert files_of(model, adapter) == before


def test_a_fusion_ends_and_leaves_nothing(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", CONFIGS["llama"])
    sources = [make_adapter(tmp_path / f"a{n}", model, rank=32, seed=n) for n in (1, 2)]
    before = files_of(model, *sources)
    asked = fusion.request(tmp_path, model, sources)

    ending = ending_on_a_full_disk(lambda: fusion.run(tmp_path, asked))

    assert_full(ending, tmp_path / "adapters")
    assert files_of(model, *sources) == before


def test_a_conversion_ends_and_leaves_nothing(tmp_path: Path) -> None:
    source = build_tiny_model(tmp_path / "tiny")
    before = files_of(source)

    ending = ending_on_a_full_disk(lambda: conversion.run(tmp_path, source, quantize=8))

    assert_full(ending, tmp_path / "models")
    assert files_of(source) == before


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        OSError("17280 requested and 0 written"),  # numpy
        RuntimeError("[write] Unable to write 50 bytes to file."),  # MLX
        Exception("No space left on device (os error 28)"),  # tokenizers
    ],
)
def test_every_writer_s_way_to_say_it_is_understood(error: Exception) -> None:
    assert explain(error).message.startswith("The disk is full:")
