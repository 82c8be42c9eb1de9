"""`python -m backend.engines.rewards`: list, check or try reward functions, and end.

The server never runs a person's code; this does, for one question, under the time and output
limits of whoever asks and a memory limit of its own. Reads `{"task": "list" | "check" | "try", …}`
on stdin, with `memory`, the bytes that may be held; answers on stdout with what was asked, or
`{"refused": sentence, "about": field}`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Literal

import psutil

from backend.engines.rewards.registry import (
    Reward,
    RewardFailed,
    WeightsRefused,
    list_rewards,
    load_rewards,
    weighted_total,
)
from backend.engines.rewards.user_file import FileRefused

_ADDRESSES = 16 * 1024**3  # Bytes of address space: libraries take much of it and fill little.
_LOOK_EVERY = 0.05

About = Literal["reward_functions", "reward_weights", "reward_functions_file", "scoring"]


def main() -> int:
    """0 with an answer or a refusal; another code only when the functions ended the process."""
    answers = _own_channel()
    request = json.load(sys.stdin)
    _limit_memory(answers, request["memory"])
    _say(answers, answer(request))
    return 0


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """What is written to stdout for one question."""
    file = Path(request["file"]) if request.get("file") else None
    try:
        if request["task"] == "list":
            return {"functions": list_rewards(file=file, sha256=request.get("sha256"))}
        rewards = load_rewards(
            request["names"],
            weights=request.get("weights"),
            file=file,
            sha256=request.get("sha256"),
        )
        described = [_describe(reward) for reward in rewards]
        if request["task"] == "check":
            return {"functions": described}
        return {"functions": described, **_try(rewards, request["samples"])}
    except FileRefused as problem:
        return _refused(problem, "reward_functions_file")
    except RewardFailed as problem:
        return _refused(problem, "scoring")
    except WeightsRefused as problem:
        return _refused(problem, "reward_weights")
    except ValueError as problem:
        return _refused(problem, "reward_functions")


def _try(rewards: Sequence[Reward], samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    columns, seconds = [], []
    for reward in rewards:
        began = time.perf_counter()
        columns.append(_column(reward, samples))
        seconds.append(time.perf_counter() - began)
    scores = [list(row) for row in zip(*columns, strict=True)]
    weights = [reward.weight for reward in rewards]
    return {
        "scores": scores,
        "totals": [weighted_total(row, weights) for row in scores],
        "seconds": seconds,
    }


def _column(reward: Reward, samples: Sequence[Mapping[str, Any]]) -> list[float | None]:
    try:
        return _scores(reward, samples)
    except RewardFailed as problem:
        for sample in samples:  # Which of them is it?
            try:
                _scores(reward, [sample])
            except RewardFailed as single:
                raise RewardFailed(f"{single} (line {sample['line']} of the data)") from problem
        raise


def _scores(reward: Reward, samples: Sequence[Mapping[str, Any]]) -> list[float | None]:
    return reward(
        [sample["prompt"] for sample in samples],
        [sample["completion"] for sample in samples],
        [sample["answer"] for sample in samples],
        [sample.get("type") for sample in samples],
    )


def _describe(reward: Reward) -> dict[str, Any]:
    return {
        "name": reward.name,
        "source": reward.source,
        "weight": reward.weight,
        "minimum": reward.minimum,
        "maximum": reward.maximum,
        "needs": list(reward.needs),
    }


def _refused(problem: Exception, about: About) -> dict[str, Any]:
    return {"refused": str(problem)[:2000], "about": about}


def _own_channel() -> IO[str]:
    """Standard output for the answer alone; what functions print goes where errors go."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


def _say(answers: IO[str], text: Mapping[str, Any]) -> None:
    answers.write(json.dumps(text, allow_nan=False))
    answers.flush()


def _limit_memory(answers: IO[str], most: int) -> None:
    if sys.platform == "linux":  # Elsewhere the system does not hold it.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    this = psutil.Process()  # Not getrusage, whose peak begins with that of who started this.

    def watch() -> None:
        while this.memory_info().rss < most:
            time.sleep(_LOOK_EVERY)
        text = f"The reward functions took more than {most // 1024**2} MiB of memory."
        _say(answers, _refused(MemoryError(text), "scoring"))
        os._exit(0)

    threading.Thread(target=watch, name="memory", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
