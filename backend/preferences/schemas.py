"""The settings as the API shows and takes them. Secrets are taken and never shown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.core.saved_settings import Theme
from backend.preferences.connections import Connection
from backend.preferences.run_defaults import RunDefaults

Origin = Literal["own", "demo", "found", "added", "given"]
Text = Annotated[str, Field(min_length=1, max_length=4096)]
Secret = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+$")]


class Folders(BaseModel):
    """Where this app writes."""

    data: str
    sessions: str
    adapters: str
    exports: str
    logs: str


class ModelsFolder(BaseModel):
    """A folder that is searched for base models. `own` and `demo` always are; `found` belongs to
    another program; `added` was added in the settings; `given` stands in DROID_MODELS_DIR.
    """

    path: str
    origin: Origin
    exists: bool
    models: int
    removable: bool


class ApiAccess(BaseModel):
    """How programs reach this service. `token`: none is asked for, one that the settings made, or
    one that was given at the start.
    """

    url: str
    token: Literal["none", "saved", "given"]
    local_only: bool


class EngineInstallation(BaseModel):
    """The Python that trains, and the command that makes its environment anew."""

    python: str
    python_version: str
    versions: dict[str, str | None]
    repair_command: str
    repair_note: str


class EngineCheck(BaseModel):
    """Whether the engine computes: it was asked to multiply two matrices."""

    works: bool
    device: str | None
    problem: str | None
    remedy: str | None


class JudgeSetting(BaseModel):
    """The service that scores answers. `fixed_by` names the variable that sets it, if one does."""

    url: str | None
    model: str | None
    key_saved: bool
    fixed_by: str | None


class HubSetting(BaseModel):
    """The hub that models come from, and whether there is a token for it."""

    endpoint: str
    token_saved: bool
    fixed_by: str | None


class Messages(BaseModel):
    """The services that are told when a run or a job has ended, by their hosts: an address may hold
    a secret.
    """

    webhook_host: str | None
    ntfy_host: str | None


class MessageTest(BaseModel):
    """Whether a test message arrived; `problem` says why it did not."""

    channel: Literal["webhook", "ntfy"]
    host: str
    sent: bool
    problem: str | None


class KeepingAwake(BaseModel):
    """`by`: the program that keeps this machine awake; null where there is none. `active`: now."""

    by: str | None
    active: bool


class SettingsView(BaseModel):
    """GET /settings."""

    version: str
    folders: Folders
    models_dirs: list[ModelsFolder]
    models_dirs_fixed_by: str | None
    api: ApiAccess
    engines: EngineInstallation
    judge: JudgeSetting
    hub: HubSetting
    messages: Messages
    keep_awake: bool
    keeping_awake: KeepingAwake
    notifications: bool
    theme: Theme | None
    run_defaults: RunDefaults
    connections: list[Connection]


class SettingsPatch(BaseModel):
    """PATCH /settings: what is left out stays. Null: of `models_dirs`, the folders of other
    programs again; of a text or a secret, none.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    models_dirs: list[Text] | None = Field(
        None, max_length=50, description="Folders to search beside the app's own two."
    )
    judge_url: Text | None = Field(None, description="As https://host/v1.")
    judge_model: Text | None = None
    judge_key: Secret | None = Field(None, description="Write-only.")
    hub_token: Secret | None = Field(None, description="Write-only; a token of Hugging Face.")
    webhook_url: Secret | None = Field(
        None, description="Write-only. Gets a JSON document when a run or a job has ended."
    )
    ntfy_url: Secret | None = Field(
        None, description="Write-only. A topic of ntfy, as https://ntfy.sh/my-topic."
    )
    keep_awake: bool = True
    notifications: bool = True
    theme: Theme | None = None
    run_defaults: RunDefaults | None = None


class NewToken(BaseModel):
    """Shown this once; the page that asked for it has it as a cookie."""

    token: str
