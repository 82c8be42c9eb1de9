"""Six of the random requests, trained for real: what was asked is what is in the adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from backend.jobs.prepare import prepare
from backend.training.request.sft_fields import StandardStart
from backend.training.run_data.rendered_files import Rendering
from backend.training.run_data.token_counts import TokenCounter
from tests.engines.running import finish, start
from tests.engines.tiny_model import build_tiny_model
from tests.training.agreement import Planning, tree_of_the_tiny_model

pytestmark = pytest.mark.engine

# Of the two hundred of tests/training/test_agreement.py: every type and every optimizer.
CHOSEN = (0, 1, 3, 14, 17, 28)


async def uncounted(*_: Any, **__: Any) -> Rendering:
    return Rendering(job_id="rendering", share=0.0)


@pytest.fixture
def planning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planning:
    monkeypatch.setattr(TokenCounter, "count", uncounted)
    folder = build_tiny_model(tmp_path / "models" / "tiny")
    return Planning(tmp_path, folder, tree_of_the_tiny_model())


@pytest.mark.parametrize("number", CHOSEN)
async def test_the_adapter_is_what_was_asked(planning: Planning, number: int) -> None:
    asked = planning.request(number)
    request = planning.request(
        number,
        iterations=2,
        warmup_steps=min(asked.warmup_steps, 1),
        grad_accumulation_steps=min(asked.grad_accumulation_steps, 2),
    )
    await planning.manager.start(request, idempotency_key=None)
    (recipe,) = planning.recipes
    record = prepare(recipe, planning.store)
    folder = planning.settings.sessions_dir / recipe.session_id

    ended = finish(folder, start(folder))

    assert ended.exit["state"] == "completed", ended.log
    written = json.loads((recipe.adapter_path / "adapter_config.json").read_text())
    config = dict(recipe.config)
    assert {name: written.get(name) for name in config} == config
    found = trained(recipe.adapter_path)
    (told,) = ended.of("model")
    assert record.lora is not None
    assert sum(found.values()) == told["trainable_parameters"]
    if request.fine_tune_type == "full":
        assert all(name.startswith("model.layers.") for name in found)
    else:
        assert set(found) == expected(request, list(record.lora.keys))
        assert record.lora.trainable_parameters == told["trainable_parameters"]
        assert record.lora.matched_modules == told["matched_modules"]


def trained(adapter: Path) -> dict[str, int]:
    """The size of every tensor in the adapter."""
    sizes = {}
    with safe_open(adapter / "adapters.safetensors", "np") as file:
        for name in file.keys():  # noqa: SIM118
            sizes[name] = int(file.get_tensor(name).size)
            if name.endswith("lora_a"):
                assert (
                    file.get_slice(name).get_shape()[1]
                    == json.loads((adapter / "adapter_config.json").read_text())["lora_parameters"][
                        "rank"
                    ]
                )
    return sizes


def expected(request: StandardStart, keys: list[str]) -> set[str]:
    layers = (0, 1) if request.lora_num_layers in (-1, 2) else (1,)
    parts = ("lora_a", "lora_b", "m") if request.fine_tune_type == "dora" else ("lora_a", "lora_b")
    return {f"model.layers.{at}.{key}.{part}" for at in layers for key in keys for part in parts}
