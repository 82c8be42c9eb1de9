"""Small data files to try a training method with: checkable questions, varied, the same per seed.

They show the form a method wants and let a first run be made; they teach nothing of use.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from backend.data.checks.method_rows import DataNeeds
from backend.data.write.atomic_output import NewFile

MOST = 1000

_NAMES = ("Mara", "Ilse", "Tovan", "Bruno", "Sana", "Pip", "Yara", "Oskar", "Lin", "Vera")
_CITIES = ("Lisbon", "Bergen", "Kyoto", "Lima", "Ghent", "Porto", "Accra", "Turin", "Oslo", "Riga")
_THINGS = ("apples", "stamps", "books", "marbles", "tickets", "pencils", "shells", "coins")
_WORDS = ("harbour", "lantern", "orchard", "compass", "velvet", "granite", "meadow", "thunder")


@dataclass(frozen=True, slots=True)
class Task:
    """A question, its short answer, the answer as a sentence, and a wrong short answer."""

    question: str
    answer: str
    sentence: str
    wrong: str


def write_samples(target: Path, needs: DataNeeds, count: int, *, seed: int = 0) -> int:
    """Write `count` different rows (1 to MOST) to a new file; answers how many.

    Raises AlreadyExists rather than replace one.
    """
    with NewFile(target, overwrite=False) as new:
        for row in sample_rows(needs, count, seed=seed):
            new.add(row)
        new.keep()
    return new.rows


def sample_rows(needs: DataNeeds, count: int, *, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Rows for a method, no question twice."""
    chance = random.Random(seed)
    for number, task in enumerate(_tasks(chance, count)):
        yield _ROWS[needs](task, number)


def _tasks(chance: random.Random, count: int) -> Iterator[Task]:
    asked: set[str] = set()
    while len(asked) < count:
        task = _KINDS[len(asked) % len(_KINDS)](chance)
        if task.question not in asked:
            asked.add(task.question)
            yield task


def _sum(chance: random.Random) -> Task:
    a, b = chance.randint(2, 99), chance.randint(2, 99)
    return Task(f"What is {a} + {b}?", str(a + b), f"{a} + {b} is {a + b}.", str(a + b + 10))


def _difference(chance: random.Random) -> Task:
    name, thing = chance.choice(_NAMES), chance.choice(_THINGS)
    had = chance.randint(10, 60)
    gone = chance.randint(2, had - 2)
    return Task(
        f"{name} has {had} {thing} and gives {gone} away. How many are left?",
        str(had - gone),
        f"{name} has {had - gone} {thing} left.",
        str(had + gone),
    )


def _larger(chance: random.Random) -> Task:
    a, b = chance.sample(range(1, 1000), 2)
    high, low = max(a, b), min(a, b)
    return Task(f"Which is larger, {a} or {b}?", str(high), f"{high} is larger.", str(low))


def _extract(chance: random.Random) -> Task:
    name, year = chance.choice(_NAMES), chance.randint(1950, 2020)
    city, other = chance.sample(_CITIES, 2)
    return Task(
        f"To which city did the person move? “{name} left {other} for {city} in {year}.”",
        city,
        f"{name} moved to {city}.",
        other,
    )


def _spell(chance: random.Random) -> Task:
    word, place = chance.choice(_WORDS), chance.randint(1, 6)
    if chance.random() < 0.5:
        word = word.capitalize()
    letter, wrong = word[place - 1], word[place % len(word)]
    return Task(
        f"What is letter {place} of the word “{word}”?",
        letter,
        f"Letter {place} of “{word}” is {letter}.",
        wrong if wrong != letter else "x",
    )


def _product(chance: random.Random) -> Task:
    a, b = chance.randint(2, 20), chance.randint(2, 20)
    return Task(f"How much is {a} times {b}?", str(a * b), f"{a} times {b} is {a * b}.", str(a + b))


# The kinds with few questions come seldom enough for MOST rows of different ones.
_KINDS: tuple[Callable[[random.Random], Task], ...] = (
    _sum, _extract, _difference, _larger, _product, _sum, _difference, _larger, _spell, _extract,
    _difference, _larger, _sum, _larger, _difference, _extract,
)  # fmt: skip


def _sft(task: Task, _number: int) -> dict[str, Any]:
    turns = (("user", task.question), ("assistant", task.sentence))
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def _prompt_answer(task: Task, _number: int) -> dict[str, Any]:
    return {"prompt": task.question, "answer": task.answer}


def _preference(task: Task, number: int) -> dict[str, Any]:
    """By turns: right before wrong, a sentence before a bare word, short before long-winded."""
    chosen, rejected = (
        (task.sentence, task.sentence.replace(task.answer, task.wrong)),
        (task.sentence, task.answer),
        (task.sentence, f"Well, that is a good question. Let me see. {task.sentence} I think so."),
    )[number % 3]
    if chosen == rejected:
        rejected = task.wrong
    return {"prompt": task.question, "chosen": chosen, "rejected": rejected}


def _prompt(task: Task, _number: int) -> dict[str, Any]:
    return {"prompt": task.question}


def _next_token(task: Task, _number: int) -> dict[str, Any]:
    """The answer up to where the wrong one differs, and there one letter or digit of each."""
    pairs = zip(task.answer, task.wrong, strict=False)
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    right, wrong = task.answer[same : same + 1] or ".", task.wrong[same : same + 1] or "."
    return {
        "context_with_chat_template": f"Question: {task.question}\nAnswer: {task.answer[:same]}",
        "rejected_decoded": wrong,
        "multi_chosen_decoded": [right],
    }


_ROWS: Mapping[DataNeeds, Callable[[Task, int], dict[str, Any]]] = {
    "sft": _sft,
    "prompt_answer": _prompt_answer,
    "preference": _preference,
    "prompt": _prompt,
    "next_token": _next_token,
}
