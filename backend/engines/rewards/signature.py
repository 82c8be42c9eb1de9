"""A reward function of one's own, called with the arguments it asks for.

The engine calls `f(prompts=, completions=, answer=, types=)`; TRL calls `f(completions, **kwargs)`
with a data set's columns by name, and its functions may expect each completion as messages.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.contract.reward_arguments import ANSWERS, TYPES, unfit_reason

_AS_TEXT_ONLY = ("string indices must be integers", "string index indices must be integers")


@dataclass(frozen=True, slots=True)
class Unfit:
    """A function of a file that can't be called here, and why."""

    reason: str


def adapted(name: str, function: Callable[..., Any]) -> Callable[..., Any] | Unfit:
    """The function as the engine calls it, or why it can't be."""
    parameters = inspect.signature(function).parameters.values()
    required = [
        one.name
        for one in parameters
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    if any(one.kind is one.POSITIONAL_ONLY for one in parameters):
        return Unfit(f"{name} takes arguments by place only; TRL and the engine name them.")
    reason = unfit_reason(name, required)
    if reason is not None:
        return Unfit(reason)
    names = {one.name for one in parameters}
    anything = any(one.kind is one.VAR_KEYWORD for one in parameters)
    return _Adapted(function, None if anything else frozenset(names))


class _Adapted:
    """`names` are the arguments that it takes, None where it takes any."""

    def __init__(self, function: Callable[..., Any], names: frozenset[str] | None) -> None:
        self._function = function
        self._names = names
        self._messages = False
        self.__name__ = getattr(function, "__name__", "reward")
        self.__doc__ = function.__doc__
        for end in ("minimum", "maximum"):
            setattr(self, end, getattr(function, end, None))

    def __call__(
        self, prompts: list[str], completions: list[str], answer: list[str], types: list[Any]
    ) -> Any:
        if not self._messages:
            try:
                return self._called(prompts, completions, answer, types)
            except TypeError as problem:
                # `completion[0]["content"]`, as TRL's examples for conversations have it.
                if not str(problem).startswith(_AS_TEXT_ONLY):
                    raise
        scores = self._called(
            [[{"role": "user", "content": text}] for text in prompts],
            [[{"role": "assistant", "content": text}] for text in completions],
            answer,
            types,
        )
        self._messages = True
        return scores

    def _called(self, prompts: Any, completions: Any, answer: list[str], types: list[Any]) -> Any:
        arguments: dict[str, Any] = {"prompts": prompts, "completions": completions}
        arguments |= {name: list(answer) for name in ANSWERS}
        arguments |= {name: list(types) for name in TYPES}
        if self._names is not None:
            arguments = {name: value for name, value in arguments.items() if name in self._names}
        scores = self._function(**arguments)
        return asyncio.run(scores) if inspect.iscoroutine(scores) else scores
