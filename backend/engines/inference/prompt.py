"""A question as the tokens the model sees: with its chat template where it has one, else plain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.contract.inference_frames import ModelInput
from backend.contract.thoughts import FAMILIES, Marks, marks_of, opened_by
from backend.engines.inference.protocol import QuestionRefused

_TAIL = 16  # Tokens of a prompt in which an opening mark of thoughts may stand.
_ROLES = {"system": "System", "user": "User", "assistant": "Assistant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """`templated` says whether the model's chat template was used."""

    tokens: list[int]
    templated: bool

    # A mark of the template's own that a message holds already: it then stands there twice.
    repeated_mark: str | None = None

    def thoughts(self, tokenizer: Any) -> tuple[tuple[Marks, ...], str | None]:
        """The marks that set an answer's thoughts apart, and the one that the prompt ends with."""
        own = own_marks(tokenizer) if self.templated else ()
        return own, opened_in(tokenizer, self.tokens, own)


def encode(tokenizer: Any, question: ModelInput) -> Prompt:
    """The tokens of `prompt` or `messages`; with `raw`, of `prompt` as it stands.

    Raises Refused when the template does, as some do for a role that they don't know.
    """
    messages = messages_of(question)
    if messages is None:
        return Prompt(tokens=_plain(tokenizer, str(question.prompt)), templated=False)
    calls = next((m for m in messages if m.get("tool_calls")), None)
    if calls is not None and not _writes_calls(tokenizer):
        raise QuestionRefused(
            "bad_prompt",
            "The history has tool_calls, and the model's chat template writes none, so the call "
            "would be lost.",
            "Use a model whose template knows tool calls, or write the call into content.",
        )
    if not tokenizer.has_chat_template:
        return Prompt(tokens=_plain(tokenizer, written_out(messages)), templated=False)
    try:
        tokens = tokenizer.apply_chat_template(
            messages, **question.template_variables, add_generation_prompt=True
        )
    except Exception as problem:  # A template raises what it likes.
        raise QuestionRefused(
            "bad_prompt",
            f"The model's chat template refuses these messages: {' '.join(str(problem).split())}.",
            "Some models take no system message, or want user and assistant in turn.",
        ) from problem
    return Prompt(
        tokens=list(tokens), templated=True, repeated_mark=_repeated_mark(tokenizer, messages)
    )


def _repeated_mark(tokenizer: Any, messages: Sequence[Mapping[str, Any]]) -> str | None:
    template = getattr(tokenizer, "chat_template", None)
    if not isinstance(template, str):
        return None
    thoughts = (*own_marks(tokenizer), *FAMILIES)
    of_thoughts = {mark for each in thoughts for mark in (each.open, each.close)}
    tokens = set(getattr(tokenizer, "added_tokens_encoder", None) or ()) - of_thoughts
    contents = [str(message.get("content") or "") for message in messages]
    marks = (token for token in sorted(tokens) if len(token) > 2 and token in template)
    return next((mark for mark in marks if any(mark in text for text in contents)), None)


def _writes_calls(tokenizer: Any) -> bool:
    template = getattr(tokenizer, "chat_template", None)
    return "tool_calls" in str(template) if template is not None else tokenizer.has_chat_template


def own_marks(tokenizer: Any) -> tuple[Marks, ...]:
    """Marks of thoughts that this tokenizer or its template names beside the families' own."""
    template = getattr(tokenizer, "chat_template", None)
    # Special tokens alone: a vocabulary has hundreds of thousands of words.
    tokens = set(getattr(tokenizer, "added_tokens_encoder", None) or ())
    return marks_of(template if isinstance(template, str) else None, tokens)


def opened_in(tokenizer: Any, tokens: Sequence[int], own: Sequence[Marks]) -> str | None:
    """The mark that the prompt ends with, where its template opens the block of thoughts."""
    return opened_by(tokenizer.decode(list(tokens[-_TAIL:])), own=own)


def messages_of(question: ModelInput) -> list[Mapping[str, Any]] | None:
    """The conversation, also of a single prompt; None when the prompt is to be taken as it is."""
    if question.raw:
        return None
    messages = question.messages
    if messages is None:
        messages = ({"role": "user", "content": question.prompt},)
    if question.system:
        return [{"role": "system", "content": question.system}, *messages]
    return list(messages)


def written_out(messages: Sequence[Mapping[str, Any]]) -> str:
    """For a model without a chat template: a lone question as it is, a talk with its speakers."""
    if len(messages) == 1 and messages[0]["role"] == "user":
        return str(messages[0]["content"])
    lines = [f"{_ROLES.get(m['role'], m['role'])}: {m['content']}" for m in messages]
    return "\n".join([*lines, "Assistant:"])


def fit(prompt: Sequence[int], *, context: int | None, max_tokens: int) -> int:
    """How many tokens the answer may have. Raises Refused when the prompt fills the context."""
    if not prompt:
        raise QuestionRefused(
            "bad_prompt", "The prompt is empty: it has no tokens.", "Write something."
        )
    if context is None:
        return max_tokens
    if len(prompt) >= context:
        raise QuestionRefused(
            "too_long",
            f"The prompt has {len(prompt)} tokens, and the model's context is {context}, so there "
            "is no room for an answer.",
            "Shorten the prompt, or choose a model with a longer context.",
        )
    return min(max_tokens, context - len(prompt))


def _plain(tokenizer: Any, text: str) -> list[int]:
    """As the engine encodes a prompt that is text."""
    begins = tokenizer.bos_token is not None and text.startswith(tokenizer.bos_token)
    return list(tokenizer.encode(text, add_special_tokens=not begins))
