"""From a request to a fusion: which adapters, what fits, what it is proven on; and back."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backend.adapters.finder import Adapters, ReadyAdapter
from backend.adapters.folder import AdapterFolder, base_record, named_checkpoint
from backend.adapters.info import info_of
from backend.contract.jobs.evaluation import EvaluationTarget
from backend.contract.jobs.fusion import FusionRequest, FusionResult, FusionSource
from backend.contract.record import write_record
from backend.contract.run.folder import LATEST
from backend.core.disk.disk_errors import require_room
from backend.core.disk.files import NAME, child_path, free_path
from backend.errors import AlreadyExists, AppError, BadContent, NotFound
from backend.evaluation.proof import ProofPlan, plan_proof, read_proof, write_proof
from backend.evaluation.service import BASE, Evaluator, target_of
from backend.fusion.jobs import Fusions
from backend.fusion.schemas import (
    FEWEST,
    MOST,
    FuseRequest,
    FusionAdapter,
    FusionAdapters,
    FusionCheck,
    FusionInfo,
    FusionResultAnswer,
    FusionStarted,
    FusionStatus,
)
from backend.jobs.lifecycle.job import Job
from backend.models.safetensors_headers import BadWeights, read_weights
from backend.models.schemas import ModelInfo
from backend.settings import Settings

_BYTES = 4  # Of a number of the result, which is written in float32.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """Adapters that can be merged, checked against the base that they share."""

    model: ModelInfo
    folders: tuple[AdapterFolder, ...]
    ready: tuple[ReadyAdapter, ...]
    parameters: int
    rank: int

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(f"{one.name}: {text}" for one in self.ready for text in one.warnings)


class Fusion:
    """What the routes of the Fusion page ask."""

    def __init__(
        self, settings: Settings, adapters: Adapters, evaluator: Evaluator, jobs: Fusions
    ) -> None:
        self.jobs = jobs
        self._settings = settings
        self._adapters = adapters
        self._evaluator = evaluator

    def adapters(self) -> FusionAdapters:
        """Every adapter, with why it can't be merged if so. Blocking."""
        rows = [self._shown(adapter) for adapter in self._adapters.all()]
        return FusionAdapters(adapters=sorted(rows, key=lambda one: (one.base or "~", one.name)))

    def check(self, names: Sequence[str]) -> FusionCheck:
        """Whether these can be merged, before anything is begun. Blocking."""
        try:
            sources = self._sources(names, use_best=True)
            output = self._free_name(sources)
        except AppError as refusal:
            return FusionCheck(
                compatible=False, num_adapters=len(names), error=refusal.detail, hint=refusal.hint
            )
        return FusionCheck(
            compatible=True,
            num_adapters=len(names),
            num_parameters=sources.parameters,
            base=sources.model.name,
            rank=sources.rank,
            output_name=output.name,
            message=f"These {len(names)} adapters of {sources.model.name} can be merged.",
            warnings=list(sources.warnings),
        )

    async def start(self, request: FuseRequest) -> FusionStarted:
        """Check everything, then start. Raises AppError; nothing is written then."""
        self.jobs.require_free()
        prepared, plan, targets = await asyncio.to_thread(self._prepare, request)
        fill = partial(
            write_proof,
            plan=plan,
            name=Path(prepared.output).name,
            model=prepared.model,
            targets=targets,
        )
        job = await self.jobs.start(write_record(prepared), fill=fill)
        name = Path(prepared.output).name
        return FusionStarted(
            job_id=job.folder.id,
            output_name=name,
            message=f"{job.title} are merged into {name}.",
            warnings=list(prepared.warnings),
        )

    def status(self) -> FusionStatus:
        """Of the fusion at work, or the last one. Blocking."""
        job = self.jobs.current
        has_result = self.jobs.newest_with_result() is not None
        return FusionStatus.of(
            job,
            output_name=Path(job.request.output).name if job is not None else None,
            adapter_names=[one.name for one in job.request.sources] if job is not None else [],
            result=_result(job) if job is not None and job.state == "completed" else None,
            has_result=has_result,
        )

    def result(self) -> FusionResultAnswer:
        """Of the newest fusion that has one. Raises NotFound or DamagedFile. Blocking."""
        job = self.jobs.newest_with_result()
        answer = _result(job) if job is not None else None
        if answer is None:
            raise NotFound(
                "There is no fusion result yet.", hint="Start one: POST /api/fusion/fuse."
            )
        return answer

    # -- checks -----------------------------------------------------------------------------

    def _shown(self, adapter: AdapterFolder) -> FusionAdapter:
        problem = self._adapters.problem_of(adapter)
        info = info_of(adapter, problem)
        base: str | None = None
        try:
            base = self._evaluator.base_of(adapter).name
        except AppError as refusal:
            problem = problem or refusal.detail
        return FusionAdapter(
            name=adapter.name,
            base=base or info.base_model,
            method=info.method,
            type=info.type,
            rank=info.lora_rank,
            scale=info.scale,
            keys=info.keys,
            num_layers=info.num_layers,
            size_bytes=info.size_bytes,
            created=info.created,
            tags=info.tags,
            problem=problem or _not_mergeable(adapter.name, info.type),
        )

    def _sources(self, names: Sequence[str], *, use_best: bool) -> _Sources:
        """Raises BadContent or NotFound with a sentence about the first that does not fit."""
        if not FEWEST <= len(names) <= MOST:
            raise BadContent(
                f"{len(names)} adapters are chosen: a fusion takes {FEWEST} to {MOST}.",
                hint="Choose more, or fewer, or merge some of them first.",
            )
        if len(set(names)) < len(names):
            raise BadContent("The same adapter is chosen twice.", hint="Choose different ones.")
        folders = tuple(self._adapters.find(name) for name in names)
        model = self._evaluator.base_of(folders[0])
        ready: list[ReadyAdapter] = []
        for folder in folders:
            checkpoint = named_checkpoint(folder, use_best=use_best)
            one = self._adapters.ready(str(folder.path), model, checkpoint)
            problem = _not_mergeable(one.name, one.fine_tune_type)
            if problem is not None:
                raise BadContent(
                    problem, hint="Choose LoRA adapters, or export it merged into its base."
                )
            ready.append(one)
        ranks, parameters = zip(*(_size_of(one) for one in ready), strict=True)
        return _Sources(
            model=model,
            folders=folders,
            ready=tuple(ready),
            parameters=sum(parameters),
            rank=sum(ranks),
        )

    def _prepare(
        self, request: FuseRequest
    ) -> tuple[FusionRequest, ProofPlan, tuple[EvaluationTarget, ...]]:
        sources = self._sources(request.adapter_names, use_best=request.use_best)
        output = self._output(request, sources)
        self._check_room(sources)
        plan = plan_proof(
            request.evaluation_dataset,
            {
                name: data
                for one in sources.folders
                for name, data in self._evaluator.data_by_adapter(one).items()
            },
        )
        count = len(sources.ready)
        weights = request.weights or [1 / count] * count
        staging = output.parent / f".fusing-{secrets.token_hex(8)}"
        prepared = FusionRequest(
            model=sources.model.path,
            output=str(output),
            staging=str(staging),
            sources=tuple(
                FusionSource(
                    name=one.name, checkpoint=str(one.checkpoint), weight=weight, spec=one.spec
                )
                for one, weight in zip(sources.ready, weights, strict=True)
            ),
            method=request.method,
            rank=request.output_rank,
            density=request.density,
            seed=request.seed,
            base=base_record(sources.folders[0], sources.model.name, sources.model.path),
            proof=plan.rows is not None,
            sets=plan.sets,
            unproven=plan.unproven,
            warnings=(*sources.warnings, *plan.warnings),
        )
        return prepared, plan, _targets(sources, output.name, staging)

    def _output(self, request: FuseRequest, sources: _Sources) -> Path:
        folder = self._settings.adapters_dir
        if request.output_name is not None:
            path = child_path(folder, request.output_name)
            if os.path.lexists(path):
                raise AlreadyExists(
                    f"There is already an adapter {request.output_name!r}.",
                    hint="Choose another output_name, or delete that adapter first.",
                )
            return path
        return self._free_name(sources)

    def _free_name(self, sources: _Sources) -> Path:
        """Where the result goes without a name of its own. Raises AlreadyExists."""
        names = [one.name for one in sources.ready[:2] if NAME.fullmatch(one.name)]
        return free_path(self._settings.adapters_dir, "_".join(["fused", *names])[:90])

    def _check_room(self, sources: _Sources) -> None:
        folder = self._settings.adapters_dir
        folder.mkdir(parents=True, exist_ok=True)
        require_room(
            folder,
            sources.parameters * _BYTES,
            what="The merged adapter needs",
            hint="Free some space, or fuse fewer adapters.",
        )


