"""Settings that the user saved in the app: `settings.json`, and `secrets.json` for tokens and keys.

Both lie in the data root, readable by their owner alone. What flags or the environment say holds
over them (`backend/settings.py`). The command line and the desktop window read them too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from backend.contract.record import BadRecord, read_record
from backend.core.disk.stored_files import DamagedFile, read_object

SETTINGS = "settings.json"
SECRETS = "secrets.json"
Theme = Literal["light", "dark", "system"]
Kept = TypeVar("Kept")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedValues:
    """`models_dirs`: the folders beside the app's own; None: other programs' where they exist.
    `theme` None: nobody chose one. `run_defaults`: fields of a start that the forms begin with.
    """

    models_dirs: tuple[str, ...] | None = None
    judge_url: str | None = None
    judge_model: str | None = None
    keep_awake: bool = True
    notifications: bool = True
    theme: Theme | None = None
    run_defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSecrets:
    token: str | None = field(default=None, repr=False)
    judge_key: str | None = field(default=None, repr=False)
    hub_token: str | None = field(default=None, repr=False)
    webhook_url: str | None = field(default=None, repr=False)
    ntfy_url: str | None = field(default=None, repr=False)


class SavedSettings:
    """What is saved now: `backend/preferences` writes and replaces it while the server runs, so it
    is read where it is used.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / SETTINGS
        self.secrets_path = root / SECRETS
        self.values, self.damage = _read(self.path, SavedValues)
        self.secrets, self.secrets_damage = _read(self.secrets_path, SavedSecrets)


def _read(path: Path, kind: type[Kept]) -> tuple[Kept, str | None]:
    """The record, and why the file can't be read: then it is as if nothing were saved."""
    try:
        return read_record(kind, read_object(path)), None
    except FileNotFoundError:
        return kind(), None
    except DamagedFile as damage:
        problem = damage.detail
    except BadRecord as problem_of_a_field:
        problem = f"{path.name} has not the fields it should ({problem_of_a_field})."
    _logger.warning("%s The defaults are used.", problem)
    return kind(), problem
