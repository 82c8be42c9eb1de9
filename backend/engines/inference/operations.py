"""What the worker does for each kind of request."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import mlx.core as mx

from backend.contract.record import read_record
from backend.contract.sampling import Sampling
from backend.engines.inference.batch import answer_batch, answer_in_turn, can_batch
from backend.engines.inference.generate import Stats, Watch, generate
from backend.engines.inference.multi_adapter import answer_together
from backend.engines.inference.prompt import Prompt, encode, fit
from backend.engines.inference.protocol import Frames, Inbox, Refused, Request
from backend.engines.inference.resident_model import Resident
from backend.engines.inference.score import score_rows


class Work:
    """Everything on the one thread that owns MLX."""

    def __init__(self, frames: Frames, inbox: Inbox) -> None:
        self._frames = frames
        self._inbox = inbox
        self._resident: Resident | None = None
        self._ops: dict[str, Callable[[Request], None]] = {
            "load": self._load,
            "generate": self._generate,
            "batch": self._batch,
            "together": self._together,
            "score": self._score,
            "status": self._status,
            "unload": self._unload,
        }

    def do(self, request: Request) -> None:
        """Answer one request in frames, of which the last is `done`. Raises what went wrong."""
        op = self._ops.get(str(request.get("op")))
        if op is None:
            raise Refused("failed", f"The worker knows no request {request.get('op')!r}.")
        op(request)

    def tidy(self) -> None:
        """After each request: what MLX keeps for the next one is given back."""
        mx.clear_cache()

    def status(self) -> dict[str, Any]:
        """What is loaded; goes with the last frame of every request."""
        memory = {
            "active_bytes": mx.get_active_memory(),
            "peak_bytes": mx.get_peak_memory(),
            "cached_bytes": mx.get_cache_memory(),
        }
        return memory | (self._resident.status() if self._resident else {})

    # -- the operations ---------------------------------------------------------------------

    def _load(self, request: Request) -> None:
        _, took = self._ready(request)
        self._done(request, **took)

    def _generate(self, request: Request) -> None:
        started = time.perf_counter()
        watch = self._watch(request)
        resident, took = self._ready(request)
        prompt, sampling = self._encode(resident, request)
        key = (request["conversation"], resident.on) if request.get("conversation") else None
        read = resident.conversations.take(resident.model, key, prompt.tokens)
        for piece in generate(
            resident.model,
            resident.tokenizer,
            prompt.tokens,
            sampling,
            read=read,
            watch=watch,
            on_prompt=lambda done, total: self._progress(request, "reading", done, total),
            started=started,
        ):
            if isinstance(piece, Stats):
                if key is not None:
                    resident.conversations.put(key, read)
                self._done(
                    request,
                    **asdict(piece),
                    **took,
                    chat_template_used=prompt.templated,
                    max_tokens=sampling.max_tokens,
                    **prompt.facts(resident.tokenizer),
                )
            else:
                self._frames.send(request["id"], "token", text=piece)

    def _batch(self, request: Request) -> None:
        watch = self._watch(request)
        resident, took = self._ready(request)
        encoded = [self._encode(resident, request | item) for item in request["prompts"]]
        prompts = [prompt.tokens for prompt, _ in encoded]
        samplings = [sampling for _, sampling in encoded]
        together = can_batch(resident.model)
        started = time.perf_counter()
        answers = (
            answer_batch(resident.model, resident.tokenizer, prompts, samplings, watch=watch)
            if together
            else answer_in_turn(
                resident.model, resident.tokenizer, prompts, samplings, watch=watch,
                fresh=lambda: resident.conversations.take(resident.model, None, []),
            )
        )  # fmt: skip
        for answer in answers:
            fields = asdict(answer)
            templated = encoded[answer.index][0].templated
            self._frames.send(request["id"], "answer", **fields, chat_template_used=templated)
        self._done(request, **took, batched=together, seconds=time.perf_counter() - started)

    def _together(self, request: Request) -> None:
        started = time.perf_counter()
        watch = self._watch(request)
        specs = request["adapters"]
        resident, took = self._ready(request | {"adapter": None})
        prompt, sampling = self._encode(resident, request)
        took |= resident.carry_rows(specs)
        told = {"chat_template_used": prompt.templated, "max_tokens": sampling.max_tokens}
        told |= prompt.facts(resident.tokenizer)
        try:
            for row, piece in answer_together(
                resident.model, resident.tokenizer, prompt.tokens, sampling,
                rows=len(specs), watch=watch, started=started,
            ):  # fmt: skip
                if isinstance(piece, Stats):
                    self._frames.send(
                        request["id"], "answer", row=row, **asdict(piece), **took, **told
                    )
                else:
                    self._frames.send(request["id"], "token", row=row, text=piece)
        finally:
            resident.bare()
        self._done(request, **took)

    def _score(self, request: Request) -> None:
        watch = self._watch(request)
        resident, took = self._ready(request)
        rows = request["rows"]

        def between(done: int) -> None:
            self._progress(request, "scoring", done, len(rows))
            watch.check()

        watch.check()
        limits = [n for n in (resident.context, request.get("max_seq_length")) if n]
        scores = score_rows(
            resident.model, resident.tokenizer, rows, limit=min(limits, default=None),
            between=between,
        )  # fmt: skip
        self._done(
            request,
            **took,
            rows=[asdict(score) for score in scores],
            loss=sum(score.loss for score in scores),
            tokens=sum(score.tokens for score in scores),
            correct=sum(score.correct for score in scores),
        )

    def _status(self, request: Request) -> None:
        self._done(request)

    def _unload(self, request: Request) -> None:
        self._drop()
        self._done(request)

    # -- the model --------------------------------------------------------------------------

    def _ready(self, request: Request) -> tuple[Resident, dict[str, Any]]:
        """The model that a request names, with its adapter on; and what that took."""
        path, seconds = Path(request["model"]), 0.0
        if self._resident is None or self._resident.path != path:
            self._drop()  # First: two bases at once may be more than the memory holds.
            self._progress(request, "loading", 0, 1)
            self._resident = Resident(path)
            seconds = self._resident.load_seconds
        resident = self._resident
        try:
            took = resident.carry(request.get("adapter"))
        except Refused as refusal:
            if refusal.code == "bad_model":  # It could not be loaded again: nothing is left.
                self._drop()
            raise
        if took["reloaded"]:
            seconds += took["swap_seconds"]
        return resident, {"model_load_seconds": seconds, **took}

    def _drop(self) -> None:
        self._resident = None
        gc.collect()
        mx.clear_cache()

    def _encode(self, resident: Resident, request: Request) -> tuple[Prompt, Sampling]:
        prompt = encode(resident.tokenizer, request)
        room = fit(prompt.tokens, context=resident.context, max_tokens=request["max_tokens"])
        return prompt, replace(read_record(Sampling, request), max_tokens=room)

    def _watch(self, request: Request) -> Watch:
        number = request["id"]
        return Watch(lambda: self._inbox.is_cancelled(number), request.get("deadline"))

    def _progress(self, request: Request, phase: str, done: int, total: int) -> None:
        self._frames.send(request["id"], "progress", phase=phase, done=done, total=total)

    def _done(self, request: Request, **fields: Any) -> None:
        self._frames.send(request["id"], "done", **fields, status=self.status())
