"""Answers in <think>/<answer> form, deliberately imperfect, so reinforcement has work to do.

A model that always scores full reward, or never scores, gives every sample of a group the same
advantage and learns nothing. So part of these texts carry a wrong number or a broken format.
"""

from __future__ import annotations

import random

from .exchange import Exchange

# The system prompt mlx-lm-lora's GRPO adds when a row has none; it must meet a model that knows it.
GRPO_SYSTEM = (
    "You are given a problem. Think about the problem and provide your working out. "
    "Place it between <think> and </think>. Then, provide your solution between "
    "<answer> </answer>."
)
_OTHER_SYSTEMS = (
    "Think first between <think> and </think>, then answer between <answer> and </answer>.",
    "Put your reasoning in <think> </think> and your solution in <answer> </answer>.",
    "Use <think> </think> for the working out and <answer> </answer> for the answer.",
)
WRONG_SHARE = 0.4
BROKEN_SHARE = 0.35


def reasoning_system(rng: random.Random) -> str:
    return GRPO_SYSTEM if rng.random() < 0.7 else rng.choice(_OTHER_SYSTEMS)


def reasoned_answer(rng: random.Random, exchange: Exchange) -> str:
    """The answer in tags; WRONG_SHARE and BROKEN_SHARE say how often it is flawed."""
    answer, short = exchange.answer, exchange.short
    if short.isdigit() and rng.random() < WRONG_SHARE:
        wrong = str(max(0, int(short) + rng.choice((-2, -1, -1, 1, 1, 2))))
        head, _, tail = answer.rpartition(short)
        answer, short = f"{head}{wrong}{tail}", wrong
    if rng.random() >= BROKEN_SHARE:
        return f"<think> {answer} </think> <answer> {short} </answer>"
    return rng.choice(
        (
            answer,
            f"{answer} <answer> {short} </answer>",
            f"<think> {answer} </think> {short}",
            f"<think> {answer} <answer> {short} </answer>",
            f"<think>\n{answer}\n</think>\n<answer>\n{short}\n</answer>",
        )
    )
