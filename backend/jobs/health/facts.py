"""What the rules know of a run besides its events: the settings it began with, and its machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Family = Literal["loss", "preference", "reward"]

# What each method learns from: the losses of some say nothing of how well it goes.
_PREFERENCE = frozenset({"dpo", "orpo", "cpo", "dsla", "ftpo", "online_dpo", "xpo"})
_REWARD = frozenset({"grpo", "gspo", "dr_grpo", "dapo", "ppo", "rlhf_reinforce", "klpo"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """Of one run. Unknown is None; `memory_limit` is in bytes, rates are per update."""

    family: Family = "loss"
    total_steps: int | None = None
    learning_rate: float | None = None
    optimizer: str | None = None
    fine_tune_type: str | None = None
    warmup_steps: int = 0
    accumulation: int = 1
    batch_size: int | None = None
    max_seq_length: int | None = None
    grad_checkpoint: bool = False
    early_stop: bool = False
    temperature: float | None = None
    group_size: int | None = None
    max_completion_length: int | None = None
    memory_limit: int | None = None

    @classmethod
    def of_request(
        cls,
        method: str,
        request: Mapping[str, Any],
        *,
        total_steps: int | None = None,
        memory_limit: int | None = None,
    ) -> RunFacts:
        """From a record's `config`, which may be of an older version or of another program."""
        return cls(
            family=family_of(method),
            total_steps=total_steps or _whole(request.get("iterations")),
            learning_rate=_number(request.get("learning_rate")),
            optimizer=_text(request.get("optimizer")),
            fine_tune_type=_text(request.get("fine_tune_type")),
            warmup_steps=_whole(request.get("warmup_steps")) or 0,
            accumulation=_whole(request.get("grad_accumulation_steps")) or 1,
            batch_size=_whole(request.get("batch_size")),
            max_seq_length=_whole(request.get("max_seq_length")),
            grad_checkpoint=request.get("grad_checkpoint") is True,
            early_stop=request.get("early_stop") is True,
            temperature=_number(request.get("temperature")),
            group_size=_whole(request.get("group_size")),
            max_completion_length=_whole(request.get("max_completion_length")),
            memory_limit=memory_limit,
        )


def family_of(method: str) -> Family:
    """What a method of that name learns from; its own loss where the name is unknown."""
    if method in _PREFERENCE:
        return "preference"
    return "reward" if method in _REWARD else "loss"


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
