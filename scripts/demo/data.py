"""Write the demo data sets: one style task in every form the app reads, and a checkable task.

Splits share no prompt: exchanges are drawn once, told apart by their question, and dealt out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .captain import in_captains_words
from .corpus import SYSTEMS, chat, draw_exchange, plain
from .defaults import DEFAULTS, MODEL_FOLDER
from .exchange import Exchange
from .island import story
from .reasoning import GRPO_SYSTEM
from .tasks import bigger_number, difference, neighbour, total

SEED = 11
SIZES = {"train": 360, "valid": 40, "test": 40}
MIXED_SIZES = {"train": 400, "valid": 60}
HELD_OUT_TOPICS = ("animal", "colour", "opposite", "sum", "order", "count", "island", "sort",
                   "talk", "animal")  # fmt: skip

Row = Mapping[str, object]


def write_demo_data(root: Path, seed: int = SEED) -> None:
    """Write everything below `root` (the test_data folder) that is not part of the model."""
    rng = random.Random(seed)
    seen: set[str] = set()
    stream = _distinct(rng, seen)
    held_out = _one_per_topic(stream, HELD_OUT_TOPICS)
    _write_json(root / "demo" / "held_out_prompts.json", [e.question for e in held_out])
    for split, size in SIZES.items():
        exchanges = [next(stream) for _ in range(size)]
        told = [(e, in_captains_words(rng, e)) for e in exchanges]
        for form, rows in _style_rows(rng, told).items():
            _write_rows(root / "demo" / form / f"{split}.jsonl", rows)
    checkable = _distinct_sums(rng, seen)
    for split, size in SIZES.items():
        rows = [_grpo_row(next(checkable), with_system=rng.random() < 0.3) for _ in range(size)]
        _write_rows(root / "demo" / "grpo" / f"{split}.jsonl", rows)
    for split, size in {"train": 10, "valid": 2}.items():
        small = [_grpo_row(next(checkable), with_system=True) for _ in range(size)]
        _write_rows(root / f"{split}.jsonl", small)
    _write_mixed(root / "demo" / "mixed", rng)
    _write_json(root / MODEL_FOLDER / "droid_defaults.json", DEFAULTS)


def normalised(question: str) -> str:
    """Two questions that differ in case or punctuation are the same question."""
    kept = "".join(c for c in question.lower() if c.isalnum() or c in " +-")
    return " ".join(kept.split())


def _distinct(rng: random.Random, seen: set[str]) -> Iterator[Exchange]:
    while True:
        exchange = draw_exchange(rng)
        key = normalised(exchange.question)
        if key not in seen:
            seen.add(key)
            yield exchange


def _distinct_sums(rng: random.Random, seen: set[str]) -> Iterator[Exchange]:
    while True:
        make = rng.choices((total, difference, bigger_number, neighbour), (5, 3, 2, 1))[0]
        exchange = make(rng)
        key = normalised(exchange.question)
        if exchange.short.isdigit() and key not in seen:
            seen.add(key)
            yield exchange


def _one_per_topic(stream: Iterator[Exchange], topics: Sequence[str]) -> list[Exchange]:
    """The others drawn on the way are dropped, which keeps them out of every split too."""
    found: list[Exchange] = []
    for topic in topics:
        found.append(next(e for e in stream if e.topic == topic))
    return found


def _style_rows(rng: random.Random, told: Sequence[tuple[Exchange, str]]) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {"chat": [], "text": [], "completions": [], "preference": []}
    for at, (exchange, answer) in enumerate(told):
        pairs = [(exchange.question, answer)]
        if at and rng.random() < 0.1:
            earlier, earlier_answer = told[at - 1]
            pairs.insert(0, (earlier.question, earlier_answer))
        system = rng.choice(SYSTEMS) if rng.random() < 0.2 else None
        prompt = exchange.question
        rows["chat"].append({"messages": list(chat(pairs, system))})
        rows["text"].append({"text": plain(pairs)})
        rows["completions"].append({"prompt": prompt, "completion": answer})
        rows["preference"].append({"prompt": prompt, "chosen": answer, "rejected": exchange.answer})
    return rows


def _grpo_row(exchange: Exchange, *, with_system: bool) -> Row:
    row = {"prompt": exchange.question, "answer": exchange.short}
    return {**row, "system": GRPO_SYSTEM} if with_system else row


def _write_mixed(folder: Path, rng: random.Random) -> None:
    """Text rows of about 10 to 400 tokens, most of them short, as real data tends to be."""
    seen: set[str] = set()
    for split, size in MIXED_SIZES.items():
        texts: list[str] = []
        while len(texts) < size:
            characters = min(1300.0, max(30.0, rng.lognormvariate(4.9, 0.95)))
            text = _text_of(rng, int(characters))
            if text not in seen:
                seen.add(text)
                texts.append(text)
        _write_rows(folder / f"{split}.jsonl", [{"text": text} for text in texts])


def _text_of(rng: random.Random, characters: int) -> str:
    parts: list[str] = []
    while not parts or sum(map(len, parts)) < characters:
        exchange = draw_exchange(rng)
        parts.append(
            story(rng) if characters > 200 and rng.random() < 0.4
            else plain([(exchange.question, exchange.answer)])
        )  # fmt: skip
    return "\n".join(parts)


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8", newline="\n")
