"""What can't be read is set aside under a name of its own, and told until it is dismissed."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.disk.notices import Notices
from backend.errors import NotFound


def test_each_damaged_file_keeps_a_name_of_its_own_and_is_told(tmp_path: Path) -> None:
    notices, path = Notices(tmp_path), tmp_path / "queue.json"
    for text in ("one", "two"):
        path.write_text(text, encoding="utf-8")
        notices.set_aside(path, "queue.json is not valid JSON.", "Nothing waits.")

    assert not path.exists()
    assert {each.read_text() for each in tmp_path.glob("queue.json.damaged-*")} == {"one", "two"}
    told = Notices(tmp_path).listed().notices
    assert {Path(str(notice.kept_as)).read_text() for notice in told} == {"one", "two"}
    for notice in told:
        assert str(path) == notice.file and str(notice.kept_as) in notice.message


def test_a_dismissed_notice_does_not_come_back_and_its_file_stays(tmp_path: Path) -> None:
    notices, path = Notices(tmp_path), tmp_path / "votes"
    path.write_text("kept", encoding="utf-8")
    for _ in range(3):
        notices.report(path, "votes can't be read.", "They are not counted.")
    (notice,) = notices.listed().notices
    assert notice.kept_as is None and "The file is unchanged" in notice.message

    notices.dismiss(notice.id)
    Notices(tmp_path).report(path, "votes can't be read.", "They are not counted.")
    assert notices.listed().notices == []
    assert path.read_text(encoding="utf-8") == "kept"
    with pytest.raises(NotFound):
        notices.dismiss("../votes")
