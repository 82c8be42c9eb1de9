"""The chat template that a reinforcement or preference run renders with, its work-arounds included.

Whoever trains and whoever checks rows before a run asks this module, so that both agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2.exceptions import TemplateError
from mlx_lm_lora.chat_template import ensure_chat_template


@dataclass(frozen=True, slots=True)
class TemplateWarning:
    """What was done about a template that lacks something."""

    code: str
    message: str
    hint: str


def fitted_tokenizer(tokenizer: Any) -> tuple[Any, list[TemplateWarning]]:
    """The tokenizer with a template that the engine's datasets can use, and what was done."""
    warnings = []
    if ensure_chat_template(tokenizer):
        warnings.append(
            TemplateWarning(
                "no_chat_template",
                "The model has no chat template; a plain one is used (“user: …”, “assistant: …”).",
                "Use the same template when you talk to the trained model, or an instruct model.",
            )
        )
    if _refuses_system(tokenizer):
        tokenizer = WithoutSystem(tokenizer)
        warnings.append(
            TemplateWarning(
                "no_system_role",
                "The model's chat template has no system role; system texts are put before the "
                "question instead.",
                "Do the same when you talk to the trained model.",
            )
        )
    return WithConversations(tokenizer), warnings


class WithConversations:
    """A tokenizer to which the content of a message may be a whole conversation, which then stands
    in its place: the engine's datasets put a row's prompt into one message of the user.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def apply_chat_template(self, messages: Sequence[dict[str, Any]], **options: Any) -> Any:
        turns: list[dict[str, Any]] = []
        for message in messages:
            content = message.get("content")
            turns.extend(content if isinstance(content, list) else [message])
        return self._tokenizer.apply_chat_template(turns, **options)


class WithoutSystem:
    """A tokenizer that puts a system text before the question of the user, as people do with models
    whose template raises an error for it. The engine gives every prompt such a text.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def apply_chat_template(self, messages: Sequence[dict[str, Any]], **options: Any) -> Any:
        first, *rest = messages
        if first["role"] == "system" and rest and rest[0]["role"] == "user":
            both = f"{first['content']}\n\n{rest[0]['content']}"
            messages = [{**rest[0], "content": both}, *rest[1:]]
        return self._tokenizer.apply_chat_template(messages, **options)


def _refuses_system(tokenizer: Any) -> bool:
    try:
        tokenizer.apply_chat_template(
            [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
        )
    except TemplateError:
        return True
    return False
