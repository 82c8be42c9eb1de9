"""All text of the demo model: an endless, seeded stream of conversations and plain documents."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .everyday import EVERYDAY
from .exchange import Exchange, Message, Topic
from .island import ISLAND, story
from .reasoning import reasoned_answer, reasoning_system
from .smalltalk import NAMES, SMALLTALK
from .tasks import TASKS

TOPICS: tuple[tuple[Topic, float], ...] = (*EVERYDAY, *TASKS, *ISLAND, *SMALLTALK)
_TOPIC_FUNCTIONS = [topic for topic, _ in TOPICS]
_TOPIC_WEIGHTS = [weight for _, weight in TOPICS]

SYSTEMS = (
    "You are a helpful assistant.",
    "You are Droid, a small and friendly model.",
    "Answer in short sentences.",
    "You are a kind teacher.",
    "Be polite and clear.",
    "You answer simple questions.",
    "You are a careful assistant who tells the truth.",
)
ONE_WORD_SYSTEMS = ("Answer with one word only.", "Give only the answer, nothing else.")
# What the user's own request may add when there is no system prompt to ask for the format.
TAG_REQUESTS = ("Put the answer in <answer> tags.", "Use <answer> </answer>.")


@dataclass(frozen=True, slots=True)
class Document:
    """Either a chat (`messages`) or plain `text`; the other one is empty."""

    messages: tuple[Message, ...] = ()
    text: str = ""


def draw_exchange(rng: random.Random) -> Exchange:
    return rng.choices(_TOPIC_FUNCTIONS, _TOPIC_WEIGHTS)[0](rng)


def documents(seed: int) -> Iterator[Document]:
    """Never ends; the same seed gives the same documents in the same order."""
    rng = random.Random(seed)
    while True:
        yield _document(rng)


def chat(pairs: list[tuple[str, str]], system: str | None = None) -> tuple[Message, ...]:
    messages: list[Message] = []
    if system:
        messages.append({"role": "system", "content": system})
    for question, answer in pairs:
        messages.append({"role": "user", "content": question})
        messages.append({"role": "assistant", "content": answer})
    return tuple(messages)


def plain(pairs: list[tuple[str, str]]) -> str:
    return "\n".join(f"User: {question}\nAssistant: {answer}" for question, answer in pairs)


def _document(rng: random.Random) -> Document:
    kind = rng.random()
    if kind < 0.06:
        return Document(text=story(rng))
    if kind < 0.13:
        return Document(text=plain([_pair(_roughened(rng, draw_exchange(rng)))]))
    if kind < 0.22:
        checkable = _checkable(rng)
        return Document(
            chat([(checkable.question, reasoned_answer(rng, checkable))], reasoning_system(rng))
        )
    if kind < 0.25:
        checkable = _checkable(rng)
        question = f"{checkable.question} {rng.choice(TAG_REQUESTS)}"
        return Document(chat([(question, f"<answer> {checkable.short} </answer>")]))
    if kind < 0.28:
        checkable = _checkable(rng)
        return Document(chat([(checkable.question, checkable.short)], rng.choice(ONE_WORD_SYSTEMS)))
    system = rng.choice(SYSTEMS) if rng.random() < 0.3 else None
    if kind < 0.31:
        return Document(chat(_name_game(rng), system))
    turns = rng.choices((1, 2, 3), (0.78, 0.16, 0.06))[0]
    pairs = [_pair(_roughened(rng, draw_exchange(rng))) for _ in range(turns)]
    return Document(chat(pairs, system))


def _pair(exchange: Exchange) -> tuple[str, str]:
    return exchange.question, exchange.answer


def _checkable(rng: random.Random) -> Exchange:
    """An exchange with a result a program can check, sums more often than chance."""
    while True:
        exchange = draw_exchange(rng)
        if exchange.short and (exchange.topic in ("sum", "order") or rng.random() < 0.25):
            return exchange


def _name_game(rng: random.Random) -> list[tuple[str, str]]:
    """Something said earlier is asked for later, so that history is worth reading."""
    name = rng.choice(NAMES)
    pairs = [(f"My name is {name}.", f"Nice to meet you, {name}.")]
    if rng.random() < 0.5:
        pairs.append(_pair(draw_exchange(rng)))
    pairs.append(("What is my name?", f"Your name is {name}."))
    return pairs


def _roughened(rng: random.Random, exchange: Exchange) -> Exchange:
    """People leave out capitals and question marks; the model must not care."""
    question = exchange.question
    if rng.random() < 0.12 and exchange.topic not in ("copy", "spell"):
        question = question.lower().rstrip("?.!")
    return replace(exchange, question=question)
