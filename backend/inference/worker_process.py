"""One worker process, spoken to in JSON lines: requests in, frames out, each with its number."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil

from backend.contract.inference_frames import WorkerRefusal, WorkerRequest, WorkerStatus
from backend.contract.record import read_record, write_record
from backend.core.disk.files import read_tail
from backend.core.exits import explain
from backend.core.machine.blas import engine_environment
from backend.core.process import TICK, Child, spawn_talking
from backend.core.tasks import Tasks
from backend.errors import AppError, EngineFailed, EngineTimeout
from backend.settings import CHECKOUT, Settings

Frame = dict[str, Any]

START_LIMIT = 120.0  # Seconds for the imports of a fresh worker, on a machine that is busy.
LOG = "worker.log"

_LONGEST_FRAME = 64 * 1024 * 1024
_ENDING = 2.0  # Seconds that a worker may take to be gone after its last word.
_LAST = frozenset({"done", "error"})
_logger = logging.getLogger(__name__)


class Talk:
    """A living worker. `start` makes one; `end` kills it and frees all its memory."""

    def __init__(self, child: Child, stdin: IO[bytes], log: Path) -> None:
        self.child = child
        self._stdin = stdin
        self._log = log
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Queue[Frame | None]] = {}
        self._write = asyncio.Lock()
        self.status = WorkerStatus()  # What was loaded at the end of the last request.
        self._why: AppError | None = None
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._tasks = Tasks()

    @classmethod
    async def start(cls, settings: Settings) -> Talk:
        """Start a worker and wait until it listens. Raises EngineMissing, EngineFailed or
        EngineTimeout.
        """
        env = await asyncio.to_thread(engine_environment, settings)
        log = settings.logs_dir / LOG
        await asyncio.to_thread(log.parent.mkdir, parents=True, exist_ok=True)
        argv = [str(settings.python), "-m", "backend.engines.inference"]
        # Its own: by the mark, the end of one worker must never reach the next.
        mark = f"worker-{os.getpid()}-{time.monotonic_ns()}"
        child, stdin, stdout = await asyncio.to_thread(
            spawn_talking, argv, cwd=CHECKOUT, env=env, log_path=log, mark=mark
        )
        talk = cls(child, stdin, log)
        try:
            talk._tasks.start(await talk._listen(stdout), name="hear the inference worker")
            await talk._until_ready()
        except BaseException:
            await asyncio.shield(talk.end(EngineFailed("The inference worker was ended.")))
            raise
        return talk

    @property
    def alive(self) -> bool:
        return self._why is None and not self._over.is_set()

    def resident_bytes(self) -> int | None:
        """What the process holds of the machine's memory. Blocking."""
        try:
            return int(psutil.Process(self.child.identity.pid).memory_info().rss)
        except psutil.Error:
            return None

    async def ask(
        self, op: str, request: WorkerRequest, *, limit: float
    ) -> AsyncGenerator[Frame, None]:
        """The frames of one request, the last being `done`. A caller that stops listening takes
        the request back.

        Raises EngineFailed when the worker ends, EngineTimeout after `limit` seconds (the worker is
        then ended), and what an `error` frame says as RequestFailed.
        """
        number = next(self._numbers)
        frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._waiting[number] = frames
        ended = False
        try:
            # Never around a `yield`: a stream may be begun in one task and read on in another.
            end = asyncio.get_running_loop().time() + limit
            async with asyncio.timeout_at(end):
                await self._send({"id": number, "op": op, **write_record(request)})
            while not ended:
                async with asyncio.timeout_at(end):
                    frame = await self._next(frames)
                ended = frame["type"] in _LAST
                if frame["type"] == "error":
                    raise RequestFailed(read_record(WorkerRefusal, frame))
                yield frame
        except TimeoutError:
            ended = True
            late = EngineTimeout(
                f"The inference worker did not answer within {limit:g} seconds and was ended.",
                hint="Ask for fewer tokens, or use a smaller model.",
            )
            await self.end(late)
            raise late from None
        finally:
            del self._waiting[number]
            if not ended and self.alive:
                # Not awaited here: this may run while the caller is being cancelled.
                self._tasks.start(self._take_back(number), name="take a question back")

    async def end(self, why: AppError) -> None:
        """Kill it; whoever still waits hears `why`."""
        self._why = self._why or why
        await asyncio.to_thread(self.child.kill)
        await asyncio.to_thread(self._close_stdin)
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self._over.wait()
        self._tell_all()
        await self._tasks.close()

    # -- helpers ----------------------------------------------------------------------------

    async def _next(self, frames: asyncio.Queue[Frame | None]) -> Frame:
        if self._over.is_set() and frames.empty():
            raise await self._explain()
        frame = await frames.get()
        if frame is None:
            raise await self._explain()
        return frame

    async def _send(self, request: dict[str, Any]) -> None:
        line = json.dumps(request, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        try:
            async with self._write:
                await asyncio.to_thread(self._put, line)
        except (OSError, ValueError):  # Ended, or closed just now.
            await asyncio.to_thread(self.child.kill)
            raise await self._explain() from None

    def _put(self, line: bytes) -> None:
        self._stdin.write(line)
        self._stdin.flush()

    async def _take_back(self, number: int) -> None:
        with suppress(AppError):
            await self._send({"id": number, "op": "cancel"})

    async def _listen(self, stdout: IO[bytes]) -> Any:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_LONGEST_FRAME, loop=loop)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader, loop=loop), stdout
        )
        return self._hear(reader, transport)

    async def _hear(self, reader: asyncio.StreamReader, transport: asyncio.ReadTransport) -> None:
        try:
            while line := await reader.readline():
                self._take(line)
        except ValueError:
            _logger.error("A frame of the inference worker was too long.")
        finally:
            transport.close()
            self._over.set()
            self._ready.set()
            self._tell_all()

    def _take(self, line: bytes) -> None:
        try:
            frame = json.loads(line)
        except ValueError:
            _logger.warning("The inference worker wrote a line that is not JSON.")
            return
        if frame["type"] == "ready":
            self._ready.set()
            return
        if status := frame.pop("status", None):
            self.status = read_record(WorkerStatus, status)
        if (frames := self._waiting.get(frame["id"])) is not None:
            frames.put_nowait(frame)

    def _tell_all(self) -> None:
        for frames in self._waiting.values():
            frames.put_nowait(None)

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(START_LIMIT):
                await self._ready.wait()
        except TimeoutError:
            raise EngineTimeout(
                f"The inference worker did not start within {START_LIMIT:g} seconds.",
                hint=f"logs/{LOG} says how far it came.",
            ) from None
        if self._over.is_set():
            raise await self._explain()

    async def _explain(self) -> AppError:
        """Why the worker is gone, in a sentence."""
        if self._why is None:
            code = await asyncio.to_thread(_end_of, self.child)
            tail = (await asyncio.to_thread(read_tail, self._log, 40))[0]
            reason = explain(code, tail)
            message = reason.message.replace("The run", "The inference worker")
            self._why = EngineFailed(
                message.replace("The engine", "The inference worker"),
                hint="Ask again: a fresh worker is started. If it ends again, use a smaller model; "
                f"logs/{LOG} has the details.",
            )
        return self._why

    def _close_stdin(self) -> None:
        with suppress(OSError, ValueError):
            self._stdin.close()


def _end_of(child: Child) -> int | None:
    """The exit code of a child that has closed its pipe, which it does a moment before it ends."""
    deadline = time.monotonic() + _ENDING
    while (code := child.exit_code()) is None and time.monotonic() < deadline:
        time.sleep(TICK)
    child.kill()  # And what it left behind.
    return child.exit_code() if code is None else code


class RequestFailed(Exception):
    """The worker's own refusal of a request; the worker lives on."""

    def __init__(self, refusal: WorkerRefusal) -> None:
        super().__init__(refusal.message)
        self.code, self.message, self.hint = refusal.code, refusal.message, refusal.hint
