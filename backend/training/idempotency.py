"""Idempotency-Key: for an hour the same key answers the same run, whichever server is asked."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from pydantic import AwareDatetime, BaseModel

from backend.core.disk.files import write_json
from backend.core.disk.stored_files import DamagedFile, read_model
from backend.errors import WrongState
from backend.training.request.start_request import StartRequest
from backend.training.schemas import StartAnswer

KEY_LIFE = 3600.0  # Seconds.
FILE = "keys.json"

_NEWER_FIELDS = {"max_grad_norm", "auto_continue", "sample_prompts", "sample_max_tokens"}
_logger = logging.getLogger(__name__)

Keep = Callable[[StartAnswer], Awaitable[None]]  # Called with the answer before the run begins.


class Kept(BaseModel):
    """What a key started, as it stands on disk."""

    at: AwareDatetime
    request: str
    answer: StartAnswer

    @property
    def is_old(self) -> bool:
        return datetime.now(UTC) - self.at >= timedelta(seconds=KEY_LIFE)


class _KeysFile(BaseModel):
    keys: dict[str, Kept] = {}


@dataclass(frozen=True, slots=True)
class _Start:
    """A start of this server, perhaps still on its way."""

    at: float
    request: str
    answer: asyncio.Task[StartAnswer]


class StartKeys:
    """In memory for those who ask at once, in `sessions/keys.json` for those who ask the next
    server.
    """

    def __init__(self, sessions_dir: Path) -> None:
        self._path = sessions_dir / FILE
        self._writing = threading.Lock()
        self._starts: dict[str, _Start] = {}

    async def once(
        self,
        key: str,
        request: StartRequest,
        *,
        start: Callable[[Keep], Awaitable[StartAnswer]],
        again: Callable[[StartAnswer], Awaitable[StartAnswer | None]],
    ) -> StartAnswer:
        """The answer of the run that this key started, or that of `start`.

        `again` says what became of what an earlier server was asked; None: it never began. Raises
        WrongState for a key of another request, and what `start` raises.
        """
        now, digest = time.monotonic(), request_digest(request)
        self._starts = {k: entry for k, entry in self._starts.items() if now - entry.at < KEY_LIFE}
        entry = self._starts.get(key)
        if entry is None:
            task = asyncio.create_task(self._begin(key, digest, start, again), name="start a run")
            entry = self._starts[key] = _Start(now, digest, task)
            task.add_done_callback(partial(self._forget_failure, key))
        _require_same(entry.request, digest)
        return await asyncio.shield(entry.answer)

    async def _begin(
        self,
        key: str,
        digest: str,
        start: Callable[[Keep], Awaitable[StartAnswer]],
        again: Callable[[StartAnswer], Awaitable[StartAnswer | None]],
    ) -> StartAnswer:
        earlier = (await asyncio.to_thread(self._read)).get(key)
        if earlier is not None:
            _require_same(earlier.request, digest)
            if (answer := await again(earlier.answer)) is not None:
                return answer

        async def keep(answer: StartAnswer) -> None:
            result = Kept(at=datetime.now(UTC), request=digest, answer=answer)
            await asyncio.to_thread(self._write, key, result)

        try:
            return await start(keep)
        except Exception:
            await asyncio.to_thread(self._write, key, None)
            raise

    def _forget_failure(self, key: str, task: asyncio.Task[StartAnswer]) -> None:
        # A refused start made no run, so the same key may try again.
        if task.cancelled() or task.exception() is not None:
            self._starts.pop(key, None)

    def _read(self) -> dict[str, Kept]:
        """Those that still count. A file that can't be read has forgotten them: better than none
        being able to start.
        """
        try:
            stored = read_model(self._path, _KeysFile)
        except FileNotFoundError:
            return {}
        except (OSError, DamagedFile) as problem:
            _logger.warning("The keys of earlier starts can't be read: %s", problem)
            return {}
        return {key: answer for key, answer in stored.keys.items() if not answer.is_old}

    def _write(self, key: str, answer: Kept | None) -> None:
        with self._writing:
            keys = self._read()
            if answer is None and key not in keys:
                return
            keys.pop(key, None)
            if answer is not None:
                keys[key] = answer
            try:
                write_json(self._path, _KeysFile(keys=keys).model_dump(mode="json"))
            except OSError as problem:
                _logger.warning("The key of a start could not be kept: %s", problem)


def _require_same(before: str, now: str) -> None:
    if before != now:
        raise WrongState(
            "This Idempotency-Key was used for another request within the last hour.",
            hint="Send a new key with a new request.",
        )


def request_digest(request: StartRequest) -> str:
    """What tells two requests apart. A field that is newer than keys that may be on disk does not
    count while it has its default: the key of an older version stands for the same request.
    """
    values = request.model_dump(mode="json")
    for name in _NEWER_FIELDS & values.keys():
        if getattr(request, name) == type(request).model_fields[name].default:
            del values[name]
    text = json.dumps([type(request).__name__, values], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
