from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from backend.jobs.run.schemas import BestModel
from tests.adapters.folders import HIDDEN, INNER, adapter, base, write_safetensors
from tests.api.live import Live, frames_until, next_frame

STEM = "base_model.model.model.layers.1.mlp.up_proj"


@pytest.fixture(scope="module")
def small(live: Live) -> Path:
    return base(live.settings.models_dirs[0] / "small")


@pytest.fixture
def tuned(live: Live, small: Path) -> Iterator[Path]:
    folder = live.settings.adapters_dir / "tuned"
    files = ("best_adapters.safetensors", "adapters.safetensors", "0000010_adapters.safetensors")
    lineage = {
        "method": "dpo", "session_id": "s1", "created": "2026-01-02T03:04:05+00:00",
        "base_model": {"path": str(small), "fingerprint": "f1"},
        "data": {"train": {"path": "/data/train.jsonl", "rows": 12, "sha256": "d1"}},
    }  # fmt: skip
    yield adapter(folder, small, files=files, lineage=lineage)
    live.client.post("/models/unload")
    for name in ("tuned", "renamed"):
        live.client.delete(f"/adapters/{name}")


@pytest.fixture
def peft(tmp_path: Path, small: Path) -> Path:
    folder = tmp_path / "my peft"
    folder.mkdir()
    config = {
        "peft_type": "LORA", "r": 2, "lora_alpha": 8, "base_model_name_or_path": str(small),
        "target_modules": ["up_proj"],
    }  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(config))
    shapes = {f"{STEM}.lora_A.weight": (2, HIDDEN), f"{STEM}.lora_B.weight": (INNER, 2)}
    write_safetensors(folder / "adapter_model.safetensors", shapes)
    (folder / "README.md").write_text("not taken")
    return folder


def listed(live: Live) -> dict[str, dict[str, Any]]:
    found = live.client.get("/adapters").json()["adapters"]
    return {one["name"]: one for one in found}


def test_the_list_says_of_each_adapter_what_its_files_do(live: Live, tuned: Path) -> None:
    shown = listed(live)["tuned"]

    assert shown | {"path": "", "base_model": "", "size_bytes": 0} == {
        "name": "tuned", "path": "", "type": "lora", "base_model": "", "method": "dpo",
        "lora_rank": 2, "lora_alpha": None, "scale": 20.0,
        "keys": ["self_attn.q_proj", "mlp.up_proj"], "num_layers": 2, "size_bytes": 0,
        "created": "2026-01-02T03:04:05Z", "session_id": "s1", "has_best": True,
        "checkpoints": [10], "tags": [], "warnings": [], "problem": None, "is_peft": False,
        "has_latest": True, "base_name": "small", "base_fingerprint": "f1", "session_name": None,
        "train_data": {"path": "/data/train.jsonl", "rows": 12, "sha256": "d1"}, "best": None,
        "command": f"python -m mlx_lm generate --model '{shown['base_model']}' --adapter-path "
        f"'{shown['path']}' --prompt Hello",
    }  # fmt: skip
    assert shown["size_bytes"] == sum(path.stat().st_size for path in tuned.iterdir())
    assert live.client.get("/api/adapters").json() == live.client.get("/adapters").json()


def test_an_adapter_is_renamed_and_tagged(live: Live, tuned: Path) -> None:
    changed = live.client.patch(
        "/adapters/tuned", json={"name": "renamed", "tags": ["a", "a", "b"]}
    )

    assert (changed.json()["name"], changed.json()["tags"]) == ("renamed", ["a", "b"])
    assert (tuned.parent / "renamed").is_dir()
    assert "tuned" not in listed(live)
    kept = live.client.patch("/adapters/renamed", json={}).json()
    assert kept["tags"] == ["a", "b"]


