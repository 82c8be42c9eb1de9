"""QLoRA for real: the copy is made once, trained on, and loaded by plain mlx_lm."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from backend.contract.run.config import TrainedModel
from tests.engines.running import Finished, environment, prepare_run, train

pytestmark = pytest.mark.engine

GENERATE = """
import sys
from mlx_lm import generate, load
model, tokenizer = load(sys.argv[1], adapter_path=sys.argv[2])
print(type(model.layers[0].self_attn.q_proj.linear).__name__)
generate(model, tokenizer, "Question 1?", max_tokens=2)
"""


@dataclass(frozen=True)
class Trained:
    first: Finished
    second: Finished
    base: Path
    copy: Path
    base_before: dict[str, bytes]
    made_before: dict[str, int]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def run_on(root: Path, base: Path, copy: Path, bits: int = 4) -> Finished:
    config = {"model": str(copy), "quantize_from": str(base)}
    return train(
        prepare_run(root, base, config=config, quantize_base=bits, iterations=2, save_every=2)
    )


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("qlora")
    copy = root / ".cache" / "quantized" / "tiny-0123-q4"
    copy.parent.mkdir(parents=True)
    # What a run that was killed left: half a copy, under its temporary name and in its place.
    stray = copy.with_name(f".{copy.name}.dead.tmp")
    stray.mkdir()
    copy.mkdir()
    (copy / "config.json").write_text("{}")
    before = contents(tiny_model)
    first = run_on(root / "first", tiny_model, copy)
    assert not stray.exists()
    made = stamps(copy)
    second = run_on(root / "second", tiny_model, copy)
    return Trained(first, second, tiny_model, copy, before, made)


def test_the_copy_is_made_and_the_base_left_alone(trained: Trained) -> None:
    assert trained.first.exit["state"] == "completed", trained.first.log
    config = json.loads((trained.copy / "config.json").read_text())
    # Of 32 inputs: 64 fits none of them.
    assert (config["quantization"]["bits"], config["quantization"]["group_size"]) == (4, 32)
    assert contents(trained.base) == trained.base_before
    assert [path.name for path in trained.copy.parent.glob("*") if path.is_dir()] == [
        trained.copy.name
    ]


def test_the_phase_is_shown_once(trained: Trained) -> None:
    names = [event["name"] for event in trained.first.of("phase")]
    assert names[:3] == ["loading model", "quantising base", "loading model"]
    assert "Quantising the base to 4 bits (once)" in trained.first.log
    assert "quantising base" not in [event["name"] for event in trained.second.of("phase")]


def test_a_second_run_uses_it_again(trained: Trained) -> None:
    assert trained.second.exit["state"] == "completed", trained.second.log
    assert stamps(trained.copy) == trained.made_before
    assert trained.second.losses == trained.first.losses


def test_the_adapter_has_its_tensors_and_names_the_base(trained: Trained) -> None:
    with safe_open(trained.first.adapter / "adapters.safetensors", "np") as file:
        names = set(file.keys())
    assert "model.layers.0.self_attn.q_proj.lora_a" in names
    assert len(names) == 28
    base = json.loads((trained.first.adapter / "droid.json").read_text())["base_model"]
    assert base == {"path": str(trained.base), "fingerprint": "f" * 64, "quantize_base": 4}


def test_plain_mlx_lm_loads_the_copy_with_the_adapter(trained: Trained) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GENERATE, str(trained.copy), str(trained.first.adapter)],
        env=environment(), capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "QuantizedLinear" in done.stdout


def test_it_is_told_when_a_copy_was_last_used_and_that_it_is_in_use(
    trained: Trained, tmp_path: Path
) -> None:
    lock = trained.copy.with_name(f".{trained.copy.name}.lock")
    os.utime(lock, (0, 0))
    asked = TrainedModel(model=str(trained.copy), quantize_from=str(trained.base), quantize_base=4)
    using = (
        "import sys; from backend.contract.run.config import TrainedModel; "
        "from backend.engines.trainer.quantize import make_quantized_base; "
        f"make_quantized_base({asked!r}, None, print); "
        "print('using', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", using], env=environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as user:  # fmt: skip
        assert user.stdout is not None
        assert "using\n" in iter(user.stdout.readline, "")
        handle = os.open(lock, os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(handle, fcntl.LOCK_SH)  # Others may use it as well.
        user.communicate()

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(handle)
    assert lock.stat().st_mtime > 0


def test_a_damaged_copy_is_made_again(trained: Trained, tmp_path: Path) -> None:
    weights = trained.copy / "model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)

    again = run_on(tmp_path, trained.base, trained.copy)

    assert again.exit["state"] == "completed", again.log
    assert again.losses == trained.first.losses


def test_a_base_that_is_not_there_is_said(tmp_path: Path) -> None:
    ended = run_on(tmp_path / "run", tmp_path / "gone", tmp_path / "copy")

    assert ended.exit["state"] == "error"
    assert not (tmp_path / "copy").exists()


def test_a_run_goes_on_as_if_unbroken_even_where_its_copy_was_deleted(
    tmp_path: Path, tiny_model: Path
) -> None:
    copy = tmp_path / ".cache" / "tiny-q8"
    config = {"model": str(copy), "quantize_from": str(tiny_model)}
    fields: dict[str, Any] = {"quantize_base": 8, "iterations": 4, "save_every": 2}
    whole = train(prepare_run(tmp_path / "whole", tiny_model, config=config, **fields))
    shutil.rmtree(copy)

    run = prepare_run(
        tmp_path / "again", tiny_model, config=config | {"resume_checkpoint": 2}, **fields
    )
    shutil.copytree(tmp_path / "whole" / "run" / "state", run / "state")
    again = train(run)

    assert again.exit["state"] == "completed", again.log
    assert again.losses == pytest.approx(whole.losses[2:], abs=1e-6)
