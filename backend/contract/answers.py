"""The end of an answer: what it took, and what its reader must know to show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.contract.thoughts import Marks, SplitAnswer, split_thoughts

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStats:
    """Seconds are wall clock; `tokens_per_second` is null when there was one token."""

    # `cached_tokens` of the prompt were read before, in the same conversation. Loading is 0 where
    # the base was there already, the swap where the adapter was.
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    first_token_seconds: float | None
    tokens_per_second: float | None
    model_load_seconds: float
    swap_seconds: float
    finish_reason: Finish


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEnd:
    """The end of an answer. `max_tokens` is what the context had room for.

    `reloaded` says that a full fine-tune made loading the base again necessary. The marks of
    thoughts are those that the model's template or tokenizer names, or that ended the prompt.
    `repeated_mark` is a mark of the template that the prompt held already.
    """

    stats: AnswerStats
    chat_template_used: bool = False
    max_tokens: int = 0
    reloaded: bool = False
    thought_marks: tuple[tuple[str, ...], ...] = ()
    thoughts_opened: str | None = None
    repeated_mark: str | None = None

    def split(self, text: str) -> SplitAnswer:
        """The answer's text with its thoughts set apart."""
        own = [Marks(begin, end) for begin, end in self.thought_marks]
        return split_thoughts(text, own=own, opened=self.thoughts_opened)