def _not_mergeable(name: str, kind: str | None) -> str | None:
    if kind == "dora":
        return (
            f"{name} is a DoRA adapter: it also scales whole columns of the base, which a sum of "
            "low-rank changes can't express."
        )
    if kind == "full":
        return f"{name} is a full fine-tune: it replaces weights of the base instead of adding."
    return None


def _size_of(ready: ReadyAdapter) -> tuple[int, int]:
    """The largest rank of an adapter, and how many numbers it has. Raises BadContent."""
    try:
        tensors = read_weights([Path(ready.spec["file"])]).tensors
    except BadWeights as problem:
        raise BadContent(f"The adapter {ready.name} can't be used: {problem}") from problem
    names = ready.spec["names"] or {}
    total = sum(tensor.size for tensor in tensors.values())
    ranks = [
        min(tensor.shape)
        for name, tensor in tensors.items()
        if any(part in name for part in (".lora_a", ".lora_A")) or name in names
    ]
    return max(ranks, default=0), total


def _targets(sources: _Sources, name: str, staging: Path) -> tuple[EvaluationTarget, ...]:
    """Base, every source, and the result, which will stand in `staging` by then."""
    fused = {
        "key": str(staging), "name": name, "file": str(staging / LATEST),
        "kind": "lora", "scale": 1.0, "scales": {}, "names": None,
    }  # fmt: skip
    return (
        EvaluationTarget(label=BASE),
        *map(target_of, sources.ready),
        EvaluationTarget(label=name, adapter=fused, adapter_name=name, checkpoint="latest"),
    )


def _result(job: Job[FusionRequest]) -> FusionResultAnswer | None:
    result = job.folder.result_of(FusionResult)
    if result is None:
        return None
    request = job.request
    return FusionResultAnswer(
        fusion_info=FusionInfo(
            adapter_names=[source.name for source in request.sources],
            base=str(request.base.get("name") or Path(request.model).name),
            method=request.method,
            weights=[source.weight for source in request.sources],
            density=request.density if request.method in ("ties", "dare") else None,
            output_name=result.name,
            output_path=result.path,
            output_rank=result.rank,
            parameters=result.parameters,
            relative_error=result.relative_error,
            worst_matrix=result.worst_matrix,
            worst_error=result.worst_error,
            seconds=result.seconds,
            timestamp=job.started,
        ),
        sources=list(result.sources),
        proof=read_proof(job.folder.path, request.sets),
        unproven=request.unproven,
        warnings=list(request.warnings),
    )
