"""One question with its answer: the unit every text of the demo is made of."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """`short` is the checkable core of `answer` ("7" of "3 plus 4 is 7."), or empty."""

    topic: str
    question: str
    answer: str
    short: str = ""


Topic = Callable[[random.Random], Exchange]
Message = dict[str, str]


def with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def capitalised(sentence: str) -> str:
    """Upper-case the first letter only; `str.capitalize` would lower the names inside."""
    return sentence[:1].upper() + sentence[1:]


def fill(template: str, **values: str) -> str:
    return capitalised(template.format(**values))
