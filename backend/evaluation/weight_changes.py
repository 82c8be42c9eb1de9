"""What an adapter does to its base's matrices, asked of a short program that reads both files."""

from __future__ import annotations

import asyncio
import json

from pydantic import BaseModel

from backend.adapters.finder import ReadyAdapter
from backend.contract.record import read_record, write_record
from backend.contract.weights import MatrixChange, WeightsAnswer, WeightsRequest
from backend.core.machine.blas import engine_environment
from backend.core.process import run_child
from backend.errors import BadContent, EngineFailed
from backend.settings import CHECKOUT, Settings

DEADLINE = 600.0


class WeightAnalysis(BaseModel):
    """`norm` and `relative` are of all matrices together; the means are over matrices."""

    matrices: list[MatrixChange]
    norm: float | None
    relative: float | None
    mean_effective_rank: float | None
    rank: int
    warnings: list[str]


async def analyse(settings: Settings, adapter: ReadyAdapter, base: str) -> WeightAnalysis:
    """Raises BadContent for an adapter without LoRA matrices, EngineTimeout, EngineFailed."""
    spec = adapter.spec
    request = WeightsRequest(
        file=spec["file"],
        scale=spec["scale"],
        base=base,
        names=spec["names"],
        scales=spec["scales"],
    )
    child = await run_child(
        [str(settings.python), "-m", "backend.engines.weights"],
        cwd=CHECKOUT,
        env=await asyncio.to_thread(engine_environment, settings),
        deadline=DEADLINE,
        stdin_json=write_record(request),
    )
    if child.exit_code != 0:
        last = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineFailed(f"The weights of {adapter.name} could not be looked at: {last[:300]}.")
    answer = read_record(WeightsAnswer, json.loads(child.stdout))
    if answer.problem is not None:
        raise BadContent(
            f"The weights of {adapter.name} can't be looked at. {answer.problem}",
            hint="A full fine-tune has no ΔW of its own; LoRA and DoRA adapters have.",
        )
    return summed_up(list(answer.matrices))


def summed_up(matrices: list[MatrixChange]) -> WeightAnalysis:
    """The whole adapter in a few numbers, and what stands out."""
    norms = [one.norm for one in matrices]
    bases = [one.base_norm for one in matrices]
    norm = _length(norms)
    base = _length(bases)
    ranks = [one.effective_rank for one in matrices if one.effective_rank is not None]
    return WeightAnalysis(
        matrices=matrices,
        norm=norm,
        relative=norm / base if norm is not None and base else None,
        mean_effective_rank=sum(ranks) / len(ranks) if ranks else None,
        rank=max(one.rank for one in matrices),
        warnings=list(_warnings(matrices)),
    )


def _length(norms: list[float | None]) -> float | None:
    lengths = [norm for norm in norms if norm is not None]
    return sum(norm**2 for norm in lengths) ** 0.5 if len(lengths) == len(norms) else None


def _warnings(matrices: list[MatrixChange]) -> list[str]:
    warnings = []
    idle = [one.name for one in matrices if one.norm == 0]
    if idle:
        warnings.append(
            f"{len(idle)} of {len(matrices)} matrices are unchanged, {idle[0]} for one: they were "
            "not trained, or not saved."
        )
    large = [one for one in matrices if one.relative is not None and one.relative > 1]
    if large:
        worst = max(large, key=lambda one: one.relative or 0)
        warnings.append(
            f"In {len(large)} of {len(matrices)} matrices the change is larger than the matrix "
            f"itself, most in {worst.name} ({worst.relative:.2f} times): the base is all but "
            "overwritten there. A lower learning rate or scale keeps more of it."
        )
    return warnings
