"""The module tree through the real child, which imports the engine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.core import process
from backend.errors import BadContent, EngineTimeout
from backend.models.schemas import LoraTargets
from backend.settings import read_settings
from backend.training.lora import inspector as lora_keys
from backend.training.lora.counts import count_lora, resolve_keys
from backend.training.lora.inspector import ModelInspector
from tests.training.requests import model

CONFIGS = Path(__file__).parent / "configs"


def inspector(root: Path) -> ModelInspector:
    return ModelInspector(read_settings(data_dir=str(root)))


def folder_with(root: Path, config: str) -> Path:
    folder = root / "model"
    folder.mkdir(exist_ok=True)
    if config.endswith(".json"):
        shutil.copy(CONFIGS / config, folder / "config.json")
    else:
        (folder / "config.json").write_text(config)
    return folder


@pytest.mark.engine
async def test_qwen_half_a_billion_has_the_published_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_with(tmp_path, "qwen2.5-0.5b.json")
    asked = model(path=str(folder), parameters=None)

    found = await inspector(tmp_path).targets(asked)

    trainable = count_lora(found, resolve_keys(found, "full", dora=False), num_layers=-1)
    assert found.num_layers == 24
    assert found.total_parameters is not None
    assert trainable.modules == 7 * 24
    assert f"{trainable.trainable(32) / 1e6:.3f}M" == "17.596M"
    assert f"{found.total_parameters / 1e6:.3f}M" == "494.033M"
    assert f"{100 * trainable.trainable(32) / found.total_parameters:.3f} %" == "3.562 %"

    # A new server answers from its cache, without a child.
    monkeypatch.setattr(lora_keys, "run_child", no_child)
    assert await inspector(tmp_path).targets(asked) == found


@pytest.mark.engine
@pytest.mark.parametrize(
    "config",
    [
        '{"model_type": "qwen2", "hidden_size": "many"}',
        '{"model_type": "olmo"}',  # Prints on stdout and ends its process.
        '{"model_type": "no_such_architecture"}',
    ],
)
async def test_a_tree_that_cannot_be_built_is_answered_with_the_seven(
    tmp_path: Path, config: str
) -> None:
    folder = folder_with(tmp_path, config)

    found = await inspector(tmp_path).targets(model(path=str(folder), num_layers=6))

    assert len(found.presets["full"]) == 7
    assert found.num_layers == 6
    assert "could not be read" in found.notes[0]


async def no_child(*_: Any, **__: Any) -> process.CompletedChild:
    raise AssertionError("a child was started")


async def test_a_model_with_a_problem_is_refused_without_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lora_keys, "run_child", no_child)

    with pytest.raises(BadContent, match="no weights"):
        await inspector(tmp_path).targets(model(problem="There are no weights."))


async def test_a_child_that_hangs_is_told_and_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_with(tmp_path, '{"model_type": "qwen2"}')
    tries: list[int] = []

    async def hangs(*_: Any, **__: Any) -> process.CompletedChild:
        tries.append(1)
        raise EngineTimeout("late")

    monkeypatch.setattr(lora_keys, "run_child", hangs)
    monkeypatch.setattr(lora_keys, "engine_environment", lambda _: {})
    asking = inspector(tmp_path)
    for _ in range(2):
        with pytest.raises(EngineTimeout):
            await asking.targets(model(path=str(folder)))

    assert len(tries) == 2


async def test_the_answer_is_kept_on_disk_by_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_with(tmp_path, '{"model_type": "qwen2"}')
    answers = [
        b'{"architecture": "qwen2", "num_layers": 1, "others": [], "parameters": 9, '
        b'"block_parameters": [4], "modules": [{"layer": 0, "name": "self_attn.q_proj", '
        b'"inputs": 2, "outputs": 2, "copies": 1}]}'
    ]

    async def answer(*_: Any, **__: Any) -> process.CompletedChild:
        return process.CompletedChild(0, answers.pop(), "")

    monkeypatch.setattr(lora_keys, "run_child", answer)
    monkeypatch.setattr(lora_keys, "engine_environment", lambda _: {})
    asked = model(path=str(folder), parameters=None)

    first: LoraTargets = await inspector(tmp_path).targets(asked)
    second = await inspector(tmp_path).targets(asked)

    assert first == second
    assert first.total_parameters == 9
