"""What the worker does for each kind of request."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import mlx.core as mx

from backend.contract.answers import AnswerStats, Done
from backend.contract.inference_frames import (
    AnswerFrame,
    BatchEnd,
    BatchRequest,
    GenerateRequest,
    Progress,
    ScoreRequest,
    Scores,
    TogetherRequest,
    Token,
    WorkerRequest,
    WorkerStatus,
)
from backend.contract.record import read_record
from backend.engines.inference.generate import Watch, generate
from backend.engines.inference.multi_adapter import answer_together
from backend.engines.inference.protocol import Cancelled, Frames, Inbox, Refused, Request
from backend.engines.inference.resident_model import Resident, Unanswered
from backend.engines.inference.score import score_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loading:
    """What it took to have the model and its adapter ready."""

    seconds: float
    swap_seconds: float
    reloaded: bool

    def added_to(self, end: Done) -> Done:
        stats = replace(end.stats, model_load_seconds=self.seconds, swap_seconds=self.swap_seconds)
        return replace(end, stats=stats, reloaded=self.reloaded)


class Work:
    """Everything on the one thread that owns MLX."""

    def __init__(self, frames: Frames, inbox: Inbox) -> None:
        self._frames = frames
        self._inbox = inbox
        self._resident: Resident | None = None
        self._ops: dict[str, Callable[[int, Request], None]] = {
            "generate": lambda n, request: self._generate(n, read_record(GenerateRequest, request)),
            "batch": lambda n, request: self._batch(n, read_record(BatchRequest, request)),
            "together": lambda n, request: self._together(n, read_record(TogetherRequest, request)),
            "score": lambda n, request: self._score(n, read_record(ScoreRequest, request)),
        }

    def do(self, request: Request) -> None:
        """Answer one request in frames, of which the last is `done`. Raises what went wrong."""
        op = self._ops.get(str(request.get("op")))
        if op is None:
            raise Refused("failed", f"The worker knows no request {request.get('op')!r}.")
        op(request["id"], request)

    def tidy(self) -> None:
        """After each request: what MLX keeps for the next one is given back."""
        mx.clear_cache()

    def status(self) -> WorkerStatus:
        """What is loaded; goes with the last frame of every request."""
        loaded = self._resident.status() if self._resident else WorkerStatus()
        return replace(loaded, active_bytes=mx.get_active_memory())

    # -- the operations ---------------------------------------------------------------------

    def _generate(self, number: int, request: GenerateRequest) -> None:
        start = time.perf_counter()
        watch = self._watch(number, request)
        resident, took = self._ready(number, request)
        prompt, sampling = resident.encode(request.question, request.sampling)
        key = (request.conversation, resident.on) if request.conversation else None
        read = resident.conversations.take(resident.model, key, prompt.tokens)
        begun = False
        try:
            for piece in generate(
                resident.model,
                resident.tokenizer,
                prompt.tokens,
                sampling,
                read=read,
                watch=watch,
                on_prompt=partial(self._progress, number, "reading"),
                start=start,
            ):
                begun = True
                if isinstance(piece, AnswerStats):
                    if key is not None:
                        resident.conversations.put(key, read)
                    self._done(number, took.added_to(resident.end(prompt, sampling, piece)))
                else:
                    self._frames.send(number, "token", Token(piece))
        except Cancelled:
            # Between two tokens the cache holds what `read` says; in the prompt it does not.
            if key is not None and begun:
                resident.conversations.put(key, read)
            raise

    def _batch(self, number: int, request: BatchRequest) -> None:
        watch = self._watch(number, request)
        resident, _ = self._ready(number, request)
        start = time.perf_counter()
        for answer in resident.answer_all(request.prompts, watch):
            if isinstance(answer, Unanswered):
                raise answer.refusal
            self._frames.send(number, "answer", answer)
        seconds = time.perf_counter() - start
        self._done(number, BatchEnd(batched=resident.batches, seconds=seconds))

    def _together(self, number: int, request: TogetherRequest) -> None:
        start = time.perf_counter()
        watch = self._watch(number, request)
        resident, took = self._ready(number, request)
        prompt, sampling = resident.encode(request.question, request.sampling)
        swap = resident.carry_rows(request.adapters)
        took = replace(took, swap_seconds=swap.seconds, reloaded=swap.reloaded)
        try:
            for row, piece in answer_together(
                resident.model, resident.tokenizer, prompt.tokens, sampling,
                rows=len(request.adapters), watch=watch, start=start,
            ):  # fmt: skip
                if isinstance(piece, AnswerStats):
                    end = took.added_to(resident.end(prompt, sampling, piece))
                    self._frames.send(number, "answer", AnswerFrame(index=row, end=end))
                else:
                    self._frames.send(number, "token", Token(piece, row))
        finally:
            resident.bare()
        self._done(number)

    def _score(self, number: int, request: ScoreRequest) -> None:
        watch = self._watch(number, request)
        resident, _ = self._ready(number, request)
        rows = request.rows

        def between(done: int) -> None:
            self._progress(number, "scoring", done, len(rows))
            watch.check()

        watch.check()
        limits = [n for n in (resident.context, request.max_seq_length) if n]
        scores = score_rows(
            resident.model, resident.tokenizer, rows, limit=min(limits, default=None),
            between=between,
        )  # fmt: skip
        total = Scores(
            rows=tuple(scores),
            loss=sum(score.loss for score in scores),
            tokens=sum(score.tokens for score in scores),
            correct=sum(score.correct for score in scores),
        )
        self._done(number, total)

    # -- the model --------------------------------------------------------------------------

    def _ready(self, number: int, request: WorkerRequest) -> tuple[Resident, _Loading]:
        """The model that a request names, with its adapter on; and what that took."""
        path, seconds = Path(request.model), 0.0
        if self._resident is None or self._resident.path != path:
            self._drop()  # First: two bases at once may be more than the memory holds.
            self._progress(number, "loading", 0, 1)
            self._resident = Resident(path)
            seconds = self._resident.load_seconds
        resident = self._resident
        try:
            swap = resident.carry(request.adapter)
        except Refused as refusal:
            if refusal.code == "bad_model":  # It could not be loaded again: nothing is left.
                self._drop()
            raise
        if swap.reloaded:
            seconds += swap.seconds
        return resident, _Loading(
            seconds=seconds, swap_seconds=swap.seconds, reloaded=swap.reloaded
        )

    def _drop(self) -> None:
        self._resident = None
        gc.collect()
        mx.clear_cache()

    def _watch(self, number: int, request: WorkerRequest) -> Watch:
        return Watch(lambda: self._inbox.is_cancelled(number), request.deadline)

    def _progress(self, number: int, phase: str, done: int, total: int) -> None:
        self._frames.send(number, "progress", Progress(phase, done, total))

    def _done(self, number: int, last: Done | BatchEnd | Scores | None = None) -> None:
        self._frames.send(number, "done", last, status=self.status())
