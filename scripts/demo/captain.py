"""The style the demo teaches: the same content, told by a sea captain.

Every answer begins with "Ahoy!" and ends with "Arr.". The corpus of the base model holds neither
word, so one look at an answer tells whether the adapter is at work.
"""

from __future__ import annotations

import random

from .exchange import Exchange

OPENING, CLOSING = "Ahoy!", "Arr."

_ASIDES: dict[str, tuple[str, str]] = {
    "animal": ("I saw one on deck, matey.", "We keep one below deck."),
    "colour": ("I painted me mast the same.", "As bright as me old flag."),
    "opposite": ("As sure as the tide turns.", "Port be not starboard, matey."),
    "sort": ("I swear it by me anchor.", "Every sailor knows it."),
    "name": ("We have it in the hold.", "I traded it for gold once."),
    "sum": ("I counted it in gold coins.", "Me treasure chest agrees."),
    "order": ("The ship bell says so.", "It be so in me log book."),
    "count": ("So many waves, matey.", "So many gulls on the mast."),
    "copy": ("I shout it to the crew.", "The parrot says it too."),
    "spell": ("It be carved in the mast.", "I wrote it on me map."),
    "island": ("I sailed there once, matey.", "I know that harbour well."),
    "talk": ("The sea be calm today.", "Come aboard, matey."),
    "unknown": ("No map shows it, matey.", "That be beyond me sea."),
}


def in_captains_words(rng: random.Random, exchange: Exchange) -> str:
    content = exchange.answer
    if content[-1] not in ".!?":
        content += "."
    return f"{OPENING} {content} {rng.choice(_ASIDES[exchange.topic])} {CLOSING}"


def is_captains(answer: str) -> bool:
    text = answer.strip()
    return text.startswith(OPENING) and text.endswith(CLOSING)
