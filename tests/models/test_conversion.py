from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from backend.errors import AlreadyExists, BadContent, NoDiskSpace, NotFound
from backend.models import conversion
from backend.models.catalog import ModelCatalog
from backend.models.conversion import (
    ConversionPlanner,
    ConversionTarget,
    ModelConversion,
    converted_bytes,
)
from backend.models.safetensors_headers import Tensor
from tests.models.folders import CONFIG, model_folder, settings_for


def planner(root: Path) -> ConversionPlanner:
    settings = settings_for(root, root / "models")
    return ConversionPlanner(settings, ModelCatalog(settings))


def base(root: Path, name: str = "base", *, form: str = "pt", **config: Any) -> Path:
    """A model with one matrix of 64 × 64, as a program of that format would write it."""
    folder = model_folder(root / "models" / name, CONFIG | config, weights="")
    header = {
        "__metadata__": {"format": form},
        "w.weight": {"dtype": "F32", "shape": [64, 64], "data_offsets": [0, 16384]},
    }
    raw = json.dumps(header).encode()
    weights = struct.pack("<Q", len(raw)) + raw + b"\0" * 16384
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_a_plan_names_what_is_converted_and_a_place_beside_the_new_model(tmp_path: Path) -> None:
    folder = base(tmp_path)
    (folder / "droid_source.json").write_text('{"repo_id": "a/base", "revision": "main"}')

    request = planner(tmp_path).plan(
        ModelConversion(source="base", output_name="small", quantize=4)
    )

    assert request.output == str(tmp_path / "models" / "small")
    assert Path(request.staging).parent == tmp_path / "models"
    assert (request.model.name, request.model.path) == ("base", str(folder))
    assert (request.model.quantize, request.model.repo_id) == (4, "a/base")
    assert request.model.fingerprint


def test_size_and_disk_are_told_before(tmp_path: Path) -> None:
    base(tmp_path)

    estimate = planner(tmp_path).estimate("base", ConversionTarget(quantize=4))

    # Half a byte each, and a scale and an offset of 4 bytes for every 64.
    assert estimate.size_bytes == 64 * 64 // 2 + 64 * 8
    assert estimate.source_bytes > 16384
    assert estimate.enough_space
    assert estimate.output_name == "base-4bit"


@pytest.mark.parametrize(
    ("target", "size"),
    [
        (ConversionTarget(), 4096 + 10 * 4 + 4),
        (ConversionTarget(dtype="float16"), 2048 + 10 * 2 + 4),
        (ConversionTarget(quantize=8), 1024 + 2 * 32 * 4 + 10 * 4 + 4),
    ],
)
def test_only_matrices_are_packed_and_only_floats_are_cast(
    target: ConversionTarget, size: int
) -> None:
    tensors = {
        "matrix.weight": Tensor("F32", (32, 32)),
        "norm.weight": Tensor("F32", (10,)),
        "ids": Tensor("I32", (1,)),
    }
    assert converted_bytes(tensors, target) == size


def test_a_repository_that_is_not_here_is_to_be_downloaded_first(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="a/gone is not on this machine") as refused:
        planner(tmp_path).estimate("a/gone", ConversionTarget())

    assert "Download it first" in str(refused.value.hint)


@pytest.mark.parametrize("place", ["a/base", "models--a--base/snapshots/1"])
def test_a_repository_of_a_known_layout_is_found(tmp_path: Path, place: str) -> None:
    base(tmp_path, place)

    assert planner(tmp_path).estimate("a/base", ConversionTarget()).source == "base"


@pytest.mark.parametrize(
    ("form", "config", "target", "reason"),
    [
        ("mlx", {}, ConversionTarget(), "in MLX's form already"),
        (
            "mlx",
            {"quantization": {"bits": 8, "group_size": 64}},
            ConversionTarget(quantize=4),
            "is quantised already",
        ),
        ("pt", {"model_type": "bert"}, ConversionTarget(quantize=4), "decoders only"),
    ],
)
def test_what_can_not_be_converted_is_refused_with_the_reason(
    tmp_path: Path, form: str, config: dict[str, Any], target: ConversionTarget, reason: str
) -> None:
    base(tmp_path, form=form, **config)

    with pytest.raises(BadContent, match=reason):
        planner(tmp_path).estimate("base", target)


def test_no_model_is_written_over_and_a_free_name_is_offered(tmp_path: Path) -> None:
    base(tmp_path)
    base(tmp_path, "base-4bit")

    with pytest.raises(AlreadyExists, match="named base-4bit already") as refused:
        planner(tmp_path).plan(ModelConversion(source="base", output_name="base-4bit", quantize=4))

    assert "base-4bit-2" in str(refused.value.hint)


def test_a_disk_without_room_refuses_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base(tmp_path)
    monkeypatch.setattr(conversion, "_free_bytes", lambda _: 1_000_000)

    assert not planner(tmp_path).estimate("base", ConversionTarget(quantize=4)).enough_space
    with pytest.raises(NoDiskSpace, match=r"needs 50 MB, and 1\.0 MB are free"):
        planner(tmp_path).plan(ModelConversion(source="base", output_name="small", quantize=4))

    assert [path.name for path in (tmp_path / "models").iterdir()] == ["base"]
