"""What writes that were killed left behind: removed when a server opens its data root."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from backend.core.disk.files import sweep_temporary
from backend.core.disk.removal import NotRemoved, named, remove, sweep_removed
from backend.core.disk.trash import Trash
from backend.settings import Settings

# Younger ones may belong to a run, an evaluation or a conversion that outlived its server.
OLD = 60.0

_DRAFT = re.compile(r"\.[0-9a-f]+\.[0-9a-f]{8}|\.making-.+")  # Of an inspection; of a library.
_logger = logging.getLogger(__name__)


def sweep_strays(settings: Settings) -> None:
    """Remove temporary files and drafts; nothing that a name of this app's own doesn't mark. The
    trash is emptied of what was deleted longer ago.
    """
    data = settings.data_dir
    Trash(data).empty()
    places = (
        settings.datasets_dir, settings.adapters_dir, data / "comparisons", data / "chats",
        data / "prompt_sets",
        data / "evaluations", *_folders(data / "jobs"), data / ".cache" / "lora",
    )  # fmt: skip
    count = sum(
        sweep_temporary(folder, older_than=OLD)
        for place in places
        for folder in (place, *_folders(place))
    )
    count += sum(map(sweep_removed, (settings.sessions_dir, settings.adapters_dir)))
    for place in (data / ".cache" / "datasets", data / ".cache" / "blas"):
        for folder in _folders(place):
            if _DRAFT.fullmatch(folder.name) and _age(folder) > OLD:
                with suppress(OSError, NotRemoved):
                    count += remove(folder, inside=place, own=named(_DRAFT))
    for place in (*places, data / ".cache" / "datasets", data / ".cache" / "quantized"):
        count += sweep_removed(place)
    for models in settings.models_dirs:
        count += sweep_removed(models) + sweep_removed(models / ".downloads")
    count += sweep_removed(settings.datasets_dir / ".downloads")
    if count:
        _logger.info("%d files that were never finished were removed.", count)


def _folders(place: Path) -> Iterator[Path]:
    try:
        inside = list(place.iterdir())
    except OSError:
        return
    yield from (path for path in inside if path.is_dir() and not path.is_symlink())


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
