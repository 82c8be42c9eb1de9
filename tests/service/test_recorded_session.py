"""What a script or a dashboard is answered stays what it was: a whole session beside its record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.service import recording
from tests.service.server import running_server

pytestmark = pytest.mark.engine


def test_a_scripted_session_answers_as_recorded(tmp_path: Path) -> None:
    expected = json.loads(recording.RECORDED.read_text(encoding="utf-8"))
    data = tmp_path.resolve() / "data"

    with running_server(data) as server:
        answers = recording.play(server, data)

    changed = [name for name in expected | answers if expected.get(name) != answers.get(name)]
    assert not changed, (
        "These answers differ from tests/service/recorded/session.json. Where that is meant, write "
        "it anew with `python -m tests.service.recording`, and name the change in CHANGELOG.md."
    )
