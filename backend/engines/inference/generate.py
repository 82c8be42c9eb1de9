"""One answer, token by token, through the engine's own loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_lm.generate import stream_generate
from mlx_lm.sample_utils import make_logits_processors, make_sampler

from backend.contract.answers import AnswerStats
from backend.contract.sampling import Sampling
from backend.engines.inference.prompt_cache import Read
from backend.engines.inference.protocol import Cancelled, Refused
from backend.engines.inference.stop_strings import StopTexts

_PENALTY_CONTEXT = 20  # Tokens that a repetition penalty looks back at: the engine's own number.
_TELL_PREFILL = 2048


def sampler_of(sampling: Sampling) -> Callable[[mx.array], mx.array]:
    """The engine's function that takes a token by its log-probabilities."""
    sampler: Callable[[mx.array], mx.array] = make_sampler(
        temp=sampling.temperature,
        top_p=sampling.top_p,
        min_p=sampling.min_p,
        top_k=sampling.top_k,
    )
    return sampler


def processors_of(sampling: Sampling, before: Sequence[int] = ()) -> list[Any]:
    """`before` are tokens that a cache already holds, which the engine would not count."""
    processors = make_logits_processors(repetition_penalty=sampling.repetition_penalty)
    if not before:
        return list(processors)
    past = mx.array(list(before[-_PENALTY_CONTEXT:]))

    def looking_back(processor: Any) -> Callable[[mx.array, mx.array], mx.array]:
        return lambda tokens, logits: processor(mx.concatenate([past, tokens]), logits)

    return [looking_back(processor) for processor in processors]


class Watch:
    """Whether an answer should go on: not when it was taken back, nor after its deadline."""

    def __init__(self, cancelled: Callable[[], bool], deadline: float | None) -> None:
        self._cancelled = cancelled
        self._limit = deadline
        self._end = time.monotonic() + deadline if deadline is not None else None

    def check(self) -> None:
        if self._cancelled():
            raise Cancelled
        if self._end is not None and time.monotonic() > self._end:
            raise Refused(
                "deadline",
                f"The answer was not done after {self._limit:g} seconds and was ended.",
                "Ask for fewer tokens (max_tokens), or use a smaller model.",
            )


def generate(
    model: nn.Module,
    tokenizer: Any,
    prompt: Sequence[int],
    sampling: Sampling,
    *,
    read: Read,
    watch: Watch,
    on_prompt: Callable[[int, int], None],
    start: float,
) -> Iterator[str | AnswerStats]:
    """Pieces of text, and last the statistics. `read` grows by what the model has seen.

    `start` is when the request was taken, on the clock of `time.perf_counter`. Raises Cancelled
    or Refused from the watch, between two tokens or two pieces of a long prompt.
    """
    if sampling.seed is not None:
        mx.random.seed(sampling.seed)
    cached = len(read.tokens)
    rest = list(prompt[cached:])
    stops = StopTexts(sampling.stop)
    first: float | None = None
    count, finish = 0, "length"

    def on_progress(done: int, total: int) -> None:
        watch.check()
        if total > _TELL_PREFILL:
            on_prompt(done, total)

    responses = stream_generate(
        model,
        tokenizer,
        rest,
        max_tokens=sampling.max_tokens,
        sampler=sampler_of(sampling),
        logits_processors=processors_of(sampling, read.tokens),
        prompt_cache=read.cache,
        prompt_progress_callback=on_progress,
    )
    read.tokens.extend(rest)
    try:
        for response in responses:
            if first is None:
                first = time.perf_counter()
            read.tokens.append(response.token)
            count = response.generation_tokens
            finish = response.finish_reason or finish
            if text := stops.feed(response.text):
                yield text
            if stops.reached:
                break
            watch.check()
    finally:
        responses.close()
    if stops.reached:
        finish = "stop"
    elif rest_of_text := stops.rest():
        yield rest_of_text
    ended = time.perf_counter()
    first = first or ended
    yield AnswerStats(
        prompt_tokens=len(prompt),
        completion_tokens=count,
        cached_tokens=cached,
        first_token_seconds=first - start,
        tokens_per_second=(count - 1) / (ended - first) if count > 1 and ended > first else None,
        model_load_seconds=0.0,  # As far as this knows; the worker loads.
        swap_seconds=0.0,
        finish_reason="stop" if finish == "stop" else "length",
    )
