"""Which reward functions a run gets: those named, the engine's five, or none at all."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.data.checks.method_rows import Need
from backend.errors import AppError, FieldProblem, Invalid
from backend.jobs.run.recipe import StartWarning
from backend.training.request.method_fields import EnhancedStart
from backend.training.rewards.code import code_path
from backend.training.rewards.schemas import ResolvedReward
from backend.training.rewards.service import Rewards

_HELD = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenRewards:
    """By their whole names, as the engine's child is to load them."""

    names: tuple[str, ...] = ()
    weights: tuple[float, ...] | None = None
    file: Path | None = None
    sha256: str | None = None
    needs: Mapping[str, Sequence[Need]] = field(default_factory=dict)


class RewardChoice:
    """Remembers what was checked: a preview is asked for at every keystroke."""

    def __init__(self, rewards: Rewards) -> None:
        self._rewards = rewards
        self._held: OrderedDict[object, Sequence[ResolvedReward]] = OrderedDict()

    async def choose(self, request: EnhancedStart) -> tuple[ChosenRewards, list[StartWarning]]:
        """Raises Invalid for a wrong name, parameter or weight, NotTrusted or BadContent for the
        file; `errors` name the fields. Remarks say what was not asked for.
        """
        method = request.method
        if not method.rewarded or (method.family == "online" and not request.reward_functions):
            _refuse_loose(request)
            return ChosenRewards(), []
        sha256 = await self._trusted(request)
        resolved = await self._checked(request, sha256)
        _check_success(request, resolved)
        remarks = []
        if not request.reward_functions.strip():
            names = ", ".join(reward.name for reward in resolved)
            text = f"No reward functions are named, so the engine's five are used: {names}."
            remarks.append(StartWarning(text, code="default_rewards", level="info"))
        choice = ChosenRewards(
            names=tuple(reward.name for reward in resolved),
            weights=tuple(reward.weight for reward in resolved),
            file=await asyncio.to_thread(_path, request.reward_functions_file),
            sha256=sha256,
            needs={reward.name: reward.needs for reward in resolved},
        )
        return choice, remarks

    async def _trusted(self, request: EnhancedStart) -> str | None:
        file = request.reward_functions_file
        if not file:
            return None
        try:
            return await asyncio.to_thread(self._rewards.trusted.require, file)
        except AppError as refusal:
            problem = FieldProblem("reward_functions_file", refusal.detail)
            refusal.errors = refusal.errors or (problem,)
            raise

    async def _checked(
        self, request: EnhancedStart, sha256: str | None
    ) -> Sequence[ResolvedReward]:
        weights = request.reward_weights
        key = (
            request.reward_functions,
            tuple(weights or ()),
            request.reward_functions_file,
            sha256,
        )
        resolved = self._held.get(key)
        if resolved is None:
            resolved = await self._rewards.check(
                request.reward_functions,
                weights=weights,
                file=request.reward_functions_file or None,
            )
            self._held[key] = resolved
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return resolved


def _path(path: str) -> Path | None:
    return code_path(path) if path else None


def _refuse_loose(request: EnhancedStart) -> None:
    """What belongs to reward functions, where none judge."""
    for name in ("reward_weights", "reward_functions_file", "success_function"):
        if getattr(request, name):
            text = f"{name} needs reward_functions, and none are named."
            raise Invalid(text, errors=[FieldProblem(name, text)])


def _check_success(request: EnhancedStart, resolved: Sequence[ResolvedReward]) -> None:
    function = request.success_function
    if not function:
        return
    reward = next((one for one in resolved if one.name == function), None)
    if reward is None:
        names = ", ".join(one.name for one in resolved)
        text = f"success_function {function!r} is not one of the reward functions: {names}."
        raise Invalid(text, errors=[FieldProblem("success_function", text)])
    if reward.maximum is None:
        text = f"{function} has no known maximum, so a success can't be told from it."
        raise Invalid(
            text,
            hint="Choose another function, or leave success_function empty.",
            errors=[FieldProblem("success_function", text)],
        )
