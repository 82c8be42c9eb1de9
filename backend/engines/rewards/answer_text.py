"""What a completion says: its answer, its words, its numbers, its JSON. Plain text in, no engine.

The answer is what stands behind the thoughts (`contract/thoughts.py`), and of that the part between
`<answer>` and `</answer>` where there are such tags.
"""

from __future__ import annotations

import json
import math
import re
import string
from collections import Counter
from typing import Any

from backend.contract.thoughts import answer_of

_OPEN, _CLOSE = "<answer>", "</answer>"
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
# A sign counts only where no word or bracket stands before it: "3-4" holds 3 and 4.
_NUMBER = re.compile(
    r"(?:(?<![\w)])[-+\u2212])?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?"
)
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)


def answer_part(text: str) -> str:
    """The text without its thoughts; of that the last `<answer>` (to its `</answer>`, if it has
    one), or all of it.
    """
    answer = answer_of(text)
    _, opened, after = answer.rpartition(_OPEN)
    part = after if opened else answer
    return part.partition(_CLOSE)[0].strip()


def normalised(text: str) -> str:
    """Lower case, without punctuation, English articles and extra spaces: as SQuAD compares
    answers (its evaluation script, version 1.1; Rajpurkar et al. 2016, arXiv:1606.05250).
    """
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def token_f1(text: str, expected: str) -> float:
    """SQuAD's F1 over the bag of normalised words: 2·P·R / (P + R), from 0 to 1.

    Where either side has no words at all it is 1 if both have none, else 0 (as in its version
    2.0; Rajpurkar et al. 2018, arXiv:1806.03822).
    """
    ours, theirs = normalised(text).split(), normalised(expected).split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs))


def same_answer(text: str, expected: str) -> bool:
    """Equal once normalised; answers that are only punctuation are compared as they are."""
    target = normalised(expected)
    return normalised(text) == target if target else text.strip() == expected.strip()


def last_number(text: str) -> float | None:
    """The last number in the text ("1,250.5", "-3", "2e6"), which is where answers usually are."""
    number = None
    for match in _NUMBER.finditer(text):
        value = float(match.group().replace(",", "").replace("\u2212", "-"))
        if math.isfinite(value):
            number = value
    return number


def count_words(text: str) -> int:
    return len(text.split())


def has_phrase(text: str, phrase: str) -> bool:
    """Whether the phrase stands in the text as whole words, in whichever case."""
    spaced = r"\s+".join(re.escape(word) for word in phrase.casefold().split())
    return re.search(rf"(?<!\w){spaced}(?!\w)", text.casefold()) is not None


def parse_json(text: str) -> Any:
    """The JSON value that the whole text is; a Markdown code fence around it is no part of it.

    Raises ValueError, also for NaN and Infinity, which are not JSON.
    """
    fenced = _FENCE.match(text.strip())
    try:
        return json.loads(fenced[1] if fenced else text, parse_constant=_refuse)
    except RecursionError as problem:
        raise ValueError("it is nested too deeply") from problem


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
