"""Every reward function under one roof: the engine's, the app's and a person's own.

`load_rewards` turns names into callables for a run or a try, and refuses with a sentence what the
engine would pass over in silence (it trains on its defaults, or not at all, and exits with 0).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from backend.engines.rewards.builtin import SHIPPED, Need, Score, Shipped
from backend.engines.rewards.engine import BUILT_IN, Function, registry
from backend.engines.rewards.signature import Unfit
from backend.engines.rewards.user_file import NAME, load_file

Source = Literal["engine", "app", "file"]
MOST = 32
NAME_CAP = 4000
_SHIPPED: Mapping[str, Shipped] = {shipped.name: shipped for shipped in SHIPPED}


class RewardFailed(ValueError):
    """A reward function raised or answered with something that is no score; says which and how."""


class WeightsRefused(ValueError):
    """Weights that don't go with the functions; says how."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reward:
    """A reward function as the engine calls it, under its whole name: `length_window(20;80)`.

    `minimum` and `maximum` are the ends of its range, None where nobody knows them; `needs` is
    what a row must have for it to apply.
    """

    name: str
    source: Source
    weight: float
    minimum: float | None
    maximum: float | None
    needs: tuple[Need, ...]
    function: Function

    @property
    def __name__(self) -> str:  # The engine names its metrics after this.
        return self.name

    def __call__(
        self,
        prompts: Sequence[str],
        completions: Sequence[str],
        answer: Sequence[str],
        types: Sequence[Any] | None = None,
    ) -> list[float | None]:
        """One score per completion; None where the function does not apply to it.

        Raises RewardFailed when the function raises, or answers with too few or too many scores,
        with an infinite one, or with one that is no number.
        """
        # Lists of its own: a function that changes them must not change what the next one sees.
        arguments = {"prompts": list(prompts), "completions": list(completions)}
        kinds = list(types) if types is not None else [None] * len(completions)
        try:
            scores = self.function(**arguments, answer=list(answer), types=kinds)
        except Exception as problem:
            raise RewardFailed(
                f"The reward function {self.name} raised {type(problem).__name__}: {problem}"
            ) from problem
        return _checked(self.name, scores, len(completions))


def load_rewards(
    names: Sequence[str],
    *,
    weights: Sequence[float] | None = None,
    file: Path | None = None,
    sha256: str | None = None,
) -> list[Reward]:
    """The functions of those names, in that order, each with its weight (1 without `weights`).

    Raises ValueError with a sentence: a name that nothing has (with the nearest), wrong
    parameters, a name twice, or a file that is missing, raises or is not the one that was trusted
    (`sha256`); WeightsRefused, which is one too, for another number of weights.
    """
    if not names:
        raise ValueError(f"No reward function is named; there are {', '.join(_SHIPPED)}.")
    if len(names) > MOST:
        raise ValueError(f"{len(names)} reward functions are named; at most {MOST} are used.")
    own = load_file(file, sha256) if file is not None else {}
    rewards: dict[str, Reward] = {}
    for name, weight in zip(names, _weights(names, weights), strict=True):
        reward = _reward(name.strip(), weight, own)
        if reward.name in rewards:
            raise ValueError(f"The reward function {reward.name} is named twice; give it a weight.")
        rewards[reward.name] = reward
    return list(rewards.values())


def list_rewards(*, file: Path | None = None, sha256: str | None = None) -> list[dict[str, Any]]:
    """Every function with its documentation, range, parameters and needs: the app's first.

    Raises ValueError when the file can't be loaded.
    """
    own = load_file(file, sha256) if file is not None else {}
    return [
        *(_describe_shipped(shipped) for shipped in SHIPPED),
        *(_describe(name, function, "engine") for name, function in registry().items()),
        *(
            _describe(name, function, "file")
            for name, function in own.items()
            if not isinstance(function, Unfit)
        ),
    ]


def weighted_total(scores: Sequence[float | None], weights: Sequence[float]) -> float | None:
    """The sum over the functions that apply, as the engine adds them; None if none does."""
    parts = [s * w for s, w in zip(scores, weights, strict=True) if s is not None]
    return sum(parts) if parts else None


def parse_name(text: str) -> tuple[str, str | None]:
    """`("length_window", "20;80")` of `length_window(20;80)`; None without brackets.

    What is inside belongs to the function and is not read. Raises ValueError.
    """
    name, opened, rest = text.strip().partition("(")
    name = name.strip()
    if not NAME.fullmatch(name) or (opened and not rest.endswith(")")) or len(text) > NAME_CAP:
        raise ValueError(
            f"{text[:120]!r} is no name of a reward function. Write it as token_f1, or with "
            "parameters as in length_window(20;80)."
        )
    return name, rest[:-1] if opened else None


