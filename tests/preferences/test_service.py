"""Settings that are changed in the app: checked, kept, and in force at once."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.errors import Invalid, WrongState
from backend.models.catalog import ModelCatalog
from backend.preferences.schemas import KeepingAwake, SettingsPatch
from backend.preferences.service import Preferences
from backend.settings import CHECKOUT, Settings, read_settings
from tests.fakes.receiver import receiving

DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def settings(tmp_path: Path, home: Path) -> Settings:
    return made(tmp_path)


def made(tmp_path: Path, **environ: str) -> Settings:
    root = tmp_path / "data"
    root.mkdir(exist_ok=True)
    return read_settings(environ, data_dir=str(root))


def preferences(settings: Settings) -> Preferences:
    awake = KeepingAwake(by=None, active=False)
    return Preferences(settings, ModelCatalog(settings), lambda: awake)


def changed(settings: Settings, **fields: Any) -> Any:
    return preferences(settings).change(SettingsPatch.model_validate(fields))


def test_a_folder_that_is_added_is_searched_at_once_and_after_a_restart(
    settings: Settings, tmp_path: Path
) -> None:
    models = tmp_path / "my models"
    shutil.copytree(DEMO, models / "mine")
    catalog = ModelCatalog(settings)
    assert "mine" not in [model.name for model in catalog.scan()]

    view = changed(settings, models_dirs=[str(models)])

    assert "mine" in [model.name for model in catalog.scan()]
    added = view.models_dirs[-1]
    assert (added.path, added.origin, added.models) == (str(models), "added", 1)
    assert [one.origin for one in view.models_dirs if not one.removable] == ["own", "demo"]
    again = read_settings({}, data_dir=str(settings.data_dir))
    assert again.models_dirs[-1] == models
    assert "mine" in [model.name for model in ModelCatalog(again).scan()]


def test_null_brings_the_folders_of_other_programs_back(settings: Settings, home: Path) -> None:
    hub = home / ".cache" / "huggingface" / "hub"
    hub.mkdir(parents=True)

    assert hub not in [Path(one.path) for one in changed(settings, models_dirs=[]).models_dirs]
    again = changed(settings, models_dirs=None).models_dirs[-1]
    assert (again.path, again.origin) == (str(hub), "found")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("models", "it must be a full path"),
        ("/no/such/folder", "there is no such folder"),
        (str(DEMO / "config.json"), "it is not a folder"),
        ("/", "it is too wide"),
        ("~", "it is too wide"),
    ],
)
def test_a_folder_that_can_not_be_searched_is_refused(
    settings: Settings, path: str, why: str
) -> None:
    with pytest.raises(Invalid, match=why) as refusal:
        changed(settings, models_dirs=[path])

    assert path in refusal.value.detail
    assert refusal.value.errors[0].field == "models_dirs[0]"
    assert settings.saved.values.models_dirs is None


def test_secrets_are_kept_for_the_owner_alone_and_never_shown(settings: Settings) -> None:
    view = changed(
        settings,
        judge_url="https://judge.example/v1/",
        judge_model="stern",
        judge_key="key-of-the-judge-123",
        hub_token="hf_secretsecret",
    )

    assert view.judge.key_saved and view.hub.token_saved
    assert view.judge.url == "https://judge.example/v1"
    assert "key-of-the-judge-123" not in view.model_dump_json()
    assert "hf_secretsecret" not in view.model_dump_json()
    file = settings.data_dir / "secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (settings.judge_key, settings.hf_token) == ("key-of-the-judge-123", "hf_secretsecret")
    assert "key-of-the-judge" not in (settings.data_dir / "settings.json").read_text()

    assert not changed(settings, judge_key=None).judge.key_saved
    assert settings.judge_key is None


def test_a_saved_key_is_not_sent_to_a_judge_that_the_environment_names(
    settings: Settings, tmp_path: Path
) -> None:
    changed(settings, judge_url="https://judge.example/v1", judge_key="key-of-the-judge-123")

    other = made(tmp_path, DROID_JUDGE_URL="https://other.example/v1")

    assert other.judge_url == "https://other.example/v1"
    assert other.judge_key is None


@pytest.mark.parametrize(
    ("variable", "value", "change"),
    [
        ("DROID_MODELS_DIR", "/somewhere", {"models_dirs": []}),
        ("DROID_JUDGE_URL", "https://judge.example/v1", {"judge_model": "kind"}),
        ("HF_TOKEN", "hf_of_the_environment", {"hub_token": None}),
    ],
)
def test_what_the_environment_sets_is_not_changed_here(
    tmp_path: Path, home: Path, variable: str, value: str, change: dict[str, Any]
) -> None:
    settings = made(tmp_path, **{variable: value})

    with pytest.raises(WrongState, match=f"{variable} sets it"):
        changed(settings, keep_awake=False, **change)

    assert settings.saved.values.keep_awake, "nothing of a refused change is kept"


def test_only_what_is_given_changes(settings: Settings) -> None:
    changed(settings, keep_awake=False, run_defaults={"lora_rank": 8, "batch_size": 2})
    view = changed(settings, theme="dark")

    assert (view.keep_awake, view.theme, view.notifications) == (False, "dark", True)
    assert view.run_defaults.model_dump(exclude_none=True) == {"lora_rank": 8, "batch_size": 2}
    cleared = changed(settings, run_defaults=None).run_defaults
    assert cleared.model_dump(exclude_none=True) == {}


@pytest.mark.parametrize("bad", [{"lora_rank": 0}, {"batch_size": 1.5}, {"learning_rate": 1.0}])
def test_a_default_has_the_limits_of_its_field(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="run_defaults"):
        SettingsPatch.model_validate({"run_defaults": bad})


def test_a_judge_needs_the_address_of_a_service(settings: Settings) -> None:
    with pytest.raises(Invalid, match=r"'judge\.example'"):
        changed(settings, judge_url="judge.example")


def test_a_token_is_made_replaced_and_dropped(settings: Settings, tmp_path: Path) -> None:
    first = preferences(settings).make_token()
    second = preferences(settings).make_token()

    assert len(first) >= 32 and first != second
    assert settings.token == second
    assert read_settings({}, data_dir=str(settings.data_dir)).token == second
    assert preferences(settings).drop_token().api.token == "none"

    given = made(tmp_path, DROID_TOKEN="t" * 32)
    with pytest.raises(WrongState, match="given when the service was started"):
        preferences(given).make_token()


def test_a_service_for_other_machines_keeps_its_token(settings: Settings, tmp_path: Path) -> None:
    preferences(settings).make_token()
    wide = made(tmp_path, DROID_HOST="0.0.0.0")  # noqa: S104 - never bound

    with pytest.raises(WrongState, match="needs a token"):
        preferences(wide).drop_token()


def test_a_damaged_file_is_as_if_nothing_were_saved_and_is_not_overwritten(
    settings: Settings,
) -> None:
    file = settings.data_dir / "settings.json"
    file.write_text('{"keep_awake": "perhaps"')

    again = read_settings({}, data_dir=str(settings.data_dir))
    assert again.saved.values.keep_awake
    changed(again, keep_awake=False)

    kept = list(settings.data_dir.glob("settings.json.damaged-*"))
    assert len(kept) == 1
    assert not read_settings({}, data_dir=str(settings.data_dir)).saved.values.keep_awake


async def test_an_engine_that_can_not_compute_is_told_with_the_remedy(settings: Settings) -> None:
    found = await preferences(replace(settings, python=Path("/bin/false"))).check_engine()

    assert not found.works
    assert found.problem == "It can't compute. exit code 1"
    assert found.remedy is not None and "./startmlxnew" in found.remedy


def test_a_service_that_is_told_of_ends_is_shown_by_its_host_and_can_be_tried(
    settings: Settings,
) -> None:
    with pytest.raises(WrongState, match="No service is set"):
        preferences(settings).test_messages()
    with receiving(404) as receiver:
        view = changed(settings, webhook_url=f"{receiver.url}/key-of-mine")
        tests = preferences(settings).test_messages()

    assert (view.messages.webhook_host, view.messages.ntfy_host) == ("127.0.0.1", None)
    assert "key-of-mine" not in view.model_dump_json()
    assert [(test.channel, test.sent, test.problem) for test in tests] == [
        ("webhook", False, "it answered 404 (Not Found)")
    ]
    assert receiver.posts[0][1]["event"] == "test"


def test_an_address_that_no_message_can_be_sent_to_is_refused_at_its_field(
    settings: Settings,
) -> None:
    with pytest.raises(Invalid, match="must end with the topic") as refusal:
        changed(settings, ntfy_url="https://ntfy.example")
    assert [problem.field for problem in refusal.value.errors] == ["ntfy_url"]
    assert changed(settings, ntfy_url=None).messages.ntfy_host is None
