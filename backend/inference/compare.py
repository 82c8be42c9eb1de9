"""One question to several targets: in one batch where the engine can, else one after the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from backend.contract.answers import Done
from backend.errors import AppError
from backend.inference.host import InferenceHost
from backend.inference.refusals import NotTogether
from backend.inference.types import Ask, Piece, Target

Mode = Literal["batch", "in_turn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the targets are asked, and why so."""

    mode: Mode
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of the answer of the target at place `index`, or why it has none."""

    index: int
    piece: Piece | AppError


def plan_for(targets: Sequence[Target], asks: Sequence[Ask], *, together: bool) -> Plan:
    """What can be told before the engine is asked. `asks` has one for each target."""
    if len(targets) == 1:
        return Plan(mode="in_turn", reason="There is one target.")
    if not together:
        return Plan(mode="in_turn", reason="The request asks for one after the other.")
    if len({target.model.path for target in targets}) > 1:
        return Plan(mode="in_turn", reason="The targets have different bases.")
    if any(ask.conversation is not None for ask in asks):
        return Plan(mode="in_turn", reason="Each target caches its conversation.")
    if any(ask != asks[0] for ask in asks):
        return Plan(mode="in_turn", reason="Each target continues its own conversation.")
    odd = [t for t in targets if t.adapter and t.adapter.fine_tune_type != "lora"]
    if odd:
        kind = odd[0].adapter.fine_tune_type if odd[0].adapter else ""
        return Plan(
            mode="in_turn",
            reason=f"{odd[0].name} is a {kind} adapter, and only plain LoRA can share a batch.",
        )
    return Plan(mode="batch", reason="All targets share one base.")


async def compare(
    host: InferenceHost, targets: Sequence[Target], asks: Sequence[Ask], *, together: bool = True
) -> AsyncGenerator[Plan | Heard, None]:
    """The plan, then the pieces of all answers as they are made; `asks` has one for each target.

    Where the engine finds out that a batch is not possible, another plan follows the first, before
    any token.
    A target that fails has an error in the place of its `Done`, and the others go on. Raises what
    concerns all of them: WorkerBusy, or WrongState during a run.
    """
    plan = plan_for(targets, asks, together=together)
    yield plan
    if plan.mode == "batch":
        ended: set[int] = set()
        try:
            async with aclosing(host.together(targets, asks[0])) as pieces:
                async for index, piece in pieces:
                    ended |= {index} if isinstance(piece, Done) else set()
                    yield Heard(index, piece)
            return
        except NotTogether as reason:
            yield Plan(mode="in_turn", reason=f"One batch is not possible: {reason}.")
        except AppError as problem:
            for index in range(len(targets)):
                if index not in ended:
                    yield Heard(index, problem)
            return
    for index, (target, ask) in enumerate(zip(targets, asks, strict=True)):
        try:
            async with aclosing(host.stream(target, ask)) as stream:
                async for part in stream:
                    yield Heard(index, part)
        except AppError as problem:
            yield Heard(index, problem)
