from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from backend.core.disk.removal import NotRemoved
from backend.errors import NotFound, WrongState
from backend.models.catalog import ModelCatalog
from backend.models.own_models import OwnModels
from tests.models.folders import model_folder, settings_for


def own_models(root: Path, *places: Path, used: Sequence[str] = ()) -> OwnModels:
    settings = settings_for(root, *(places or (root / "models",)))
    users = [("a run trains on it; stop it, or wait.", lambda: list(used))]
    return OwnModels(settings, ModelCatalog(settings), users)


def test_a_model_of_the_apps_own_folder_is_deleted_whole(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    model_folder(tmp_path / "models" / "other")

    own_models(tmp_path).delete("tiny")

    assert not folder.exists()
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["other"]


def test_a_model_of_another_program_stays_with_a_reason(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "lmstudio" / "publisher" / "theirs")
    models = own_models(tmp_path, tmp_path / "models", tmp_path / "lmstudio")

    with pytest.raises(WrongState, match=r"theirs can't be deleted here.*not in this app's"):
        models.delete("theirs")

    assert (folder / "model.safetensors").is_file()


def test_where_downloads_go_elsewhere_only_what_this_app_made_is_deleted(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    theirs, ours = model_folder(place / "theirs"), model_folder(place / "ours")
    (ours / "droid_source.json").write_text(json.dumps({"repo_id": "a/ours", "revision": "main"}))
    models = own_models(tmp_path / "root", place)

    with pytest.raises(WrongState, match="can't be deleted here"):
        models.delete("theirs")
    models.delete("ours")

    assert theirs.is_dir()
    assert not ours.exists()


@pytest.mark.parametrize("as_path", [True, False])
def test_a_model_in_use_stays_and_the_user_is_named(tmp_path: Path, as_path: bool) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    models = own_models(tmp_path, used=[str(folder) if as_path else "tiny"])

    with pytest.raises(WrongState, match="tiny can't be deleted now: a run trains on it"):
        models.delete("tiny")

    assert (folder / "model.safetensors").is_file()


def test_a_linked_model_loses_its_link_and_nothing_else(tmp_path: Path) -> None:
    target = model_folder(tmp_path / "elsewhere" / "real")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "linked").symlink_to(target)

    own_models(tmp_path).delete("linked")

    assert not (tmp_path / "models" / "linked").is_symlink()
    assert (target / "model.safetensors").is_file()


@pytest.mark.parametrize("name", ["gone", "../models/tiny", "models/tiny"])
def test_only_a_name_of_the_list_is_taken(tmp_path: Path, name: str) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")

    with pytest.raises(NotFound, match="There is no model"):
        own_models(tmp_path).delete(name)

    assert folder.is_dir()


def test_a_model_that_holds_the_working_directory_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    monkeypatch.chdir(folder)

    with pytest.raises(NotRemoved, match="working directory"):
        own_models(tmp_path).delete("tiny")

    assert folder.is_dir()
