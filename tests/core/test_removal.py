"""What can't be removed completely is not removed at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.core.removal import remove_whole, sweep_removed


def test_files_folders_and_links_go_but_not_what_a_link_leads_to(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (tmp_path / "link").symlink_to(kept)
    (tmp_path / "folder" / "in").mkdir(parents=True)
    (tmp_path / "folder" / "in" / "link").symlink_to(kept)
    (tmp_path / "file").write_text("x")

    remove_whole([tmp_path / name for name in ("link", "folder", "file", "nothing")])

    assert list(tmp_path.iterdir()) == [kept]


def test_a_folder_with_one_that_may_not_be_emptied_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "folder" / "locked"
    inner.mkdir(parents=True)
    (tmp_path / "file").write_text("x")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(inner) and access(path, mode))

    with pytest.raises(PermissionError, match="locked"):
        remove_whole([tmp_path / "file", tmp_path / "folder"])

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "locked"]


def test_what_a_failing_disk_left_of_a_removal_goes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()

    def fail(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", fail)
        remove_whole([tmp_path / "folder"])
    assert not (tmp_path / "folder").exists()
    assert sweep_removed(tmp_path) == 1
    assert not list(tmp_path.iterdir())
