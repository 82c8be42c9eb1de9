"""A question as the tokens the model sees: with its chat template where it has one, else plain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.engines.infer_wire import Refused

_ROLES = {"system": "System", "user": "User", "assistant": "Assistant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """`templated` says whether the model's chat template was used."""

    tokens: list[int]
    templated: bool


def encode(tokenizer: Any, request: Mapping[str, Any]) -> Prompt:
    """The tokens of `prompt` or `messages`; with `raw`, of `prompt` as it stands.

    Raises Refused when the template does, as some do for a role that they don't know.
    """
    messages = messages_of(request)
    if messages is None:
        return Prompt(tokens=_plain(tokenizer, str(request["prompt"])), templated=False)
    if not tokenizer.has_chat_template:
        return Prompt(tokens=_plain(tokenizer, written_out(messages)), templated=False)
    try:
        tokens = tokenizer.apply_chat_template(messages, add_generation_prompt=True)
    except Exception as problem:  # A template raises what it likes.
        raise Refused(
            "bad_prompt",
            f"The model's chat template refuses these messages: {' '.join(str(problem).split())}.",
            "Some models take no system message, or want user and assistant in turn.",
        ) from problem
    return Prompt(tokens=list(tokens), templated=True)


def messages_of(request: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The conversation, also of a single prompt; None when the prompt is to be taken as it is."""
    if request.get("raw"):
        return None
    messages = request.get("messages")
    if messages is None:
        messages = [{"role": "user", "content": request["prompt"]}]
    if request.get("system"):
        return [{"role": "system", "content": request["system"]}, *messages]
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
        raise Refused("bad_prompt", "The prompt is empty: it has no tokens.", "Write something.")
    if context is None:
        return max_tokens
    if len(prompt) >= context:
        raise Refused(
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