@pytest.mark.parametrize("name", ["with space", "rate=1e-4", "数学", "-dash", "a'quote"])
def test_an_adapter_under_a_name_that_no_run_would_take_is_listed_and_used(
    live: Live, small: Path, name: str
) -> None:
    folder = adapter(live.settings.adapters_dir / name, small)
    place = f"/adapters/{quote(name)}"

    shown = listed(live)[name]
    assert (shown["problem"], shown["base_name"]) == (None, "small")
    assert shlex.split(shown["command"])[7] == str(folder)
    ask = {"model_name": "small", "adapter_name": name, "prompt": "x"}
    assert live.client.post("/models/inference", json=ask).json()["response"] == f"{name}: x"
    live.client.post("/models/unload")
    assert live.client.patch(place, json={"tags": ["odd"]}).json()["tags"] == ["odd"]
    assert live.client.patch(place, json={"name": "plain"}).json()["name"] == "plain"
    assert live.client.delete("/adapters/plain").status_code == 200
    assert not folder.exists()


def test_hidden_folders_are_no_adapters(live: Live, small: Path) -> None:
    folder = adapter(live.settings.adapters_dir / ".importing-1", small)

    assert ".importing-1" not in listed(live)
    assert live.client.delete("/adapters/.importing-1").status_code == 404
    assert folder.is_dir()


def test_the_run_of_an_adapter_says_its_name_and_its_best_validation(
    live: Live, small: Path
) -> None:
    session = live.start(name="of-a-run", steps=3)
    with live.listening() as socket:
        if next_frame(socket)["data"].get("state") not in ("completed", "idle"):
            frames_until(socket, "training_completed")
    folder = live.settings.adapters_dir / "of-a-run"
    (folder / "adapter_config.json").write_text("{}")
    (folder / "droid.json").write_text(json.dumps({"session_id": session}))
    record = live.services.store.record(session)
    record.best_model = BestModel(step=2, path="best_adapters.safetensors", value=1.5)
    live.services.store.save(record)
    named = live.client.patch(f"/sessions/{session}", json={"name": "Dye shades"})

    assert named.status_code == 200
    shown = listed(live)["of-a-run"]

    assert shown["session_name"] == "Dye shades"
    assert shown["best"] == {"step": 2, "metric": "val_loss", "value": 1.5}


def test_a_name_that_is_taken_or_impossible_is_refused(
    live: Live, tuned: Path, small: Path
) -> None:
    adapter(tuned.parent / "other", small)

    taken = live.client.patch("/adapters/tuned", json={"name": "other"})
    strange = live.client.patch("/adapters/tuned", json={"name": "../x"})
    unknown = live.client.patch("/adapters/nobody", json={"tags": []})

    assert (taken.status_code, strange.status_code, unknown.status_code) == (409, 422, 404)
    assert live.client.delete("/adapters/other").json()["deleted"] == "other"
    assert live.client.delete("/adapters/other").status_code == 404


def test_what_the_worker_carries_is_kept_until_it_is_unloaded(live: Live, tuned: Path) -> None:
    ask = {"model_name": "small", "adapter_name": "tuned", "prompt": "x"}
    assert live.client.post("/models/inference", json=ask).status_code == 200

    refused = live.client.delete("/adapters/tuned")
    renamed = live.client.patch("/adapters/tuned", json={"name": "renamed"})
    tagged = live.client.patch("/adapters/tuned", json={"tags": ["kept"]})

    assert (refused.status_code, renamed.status_code, tagged.status_code) == (409, 409, 200)
    assert "/models/unload" in refused.json()["detail"]
    live.client.post("/models/unload")
    assert live.client.delete("/adapters/tuned").status_code == 200
    assert not tuned.exists()


def test_what_a_run_writes_is_kept_and_its_session_follows_a_new_name(live: Live) -> None:
    session = live.start(name="written", steps=100_000)
    folder = live.settings.adapters_dir / "written"
    (folder / "adapter_config.json").write_text("{}")
    with live.listening() as socket:
        while next_frame(socket)["data"].get("state") != "running":
            pass  # A stop before that leaves no adapter.
        refused = live.client.delete("/adapters/written")
        live.client.post("/training/stop", json={"save": True})
        frames_until(socket, "training_stopped")
    assert (refused.status_code, "a run writes it" in refused.json()["detail"]) == (409, True)
    (folder / "droid.json").write_text(json.dumps({"session_id": session}))

    renamed = live.client.patch("/adapters/written", json={"name": "other-name"})

    assert renamed.status_code == 200, renamed.text
    record = live.client.get(f"/sessions/{session}").json()
    assert record["config"]["adapter_name"] == "other-name"
    assert Path(record["adapter_path"]).parent == folder.parent / "other-name"


