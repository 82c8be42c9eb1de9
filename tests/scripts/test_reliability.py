"""The kill loop's plan and its checks: they can be repeated, and they notice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.reliability.checks import Broken, check_adapters, snapshot
from scripts.reliability.exports import plan_export_kill
from scripts.reliability.plan import plan_kill


def test_a_seed_repeats_its_kills_and_every_victim_dies_at_every_moment() -> None:
    kills = [plan_kill(7, number) for number in range(21)]

    assert kills == [plan_kill(7, number) for number in range(21)]
    assert kills != [plan_kill(8, number) for number in range(21)]
    assert len({(kill.moment, kill.victim) for kill in kills}) == 21


def adapter(folder: Path, *, session: str, tensor: bytes = b"\0\0\0\0") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "droid.json").write_text(json.dumps({"session_id": session}))
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    whole = len(header).to_bytes(8, "little") + header + tensor
    (folder / "adapters.safetensors").write_bytes(whole)


def test_the_checks_notice_each_kind_of_loss(tmp_path: Path) -> None:
    adapter(tmp_path / "base", session="old")
    adapter(tmp_path / "other", session="else")
    before = snapshot(tmp_path)
    done = {"state": "completed", "saved": True}
    assert check_adapters(tmp_path, before, "base", "new", None) == "old"
    with pytest.raises(Broken, match="base is of old"):
        check_adapters(tmp_path, before, "base", "new", done)

    adapter(tmp_path / "base", session="new")
    assert check_adapters(tmp_path, before, "base", "new", done) == "new"
    with pytest.raises(Broken, match="base is not as it was"):
        check_adapters(tmp_path, before, "base", "new", {"state": "stopped", "saved": False})

    (tmp_path / ".new-1").mkdir()
    with pytest.raises(Broken, match="something is left"):
        check_adapters(tmp_path, before, "base", "new", done)
    (tmp_path / ".new-1").rmdir()

    adapter(tmp_path / "base", session="new", tensor=b"\0")
    with pytest.raises(Broken, match="not whole"):
        check_adapters(tmp_path, before, "base", "new", done)
    (tmp_path / "other" / "droid.json").unlink()
    with pytest.raises(Broken, match="other was changed"):
        check_adapters(tmp_path, before, "base", "new", done)


def test_kills_of_exports_are_repeated_by_their_seed_and_hit_every_format() -> None:
    kills = [plan_export_kill(11, number) for number in range(20)]

    assert kills == [plan_export_kill(11, number) for number in range(20)]
    assert {kill.format for kill in kills} == {"merged", "merged_q4", "peft", "gguf_q8"}
    assert {kill.victim for kill in kills} == {"engine", "server", "both"}
    assert len({kill.moment for kill in kills}) == 4
