"""What failed is explained with what helps a run of training, or a job."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from backend.contract.run.events import Exit, read_event
from backend.engines.process.endings import Ending
from backend.engines.process.entry import run_process
from backend.engines.process.signals import Control
from tests.engines.process.test_events import events

OUT_OF_MEMORY = RuntimeError("[METAL] Insufficient Memory")
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def _own_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handlers of this process stay as they are."""
    monkeypatch.setattr(Control, "listen", lambda _: None)


@pytest.mark.parametrize("error", [OUT_OF_MEMORY, FULL])
@pytest.mark.parametrize("engine", ["convert", "export", "fusion", "evaluate"])
def test_a_job_gets_no_advice_for_training(tmp_path: Path, engine: str, error: Exception) -> None:
    hint = _hint(tmp_path, engine, error)

    assert not any(word in hint for word in ("batch", "checkpoint", "sequence", "layers"))
    assert "smaller or quantised model" in hint or "Free some space" in hint


@pytest.mark.parametrize("engine", ["sft", "rl"])
def test_a_run_that_has_no_memory_left_is_told_of_its_batch(tmp_path: Path, engine: str) -> None:
    assert "smaller batch" in _hint(tmp_path, engine, OUT_OF_MEMORY)


def _hint(folder: Path, engine: str, error: Exception) -> str:
    def fail(*_: object) -> Ending:
        raise error

    run_process([str(folder)], module=f"backend.engines.{engine}", load=lambda: fail)
    last = read_event(events(folder / "events.jsonl")[-1])
    assert isinstance(last, Exit) and last.hint is not None
    return last.hint
