"""The doctor with a scripted tokenizer: what is asked, remembered and refused."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from backend.data.inspect import inspector
from backend.data.inspect.inspector import Doctor
from backend.data.schemas import DatasetInspection, InspectRequest
from backend.data.tasks import client
from backend.errors import BadContent
from backend.models.folder import describe_folder
from backend.models.schemas import ModelInfo
from tests.models.folders import model_folder, settings_for


def count_words(sample: Path, out: Path) -> None:
    numbers = array("I")
    for raw in sample.read_text().splitlines()[:-1]:
        item = json.loads(raw)
        numbers.extend((len(item["row"]["text"].split()), 0, item["line"], 0))
    out.write_bytes(numbers.tobytes())


def write(path: Path, *texts: str) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


class Tokenizer:
    """Counts words, as the engine's child would count tokens."""

    def __init__(self) -> None:
        self.calls: list[Mapping[str, Any]] = []
        self.refusal: BadContent | None = None

    async def __call__(self, _settings: Any, asked: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        self.calls.append(asked)
        if self.refusal:
            raise self.refusal
        for file in asked["files"]:
            count_words(Path(file["rows"]), Path(file["out"]))
        return {"files": [{"notes": {}} for _ in asked["files"]]}


@pytest.fixture
def tokenizer(monkeypatch: pytest.MonkeyPatch) -> Tokenizer:
    scripted = Tokenizer()
    monkeypatch.setattr(inspector, "ask_tokens", scripted)
    return scripted


@pytest.fixture
def model(tmp_path: Path) -> ModelInfo:
    return describe_folder("tiny", model_folder(tmp_path / "models" / "tiny")).info


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "rows.jsonl", "one two", "three", "four five six")


async def look(
    tmp_path: Path, data: Path, model: ModelInfo | None = None, **options: Any
) -> DatasetInspection:
    at = Doctor(settings_for(tmp_path))
    return await at.inspect(InspectRequest(path=str(data), **options), model)


async def test_lengths_are_in_the_models_own_tokens(
    tmp_path: Path, data: Path, model: ModelInfo, tokenizer: Tokenizer
) -> None:
    found = await look(tmp_path, data, model, max_seq_length=16, batch_size=2)

    assert found.lengths is not None
    assert (found.lengths.model, found.lengths.total_tokens) == ("tiny", 6)
    assert (found.lengths.truncated_rows, found.tail_rows) == (0, 1)


async def test_the_same_file_is_read_and_measured_once(
    tmp_path: Path, data: Path, model: ModelInfo, tokenizer: Tokenizer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    first = await look(tmp_path, data, model)
    monkeypatch.setattr(inspector, "do_task", None)  # It would fail if it were asked again.

    again = await look(tmp_path, data, model, max_seq_length=16)

    assert len(tokenizer.calls) == 1
    assert again.rows == first.rows
    assert again.lengths and again.lengths.max_seq_length == 16


async def test_a_changed_file_or_tokenizer_is_looked_at_again(
    tmp_path: Path, data: Path, model: ModelInfo, tokenizer: Tokenizer
) -> None:
    await look(tmp_path, data, model)
    (Path(model.path) / "tokenizer.json").write_text('{"changed": true}')
    await look(tmp_path, data, model)
    write(data, "only one row now")

    found = await look(tmp_path, data, model)

    assert len(tokenizer.calls) == 3
    assert found.rows == 1


async def test_a_tokenizer_that_fails_does_not_hide_the_file(
    tmp_path: Path, data: Path, model: ModelInfo, tokenizer: Tokenizer
) -> None:
    tokenizer.refusal = BadContent("The tokenizer of tiny can't be used.")

    found = await look(tmp_path, data, model)

    assert found.rows == 3
    assert found.lengths is None
    assert found.lengths_problem == "The tokenizer of tiny can't be used."


async def test_a_named_validation_file_is_compared(tmp_path: Path, data: Path) -> None:
    other = write(tmp_path / "other.jsonl", "three", "nine")

    found = await look(tmp_path, data, valid_path=str(other))

    assert found.leakage is not None
    assert (found.leakage.path, found.leakage.shared_rows) == (str(other), 1)


async def test_the_one_beside_is_compared_unasked(tmp_path: Path, data: Path) -> None:
    write(tmp_path / "valid.jsonl", "three")

    found = await look(tmp_path, data)

    assert found.leakage is not None
    assert found.leakage.shared_rows == 1


async def test_a_file_that_is_not_small_is_read_in_a_process_of_its_own(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = await look(tmp_path / "one", data)
    monkeypatch.setattr(client, "SMALL", 0)

    found = await look(tmp_path / "two", data)

    assert found == small


async def test_what_the_process_refuses_is_refused_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SMALL", 0)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and so on")

    with pytest.raises(BadContent, match="not a readable Parquet file"):
        await look(tmp_path, tmp_path / "a.parquet")


async def test_only_the_newest_findings_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspector, "KEPT", 2)
    for number in range(4):
        await look(tmp_path, write(tmp_path / f"{number}.jsonl", "a"))

    assert len(list((tmp_path / ".cache" / "datasets").iterdir())) == 2
