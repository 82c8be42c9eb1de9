"""What was deleted comes back whole, once, for a day, and never over another thing."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from backend.core.disk.removal import Doomed, NotRemoved, named
from backend.core.disk.trash import Trash
from backend.errors import AlreadyExists, NotFound


def thing(root: Path, name: str, text: str = "worth keeping") -> Doomed:
    folder = root / "records"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return Doomed(folder / name, folder, named(r".+\.json"))


def test_a_file_and_a_folder_go_together_and_come_back_together_once(tmp_path: Path) -> None:
    record = thing(tmp_path, "run.json")
    run = tmp_path / "records" / "run"
    (run / "state").mkdir(parents=True)
    (run / "state" / "step").write_text("40")
    trash = Trash(tmp_path)

    undo = trash.put([record, Doomed(run, run.parent, named("run"))])
    assert undo is not None
    assert list((tmp_path / "records").iterdir()) == []

    assert Trash(tmp_path).restore(undo) == 2, "also after a restart"
    assert record.path.read_text() == "worth keeping"
    assert (run / "state" / "step").read_text() == "40"
    with pytest.raises(NotFound, match="can't be put back"):
        trash.restore(undo)
    assert list((tmp_path / "trash").iterdir()) == []


def test_nothing_is_put_back_over_what_came_meanwhile(tmp_path: Path) -> None:
    trash = Trash(tmp_path)
    undo = trash.put([thing(tmp_path, "a.json", "old"), thing(tmp_path, "b.json", "old")])
    assert undo is not None
    new = thing(tmp_path, "b.json", "new")
    with pytest.raises(AlreadyExists, match=r"b\.json"):
        trash.restore(undo)
    assert new.path.read_text() == "new"
    assert not (tmp_path / "records" / "a.json").exists(), "all of it or none"
    new.path.unlink()
    assert trash.restore(undo) == 2


def test_what_is_not_ours_stays_and_so_does_the_rest(tmp_path: Path) -> None:
    mine, other = thing(tmp_path, "a.json"), thing(tmp_path, "notes.txt")
    with pytest.raises(NotRemoved, match="nothing proves"):
        Trash(tmp_path).put([mine, other])
    assert mine.path.exists()
    assert other.path.exists()


def test_it_is_emptied_of_what_is_old(tmp_path: Path) -> None:
    trash = Trash(tmp_path)
    undo = trash.put([thing(tmp_path, "a.json")])
    assert undo is not None
    trash.empty()
    assert (tmp_path / "trash" / undo).is_dir()
    trash.empty(older_than=timedelta(seconds=-5))
    with pytest.raises(NotFound):
        trash.restore(undo)


def test_what_lies_outside_the_data_root_is_removed_and_nothing_is_put_there(
    tmp_path: Path,
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    outside = thing(tmp_path, "a.json")
    assert Trash(root).put([outside]) is None
    assert not outside.path.exists()

    undo = Trash(root).put([thing(root, "b.json")])
    assert undo is not None
    contents = root / "trash" / undo / "contents.json"
    found = json.loads(contents.read_text())
    contents.write_text(json.dumps(found | {"paths": ["../b.json"]}))
    with pytest.raises(NotFound, match="below the data root"):
        Trash(root).restore(undo)
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize("name", ["", "..", "../records", "20260101_000000_0123abcd"])
def test_an_unknown_id_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound, match="can't be put back"):
        Trash(tmp_path).restore(name)
