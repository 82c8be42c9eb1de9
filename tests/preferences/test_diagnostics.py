"""The diagnostics bundle: enough to help, and nothing that is the user's own."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from pydantic import BaseModel

from backend.preferences.diagnostics import write_bundle
from backend.preferences.schemas import SettingsPatch
from backend.settings import Settings, read_settings
from tests.preferences.test_service import preferences

SESSION = "0c6ae53e-6a3c-4f27-9d5b-0d2f0f7a9c11"
SECRETS = ("hf_MARKmarkMARKmark", "judge-key-MARK", "sk-MARKmarkMARKmarkMARK")


class About(BaseModel):
    data_dir: str


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOME", str(tmp_path / "home of ada"))
    root = tmp_path / "home of ada" / "droid"
    root.mkdir(parents=True)
    return read_settings({}, data_dir=str(root))


def bundle(settings: Settings) -> dict[str, str]:
    about = About(data_dir=str(settings.data_dir))
    data = write_bundle(settings, about=about, shown=preferences(settings).view())
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


def test_it_holds_versions_settings_logs_and_runs(settings: Settings) -> None:
    write_run(settings)

    files = bundle(settings)

    assert set(files) == {
        "README.txt", "about.json", "settings.json", "logs/backend.log",
        f"runs/session_{SESSION}.json", f"runs/{SESSION}.log",
    }  # fmt: skip
    assert json.loads(files[f"runs/session_{SESSION}.json"])["config"]["learning_rate"] == 0.0001
    assert "step 12 of 40" in files[f"runs/{SESSION}.log"]
    assert json.loads(files["settings.json"])["keep_awake"] is True


def test_it_holds_no_secret_and_no_full_home_path(settings: Settings) -> None:
    token = preferences(settings).make_token()
    preferences(settings).change(
        SettingsPatch(judge_key="judge-key-MARK", hub_token="hf_MARKmarkMARKmark")
    )
    write_run(settings, secrets=(*SECRETS, token))

    files = bundle(settings)

    for name, text in files.items():
        for secret in (*SECRETS, token, "my private note"):
            assert secret not in text, f"{name} holds {secret}"
        assert str(Path.home()) not in text, name
    assert "~/droid" in files["about.json"]
    assert "~/data/rows.jsonl" in files[f"runs/{SESSION}.log"]


def test_it_is_made_where_nothing_is_there_yet_and_where_files_are_damaged(
    settings: Settings,
) -> None:
    assert set(bundle(settings)) == {"README.txt", "about.json", "settings.json"}
    settings.sessions_dir.mkdir()
    (settings.sessions_dir / f"session_{SESSION}.json").write_text("{")
    (settings.sessions_dir / "session_link.json").symlink_to("/dev/zero")

    assert set(bundle(settings)) == {"README.txt", "about.json", "settings.json"}


def write_run(settings: Settings, *, secrets: tuple[str, ...] = ()) -> None:
    said = " ".join(secrets)
    settings.logs_dir.mkdir(exist_ok=True)
    (settings.logs_dir / "backend.log").write_text(f'{{"message": "started {said}"}}\n')
    folder = settings.sessions_dir / SESSION
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.log").write_text(
        f"step 12 of 40\nreading {Path.home()}/data/rows.jsonl\nAuthorization: Bearer {said}\n"
    )
    record = {
        "session_id": SESSION,
        "notes": "my private note",
        "config": {"learning_rate": 1e-4, "notes": "my private note", "sample_prompts": ["x"]},
    }
    (settings.sessions_dir / f"session_{SESSION}.json").write_text(json.dumps(record))
