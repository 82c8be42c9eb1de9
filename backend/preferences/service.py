"""The settings of the app: what they are now, and changes to them, checked and kept."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend import __version__
from backend.contract.record import write_record
from backend.core.disk.files import write_json
from backend.core.disk.notices import Notices
from backend.core.machine.engine_check import install_again, repair_command, try_engine
from backend.core.machine.versions import engine_versions
from backend.downloads.hub_environment import hub_endpoint
from backend.errors import FieldProblem, Invalid, WrongState
from backend.models.catalog import ModelCatalog
from backend.notifications.channels import (
    Channel,
    ChannelName,
    NotSent,
    channels_of,
    names_service,
    url_problem,
)
from backend.notifications.messages import TEST
from backend.preferences.connections import list_connections
from backend.preferences.run_defaults import RunDefaults, valid_defaults
from backend.preferences.schemas import (
    ApiAccess,
    EngineCheck,
    EngineInstallation,
    Folders,
    HubSetting,
    JudgeSetting,
    KeepingAwake,
    Messages,
    MessageTest,
    ModelsFolder,
    Origin,
    SettingsPatch,
    SettingsView,
)
from backend.settings import Settings, other_models_dirs

_VALUES = ("judge_url", "judge_model", "keep_awake", "notifications", "theme")
_SECRETS = ("judge_key", "hub_token", "webhook_url", "ntfy_url")
_CHANNELS: Mapping[str, ChannelName] = {"webhook_url": "webhook", "ntfy_url": "ntfy"}
_REPAIR_NOTE = (
    "It removes the environment of the engines and installs it again from the network. End the "
    "app first; models, adapters and sessions are not touched."
)


class Preferences:
    """Blocking but for `check_engine`. `keeping_awake` answers who keeps the machine awake."""

    def __init__(
        self, settings: Settings, models: ModelCatalog, keeping_awake: Callable[[], KeepingAwake]
    ) -> None:
        self._settings = settings
        self._saved = settings.saved
        self._models = models
        self._keeping_awake = keeping_awake
        self._notices = Notices(settings.data_dir)
        self._lock = threading.Lock()  # A change is read, made and written.

    def view(self) -> SettingsView:
        settings, values = self._settings, self._saved.values
        python, versions = engine_versions(settings)
        hosts = {channel.name: channel.host for channel in channels_of(self._saved.secrets)}
        return SettingsView(
            version=__version__,
            folders=Folders(
                data=str(settings.data_dir),
                sessions=str(settings.sessions_dir),
                adapters=str(settings.adapters_dir),
                exports=str(settings.exports_dir),
                logs=str(settings.logs_dir),
            ),
            models_dirs=self._models_folders(),
            models_dirs_fixed_by="DROID_MODELS_DIR" if settings.given.models_dirs else None,
            api=ApiAccess(
                url=_address(settings),
                token="given" if settings.given.token else "saved" if settings.token else "none",
                local_only=settings.is_loopback,
            ),
            engines=EngineInstallation(
                python=str(settings.python),
                python_version=python,
                versions=versions,
                repair_command=repair_command(),
                repair_note=_REPAIR_NOTE,
            ),
            judge=JudgeSetting(
                url=settings.judge_url,
                model=settings.judge_model,
                key_saved=settings.judge_key is not None,
                fixed_by="DROID_JUDGE_URL" if settings.given.judge_url else None,
            ),
            hub=HubSetting(
                endpoint=hub_endpoint(settings),
                token_saved=settings.hf_token is not None,
                fixed_by="HF_TOKEN" if settings.given.hf_token else None,
            ),
            messages=Messages(webhook_host=hosts.get("webhook"), ntfy_host=hosts.get("ntfy")),
            keep_awake=values.keep_awake,
            keeping_awake=self._keeping_awake(),
            notifications=values.notifications,
            theme=values.theme,
            run_defaults=RunDefaults.model_validate(valid_defaults(values.run_defaults)),
            connections=list(list_connections(settings)),
        )

    def change(self, patch: SettingsPatch) -> SettingsView:
        """Check all of it, then write it. Raises Invalid, or WrongState for what is fixed."""
        changes = {name: getattr(patch, name) for name in patch.model_fields_set}
        self._require_free(changes)
        values = {name: changes[name] for name in _VALUES if name in changes}
        if "models_dirs" in changes:
            chosen = changes["models_dirs"]
            values["models_dirs"] = None if chosen is None else self._checked_folders(chosen)
        if changes.get("judge_url"):
            values["judge_url"] = _checked_url(changes["judge_url"])
        if (defaults := changes.get("run_defaults", ...)) is not ...:
            chosen = defaults.model_dump(exclude_none=True) if defaults is not None else {}
            values["run_defaults"] = chosen
        secrets = {name: changes[name] for name in _SECRETS if name in changes}
        _require_channels(secrets)
        with self._lock:
            if secrets:
                self._write_secrets(secrets)
            if values:
                self._write_values(values)
        return self.view()

    def make_token(self) -> str:
        """A new token, which every program needs from now on. Raises WrongState."""
        self._require_own_token()
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._write_secrets({"token": token})
        return token

    def drop_token(self) -> SettingsView:
        """No token is asked for any more. Raises WrongState where there must be one."""
        self._require_own_token()
        if not self._settings.is_loopback:
            raise WrongState(
                f"The service listens on {self._settings.host}, where other machines reach it, so "
                "it needs a token.",
                hint="Make a new one, or start it with --host 127.0.0.1.",
            )
        with self._lock:
            self._write_secrets({"token": None})
        return self.view()

    def test_messages(self) -> list[MessageTest]:
        """Send a test to each service that is set. Blocking. Raises WrongState where none is."""
        channels = channels_of(self._saved.secrets)
        if not channels:
            raise WrongState(
                "No service is set that could be told.",
                hint="Give the address of a webhook or of a topic of ntfy first.",
            )
        return [_tested(channel) for channel in channels]

    async def check_engine(self) -> EngineCheck:
        tried = await try_engine(self._settings)
        works = tried.problem is None
        return EngineCheck(
            works=works,
            device=tried.device,
            problem=tried.problem,
            remedy=None if works else install_again(),
        )

    def _write_values(self, changed: Mapping[str, Any]) -> None:
        if self._saved.damage is not None:
            consequence = "The settings start from their defaults again."
            self._notices.set_aside(self._saved.path, self._saved.damage, consequence)
        values = replace(self._saved.values, **changed)
        write_json(self._saved.path, write_record(values))
        self._saved.values, self._saved.damage = values, None

    def _write_secrets(self, changed: Mapping[str, Any]) -> None:
        if self._saved.secrets_damage is not None:
            consequence = "Tokens and keys have to be given again."
            damage = self._saved.secrets_damage
            self._notices.set_aside(self._saved.secrets_path, damage, consequence)
        secrets = replace(self._saved.secrets, **changed)
        write_json(self._saved.secrets_path, write_record(secrets))
        self._saved.secrets, self._saved.secrets_damage = secrets, None

    def _require_free(self, changes: Mapping[str, Any]) -> None:
        fixed = self._settings.given
        judge = "DROID_JUDGE_URL" if fixed.judge_url else None
        owners = {
            "models_dirs": "DROID_MODELS_DIR" if fixed.models_dirs else None,
            "judge_url": judge,
            "judge_model": judge,
            "judge_key": judge,
            "hub_token": "HF_TOKEN" if fixed.hf_token else None,
        }
        for name in changes:
            if (owner := owners.get(name)) is not None:
                raise WrongState(
                    f"{name} can't be changed here: {owner} sets it.",
                    hint=f"Remove {owner} from the environment or from "
                    f"{self._settings.data_dir / '.env'}, then start the app again.",
                )

    def _require_own_token(self) -> None:
        if self._settings.given.token:
            raise WrongState(
                "The token was given when the service was started, so it can't be changed here.",
                hint="Start the service without --token and DROID_TOKEN, or with another one.",
            )

    def _checked_folders(self, chosen: Sequence[str]) -> tuple[str, ...]:
        own = {path.resolve() for path in self._settings.own_models_dirs}
        folders: dict[Path, str] = {}
        for number, text in enumerate(chosen):
            path = Path(text).expanduser()
            problem = _problem_of(path)
            if problem is not None:
                raise Invalid(
                    f"The folder {text} can't be searched: {problem}.",
                    hint="Choose a folder that holds model folders.",
                    errors=[FieldProblem(f"models_dirs[{number}]", problem)],
                )
            real = path.resolve()
            if real not in own:
                folders.setdefault(real, os.path.normpath(path))
        return tuple(folders.values())

    def _models_folders(self) -> list[ModelsFolder]:
        paths = [Path(model.path) for model in self._models.scan()]
        others = set(other_models_dirs())
        return [
            ModelsFolder(
                path=str(folder),
                origin=(origin := self._origin(folder, others)),
                exists=folder.is_dir(),
                models=sum(path.is_relative_to(folder) for path in paths),
                removable=origin in ("found", "added"),
            )
            for folder in self._settings.models_dirs
        ]

    def _origin(self, folder: Path, others: set[Path]) -> Origin:
        own, demo = self._settings.own_models_dirs
        if self._settings.given.models_dirs:
            return "given"
        known: dict[Path, Origin] = {own: "own", demo: "demo"}
        return known.get(folder, "found" if folder in others else "added")


def _problem_of(path: Path) -> str | None:
    """Why a folder can't be searched for models."""
    if not path.is_absolute():
        return "it must be a full path, beginning with / or ~"
    if not path.is_dir():
        return "there is no such folder" if not path.exists() else "it is not a folder"
    if path.resolve() in {Path("/"), Path.home().resolve()}:
        return "it is too wide; name the folder that holds the models"
    if not os.access(path, os.R_OK | os.X_OK):
        return "it can't be read with your permissions"
    return None


def _checked_url(url: str) -> str:
    if not names_service(url):
        text = f"The judge's address {url!r} is not one of a service."
        problem = FieldProblem("judge_url", text)
        raise Invalid(text, hint="Give it as https://host/v1.", errors=[problem])
    return url.rstrip("/")


def _require_channels(urls: Mapping[str, str | None]) -> None:
    for name, url in urls.items():
        if name in _CHANNELS and url and (problem := url_problem(_CHANNELS[name], url)):
            raise Invalid(
                f"No message can be sent to {url!r}: {problem}.",
                hint="Copy the address from the service that is to get the messages.",
                errors=[FieldProblem(name, problem)],
            )


def _tested(channel: Channel) -> MessageTest:
    problem: str | None = None
    try:
        channel.send(TEST)
    except NotSent as reason:
        problem = str(reason)
    return MessageTest(
        channel=channel.name, host=channel.host, sent=problem is None, problem=problem
    )


def _address(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