def test_a_peft_adapter_is_taken_in_and_answers(live: Live, peft: Path) -> None:
    taken = live.client.post("/adapters/import", json={"path": str(peft)})

    shown = taken.json()
    assert taken.status_code == 200, taken.text
    assert (shown["name"], shown["type"], shown["is_peft"]) == ("my-peft", "lora", True)
    assert (shown["lora_rank"], shown["lora_alpha"], shown["scale"]) == (2, 8.0, 4.0)
    assert (shown["keys"], shown["num_layers"]) == (["mlp.up_proj"], 1)
    folder = live.settings.adapters_dir / "my-peft"
    assert {path.name for path in folder.iterdir()} == {
        "adapter_config.json", "adapter_model.safetensors",
    }  # fmt: skip
    ask = {"model_name": "small", "adapter_name": "my-peft", "prompt": "x"}
    assert live.client.post("/models/inference", json=ask).json()["response"] == "my-peft: x"
    again = live.client.post("/adapters/import", json={"path": str(peft)})
    named = live.client.post("/adapters/import", json={"path": str(peft), "name": "second"})
    assert (again.status_code, named.status_code) == (409, 200)


def test_what_can_not_be_taken_in_is_said_and_nothing_is_copied(live: Live, peft: Path) -> None:
    before = set(live.settings.adapters_dir.iterdir())
    weights = peft / "adapter_model.safetensors"
    whole = weights.read_bytes()

    gone = live.client.post("/adapters/import", json={"path": str(peft / "nothing")})
    weights.write_bytes(whole[:-3])
    half = live.client.post("/adapters/import", json={"path": str(peft), "name": "half"})
    weights.unlink()
    (peft / "adapter_model.bin").write_bytes(b"pickle")
    pickled = live.client.post("/adapters/import", json={"path": str(peft), "name": "half"})

    assert (gone.status_code, half.status_code, pickled.status_code) == (404, 400, 400)
    assert "The download may not have finished" in half.json()["detail"]
    assert "pickle" in pickled.json()["detail"]
    assert "torch.load('adapter_model.bin'" in pickled.json()["detail"]
    assert set(live.settings.adapters_dir.iterdir()) == before


def test_an_adapter_of_the_old_form_is_refused_by_its_name_with_the_way_out(
    live: Live, tmp_path: Path
) -> None:
    for name, config in (("old", True), ("older", False)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "adapters.npz").write_bytes(b"PK")
        if config:
            (folder / "adapter_config.json").write_text('{"lora_parameters": {"scale": 20.0}}')

        refused = live.client.post("/adapters/import", json={"path": str(folder)})

        assert refused.status_code == 400
        assert "adapters.npz" in refused.json()["detail"]
        assert "mx.save_safetensors('adapters.safetensors'" in refused.json()["detail"]


def test_an_adapter_says_how_its_rows_ask(live: Live, tuned: Path) -> None:
    data = live.settings.sessions_dir / "s1" / "data"
    data.mkdir(parents=True, exist_ok=True)
    system = {"role": "system", "content": "Answer as a dyer."}
    for name, first in (("train.jsonl", 0), ("valid.jsonl", 100)):
        rows = [
            {"messages": [system, {"role": "user", "content": f"Shade {first + number // 2}?"},
                          {"role": "assistant", "content": "Blue."}]}
            for number in range(20)
        ]  # fmt: skip
        (data / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    shown = live.client.get("/adapters/tuned/prompts").json()
    (data / "valid.jsonl").unlink()
    (data / "train.jsonl").write_text('{"text": "prose"}\n{"broken')
    bare = live.client.get("/adapters/tuned/prompts").json()

    assert shown == {
        "system": "Answer as a dyer.",
        "prompts": ["Shade 100?", "Shade 101?", "Shade 102?"],
        "source": "valid.jsonl",
    }
    assert bare == {"system": None, "prompts": [], "source": None}
    assert live.client.get("/adapters/nobody/prompts").status_code == 404
