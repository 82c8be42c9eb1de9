"""A finished export that other programs get too: one that is stopped by then still stands."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from backend.engines.process.signals import Control
from tests.engines.export.exporting import request, result, run

pytestmark = pytest.mark.engine


def stopped_once(there: Path) -> Control:
    """A stop that arrives as soon as that folder is there."""

    class Late(SimpleNamespace):
        @property
        def stop(self) -> object:
            return object() if there.exists() else None

    return cast("Control", Late())


def test_a_stop_while_ollama_takes_it_leaves_the_export_and_says_so(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "ollama"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    exports = tmp_path / "exports"
    control = stopped_once(exports / "mine")

    ending = run(tmp_path, request(tmp_path, tiny_model, ollama="mine"), control, smoke="none")

    assert ending.state == "completed"
    assert [path.name for path in exports.iterdir()] == ["mine"]
    found = result(tmp_path)
    assert found.ollama is None
    assert found.warnings == ("Ollama did not take it: the export was stopped before.",)


@pytest.mark.parametrize("stops", [True, False])
def test_lm_studio_has_the_whole_copy_or_none(
    tmp_path: Path, tiny_model: Path, stops: bool
) -> None:
    place = tmp_path / "studio"
    left = place / ".exporting-mine" / "half.safetensors"  # Of a copy that was killed.
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    control = stopped_once(tmp_path / "exports" / "mine") if stops else Control()
    asked = request(tmp_path, tiny_model, lm_studio=str(place / "mine"))

    ending = run(tmp_path, asked, control, smoke="none")

    assert ending.state == "completed"
    found = result(tmp_path)
    if stops:
        assert list(place.iterdir()) == []
        assert found.lm_studio is None
        assert "stopped before" in found.warnings[0]
        return
    assert [path.name for path in place.iterdir()] == ["mine"]
    assert {p.name: p.read_bytes() for p in (place / "mine").iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "exports" / "mine").iterdir()
    }
    assert found.lm_studio == str(place / "mine")
