"""From a request to an evaluation: who is asked, on which rows; and back from its files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from backend.adapters.finder import Adapters, ReadyAdapter
from backend.adapters.folder import AdapterFolder
from backend.contract.jobs.evaluation import (
    ALL_METRICS,
    METRICS_OF_ANSWERS,
    EvaluationMeasurements,
    EvaluationRequest,
    EvaluationTarget,
    JudgeModel,
    JudgeScores,
    JudgeService,
    write_sampling,
)
from backend.contract.record import BadRecord, read_record
from backend.contract.sampling import untruncated
from backend.core.disk.stored_files import DamagedFile
from backend.errors import BadContent, NotFound, WrongState
from backend.evaluation.folder import REPORT
from backend.evaluation.jobs import Evaluations
from backend.evaluation.lm_eval_tasks import INSTALL, LmEvalTasks
from backend.evaluation.prompts import FEW_PROMPTS, prompts_of
from backend.evaluation.rows import ChosenRows, choose_rows, held_out_file, rows_of_prompts
from backend.evaluation.schemas import (
    AdapterPrompts,
    EvaluationOffers,
    EvaluationResult,
    EvaluationStart,
    EvaluationStarted,
    JudgeOffered,
    ReportFiles,
)
from backend.jobs.lifecycle.folder import RESULT, JobFolder
from backend.models.catalog import ModelCatalog
from backend.models.schemas import ModelInfo
from backend.settings import Settings

BASE = "base"
_PROMPTS = "Prompts"  # That were given no name.


class Evaluator:
    def __init__(
        self, settings: Settings, models: ModelCatalog, adapters: Adapters, jobs: Evaluations
    ) -> None:
        self.jobs = jobs
        self._tasks = LmEvalTasks(settings)
        self._settings = settings
        self._models = models
        self._adapters = adapters

    def offers(self) -> EvaluationOffers:
        """What can be asked for beside the metrics. Blocking."""
        url, model = self._settings.judge_url, self._settings.judge_model
        return EvaluationOffers(
            judge=JudgeOffered(host=_host(url), model=model) if url and model else None,
            lm_eval=self._tasks.version(),
            lm_eval_install=INSTALL,
            tasks=self._tasks.names(),
        )

    async def start(
        self, request: EvaluationStart, *, compare: bool, helper: bool = False
    ) -> EvaluationStarted:
        """Check everything, then start. With `compare`, base and adapter answer the same rows. A
        `helper` works for another answer, so that it is no result of its own.

        Raises NotFound, BadContent or WrongState; nothing is written then.
        """
        self.jobs.require_free()
        evaluation, rows = await asyncio.to_thread(self._prepare, request, compare, helper)
        folder = await self.jobs.evaluate(evaluation, rows)
        sides = " and ".join(target.label for target in evaluation.targets)
        noun = "rows" if evaluation.prompt_set is None else "prompts"
        return EvaluationStarted(
            message=f"{sides} {'are' if compare else 'is'} asked {len(rows.rows)} {noun}.",
            adapter_name=evaluation.adapter_name,
            evaluation_id=folder.id,
            warnings=list(evaluation.warnings),
        )

    def result(self, folder: JobFolder) -> EvaluationResult:
        """What a finished evaluation found. Raises WrongState when there is nothing, or
        DamagedFile. Blocking."""
        value = folder.result()
        if value is None:
            raise WrongState(
                f"The evaluation {folder.id} has no result.",
                hint="GET /api/evaluation/status tells how it is going, or how it ended.",
            )
        evaluation = _request_of(folder)
        try:
            measurements = read_record(EvaluationMeasurements, value)
            return EvaluationResult.model_validate(
                {
                    "evaluation_id": folder.id,
                    "adapter_name": evaluation.adapter_name,
                    "is_base_model": evaluation.targets[-1].adapter is None,
                    "base_model": evaluation.model,
                    "adapter_config": evaluation.adapter_config,
                    "training_data_path": evaluation.training_data_path,
                    "num_questions": evaluation.num_questions,
                    "rows_available": evaluation.rows_available,
                    "prompt_set": evaluation.prompt_set,
                    "seen_rows": evaluation.seen_rows,
                    "evaluation_date": evaluation.started,
                    "seconds": measurements.seconds,
                    "batched": measurements.batched,
                    "sampling": write_sampling(evaluation.sampling),
                    "warnings": evaluation.warnings,
                    "targets": measurements.targets,
                    "metrics": measurements.metrics,
                    "tasks": measurements.tasks,
                    "judge": measurements.judge,
                    "scores": measurements.scores or JudgeScores(),
                    "base_model_scores": measurements.base_model_scores,
                    "questions": measurements.questions,
                    "report_files": ReportFiles(
                        json_file=str(folder.path / RESULT), markdown=str(folder.path / REPORT)
                    )
                    if (folder.path / REPORT).is_file()
                    else None,
                }
            )
        except (IndexError, ValueError) as problem:
            reason = " ".join(str(problem).split())[:300]
            raise DamagedFile(
                f"The result of the evaluation {folder.id} can't be read ({reason}).",
                hint=f"Its files are in {folder.path}.",
            ) from problem

    def ready(self, name: str, model_name: str | None = None) -> tuple[ReadyAdapter, ModelInfo]:
        """An adapter checked against its base. Raises NotFound or BadContent. Blocking."""
        model = self.base_of(self._adapters.find(name), model_name)
        return self._adapters.ready(name, model), model

    def rows_of(self, evaluation_id: str) -> str:
        """The file that an evaluation's rows came from."""
        return _request_of(self.jobs.folders.find(evaluation_id)).training_data_path

    def base_of(self, adapter: AdapterFolder, model_name: str | None = None) -> ModelInfo:
        """The model that an adapter was trained on. Raises NotFound naming what it records."""
        if model_name is not None:
            return self._usable(self._models.find(model_name))
        for base in adapter.bases:
            try:
                return self._usable(self._models.find(base))
            except NotFound:
                continue
        for model in self._models.scan():
            if model.problem is None and self._adapters.belongs_to(adapter, model):
                return model
        recorded = adapter.bases[0] if adapter.bases else None
        raise NotFound(
            f"The base model of {adapter.name} is not here: "
            + (f"it was trained on {recorded}." if recorded else "it does not name one."),
            hint="Give model_name, or put the model into one of the model folders.",
        )

    def data_of(self, adapter: AdapterFolder) -> Path | None:
        """The data folder that it was trained with, as far as it is still there."""
        session = adapter.lineage.get("session_id") or adapter.config.get("session_id")
        own = self._settings.sessions_dir / str(session) / "data" if session else None
        recorded = adapter.config.get("data")
        places = [
            own,
            Path(recorded) if isinstance(recorded, str) and recorded else None,
        ]
        return next((place for place in places if place is not None and place.is_dir()), None)

    def data_by_adapter(self, adapter: AdapterFolder) -> dict[str, Path | None]:
        """The data folder that an adapter was trained with, by its name; of a fused one, those of
        the adapters that it was made from, as far as they are still here. Blocking.
        """
        fusion = adapter.lineage.get("fusion")
        sources = fusion.get("sources") if isinstance(fusion, Mapping) else None
        if not isinstance(sources, list):
            return {adapter.name: self.data_of(adapter)}
        folders: dict[str, Path | None] = {}
        for source in sources:
            name = source.get("name") if isinstance(source, Mapping) else None
            with suppress(NotFound):
                folders |= {str(name): self.data_of(self._adapters.find(str(name)))}
        return folders or {adapter.name: None}

    def prompts(self, name: str, limit: int = FEW_PROMPTS) -> AdapterPrompts:
        """How the rows of an adapter's run ask, with up to `limit` prompts. Blocking.

        Raises NotFound for an unknown one.
        """
        return prompts_of(self.data_of(self._adapters.find(name)), limit=limit)

    def _prepare(
        self, request: EvaluationStart, compare: bool, helper: bool
    ) -> tuple[EvaluationRequest, ChosenRows]:
        adapter = self._adapters.find(request.adapter_name)
        model = self.base_of(adapter, request.model_name)
        base_only = request.evaluate_base_model and not compare
        ready = (
            None
            if base_only
            else self._adapters.ready(
                request.adapter_name,
                model,
                request.checkpoint,
                allow_other_base=request.allow_other_base,
            )
        )
        judge = self._judge(request)
        tasks = self._tasks.chosen(request.tasks)
        data = self.data_of(adapter)
        prompt_set = (request.prompt_set or _PROMPTS) if request.prompts else None
        rows = (
            choose_rows(
                request.training_data_path or held_out_file(data),
                count=request.num_questions,
                seed=request.seed,
                data=data,
            )
            if prompt_set is None
            else rows_of_prompts(prompt_set, request.prompts, request.system)
        )
        possible = ALL_METRICS if prompt_set is None else METRICS_OF_ANSWERS
        remarks = _remarks(rows, request.num_questions) if prompt_set is None else []
        warnings = [*(ready.warnings if ready else ()), *remarks]
        targets = [EvaluationTarget(label=BASE)] if compare or base_only else []
        if ready is not None:
            targets.append(target_of(ready))
        evaluation = EvaluationRequest(
            adapter_name=adapter.name,
            model=model.path,
            targets=tuple(targets),
            metrics=tuple(m for m in possible if not request.metrics or m in request.metrics),
            sampling=untruncated(
                request.max_tokens, temperature=request.temperature, seed=request.seed
            ),
            training_data_path=str(rows.path),
            num_questions=len(rows.rows),
            rows_available=rows.available,
            prompt_set=prompt_set,
            seen_rows=rows.seen if rows.compared else None,
            compared=rows.compared,
            adapter_config=dict(adapter.config),
            judge=judge,
            tasks=tuple(tasks),
            task_limit=request.task_limit,
            warnings=tuple(warnings),
            helper=helper,
        )
        return evaluation, rows

    def _judge(self, request: EvaluationStart) -> JudgeService | JudgeModel | None:
        if request.judge_model is not None:
            return JudgeModel(path=self._usable(self._models.find(request.judge_model)).path)
        if not request.judge:
            return None
        url, model = self._settings.judge_url, self._settings.judge_model
        if not url or not model:
            missing = "address" if not url else "model"
            raise BadContent(
                f"There is no judge: its {missing} is not set.",
                hint="Set the judge's address (as https://host/v1), model and key in Settings, or "
                "as DROID_JUDGE_URL, DROID_JUDGE_MODEL and DROID_JUDGE_KEY; or give judge_model, a "
                "model of this machine.",
            )
        return JudgeService(url=url, model=model)

    def _usable(self, model: ModelInfo) -> ModelInfo:
        if model.problem is not None:
            raise BadContent(f"The model {model.name} can't be used: {model.problem}")
        return model


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _request_of(folder: JobFolder) -> EvaluationRequest:
    """Raises DamagedFile."""
    try:
        return read_record(EvaluationRequest, folder.request())
    except BadRecord as problem:
        raise DamagedFile(
            f"The request of the evaluation {folder.id} can't be read ({problem}).",
            hint=f"Its files are in {folder.path}.",
        ) from problem


def target_of(ready: ReadyAdapter) -> EvaluationTarget:
    """A checked adapter as one side of an evaluation."""
    return EvaluationTarget(
        label=ready.name if ready.name != BASE else f"{ready.name} (adapter)",
        adapter=dict(ready.spec),
        adapter_name=ready.name,
        checkpoint=ready.checkpoint,
    )


def _remarks(rows: ChosenRows, count: int) -> list[str]:
    remarks = []
    if rows.available < count:
        remarks.append(f"{rows.path.name} has {rows.available} rows, so all are used.")
    if rows.skipped:
        remarks.append(f"{rows.skipped} lines of {rows.path.name} can't be used and are left out.")
    if rows.seen:
        remarks.append(
            f"{rows.seen} of the {len(rows.rows)} rows were trained on: what the adapter scores on "
            "them says nothing about new questions."
        )
    remarks += [
        f"{name} of its run is no longer what the run used: the chosen file is linked "
        "there, and was changed since."
        for name in rows.changed
    ]
    if not rows.compared:
        remarks.append(
            "What the adapter was trained on is not known, so rows that it has seen can't be "
            "told apart."
        )
    return remarks
