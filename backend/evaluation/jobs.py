"""Evaluations: a kind of job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from backend.contract.jobs.evaluation import (
    JUDGE_KEY,
    EvaluationRequest,
    JudgeModel,
    JudgeService,
    write_request,
)
from backend.contract.record import read_record
from backend.core.hub import Hub
from backend.errors import EvaluationActive, NotFound
from backend.evaluation.folder import LOG, write_rows
from backend.evaluation.rows import ChosenRows
from backend.evaluation.schemas import EvaluationList, EvaluationStatus, EvaluationSummary
from backend.jobs.lifecycle.engine_jobs import EngineJobs, JobKind
from backend.jobs.lifecycle.folder import JobFolder
from backend.jobs.lifecycle.job import Job
from backend.jobs.lifecycle.slot import Slot
from backend.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLabel:
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSubject:
    """What a list shows of an `EvaluationRequest`: it needs no more of an older one. A `helper`
    works for another answer (`/api/evaluate/*`).
    """

    adapter_name: str
    num_questions: int
    targets: tuple[TargetLabel, ...]
    model: str | None = None
    judge: JudgeService | JudgeModel | None = None
    helper: bool = False


EVALUATION = JobKind(
    name="evaluation",
    engine="evaluate",
    folder="evaluations",
    log=LOG,
    subject="An evaluation of {title}",
    reason="its model needs the memory",
    place="under Evaluation",
    stop_route="/api/evaluation/stop",
    list_route="/api/evaluation/list",
    stopped="The evaluation was cancelled; nothing was saved.",
    read=partial(read_record, EvaluationSubject),
    title=lambda request: request.adapter_name,
    error=EvaluationActive,
)


class Evaluations(EngineJobs[EvaluationSubject]):
    """The evaluations of a data root."""

    def __init__(
        self,
        settings: Settings,
        hub: Hub,
        *,
        slot: Slot,
        make_room: Callable[[], Awaitable[object]],
    ) -> None:
        super().__init__(EVALUATION, settings, hub, slot=slot, make_room=make_room)

    async def evaluate(self, request: EvaluationRequest, rows: ChosenRows) -> JobFolder:
        """Start one. Raises WrongState as `require_free` does, or EngineMissing."""
        by_service = isinstance(request.judge, JudgeService)
        key = self._settings.judge_key
        secrets = {JUDGE_KEY: key} if key and by_service else None
        job = await self.start(
            write_request(request), fill=partial(write_rows, rows=rows), secrets=secrets
        )
        return job.folder

    def asks(self, adapter_name: str) -> bool:
        """Whether an adapter of that name is being evaluated."""
        job = self.current
        return job is not None and job.running and job.title == adapter_name

    def models(self) -> list[str]:
        """The folders of the models that the one at work uses: its base, and a local judge."""
        job = self.current
        if job is None or not job.running:
            return []
        judge = job.request.judge
        local = judge.path if isinstance(judge, JudgeModel) else None
        return [path for path in (job.request.model, local) if path]

    def status(self) -> EvaluationStatus:
        """Of the current one, or the last."""
        return evaluation_status(self.current)

    def list(self) -> EvaluationList:
        """Newest first, and those that can't be read. Blocking."""
        jobs, damaged = self.listed()
        rows = [_summary(job) for job in jobs if not job.request.helper]
        return EvaluationList(evaluations=rows, damaged=damaged)

    def newest_result(self) -> JobFolder:
        """The newest evaluation that has one. Raises NotFound. Blocking."""
        job = self.newest_with_result(lambda request: not request.helper)
        if job is None:
            raise NotFound(
                "There is no evaluation result yet.", hint="Start one: POST /api/evaluation/start."
            )
        return job.folder


def evaluation_status(job: Job[EvaluationSubject] | None) -> EvaluationStatus:
    """As GET /api/evaluation/status shows it."""
    if job is None:
        return EvaluationStatus(
            running=False, progress=0.0, current_question=0, total_questions=0,
            adapter_name=None, error=None,
        )  # fmt: skip
    return EvaluationStatus(
        running=job.running,
        progress=round(100 * job.share, 1),
        current_question=int(job.request.num_questions * job.share),
        total_questions=job.request.num_questions,
        adapter_name=job.title,
        error=job.error,
        hint=job.hint,
        evaluation_id=job.folder.id,
        state=job.state,
        phase=job.phase,
    )


def _summary(job: Job[EvaluationSubject]) -> EvaluationSummary:
    return EvaluationSummary(
        evaluation_id=job.folder.id,
        adapter_name=job.title,
        state=job.state,
        started=job.started,
        num_questions=job.request.num_questions,
        targets=[target.label for target in job.request.targets],
        error=job.error,
    )
