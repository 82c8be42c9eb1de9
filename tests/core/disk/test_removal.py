"""What may be removed, and everything that may not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.core.disk import removal
from backend.core.disk.removal import (
    Doomed,
    NotRemoved,
    discard,
    named,
    remove,
    remove_all,
    sweep_removed,
)


def filled(folder: Path) -> Path:
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("kept?")
    return folder


def test_an_own_file_and_an_own_folder_go_whole(tmp_path: Path) -> None:
    thing = filled(tmp_path / "own-1")
    (tmp_path / "own-2").write_text("")

    assert remove(thing, inside=tmp_path, own=named(r"own-\d"))
    assert remove(tmp_path / "own-2", inside=tmp_path, own=named(r"own-\d"))
    assert not remove(thing, inside=tmp_path, own=named(r"own-\d"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["foreign", "link", "own/deep", ".", "own/..", "own/../../inside"])
def test_what_is_not_proven_to_be_ours_stays(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    filled(inside / "own")
    filled(inside / "foreign")
    (inside / "link").symlink_to(filled(tmp_path / "elsewhere"))

    with pytest.raises(NotRemoved, match="is not removed"):
        remove(inside / name, inside=inside, own=named("own|link|deep|inside"))

    for folder in ("inside/own", "inside/foreign", "inside/link", "elsewhere"):
        assert (tmp_path / folder / "deep" / "file").read_text() == "kept?"


def test_a_link_is_removed_only_when_asked_and_never_followed(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(filled(tmp_path / "elsewhere"))

    assert remove(inside / "link", inside=inside, own=named("link"), link=True)

    assert list(inside.iterdir()) == []
    assert (tmp_path / "elsewhere" / "deep" / "file").is_file()


def test_a_folder_that_holds_the_working_directory_or_home_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = filled(tmp_path / "own")
    with monkeypatch.context() as patch:
        patch.chdir(place / "deep")
        with pytest.raises(NotRemoved, match="working directory"):
            remove(place, inside=tmp_path, own=named("own"))
    monkeypatch.setenv("HOME", str(place))
    with pytest.raises(NotRemoved, match="home folder"):
        remove(place, inside=tmp_path, own=named("own"))
    assert (place / "deep" / "file").is_file()


def test_a_folder_with_something_mounted_in_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = filled(tmp_path / "own")
    monkeypatch.setattr(removal, "_mounts", lambda: [place.resolve() / "deep"])

    with pytest.raises(NotRemoved, match="mounted"):
        remove(place, inside=tmp_path, own=named("own"))
    assert (place / "deep" / "file").is_file()


def test_a_removal_that_was_cut_short_leaves_no_half_and_goes_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = filled(tmp_path / "own")

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", cut)
        with pytest.raises(KeyboardInterrupt):
            remove(place, inside=tmp_path, own=named("own"))
    assert not place.exists()

    (tmp_path / ".mine.removed").mkdir()  # No name that this app gives.
    assert sweep_removed(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == [".mine.removed"]


def test_only_what_is_named_like_a_temporary_file_is_discarded(tmp_path: Path) -> None:
    temporary = filled(tmp_path / f".own.{'0' * 16}.tmp")
    discard(temporary)
    discard(temporary)
    with pytest.raises(NotRemoved):
        discard(filled(tmp_path / "own"))
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def doomed(path: Path) -> Doomed:
    return Doomed(path, path.parent, named(r"\w+"))


def test_files_folders_and_links_go_but_not_what_a_link_leads_to(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (tmp_path / "link").symlink_to(kept)
    (tmp_path / "folder" / "in").mkdir(parents=True)
    (tmp_path / "folder" / "in" / "link").symlink_to(kept)
    (tmp_path / "file").write_text("x")

    remove_all(
        [doomed(tmp_path / name) for name in ("link", "folder", "file", "nothing")], link=True
    )

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
        remove_all([doomed(tmp_path / "file"), doomed(tmp_path / "folder")])

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "locked"]


def test_what_a_failing_disk_left_of_a_removal_goes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()

    def fail(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", fail)
        remove_all([doomed(tmp_path / "folder")])
    assert not (tmp_path / "folder").exists()
    assert sweep_removed(tmp_path) == 1
    assert not list(tmp_path.iterdir())
