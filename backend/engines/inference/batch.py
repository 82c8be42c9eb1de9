"""Several prompts at once through the engine's batch generator, for `Resident.answer_all`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_lm.generate import BatchGenerator

from backend.contract.answers import AnswerStats, Finish
from backend.contract.sampling import Sampling
from backend.engines.inference.generate import (
    Watch,
    generate,
    processors_of,
    sampler_of,
)
from backend.engines.inference.prompt_cache import Read
from backend.engines.inference.stop_strings import StopTexts

_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAnswer:
    """One answer of several. `index` is the prompt's place in the request."""

    index: int
    text: str
    stats: AnswerStats


def can_batch(model: nn.Module) -> bool:
    """Whether all parts of the model's cache can be put together and taken apart by row."""
    from mlx_lm.models.cache import make_prompt_cache

    return all(hasattr(part, "merge") for part in make_prompt_cache(model))


def answer_batch(
    model: nn.Module,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    samplings: Sequence[Sampling],
    *,
    watch: Watch,
) -> Iterator[BatchAnswer]:
    """The answers as they get done, which is not their order."""
    generator = BatchGenerator(
        model,
        stop_tokens=[[token] for token in tokenizer.eos_token_ids],
        completion_batch_size=_AT_ONCE,
    )
    try:
        if samplings and samplings[0].seed is not None:
            mx.random.seed(samplings[0].seed)
        numbers = generator.insert(
            [list(prompt) for prompt in prompts],
            [sampling.max_tokens for sampling in samplings],
            samplers=[sampler_of(sampling) for sampling in samplings],
            logits_processors=[processors_of(sampling) for sampling in samplings],
        )
        places = {number: at for at, number in enumerate(numbers)}
        tokens: list[list[int]] = [[] for _ in prompts]
        while responses := generator.next_generated():
            watch.check()
            for response in responses:
                at = places[response.uid]
                if response.finish_reason != "stop":
                    tokens[at].append(response.token)
                if response.finish_reason is not None:
                    text, cut = _until_stop(tokenizer.decode(tokens[at]), samplings[at].stop)
                    # With the end token, which a single answer counts too.
                    count = len(tokens[at]) + (response.finish_reason == "stop")
                    finish: Finish = "stop" if cut else response.finish_reason
                    yield _answer(at, text, len(prompts[at]), count, finish)
    finally:
        generator.close()


def answer_in_turn(
    model: nn.Module,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    samplings: Sequence[Sampling],
    *,
    watch: Watch,
    fresh: Callable[[], Read],
) -> Iterator[BatchAnswer]:
    """The same for a model whose cache can't be batched."""
    for at, (prompt, sampling) in enumerate(zip(prompts, samplings, strict=True)):
        pieces: list[str] = []
        for piece in generate(
            model, tokenizer, prompt, sampling, read=fresh(), watch=watch,
            on_prompt=lambda done, total: None, start=0.0,
        ):  # fmt: skip
            if isinstance(piece, AnswerStats):
                yield _answer(
                    at, "".join(pieces), piece.prompt_tokens, piece.completion_tokens,
                    piece.finish_reason,
                )  # fmt: skip
            else:
                pieces.append(piece)


def _answer(index: int, text: str, prompt: int, completion: int, finish: Finish) -> BatchAnswer:
    """Times are of the whole batch, so no single answer has any."""
    return BatchAnswer(
        index=index,
        text=text,
        stats=AnswerStats(
            prompt_tokens=prompt,
            completion_tokens=completion,
            cached_tokens=0,
            first_token_seconds=None,
            tokens_per_second=None,
            model_load_seconds=0.0,
            swap_seconds=0.0,
            finish_reason=finish,
        ),
    )


def _until_stop(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    cutter = StopTexts(stops)
    head = cutter.feed(text)
    return (head, True) if cutter.reached else (head + cutter.rest(), False)
