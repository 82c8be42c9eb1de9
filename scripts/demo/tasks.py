"""Small tasks with a checkable result: sums, counting, order, copying, spelling."""

from __future__ import annotations

import random

from .exchange import Exchange, Topic
from .words import DAYS, LETTERS, MONTHS, SHORT_WORDS


def total(rng: random.Random) -> Exchange:
    a, b = rng.randint(0, 9), rng.randint(0, 9)
    question, answer = rng.choice(
        (
            ("What is {a} plus {b}?", "{a} plus {b} is {c}."),
            ("{a} + {b} = ?", "{a} + {b} = {c}."),
            ("Add {a} and {b}.", "{a} and {b} make {c}."),
            ("How much is {a} and {b}?", "The sum of {a} and {b} is {c}."),
        )
    )
    return _sum("sum", question, answer, a, b, a + b)


def difference(rng: random.Random) -> Exchange:
    a, b = sorted((rng.randint(0, 9), rng.randint(0, 9)), reverse=True)
    question, answer = rng.choice(
        (
            ("What is {a} minus {b}?", "{a} minus {b} is {c}."),
            ("{a} - {b} = ?", "{a} - {b} = {c}."),
            ("Take {b} away from {a}.", "{a} take away {b} leaves {c}."),
        )
    )
    return _sum("sum", question, answer, a, b, a - b)


def _sum(topic: str, question: str, answer: str, a: int, b: int, c: int) -> Exchange:
    return Exchange(topic=topic, question=question.format(a=a, b=b),
                    answer=answer.format(a=a, b=b, c=c), short=str(c))  # fmt: skip


def neighbour(rng: random.Random) -> Exchange:
    """What comes after or before: numbers, days, months, letters."""
    kind, items = rng.choice(
        (
            ("number", tuple(str(n) for n in range(31))),
            ("number", tuple(str(n) for n in range(31))),
            ("day", DAYS), ("month", MONTHS), ("letter", tuple(LETTERS)),
        )
    )  # fmt: skip
    at = rng.randrange(len(items) - 1)
    before, after = items[at], items[at + 1]
    question, answer, short = rng.choice(
        (
            (f"What comes after {before}?", f"After {before} comes {after}.", after),
            (f"Which {kind} comes before {after}?", f"{before} comes before {after}.", before),
            (f"What is the next {kind} after {before}?", f"The next {kind} is {after}.", after),
        )
    )
    return Exchange(topic="order", question=question, answer=answer, short=short)


def count(rng: random.Random) -> Exchange:
    start, stop = sorted(rng.sample(range(1, 13), 2))
    if rng.random() < 0.5:
        numbers, question = range(1, stop + 1), f"Count to {stop}."
    elif rng.random() < 0.5:
        numbers, question = range(start, stop + 1), f"Count from {start} to {stop}."
    else:
        numbers, question = range(stop, 0, -1), f"Count down from {stop}."
    listed = ", ".join(str(n) for n in numbers)
    return Exchange(topic="count", question=question, answer=f"{listed}.", short=listed)


def bigger_number(rng: random.Random) -> Exchange:
    top = rng.choice((9, 99))
    a, b = rng.sample(range(top + 1), 2)
    low, high = sorted((a, b))
    question, answer, short = rng.choice(
        (
            ("Which is bigger, {a} or {b}?", "{high} is bigger than {low}.", high),
            ("Which number is smaller, {a} or {b}?", "{low} is the smaller number.", low),
        )
    )
    return Exchange(topic="sum", question=question.format(a=a, b=b),
                    answer=answer.format(low=low, high=high), short=str(short))  # fmt: skip


def copy(rng: random.Random) -> Exchange:
    words = rng.sample(SHORT_WORDS, rng.randint(1, 5))
    line = " ".join(words)
    question, answer = rng.choice(
        (
            (f"Repeat: {line}", line),
            (f"Repeat after me: {line}", line),
            (f"Say: {line}", line),
            (f"Say the word {words[0]} twice.", f"{words[0]} {words[0]}"),
        )
    )
    return Exchange(topic="copy", question=question, answer=answer, short=answer)


def word_list(rng: random.Random) -> Exchange:
    words = rng.sample(SHORT_WORDS, rng.randint(2, 5))
    line, backwards = " ".join(words), " ".join(words[::-1])
    question, answer, short = rng.choice(
        (
            (f"What is the first word of: {line}", f"The first word is {words[0]}.", words[0]),
            (f"What is the last word of: {line}", f"The last word is {words[-1]}.", words[-1]),
            (
                f"How many words are there: {line}",
                f"There are {len(words)} words.",
                str(len(words)),
            ),
            (f"Say it backwards: {line}", backwards, backwards),
        )
    )
    return Exchange(topic="copy", question=question, answer=answer, short=short)


def spell(rng: random.Random) -> Exchange:
    word = rng.choice(SHORT_WORDS)
    letters = "-".join(word)
    question, answer, short = rng.choice(
        (
            (f"Spell {word}.", f"{letters}.", letters),
            (f"How do you spell {word}?", f"You spell it {letters}.", letters),
            (f"What is the first letter of {word}?", f"The first letter is {word[0]}.", word[0]),
        )
    )
    return Exchange(topic="spell", question=question, answer=answer, short=short)


TASKS: tuple[tuple[Topic, float], ...] = (
    (total, 2.2), (difference, 1.2), (neighbour, 2.0), (count, 1.0), (bigger_number, 1.4),
    (copy, 1.2), (word_list, 1.2), (spell, 0.8),
)  # fmt: skip
