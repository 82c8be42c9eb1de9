from __future__ import annotations

from pathlib import Path

import pytest

from scripts.setup import stamps
from scripts.setup.stamps import digest, drop_stamp, read_stamp, write_stamp


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stamps, "CHECKOUT", tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.ts").write_text("one")
    return tmp_path


def test_the_same_files_have_the_same_digest(tree: Path) -> None:
    assert digest([tree / "src"]) == digest([tree / "src"])


def test_a_changed_renamed_or_added_file_changes_it(tree: Path) -> None:
    seen = {digest([tree / "src"])}
    (tree / "src" / "a.ts").write_text("two")
    seen.add(digest([tree / "src"]))
    (tree / "src" / "a.ts").rename(tree / "src" / "b.ts")
    seen.add(digest([tree / "src"]))
    (tree / "src" / "c.ts").write_text("")
    seen.add(digest([tree / "src"]))

    assert len(seen) == 4


def test_what_is_built_or_installed_does_not_count(tree: Path) -> None:
    before = digest([tree / "src"])
    for folder in ("dist", "node_modules"):
        (tree / "src" / folder).mkdir()
        (tree / "src" / folder / "x.js").write_text("made")

    assert digest([tree / "src"]) == before


def test_a_file_that_is_not_there_counts_for_nothing(tree: Path) -> None:
    assert digest([tree / "src", tree / "gone.json"]) == digest([tree / "src"])


def test_a_stamp_is_read_back_until_it_is_dropped(tree: Path) -> None:
    write_stamp(tree, digest="abc")
    assert read_stamp(tree) == {"digest": "abc"}

    drop_stamp(tree)
    drop_stamp(tree)
    assert read_stamp(tree) == {}


def test_a_broken_stamp_means_that_nothing_is_known(tree: Path) -> None:
    (tree / ".droid-stamp.json").write_text("[1")

    assert read_stamp(tree) == {}
