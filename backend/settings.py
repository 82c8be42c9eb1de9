"""Every setting of the service: flags, environment and `.env`, over what was saved in the app."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.core.saved_settings import SavedSettings

# What holds `backend`, the built page and the demo: a checkout, or the installed package.
CHECKOUT = Path(__file__).resolve().parent.parent
INSTALLED = not (CHECKOUT / "pyproject.toml").is_file()
_APP = "droid-finetuning"
_DOTENV_BYTES = 256 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What flags, environment and `.env` say of what can also be saved on the Settings page: it
    holds over that, and can't be changed there. Empty or None where nothing is said.
    """

    models_dirs: tuple[Path, ...] = ()
    token: str | None = field(default=None, repr=False)
    hf_token: str | None = field(default=None, repr=False)
    judge_url: str | None = None
    judge_model: str | None = None
    judge_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Paths are absolute. `token` is None on a loopback address unless one was given or saved.

    What was saved may change while the server runs, so the properties are read where they are used.
    """

    data_dir: Path
    adapters_dir: Path
    sessions_dir: Path
    logs_dir: Path
    exports_dir: Path
    datasets_dir: Path
    ui_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    python: Path = Path(sys.executable)
    hf_endpoint: str | None = None
    spare_minutes: float = 10.0  # How long a spare engine waits to be used; 0 = none is started.
    given: Given = Given()
    saved: SavedSettings = field(repr=False, compare=False)

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK

    @property
    def own_models_dirs(self) -> tuple[Path, ...]:
        """Where this app's models are: those of the user, and the demo."""
        return (self.data_dir / "models", CHECKOUT / "test_data" / "models")

    @property
    def models_dirs(self) -> tuple[Path, ...]:
        """The folders that are searched for base models."""
        if self.given.models_dirs:
            return self.given.models_dirs
        saved = self.saved.values.models_dirs
        others = other_models_dirs() if saved is None else map(_absolute, saved)
        return (*self.own_models_dirs, *others)

    @property
    def token(self) -> str | None:
        return self.given.token or self.saved.secrets.token

    @property
    def hf_token(self) -> str | None:
        return self.given.hf_token or self.saved.secrets.hub_token

    @property
    def judge_url(self) -> str | None:
        return self.given.judge_url or self.saved.values.judge_url

    @property
    def judge_model(self) -> str | None:
        return self.given.judge_model or self.saved.values.judge_model

    @property
    def judge_key(self) -> str | None:
        # A saved key is for the saved address and is sent to no other.
        saved = None if self.given.judge_url else self.saved.secrets.judge_key
        return self.given.judge_key or saved


def read_settings(
    environ: Mapping[str, str] | None = None,
    *,
    data_dir: str | None = None,
    models_dirs: Sequence[str] = (),
    host: str | None = None,
    port: int | None = None,
    token: str | None = None,
) -> Settings:
    """Merge flags (the keyword arguments) over `environ` over `<data root>/.env` over defaults.

    Raises ValueError with a sentence when a value can't be used.
    """
    variables = dict(os.environ if environ is None else environ)
    root = _absolute(
        data_dir or variables.get("DROID_DATA_DIR") or str(default_data_dir(variables))
    )
    env = {**_read_dotenv(root / ".env"), **variables}

    def folder(name: str, default: str) -> Path:
        return _absolute(env.get(name) or str(root / default))

    searched = list(models_dirs) or [
        part for part in env.get("DROID_MODELS_DIR", "").split(os.pathsep) if part
    ]
    chosen_host = host or env.get("DROID_HOST") or "127.0.0.1"
    chosen_token = token or env.get("DROID_TOKEN") or None
    saved = SavedSettings(root)
    if chosen_host not in LOOPBACK and not (chosen_token or saved.secrets.token):
        raise ValueError(
            f"Refusing to listen on {chosen_host} without a token, because anyone on the network "
            "could then start runs and read files. Give --token (or DROID_TOKEN), "
            "or use --host 127.0.0.1."
        )
    if chosen_token is not None and len(chosen_token) < 22:
        raise ValueError(
            f"The token has {len(chosen_token)} characters; 22 or more are needed (128 bits). "
            'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return Settings(
        data_dir=root,
        adapters_dir=folder("DROID_ADAPTERS_DIR", "adapters"),
        sessions_dir=folder("DROID_SESSIONS_DIR", "sessions"),
        logs_dir=folder("DROID_LOGS_DIR", "logs"),
        exports_dir=folder("DROID_EXPORTS_DIR", "exports"),
        datasets_dir=root / "datasets",
        ui_dir=CHECKOUT / "frontend" / "dist",
        host=chosen_host,
        port=_port(env.get("DROID_PORT"), port),
        python=Path(env.get("DROID_PYTHON") or sys.executable),
        hf_endpoint=env.get("HF_ENDPOINT") or None,
        spare_minutes=_minutes("DROID_SPARE_MINUTES", env.get("DROID_SPARE_MINUTES") or "10"),
        given=Given(
            models_dirs=tuple(_absolute(path) for path in searched),
            token=chosen_token,
            hf_token=env.get("HF_TOKEN") or None,
            judge_url=env.get("DROID_JUDGE_URL") or None,
            judge_model=env.get("DROID_JUDGE_MODEL") or None,
            judge_key=env.get("DROID_JUDGE_KEY") or None,
        ),
        saved=saved,
    )


def default_data_dir(
    environ: Mapping[str, str], *, installed: bool = INSTALLED, platform: str = sys.platform
) -> Path:
    """The checkout; for the installed package, the folder that the platform has for an app's data.

    An update of the package replaces its folder, so nothing of the user's may lie in there.
    """
    if not installed:
        return CHECKOUT
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / _APP
    chosen = environ.get("XDG_DATA_HOME", "")
    # The specification: a relative path is to be ignored.
    base = Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".local" / "share"
    return base / _APP


def _absolute(path: str) -> Path:
    # Not resolve(): a virtual environment's python and a linked model folder keep their own names.
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100


def _port(from_env: str | None, from_flag: int | None) -> int:
    value: int | str = from_flag if from_flag is not None else (from_env or 8000)
    try:
        port = int(value)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise ValueError(f"Port {value!r} is not a number from 0 to 65535.")
    return port


def _minutes(name: str, text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= 1440:
        raise ValueError(f"{name} is {text!r}; it must be a number of minutes from 0 to 1440.")
    return minutes


def other_models_dirs() -> tuple[Path, ...]:
    """Where other programs keep models that can be used, as far as there are any."""
    home = Path.home()
    elsewhere = (
        home / ".lmstudio" / "models",
        home / ".cache" / "lm-studio" / "models",
        home / ".cache" / "huggingface" / "hub",
    )
    return tuple(path for path in elsewhere if path.is_dir())


def _read_dotenv(path: Path) -> dict[str, str]:
    """Nothing for a file that can't be read; a damaged line spoils no other."""
    try:
        # Not blocking, so that a pipe is not waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            lines = file.read(_DOTENV_BYTES).decode("utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {
        key.strip().removeprefix("export ").strip(): value.strip().strip("\"'")
        for key, value in pairs
    }
