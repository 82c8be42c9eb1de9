"""Answers to a run's sample prompts while it trains: greedy, short, never the end of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_lm.generate import stream_generate
from mlx_lm.tuner.lora import LoRAEmbedding, LoRALinear, LoRASwitchLinear

from backend.contract.run.events import Phase, Sample
from backend.engines.process.events import Emitter

_BRANCHES = (LoRALinear, LoRASwitchLinear, LoRAEmbedding)


class Sampler:
    """Answers prompts with the weights of the moment, after each step at most once.

    `questions`: the tokens of each prompt. The answers of step 0 are those of the base model; a run
    that goes on from a later step has them by its branches turned off, where it has such. An
    answer that fails, as an architecture may, is warned of, and then none is tried again.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        emit: Emitter,
        *,
        questions: Callable[[], Mapping[str, Sequence[int]]],
        max_tokens: int,
        stopping: Callable[[], bool],
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._emit = emit
        self._make_questions = questions
        self._questions: Mapping[str, Sequence[int]] | None = None
        self._max_tokens = max_tokens
        self._stopping = stopping
        self._answered: int | None = None
        self._failed = False

    def answer(self, step: int) -> float | None:
        """After `step` steps; answers the seconds it took, None when there is nothing to do."""
        if self._failed or self._answered == step or self._stopping():
            return None
        first, self._answered = self._answered is None, step
        start = time.perf_counter()
        self._emit(Phase(name="evaluating"))
        self._model.eval()
        try:
            if first and step:
                self._answer_without_adapter()
            self._answer_all(step)
        except Exception as problem:  # noqa: BLE001 - whatever a template or a model raises
            self._failed = True
            self._emit.warning(
                "no_sample_answers",
                "The sample prompts can't be answered, and the run goes on without: "
                f"{type(problem).__name__}: {' '.join(str(problem).split())}",
                "Try the prompts on the Compare page once the run is over.",
            )
        finally:
            self._model.train()
            mx.clear_cache()
        return time.perf_counter() - start

    def _answer_without_adapter(self) -> None:
        with _branches_off(self._model) as are_off:
            if are_off:
                self._answer_all(0)

    def _answer_all(self, step: int) -> None:
        if self._questions is None:
            self._questions = self._make_questions()
        for prompt, tokens in self._questions.items():
            text = self._write(tokens)
            if text is None:
                return
            self._emit(Sample(step=step, prompt=prompt, text=text, split="prompt"))

    def _write(self, tokens: Sequence[int]) -> str | None:
        """The likeliest answer; None when the run was asked to stop meanwhile."""
        parts: list[str] = []
        for response in stream_generate(
            self._model, self._tokenizer, list(tokens), max_tokens=self._max_tokens
        ):
            if self._stopping():
                return None
            parts.append(response.text)
        return "".join(parts)


@contextmanager
def _branches_off(model: nn.Module) -> Iterator[bool]:
    """The model without its LoRA branches, and whether it had any. The branch of a DoRA can't be
    turned off by its scale alone.
    """
    scales = {
        id(module): (module, module.scale)
        for module in model.modules()
        if type(module) in _BRANCHES
    }
    try:
        for module, _ in scales.values():
            module.scale = 0.0
        yield bool(scales)
    finally:
        for module, scale in scales.values():
            module.scale = scale