def _reward(text: str, weight: float, own: Mapping[str, Function | Unfit]) -> Reward:
    name, argument = parse_name(text)
    shipped = _SHIPPED.get(name)
    if shipped is not None:
        return Reward(
            name=text,
            source="app",
            weight=weight,
            minimum=0.0,
            maximum=1.0,
            needs=shipped.needs if argument is None else shipped.needs_given,
            function=_each(shipped.build(argument)),
        )
    engine = registry()
    function = own.get(name) or engine.get(name)
    if function is None:
        raise ValueError(_unknown(name, [*_SHIPPED, *engine, *own]))
    if isinstance(function, Unfit):
        raise ValueError(f"The reward function {function.reason}")
    if argument is not None:
        raise ValueError(f"{name} takes no parameters; write it without brackets.")
    source: Source = "file" if name in own else "engine"
    low, high = _range(name, function, source)
    return Reward(
        name=name,
        source=source,
        weight=weight,
        minimum=low,
        maximum=high,
        needs=BUILT_IN[name].needs if source == "engine" and name in BUILT_IN else (),
        function=function,
    )


def _each(score: Score) -> Callable[..., list[float | None]]:
    def score_all(
        prompts: Sequence[str],
        completions: Sequence[str],
        answer: Sequence[str],
        types: Sequence[Any],
    ) -> list[float | None]:
        return [score(c, a, t) for c, a, t in zip(completions, answer, types, strict=True)]

    return score_all


def _checked(name: str, scores: Any, count: int) -> list[float | None]:
    if scores is None:  # "Does not apply to any of them", as the engine reads it.
        return [None] * count
    try:
        values = list(scores)
    except TypeError as problem:
        raise RewardFailed(
            f"The reward function {name} answered {str(scores)[:80]!r}; it must answer a list of "
            "one number for each completion."
        ) from problem
    if len(values) != count:
        raise RewardFailed(
            f"The reward function {name} answered {len(values)} scores for {count} completions; "
            "it must answer one for each."
        )
    return [_number(name, score) for score in values]


def _number(name: str, score: Any) -> float | None:
    if score is None:
        return None
    try:
        value = float(score)
    except (TypeError, ValueError, OverflowError) as problem:
        raise RewardFailed(
            f"The reward function {name} answered {str(score)[:80]!r}, which is no number."
        ) from problem
    if math.isinf(value):
        raise RewardFailed(f"The reward function {name} answered an infinite score.")
    return None if math.isnan(value) else value


def _weights(names: Sequence[str], weights: Sequence[float] | None) -> Sequence[float]:
    if weights is None:
        return [1.0] * len(names)
    if len(weights) != len(names):
        raise WeightsRefused(
            f"There are {len(weights)} reward weights for {len(names)} reward functions; "
            "give one for each."
        )
    if not all(math.isfinite(weight) for weight in weights):
        raise WeightsRefused("A reward weight is not a finite number.")
    if not any(weights):
        raise WeightsRefused("Every reward weight is 0, so nothing could be learned; raise one.")
    return weights


def _unknown(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    meant = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names)}."
    return f"There is no reward function {name}; {meant}"


def _describe_shipped(shipped: Shipped) -> dict[str, Any]:
    return {
        "name": shipped.name,
        "source": "app",
        "doc": shipped.doc,
        "minimum": 0.0,
        "maximum": 1.0,
        "needs": list(shipped.needs),
        "parameters": [
            {"name": p.name, "help": p.help, "default": p.default} for p in shipped.parameters
        ],
        "example": shipped.example,
    }


def _describe(name: str, function: Function, source: Source) -> dict[str, Any]:
    built_in = BUILT_IN.get(name) if source == "engine" else None
    low, high = _range(name, function, source)
    return {
        "name": name,
        "source": source,
        "doc": built_in.doc if built_in else " ".join((function.__doc__ or "").split())[:1000],
        "minimum": low,
        "maximum": high,
        "needs": list(built_in.needs) if built_in else [],
        "parameters": [],
        "example": name,
    }


def _range(name: str, function: Function, source: Source) -> tuple[float | None, float | None]:
    """Of the engine's from our table; an own function may carry `minimum` and `maximum`."""
    if source == "engine":
        built_in = BUILT_IN.get(name)
        return (built_in.minimum, built_in.maximum) if built_in else (None, None)
    ends = [getattr(function, end, None) for end in ("minimum", "maximum")]
    low, high = [
        float(e) if isinstance(e, int | float) and math.isfinite(e) else None for e in ends
    ]
    return low, high
