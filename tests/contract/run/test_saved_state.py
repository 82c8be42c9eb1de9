"""A saved state as the engine writes it and the server reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from backend.contract.record import write_record
from backend.contract.run.folder import state_file, state_optimizer, state_weights
from backend.contract.run.saved_state import SavedState
from backend.core.disk.files import write_json
from backend.jobs.run.saved_states import saved_states


def test_what_the_engine_writes_is_what_the_server_continues_from(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    state = SavedState(
        checkpoint=20, step=18, best=(15, 0.5), train_loss=1.5, weights=state_weights(20),
        optimizer=state_optimizer(20), saved_at=datetime(2026, 12, 1, 12, tzinfo=UTC),
    )  # fmt: skip
    for name in (state.weights, state.optimizer):
        (folder / name).touch()
    write_json(folder / state_file(20), write_record(state))

    assert saved_states(tmp_path) == [state]


def test_a_state_without_its_fields_is_none(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    write_json(tmp_path / "state" / state_file(20), {"checkpoint": 20})

    assert saved_states(tmp_path) == []
