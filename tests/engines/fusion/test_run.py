"""A whole fusion: the adapter it leaves, also for plain mlx_lm, and nothing where it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx_lm.tuner.utils import load_adapters
from mlx_lm.utils import load_model

from backend.contract.jobs.fusion import FusionRequest, FusionResult, FusionSource
from backend.contract.record import read_record, write_record
from backend.engines.fusion.run import fusion_run
from backend.engines.inference.adapter_cache import load_adapter
from backend.engines.inference.adapter_swap import attach
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from tests.engines.architectures import CONFIGS, make_adapter, make_model, spec_of

pytestmark = pytest.mark.engine
TOKENS = mx.array([[3, 5, 8, 13, 21]])


def request(tmp_path: Path, model: Path, folders: list[Path], **changed: Any) -> FusionRequest:
    sources = tuple(
        FusionSource(name=one.name, checkpoint="latest", weight=0.5, spec=spec_of(one))
        for one in folders
    )
    fields: dict[str, Any] = {
        "model": str(model),
        "output": str(tmp_path / "adapters" / "both"),
        "staging": str(tmp_path / "adapters" / ".fusing-1"),
        "sources": sources,
        "method": "weighted",
    }
    return FusionRequest(**fields | changed)


def run(tmp_path: Path, asked: FusionRequest, control: Control | None = None) -> Ending:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "request.json").write_text(json.dumps(write_record(asked)))
    return fusion_run(folder, Emitter(folder / "events.jsonl"), control or Control())


def result(tmp_path: Path) -> FusionResult:
    return read_record(FusionResult, json.loads((tmp_path / "job" / "result.json").read_text()))


def test_the_fused_adapter_loads_in_plain_mlx_lm_and_is_the_weighted_sum(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", CONFIGS["llama"])
    first = make_adapter(tmp_path / "first", folder, rank=2, scale=3.0, layers=1)
    second = make_adapter(tmp_path / "second", folder, rank=5, scale=0.5, seed=2)

    ending = run(tmp_path, request(tmp_path, folder, [first, second]))

    assert ending.state == "completed"
    output = tmp_path / "adapters" / "both"
    plain, _ = load_model(folder)
    plain = load_adapters(plain, str(output))
    ours, _ = load_model(folder)
    attach(ours, load_adapter(spec_of(output)))
    assert mx.allclose(plain(TOKENS), ours(TOKENS), atol=1e-5).item()
    found = result(tmp_path)
    assert (found.rank, found.relative_error) == (7, 0.0)
    assert [one.rank for one in found.sources] == [2, 5]
    assert [one.layers for one in found.sources] == [1, 2]
    lineage = json.loads((output / "droid.json").read_text())
    assert [one["name"] for one in lineage["fusion"]["sources"]] == ["first", "second"]


@pytest.mark.parametrize("method", ["slerp", "ties", "dare"])
def test_a_reduced_rank_says_how_far_it_is_off(tmp_path: Path, method: str) -> None:
    folder = make_model(tmp_path / "model", CONFIGS["qwen2"])
    adapters = [make_adapter(tmp_path / f"a{n}", folder, rank=3, seed=n) for n in (1, 2)]

    run(tmp_path, request(tmp_path, folder, adapters, method=method, rank=2))

    found = result(tmp_path)
    assert found.rank == 2
    assert 0 < found.relative_error <= found.worst_error < 1


def test_adapters_of_two_bases_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    small = make_model(tmp_path / "small", CONFIGS["llama"])
    wide = make_model(tmp_path / "wide", CONFIGS["llama"] | {"intermediate_size": 128})
    adapters = [make_adapter(tmp_path / "a", small), make_adapter(tmp_path / "b", wide)]

    with pytest.raises(Unusable, match="in one adapter and"):
        run(tmp_path, request(tmp_path, small, adapters))

    assert not (tmp_path / "adapters").exists()


def test_a_stop_leaves_nothing(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", CONFIGS["llama"])
    adapters = [make_adapter(tmp_path / f"a{n}", folder, seed=n) for n in (1, 2)]
    control = Control()
    control.stop = "save"

    ending = run(tmp_path, request(tmp_path, folder, adapters), control)

    assert ending.state == "stopped"
    assert not (tmp_path / "adapters").exists()
