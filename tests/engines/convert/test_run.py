"""A whole conversion: the model it leaves for plain mlx_lm, and nothing where it is stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx_lm.utils import load

from backend.contract.jobs.conversion import ConversionRequest, ConversionResult
from backend.contract.model_source import ConvertedFrom, ModelSource
from backend.contract.record import read_record, write_record
from backend.engines.convert import run as convert
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from tests.engines.tiny_model import build_tiny_model

pytestmark = pytest.mark.engine
TOKENS = mx.array([[3, 5, 8, 13, 21]])


def run(root: Path, source: Path, control: Control | None = None, **target: Any) -> Ending:
    request = ConversionRequest(
        model=ConvertedFrom(name=source.name, path=str(source), repo_id="a/tiny", **target),
        output=str(root / "models" / "new"),
        staging=str(root / "models" / ".new.0123456789abcdef.tmp"),
    )
    folder = root / "job"
    folder.mkdir()
    (folder / "request.json").write_text(json.dumps(write_record(request)))
    emit = Emitter(folder / "events.jsonl")
    return convert.conversion_run(folder, emit, control or Control())


def logits(folder: Path) -> mx.array:
    model, _ = load(str(folder))
    answer: mx.array = model(TOKENS).astype(mx.float32)
    return answer


def test_a_model_that_was_removed_meanwhile_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="The model gone is not there any more"):
        run(tmp_path, tmp_path / "gone", quantize=8)

    assert not (tmp_path / "models").exists()


def test_a_quantised_model_loads_in_plain_mlx_lm_and_says_where_it_comes_from(
    tmp_path: Path,
) -> None:
    source = build_tiny_model(tmp_path / "tiny")
    (source / "LICENSE").write_text("Apache")
    before = {path.name: path.read_bytes() for path in source.iterdir()}

    ending = run(tmp_path, source, quantize=8)

    new = tmp_path / "models" / "new"
    assert ending.state == "completed", ending
    assert [path.name for path in new.parent.iterdir()] == ["new"]
    assert (new / "LICENSE").read_text() == "Apache"
    assert before == {path.name: path.read_bytes() for path in source.iterdir()}
    assert json.loads((new / "config.json").read_text())["quantization"]["bits"] == 8
    lineage = read_record(ModelSource, json.loads((new / "droid_source.json").read_text()))
    assert lineage.converted_from is not None
    assert (lineage.converted_from.name, lineage.converted_from.quantize) == ("tiny", 8)
    result = read_record(
        ConversionResult, json.loads((tmp_path / "job" / "result.json").read_text())
    )
    assert (result.name, result.size_bytes) == ("new", (new / "model.safetensors").stat().st_size)
    assert result.size_bytes < result.source_bytes
    assert mx.allclose(logits(new), logits(source), atol=0.05)


def test_a_cast_keeps_answers_and_the_chat_template(tmp_path: Path) -> None:
    source = build_tiny_model(tmp_path / "tiny")

    run(tmp_path, source, dtype="float16")

    new = tmp_path / "models" / "new"
    weights: Any = mx.load(str(new / "model.safetensors"))
    assert {value.dtype for value in weights.values()} == {mx.float16}
    assert mx.allclose(logits(new), logits(source), atol=0.01)
    chat = [{"role": "user", "content": "Hello"}]
    texts = [load(str(path))[1].apply_chat_template(chat, tokenize=False) for path in (source, new)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("heard", ["before the first file", "after the last file"])
def test_a_stopped_conversion_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: str
) -> None:
    source = build_tiny_model(tmp_path / "tiny")
    control = Control()
    save = mx.save_safetensors

    def stopped(*args: Any, **more: Any) -> None:
        save(*args, **more)
        control.stop = "save"

    if heard == "before the first file":
        control.stop = "save"
    else:
        monkeypatch.setattr(mx, "save_safetensors", stopped)

    ending = run(tmp_path, source, control, quantize=4)

    assert ending.state == "stopped"
    assert list((tmp_path / "models").iterdir()) == []
    assert not (tmp_path / "job" / "result.json").exists()


def test_a_disk_that_fills_up_leaves_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = build_tiny_model(tmp_path / "tiny")

    def full(*_: Any, **__: Any) -> None:
        raise RuntimeError("[write] Unable to write 4096 bytes to file.")

    monkeypatch.setattr(mx, "save_safetensors", full)
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with pytest.raises(Unusable, match="The disk is full"):
        run(tmp_path, source, quantize=4)

    assert list((tmp_path / "models").iterdir()) == []


def test_a_large_model_is_written_in_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = build_tiny_model(tmp_path / "tiny")
    monkeypatch.setattr(convert, "SHARD_GB", 1 / 2**16)  # 16 KiB
    monkeypatch.setattr(convert, "make_shards", _small_shards)

    run(tmp_path, source)

    new = tmp_path / "models" / "new"
    assert len(list(new.glob("model-*-of-*.safetensors"))) == 3
    assert mx.array_equal(logits(new), logits(source))


def _small_shards(weights: dict[str, mx.array], _: float) -> list[dict[str, mx.array]]:
    names = list(weights)
    return [{name: weights[name] for name in names[at::3]} for at in range(3)]


def test_positions_that_transformers_5_nests_are_where_mlx_looks(tmp_path: Path) -> None:
    """MLX's qwen2 and llama read only the top of the configuration, and default to another base."""
    source = build_tiny_model(tmp_path / "tiny")
    right = logits(source)
    path = source / "config.json"
    config = json.loads(path.read_text())
    theta = config.pop("rope_theta")
    positions = {"rope_theta": theta, "rope_type": "default"}
    path.write_text(json.dumps(config | {"rope_parameters": positions}))
    assert not mx.allclose(logits(source), right, atol=1e-5), "MLX reads them now: drop the step"

    run(tmp_path, source)

    assert mx.allclose(logits(tmp_path / "models" / "new"), right, atol=1e-5)
