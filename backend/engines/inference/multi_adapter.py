"""One question to a base and several adapters on it, answered in one batch.

Row by row the adapters differ and the base is the same, so the base's matrices are read once for
all rows, and each row adds its own low-rank part. What is not a plain LoRA matrix (DoRA, experts,
embeddings, full fine-tunes) can't be told apart by rows this way and is asked in turn.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_lm.models.cache import make_prompt_cache

from backend.contract.answers import AnswerStats, Finish
from backend.contract.inference_frames import NOT_TOGETHER
from backend.contract.sampling import Sampling
from backend.engines.inference.adapter_swap import Adapter, attach, replace, strip
from backend.engines.inference.generate import Watch, processors_of, sampler_of
from backend.engines.inference.protocol import Refused
from backend.engines.inference.stop_strings import StopTexts

_PREFILL = 2048


class RowLoRA(nn.Module):  # type: ignore[misc]  # MLX has no types.
    """A linear module with another LoRA pair, or none, for every row of the batch."""

    def __init__(
        self, linear: nn.Module, pairs: Sequence[tuple[mx.array, mx.array, float] | None]
    ) -> None:
        super().__init__()
        self.linear = linear
        self.lora_a = [pair[0] if pair else None for pair in pairs]
        self._pairs = list(pairs)

    def __call__(self, x: mx.array) -> mx.array:
        if x.ndim != 3 or x.shape[0] != len(self._pairs):
            raise Refused(NOT_TOGETHER, "the model mixes the rows of a batch")
        y: mx.array = self.linear(x)
        rows = []
        for at, pair in enumerate(self._pairs):
            row = y[at : at + 1]
            if pair is not None:
                a, b, scale = pair
                row = row + (scale * ((x[at : at + 1] @ a) @ b)).astype(x.dtype)
            rows.append(row)
        return mx.concatenate(rows, axis=0)


@dataclass(slots=True)
class _Row:
    """One answer that is being made."""

    detokenizer: Any
    stops: StopTexts
    processors: list[Any]
    tokens: list[int]
    count: int = 0
    first: float | None = None
    ended: Finish | None = None


def attach_rows(model: nn.Module, adapters: Sequence[Adapter | None]) -> None:
    """Put another adapter on every row. The model must be bare.

    Raises Refused `not_together` with the reason when these adapters can't be, and `bad_adapter`
    when one does not fit; the model is bare then.
    """
    pairs: dict[str, list[tuple[mx.array, mx.array, float] | None]] = {}
    bare: dict[str, nn.Module] = {}
    for row, adapter in enumerate(adapters):
        if adapter is None:
            continue
        if adapter.kind == "full":
            raise Refused(NOT_TOGETHER, f"{adapter.name} replaces weights of the base")
        attach(model, adapter)  # Also checks that it fits.
        wrapped = [(name, m) for name, m in model.named_modules() if "lora_a" in m]
        strip(model)
        for name, module in wrapped:
            if type(module).__name__ != "LoRALinear":
                raise Refused(
                    NOT_TOGETHER, f"{adapter.name} has more than plain LoRA matrices ({name})"
                )
            bare[name] = module["linear"]
            at = pairs.setdefault(name, [None] * len(adapters))
            at[row] = (module["lora_a"], module["lora_b"], module.scale)
    replace(model, [(name, RowLoRA(bare[name], rows)) for name, rows in pairs.items()])


def answer_together(
    model: nn.Module,
    tokenizer: Any,
    prompt: Sequence[int],
    sampling: Sampling,
    *,
    rows: int,
    watch: Watch,
    start: float,
) -> Iterator[tuple[int, str | AnswerStats]]:
    """(row, piece of its text) as they come, and each row's statistics when it is done."""
    if sampling.seed is not None:
        mx.random.seed(sampling.seed)
    making = [
        _Row(
            tokenizer.detokenizer, StopTexts(sampling.stop), processors_of(sampling),
            list(prompt),
        )
        for _ in range(rows)
    ]  # fmt: skip
    cache = make_prompt_cache(model)
    sampler = sampler_of(sampling)

    def step(tokens: mx.array) -> mx.array:
        logits = model(tokens, cache=cache)[:, -1, :]
        if making[0].processors:
            logits = mx.concatenate(
                [_processed(row, logits[at : at + 1]) for at, row in enumerate(making)], axis=0
            )
        return sampler(logits - mx.logsumexp(logits, axis=-1, keepdims=True))

    rest = mx.array([list(prompt)] * rows)
    while rest.shape[1] > 1:
        size = min(_PREFILL, rest.shape[1] - 1)
        model(rest[:, :size], cache=cache)
        mx.eval([part.state for part in cache])
        rest = rest[:, size:]
        mx.clear_cache()
        watch.check()
    sampled = step(rest)
    for count in range(1, sampling.max_tokens + 1):
        tokens: Any = sampled.tolist()
        now = time.perf_counter()
        for row, token in zip(making, tokens, strict=True):
            row.tokens.append(token)
            row.first = row.first or now
        last = count == sampling.max_tokens
        # Begun before the text is made of the tokens: the two go on side by side.
        sampled = sampled if last else step(sampled[:, None])
        mx.async_eval(sampled)  # type: ignore[no-untyped-call]
        for at, row in enumerate(making):
            if row.ended is None:
                text = _take(row, tokens[at], tokenizer, last=last)
                if text:
                    yield at, text
                if row.ended is not None:
                    yield at, _stats(row, len(prompt), start)
        if all(row.ended for row in making):
            return
        watch.check()


def _processed(row: _Row, logits: mx.array) -> mx.array:
    context = mx.array(row.tokens)
    for processor in row.processors:
        logits = processor(context, logits)
    return logits


def _take(row: _Row, token: int, tokenizer: Any, *, last: bool) -> str:
    """The text that a token adds; notes whether the row has ended."""
    row.count += 1
    if token in tokenizer.eos_token_ids:
        row.ended = "stop"
    else:
        row.detokenizer.add_token(token)
        if last:
            row.ended = "length"
    if row.ended is not None:
        row.detokenizer.finalize()
    text = row.stops.feed(row.detokenizer.last_segment)
    if row.stops.reached:
        row.ended = "stop"
    elif row.ended is not None:
        text += row.stops.rest()
    return text


def _stats(row: _Row, prompt: int, start: float) -> AnswerStats:
    now = time.perf_counter()
    first = row.first or now
    took = now - first
    return AnswerStats(
        prompt_tokens=prompt,
        completion_tokens=row.count,
        cached_tokens=0,
        first_token_seconds=first - start,
        tokens_per_second=(row.count - 1) / took if row.count > 1 and took > 0 else None,
        model_load_seconds=0.0,
        swap_seconds=0.0,
        finish_reason=row.ended or "length",
    )
