"""The diagnostics bundle: what somebody who helps needs to know, without secrets.

Versions, settings, the ends of the logs, and the last runs' records without what the user wrote.
No rows, no weights. The user's folder is shortened to `~`, and known tokens and keys are taken out.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from backend.contract.run.folder import LOG
from backend.core.disk.files import read_tail
from backend.core.disk.stored_files import DamagedFile, read_object
from backend.core.logs import redact
from backend.settings import Settings

_LINES = 2000
_RUNS = 3
_LOGS = ("backend.log", "electron.log", "worker.log", "server.out", "service.out")
# What the user wrote rather than chose.
_PRIVATE = ("notes", "tags", "sample_prompts", "name", "report")
_KEY = re.compile(r"\b(sk|key|pk)[-_][A-Za-z0-9_-]{16,}")
_README = """Droid FineTuning, diagnostics.

about.json     versions and the machine
settings.json  the settings, without tokens and keys
logs/          the last lines of the app's logs
runs/          the last runs: their configuration and the end of their logs

Folders of yours are shown from ~, and tokens and keys are left out. Rows, weights and notes are
not in here. A log can quote a line of your data where the engine complained about it: look through
it before you give it away.
"""


def write_bundle(settings: Settings, *, about: BaseModel, shown: BaseModel) -> bytes:
    """The zip, in memory. `about` describes the machine, `shown` the settings. Blocking."""
    clean = _cleaner(settings)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("README.txt", _README)
        for name, text in _texts(settings, about, shown):
            bundle.writestr(name, clean(text))
    return made.getvalue()


def _texts(settings: Settings, about: BaseModel, shown: BaseModel) -> Iterator[tuple[str, str]]:
    yield "about.json", about.model_dump_json(indent=2)
    yield "settings.json", shown.model_dump_json(indent=2)
    for name in _LOGS:
        if text := _tail(settings.logs_dir / name):
            yield f"logs/{name}", text
    for path in _last_records(settings.sessions_dir):
        with suppress(OSError, DamagedFile):
            record = _without_private(read_object(path))
            yield f"runs/{path.name}", json.dumps(record, ensure_ascii=False, indent=2)
        session = path.stem.removeprefix("session_")
        if text := _tail(settings.sessions_dir / session / LOG):
            yield f"runs/{session}.log", text


def _last_records(folder: Path) -> list[Path]:
    records = folder.glob("session_*.json")
    newest = sorted(records, key=lambda path: path.lstat().st_mtime, reverse=True)
    return newest[:_RUNS]


def _tail(path: Path) -> str:
    try:
        return "\n".join(read_tail(path, _LINES)[0])
    except OSError:
        return ""


def _without_private(record: dict[str, Any]) -> dict[str, Any]:
    inner = record.get("config")
    config = inner if isinstance(inner, dict) else {}
    return {
        **{name: value for name, value in record.items() if name not in _PRIVATE},
        "config": {name: value for name, value in config.items() if name not in _PRIVATE},
    }


def _cleaner(settings: Settings) -> Callable[[str], str]:
    """What takes secrets out of a text, and shortens the user's own folder in every spelling."""
    home = Path.home()
    homes = sorted({str(home), str(home.resolve())} - {"/"}, key=len, reverse=True)
    secrets = [s for s in (settings.token, settings.hf_token, settings.judge_key) if s]

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "…")
        for spelling in homes:
            text = text.replace(spelling, "~")
        return _KEY.sub("…", redact(text))

    return clean
