"""The one base model of the worker, what is on it now, and what it keeps for the next request."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.utils import load_tokenizer

from backend.contract.answers import AnswerStats, Done
from backend.contract.inference_frames import (
    AdapterSpec,
    AnswerFrame,
    BatchItem,
    ModelInput,
    WorkerStatus,
)
from backend.contract.sampling import Sampling
from backend.engines.inference.adapter_cache import Shelf
from backend.engines.inference.adapter_swap import Adapter, attach, overwrite, strip
from backend.engines.inference.adapter_swap import replace as replace_modules
from backend.engines.inference.batch import answer_batch, answer_in_turn, can_batch
from backend.engines.inference.generate import Watch
from backend.engines.inference.multi_adapter import attach_rows
from backend.engines.inference.prompt import Prompt, encode, fit
from backend.engines.inference.prompt_cache import Conversations
from backend.engines.inference.protocol import Refused
from backend.engines.weights.base import load_network

BARE = ""  # The key of no adapter.

_ADAPTER_SHARE = 0.06  # Of the base's bytes: with the caches, eight adapters stay under 1.1 × it.
_CACHE_SHARE = 0.03
_LEAST_BUDGET = 16 * 1024 * 1024
_CONTEXT = (
    "max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx"
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """What it took to put an adapter on; `reloaded` where the base had to be loaded again."""

    seconds: float = 0.0
    reloaded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A question that the model can't be asked; `index` is its place in the request."""

    index: int
    refusal: Refused


