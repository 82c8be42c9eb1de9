"""Ask a model on disk, with or without an adapter: what the README claims is measured here."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
from mlx_lm import generate, load
from mlx_lm.sample_utils import make_sampler

from .reasoning import GRPO_SYSTEM

MAX_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Answer:
    prompt: str
    text: str


@dataclass(frozen=True, slots=True)
class RewardShares:
    """Shares (0 to 1) of sampled completions: tags in order, right number in the tags, both."""

    well_formed: float
    right: float
    both: float


def greedy_answers(
    model_path: Path, prompts: Sequence[str], adapter: Path | None = None, system: str | None = None
) -> list[Answer]:
    model, tokenizer = load(str(model_path), adapter_path=str(adapter) if adapter else None)[:2]
    head = [{"role": "system", "content": system}] if system else []
    answers = []
    for prompt in prompts:
        messages = [*head, {"role": "user", "content": prompt}]
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True)
        text = generate(model, tokenizer, ids, max_tokens=MAX_TOKENS)
        answers.append(Answer(prompt, text))
    return answers


def reward_shares(
    model_path: Path, rows_file: Path, *, rows: int = 40, samples: int = 4, seed: int = 0
) -> RewardShares:
    """Sample as mlx-lm-lora's GRPO does (temperature 1, top-p 0.95, top-k 20) and score by hand."""
    model, tokenizer = load(str(model_path))[:2]
    mx.random.seed(seed)
    sampler = make_sampler(temp=1.0, top_p=0.95, top_k=20)
    lines = rows_file.read_text(encoding="utf-8").splitlines()
    formed = right = both = 0
    for line in random.Random(seed).sample(lines, rows):
        row = json.loads(line)
        messages = [
            {"role": "system", "content": GRPO_SYSTEM},
            {"role": "user", "content": row["prompt"]},
        ]
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True)
        for _ in range(samples):
            text = generate(model, tokenizer, ids, max_tokens=MAX_TOKENS, sampler=sampler)
            is_formed = _is_well_formed(text)
            is_right = text.split("<answer>")[-1].split("</answer>")[0].strip() == row["answer"]
            formed += is_formed
            right += is_right
            both += is_formed and is_right
    count = rows * samples
    return RewardShares(formed / count, right / count, both / count)


def _is_well_formed(text: str) -> bool:
    places = [text.find(tag) for tag in ("<think>", "</think>", "<answer>", "</answer>")]
    return -1 not in places and places == sorted(places)
