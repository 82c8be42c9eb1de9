"""The one inference worker: started when asked, shared in turn, ended when idle or in the way.

Everything that wants an answer from a model comes here: the Compare page, evaluation, other
programs through the OpenAI routes. Questions are answered one after the other, in order; a few may
wait, more are refused. A worker that dies takes only the question with it: the next one starts a
fresh worker. Before a run starts, the worker is ended, so that the run has the memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from backend.adapters.finder import Adapters
from backend.adapters.folder import Checkpoint
from backend.contract.answers import AnswerEnd
from backend.contract.inference_frames import (
    AnswerFrame,
    AnswerProgress,
    BatchItem,
    BatchRequest,
    GenerateRequest,
    ScoreRequest,
    Scores,
    TogetherRequest,
    Token,
    WorkerRequest,
    WorkerStatus,
)
from backend.contract.record import read_record, write_record
from backend.core.tasks import Tasks
from backend.errors import AppError, BadContent, EngineFailed, WorkerBusy, WrongState
from backend.inference.refusals import refusal, require_memory
from backend.inference.schemas import WorkerState
from backend.inference.types import DEADLINE, Answer, Ask, Piece, Target
from backend.inference.worker_process import Frame, RequestFailed, Talk
from backend.jobs.lifecycle.slot import MemoryHolder
from backend.models.catalog import ModelCatalog
from backend.settings import Settings

IDLE = 900.0  # Seconds without a question after which the worker gives its memory back.
LINE = 16  # Questions that may wait behind the one that is answered.

_GRACE = 60.0  # Beyond a deadline, which the worker keeps by itself, before it counts as stuck.
_logger = logging.getLogger(__name__)


class InferenceHost:
    """`active_run` answers the name of the run that trains now, or None; `holder` the job that
    has the memory, in a process of its own. Used on the event loop only.
    """

    def __init__(
        self,
        settings: Settings,
        models: ModelCatalog,
        *,
        active_run: Callable[[], str | None] = lambda: None,
        holder: Callable[[], MemoryHolder | None] = lambda: None,
        idle_after: float = IDLE,
        line: int = LINE,
    ) -> None:
        self.adapters = Adapters(settings, models)
        self._settings = settings
        self._models = models
        self._active_run = active_run
        self._holder = holder
        self._idle_after = idle_after
        self._line = line
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._talk: Talk | None = None
        self._status = WorkerStatus()
        self._now: set[str] = set()
        self._clock: asyncio.TimerHandle | None = None
        self._answered = 0
        self._tasks = Tasks()

    # -- whom to ask ------------------------------------------------------------------------

    async def target(
        self,
        model: str,
        adapter: str | None = None,
        checkpoint: Checkpoint | None = None,
        *,
        allow_other_base: bool = False,
    ) -> Target:
        """The base of that name or folder, and the adapter checked against it.

        Raises NotFound for what is not there, BadContent for what can't be used or doesn't fit.
        """
        return await asyncio.to_thread(self._find, model, adapter, checkpoint, allow_other_base)

    def _find(
        self, model: str, adapter: str | None, checkpoint: Checkpoint | None, other: bool
    ) -> Target:
        base = self._models.find(model)
        if base.problem is not None:
            raise BadContent(
                f"The model {base.name} can't be used: {base.problem}",
                hint="Choose another model; GET /models lists them.",
            )
        ready = (
            self.adapters.ready(adapter, base, checkpoint, allow_other_base=other)
            if adapter
            else None
        )
        return Target(model=base, adapter=ready)

    # -- asking -----------------------------------------------------------------------------

    async def stream(self, target: Target, ask: Ask) -> AsyncGenerator[Piece, None]:
        """The answer as it is made; the last piece is `AnswerEnd`. Closing it ends the answer.

        Raises WorkerBusy, WrongState (a run is active), BadContent (a prompt too long, say),
        EngineTimeout or EngineFailed.
        """
        request = GenerateRequest(
            model=target.model.path,
            adapter=target.spec,
            question=ask.question(),
            sampling=ask.sampling,
            conversation=ask.conversation,
            deadline=ask.deadline,
        )
        async with self._frames_of("generate", request, ask.deadline, ask.during_run) as frames:
            async for frame in frames:
                match frame["type"]:
                    case "token":
                        yield read_record(Token, frame)
                    case "progress":
                        yield read_record(AnswerProgress, frame)
                    case "done":
                        self._answered += 1
                        yield read_record(AnswerEnd, frame)

    async def together(
        self, targets: Sequence[Target], ask: Ask
    ) -> AsyncGenerator[tuple[int, Piece], None]:
        """Several targets on one base answer in one batch: (place of the target, piece).

        Raises NotTogether, before any token, when the engine can't; else as `stream` does.
        """
        request = TogetherRequest(
            model=targets[0].model.path,
            adapters=tuple(target.spec for target in targets),
            question=ask.question(),
            sampling=ask.sampling,
            deadline=ask.deadline,
        )
        async with self._frames_of("together", request, ask.deadline, ask.during_run) as frames:
            async for frame in frames:
                match frame["type"]:
                    case "token":
                        token = read_record(Token, frame)
                        yield token.row, token
                    case "progress":
                        yield 0, read_record(AnswerProgress, frame)
                    case "answer":
                        self._answered += 1
                        answer = read_record(AnswerFrame, frame)
                        yield answer.index, answer.end

    async def answer(self, target: Target, ask: Ask) -> Answer:
        """The whole answer. Raises as `stream` does; cancelling the caller ends the answer."""
        pieces: list[str] = []
        async with aclosing(self.stream(target, ask)) as stream:
            async for piece in stream:
                if isinstance(piece, Token):
                    pieces.append(piece.text)
                elif isinstance(piece, AnswerEnd):
                    return Answer(text="".join(pieces), done=piece)
        raise EngineFailed("The inference worker ended its answer without a last word.")

    async def answer_many(
        self,
        target: Target,
        asks: Sequence[Ask],
        *,
        on_answer: Callable[[int, Answer], None] = lambda index, answer: None,
        deadline: float = DEADLINE,
        during_run: bool = False,
    ) -> list[Answer]:
        """Answers in the order of `asks`, made several at a time where the engine can.

        `on_answer` hears of each as it is done. A `seed` is taken from the first question.
        """
        if not asks:
            return []
        request = BatchRequest(
            model=target.model.path,
            adapter=target.spec,
            prompts=tuple(
                BatchItem(question=ask.question(), sampling=ask.sampling) for ask in asks
            ),
            deadline=deadline,
        )
        answers: dict[int, Answer] = {}
        async with self._frames_of("batch", request, deadline, during_run) as frames:
            async for frame in frames:
                if frame["type"] == "answer":
                    part = read_record(AnswerFrame, frame)
                    answer = Answer(text=part.text, done=part.end)
                    answers[part.index] = answer
                    self._answered += 1
                    on_answer(part.index, answer)
        return [answers[index] for index in range(len(asks))]

    async def score(
        self,
        target: Target,
        rows: Sequence[Mapping[str, Any]],
        *,
        max_seq_length: int | None = None,
        on_progress: Callable[[int], None] = lambda done: None,
        deadline: float = DEADLINE,
        during_run: bool = False,
    ) -> Scores:
        """The loss of the answers in training rows (`{"prompt", "completion"}`, `{"messages"}` or
        `{"text"}`), under the target. `on_progress` hears how many rows are done.
        """
        request = ScoreRequest(
            model=target.model.path,
            adapter=target.spec,
            rows=tuple(rows),
            max_seq_length=max_seq_length,
            deadline=deadline,
        )
        last: Frame = {}
        async with self._frames_of("score", request, deadline, during_run) as frames:
            async for frame in frames:
                if frame["type"] == "progress" and frame["phase"] == "scoring":
                    on_progress(frame["done"])
                last = frame
        return read_record(Scores, last)

    # -- the worker -------------------------------------------------------------------------

    async def state(self) -> WorkerState:
        """What is loaded, and what it takes. Never waits for an answer."""
        talk = self._talk
        if talk is None or not talk.alive:
            return WorkerState(state="none", waiting=self._waiting, answered=self._answered)
        rss = await asyncio.to_thread(talk.resident_bytes)
        return WorkerState(
            state="busy" if self._turn.locked() else "idle",
            pid=talk.child.identity.pid,
            waiting=self._waiting,
            answered=self._answered,
            resident_bytes=rss,
            idle_unload_seconds=self._idle_after,
            **write_record(self._status),
        )

    def carries(self, adapter: str) -> bool:
        """Whether an adapter of that name is on the base now, or is being asked."""
        return adapter in self._now or adapter == self._status.adapter

    def bases(self) -> list[str]:
        """The folders of the base in memory and of the one that is being asked."""
        return [base for base in (self._status.base or "", *self._now) if "/" in base]

    async def unload(self) -> bool:
        """End the worker, and with it any answer; False when there is none."""
        return await self._end(
            WrongState("The model was unloaded.", hint="Ask again: it is loaded anew.")
        )

    async def make_room(self) -> None:
        """For a run that starts: end the worker, and return when its memory is free."""
        if await self._end(
            WrongState(
                "A run is starting, so the inference worker gave its memory back.",
                hint="Ask again when the run has ended, or with during_run.",
            )
        ):
            _logger.info("The inference worker was ended to make room for a run.")

    async def close(self) -> None:
        await self._end(EngineFailed("The server is closing."))
        await self._tasks.close()

    # -- helpers ----------------------------------------------------------------------------

    @asynccontextmanager
    async def _frames_of(
        self, op: str, request: WorkerRequest, deadline: float, during_run: bool
    ) -> AsyncIterator[AsyncGenerator[Frame, None]]:
        """The frames of one request, in its turn; refusals of the worker as AppErrors."""
        specs = request.adapters if isinstance(request, TogetherRequest) else [request.adapter]
        async with (
            self._in_turn(during_run),
            aclosing(self._frames(op, request, deadline + _GRACE, during_run)) as frames,
        ):
            self._now = {request.model, *(spec["name"] for spec in specs if spec)}
            try:
                yield frames
            except RequestFailed as failure:
                raise refusal(failure) from failure
            finally:
                self._now = set()

    async def _frames(
        self, op: str, request: WorkerRequest, limit: float, during_run: bool
    ) -> AsyncGenerator[Frame, None]:
        """Of the worker that is there. One that died as it sat idle is often noticed only by the
        next question: as long as nothing was heard of that, a fresh worker is asked, once.
        """
        while True:
            was_there = self._talk is not None and self._talk.alive
            talk = await self._worker(during_run)
            heard = False
            try:
                async with aclosing(talk.ask(op, request, limit=limit)) as frames:
                    async for frame in frames:
                        heard = True
                        yield frame
                return
            except EngineFailed:
                # Ended on purpose, it is not this host's any more.
                if heard or not was_there or self._talk is not talk:
                    raise
                _logger.warning("The idle inference worker was found dead; a fresh one is asked.")
            finally:
                if talk.alive:  # A question about it must not wait behind an answer.
                    self._status = talk.status

    @asynccontextmanager
    async def _in_turn(self, during_run: bool) -> AsyncIterator[None]:
        self.require_open(during_run=during_run)
        if self._waiting > self._line:
            raise WorkerBusy(
                f"{self._waiting} questions are waiting for the model already.",
                hint="Ask again in a moment.",
            )
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            self.require_open(during_run=during_run)  # One may have started meanwhile.
            self._stop_clock()
            yield
        finally:
            self._turn.release()
            self._start_clock()

    def require_open(self, *, during_run: bool) -> None:
        """Raise WrongState while a run or an evaluation has the memory, unless the question asks
        to share it.
        """
        if not during_run:
            require_memory(self._active_run(), self._holder())

    async def _worker(self, during_run: bool) -> Talk:
        if self._talk is None or not self._talk.alive:
            self._status = WorkerStatus()
            self._talk = await Talk.start(self._settings)
            try:
                self.require_open(
                    during_run=during_run
                )  # A run that began meanwhile found no worker.
            except WrongState:
                await self.make_room()
                raise
        return self._talk

    async def _end(self, why: AppError) -> bool:
        talk, self._talk = self._talk, None
        self._stop_clock()
        self._status = WorkerStatus()
        if talk is None:
            return False
        lived = talk.alive
        await talk.end(why)
        return lived

    def _start_clock(self) -> None:
        self._stop_clock()
        if self._talk is not None and self._waiting == 0:
            loop = asyncio.get_running_loop()
            self._clock = loop.call_later(self._idle_after, self._idle)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _idle(self) -> None:
        self._tasks.start(self._unload_idle(), name="unload an idle model")

    async def _unload_idle(self) -> None:
        if not self._turn.locked() and await self.unload():
            _logger.info("The inference worker was ended after %g idle seconds.", self._idle_after)
