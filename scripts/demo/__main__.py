"""`python -m scripts.demo build` makes the model and the data, `data` only the data."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

from .data import write_demo_data
from .defaults import MODEL_FOLDER

TEST_DATA = Path(__file__).resolve().parents[2] / "test_data"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__)
    parser.add_argument("step", choices=("build", "data", "ask", "rewards"))
    parser.add_argument("--root", type=Path, default=TEST_DATA, help="the test_data folder")
    parser.add_argument("--steps", type=int, help="pretraining steps, fewer for a quick try")
    parser.add_argument("--adapter", type=Path, help="adapter folder, for ask")
    parser.add_argument("--system", help="system prompt, for ask")
    parser.add_argument("prompts", nargs="*", help="for ask; the held-out prompts if none")
    options = parser.parse_intermixed_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    match options.step:
        case "data":
            write_demo_data(options.root)
        case "build":
            _build(options.root, options.steps)
        case "ask":
            _ask(options.root, options.prompts, options.adapter, options.system)
        case "rewards":
            _rewards(options.root)
    return 0


# Imports below are inside the steps: writing the data must not need an engine.


def _build(root: Path, steps: int | None) -> None:
    from dataclasses import replace

    from .pretrain import Recipe, pretrain
    from .tokenizer import save_tokenizer, train_tokenizer

    recipe = Recipe() if steps is None else replace(Recipe(), steps=steps)
    started = time.monotonic()
    _say("1/3 data")
    write_demo_data(root)
    _say("2/3 tokenizer")
    tokenizer = train_tokenizer(recipe.seed, recipe.vocab_size)
    save_tokenizer(tokenizer, root / MODEL_FOLDER)
    _say(f"3/3 model, {recipe.steps} steps")
    pretrain(recipe, tokenizer, root / MODEL_FOLDER)
    _say(f"done in {time.monotonic() - started:.0f} s")


def _ask(root: Path, prompts: list[str], adapter: Path | None, system: str | None) -> None:
    import json

    from .captain import is_captains
    from .probe import greedy_answers

    if not prompts:
        text = (root / "demo" / "held_out_prompts.json").read_text(encoding="utf-8")
        prompts = json.loads(text)
    answers = greedy_answers(root / MODEL_FOLDER, prompts, adapter, system)
    for answer in answers:
        _say(f"{answer.prompt}\n  {answer.text}")
    told = sum(is_captains(answer.text) for answer in answers)
    _say(f"{told} of {len(answers)} in the captain's style")


def _rewards(root: Path) -> None:
    from .probe import reward_shares

    shares = reward_shares(root / MODEL_FOLDER, root / "demo" / "grpo" / "test.jsonl")
    _say(f"well formed {shares.well_formed:.2f}, right {shares.right:.2f}, both {shares.both:.2f}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