class Resident:
    """A loaded base. `on` is the key of the adapter it carries, `name` that adapter's name."""

    def __init__(self, path: Path) -> None:
        start = time.perf_counter()
        self.path = path
        self.model, self.tokenizer, self._config = _load(path)
        self._modules = dict(self.model.named_modules())
        self.load_seconds = time.perf_counter() - start
        self.base_bytes = sum(value.nbytes for _, value in tree_flatten(self.model.parameters()))
        self.shelf = Shelf(max(_LEAST_BUDGET, int(self.base_bytes * _ADAPTER_SHARE)))
        self.conversations = Conversations(
            budget=max(_LEAST_BUDGET, int(self.base_bytes * _CACHE_SHARE))
        )
        self._worn: list[str] = []
        self.on = BARE
        self.name: str | None = None
        self._overwritten = False

    @property
    def context(self) -> int | None:
        """The most tokens the model was made for; None where its configuration does not say."""
        text = self._config.get("text_config")
        for place in (self._config, text if isinstance(text, dict) else {}):
            for name in _CONTEXT:
                value = place.get(name)
                if isinstance(value, int) and value > 0:
                    return value
        return None

    def carry(self, spec: AdapterSpec | None) -> Swap:
        """Put on the adapter of a spec, or none. Answers what it took.

        Raises Refused; the base is bare then. A full fine-tune overwrites the base's weights, so
        before anything else is carried the base is loaded again.
        """
        if (spec["key"] if spec else BARE) == self.on:
            return Swap()
        start = time.perf_counter()
        adapter = self.shelf.take(spec) if spec else None
        self.bare()
        reloaded = self._overwritten
        if reloaded:
            self._reload()
        if adapter is not None:
            self._put_on(adapter)
        return Swap(seconds=time.perf_counter() - start, reloaded=reloaded)

    def carry_rows(self, specs: Sequence[AdapterSpec | None]) -> Swap:
        """Put another adapter on every row of a batch; `bare` takes them off again.

        Raises Refused: `not_together` when these can't be, and then the base is bare.
        """
        start = time.perf_counter()
        took = self.carry(None)
        attach_rows(self.model, [self.shelf.take(spec) if spec else None for spec in specs])
        return Swap(seconds=time.perf_counter() - start, reloaded=took.reloaded)

    def bare(self) -> None:
        """Take off whatever is on: what was put on by name, else whatever is found."""
        if self._worn:
            replace_modules(self.model, [(name, self._modules[name]) for name in self._worn])
        else:
            strip(self.model)
        self._worn = []
        self.on, self.name = BARE, None

    @property
    def batches(self) -> bool:
        """Whether several questions can be answered side by side."""
        return can_batch(self.model)

    def encode(self, question: ModelInput, sampling: Sampling) -> tuple[Prompt, Sampling]:
        """A question's tokens, and its sampling as far as the context has room. Raises Refused."""
        prompt = encode(self.tokenizer, question)
        room = fit(prompt.tokens, context=self.context, max_tokens=sampling.max_tokens)
        return prompt, replace(sampling, max_tokens=room)

    def end(self, prompt: Prompt, sampling: Sampling, stats: AnswerStats) -> Done:
        """The end of an answer to an encoded prompt."""
        own, opened = prompt.thoughts(self.tokenizer)
        return Done(
            stats=stats,
            chat_template_used=prompt.templated,
            max_tokens=sampling.max_tokens,
            thought_marks=tuple((each.open, each.close) for each in own),
            thoughts_opened=opened,
            repeated_mark=prompt.repeated_mark,
        )

    def answer_all(
        self, items: Sequence[BatchItem], watch: Watch
    ) -> Iterator[AnswerFrame | Unanswered]:
        """First the questions that can't be asked, then the answers of the others as they get done,
        side by side where the model can. The seed is that of the first.
        """
        ready: list[tuple[int, Prompt, Sampling]] = []
        for index, item in enumerate(items):
            try:
                ready.append((index, *self.encode(item.question, item.sampling)))
            except Refused as refusal:
                yield Unanswered(index=index, refusal=refusal)
        if not ready:
            return
        prompts = [prompt.tokens for _, prompt, _ in ready]
        samplings = [sampling for _, _, sampling in ready]
        answers = (
            answer_batch(self.model, self.tokenizer, prompts, samplings, watch=watch)
            if self.batches
            else answer_in_turn(
                self.model, self.tokenizer, prompts, samplings, watch=watch,
                fresh=lambda: self.conversations.take(self.model, None, []),
            )
        )  # fmt: skip
        for answer in answers:
            index, prompt, sampling = ready[answer.index]
            end = self.end(prompt, sampling, answer.stats)
            yield AnswerFrame(index=index, text=answer.text, end=end)

    def status(self) -> WorkerStatus:
        return WorkerStatus(
            base=str(self.path),
            adapter=self.name,
            adapters_known=tuple(self.shelf.names),
            base_bytes=self.base_bytes,
            adapter_bytes=self.shelf.nbytes,
            conversation_bytes=self.conversations.nbytes,
            chat_template=bool(self.tokenizer.has_chat_template),
            context_length=self.context,
        )

    def _put_on(self, adapter: Adapter) -> None:
        if adapter.kind == "full":
            overwrite(self.model, adapter)
            self._overwritten = True
        else:
            self._worn = attach(self.model, adapter, self._modules)
        self.on, self.name = adapter.key, adapter.name

    def _reload(self) -> None:
        self.model, self._modules = nn.Module(), {}
        gc.collect()
        mx.clear_cache()
        self.model, self.tokenizer, self._config = _load(self.path)
        self._modules = dict(self.model.named_modules())
        self.conversations.clear()
        self._overwritten = False


def _load(path: Path) -> tuple[nn.Module, Any, dict[str, Any]]:
    try:
        model, config = load_network(path)
        tokenizer = load_tokenizer(path, eos_token_ids=config.get("eos_token_id"))
    except (ValueError, OSError, KeyError, TypeError, RuntimeError, ImportError) as problem:
        raise Refused(
            "bad_model",
            f"The model {path.name} can't be loaded: {' '.join(str(problem).split())[:500]}.",
            "GET /models says what is known to be wrong with a model's folder.",
        ) from problem
    return model, tokenizer, config
