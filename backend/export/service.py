"""From a request to an export: what it needs, where it goes, what it is proven on; and back."""

from __future__ import annotations

import asyncio
import os
import secrets
import statistics
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.adapters.finder import Adapters, ReadyAdapter
from backend.adapters.folder import AdapterFolder, base_record, named_checkpoint
from backend.contract.export.gguf import check_gguf
from backend.contract.export.request import RECIPES, ExportFormat, ExportRequest, ExportResult
from backend.contract.export.size import needed_bytes, written_bytes
from backend.contract.jobs.evaluation import EvaluationTarget
from backend.contract.record import write_record
from backend.core.disk.disk_errors import require_room
from backend.core.disk.files import NAME, child_path, free_path
from backend.core.disk.stored_files import DamagedFile
from backend.errors import AlreadyExists, AppError, BadContent, NotFound
from backend.evaluation.proof import (
    EXPORT_FOLDER,
    FOLDER,
    Proof,
    ProofPlan,
    plan_proof,
    read_proof,
    write_proof,
)
from backend.evaluation.service import BASE, Evaluator, target_of
from backend.export.formats import BY_ID, FORMATS, Format, lm_studio_folder, programs
from backend.export.jobs import Exports
from backend.export.schemas import (
    ExportRequestBody,
    ExportResultAnswer,
    ExportStarted,
    ExportStatus,
    FormatInfo,
)
from backend.jobs.lifecycle.job import Job
from backend.models.schemas import ModelInfo
from backend.settings import Settings

_PAST = 5  # Exports from which the time of the next one is estimated.
_UNPROVEN = {
    "peft": "It is the same adapter in another layout; PEFT's own logits are compared in "
    "docs/exports.md.",
    "gguf": "MLX does not score GGUF files; that the file loads was checked instead.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """An adapter that can be exported, with its base."""

    model: ModelInfo
    folder: AdapterFolder
    ready: ReadyAdapter


class Export:
    """What the routes of the export dialog ask."""

    def __init__(
        self, settings: Settings, adapters: Adapters, evaluator: Evaluator, jobs: Exports
    ) -> None:
        self.jobs = jobs
        self._settings = settings
        self._adapters = adapters
        self._evaluator = evaluator

    def formats(self, adapter_name: str | None) -> list[FormatInfo]:
        """Every format; with an adapter, its size, time and whether it can be. Blocking."""
        source: _Source | None = None
        reason: str | None = None
        if adapter_name is not None:
            try:
                source = self._source(adapter_name, use_best=True)
            except AppError as refusal:
                reason = refusal.detail
        speeds = self._speeds() if source is not None else {}
        gguf = check_gguf(Path(source.model.path)) if source is not None else None
        return [_format(one, source, reason, gguf, speeds.get(one.id)) for one in FORMATS]

    async def start(self, body: ExportRequestBody) -> ExportStarted:
        """Check everything, then start. Raises AppError; nothing is written then."""
        self.jobs.require_free()
        request, plan, sides = await asyncio.to_thread(self._prepare, body)
        name = Path(request.output).name

        def fill(folder: Path) -> None:
            write_proof(folder, plan, name=name, model=request.model, targets=sides)
            if plan.rows is not None:
                target = EvaluationTarget(label=name)
                write_proof(
                    folder, plan, name=name, model=request.staging, targets=(target,),
                    place=EXPORT_FOLDER,
                )  # fmt: skip

        job = await self.jobs.start(write_record(request), fill=fill)
        return ExportStarted(
            job_id=job.folder.id,
            output_name=name,
            message=f"{job.title} is exported as {name}.",
            warnings=list(request.warnings),
        )

    def status(self) -> ExportStatus:
        """Of the export at work, or the last one. Blocking."""
        job = self.jobs.current
        request = job.request if job is not None else None
        return ExportStatus.of(
            job,
            adapter_name=request.adapter_name if request is not None else None,
            format=request.format if request is not None else None,
            output_name=Path(request.output).name if request is not None else None,
            result=_answer(job) if job is not None and job.state == "completed" else None,
        )

    def result(self) -> ExportResultAnswer:
        """Of the newest export that has one. Raises NotFound or DamagedFile. Blocking."""
        job = self.jobs.newest_with_result()
        answer = _answer(job) if job is not None else None
        if answer is None:
            raise NotFound(
                "There is no export result yet.", hint="Start one: POST /api/fusion/export-model."
            )
        return answer

    def results(self) -> dict[str, ExportResultAnswer]:
        """What finished exports found, the newest of each place. Blocking."""
        answers: dict[str, ExportResultAnswer] = {}
        for folder in self.jobs.folders.all():
            with suppress(DamagedFile):
                answer = _answer(self.jobs.read(folder))
                if answer is not None:
                    answers.setdefault(answer.merged_dir, answer)
        return answers

    # -- checks -----------------------------------------------------------------------------

    def _source(self, name: str, *, use_best: bool) -> _Source:
        folder = self._adapters.find(name)
        model = self._evaluator.base_of(folder)
        checkpoint = named_checkpoint(folder, use_best=use_best)
        ready = self._adapters.ready(str(folder.path), model, checkpoint)
        return _Source(model=model, folder=folder, ready=ready)

    def _speeds(self) -> dict[ExportFormat, float]:
        """Bytes per second of this machine's last exports, by format."""
        past: dict[ExportFormat, list[float]] = {}
        for result in self.jobs.folders.results(ExportResult):
            if result.seconds > 0:
                past.setdefault(result.format, []).append(result.bytes / result.seconds)
        return {kind: statistics.median(speeds[:_PAST]) for kind, speeds in past.items()}

    def _prepare(
        self, body: ExportRequestBody
    ) -> tuple[ExportRequest, ProofPlan, tuple[EvaluationTarget, ...]]:
        source = self._source(body.adapter_name, use_best=body.use_best)
        gguf = body.format.startswith("gguf")
        reason = _refusal(
            body.format, source, check_gguf(Path(source.model.path)) if gguf else None
        )
        if reason is not None:
            raise BadContent(reason, hint="Choose another format.")
        if body.recipe not in RECIPES.get(body.format, ("uniform",)):
            raise BadContent(
                f"{BY_ID[body.format].name} knows no recipe {body.recipe!r}.",
                hint="Leave recipe out, or choose merged_q4.",
            )
        output = self._output(body)
        staging = output.parent / f".exporting-{secrets.token_hex(8)}"
        plan = self._plan(body, source)
        request = _request(
            source,
            body.format,
            output,
            staging,
            recipe=body.recipe,
            proof=plan.rows is not None,
            sets=plan.sets,
            unproven=plan.unproven,
            warnings=(*source.ready.warnings, *plan.warnings),
            ollama=_ollama(body, output.name),
            lm_studio=_lm_studio(body, output.name),
            prompt=self._prompt(source),
        )
        self._check_room(request, output)
        return request, plan, (EvaluationTarget(label=BASE), target_of(source.ready))

    def _plan(self, body: ExportRequestBody, source: _Source) -> ProofPlan:
        why = _UNPROVEN.get(body.format.partition("_")[0])
        if why is not None:
            return ProofPlan(rows=None, sets=(), unproven=why)
        data = self._evaluator.data_by_adapter(source.folder)
        return plan_proof(body.evaluation_dataset, data)

    def _prompt(self, source: _Source) -> str:
        """A question that its run held out, for the smoke test."""
        prompts = self._evaluator.prompts(str(source.folder.path)).prompts
        return prompts[0] if prompts else "Hello"

    def _output(self, body: ExportRequestBody) -> Path:
        folder = self._settings.exports_dir
        if body.output_name is not None:
            path = child_path(folder, body.output_name)
            if os.path.lexists(path):
                raise AlreadyExists(
                    f"There is already an export {body.output_name!r}.",
                    hint="Choose another output_name, or delete that folder first.",
                )
            return path
        adapter = Path(body.adapter_name).name
        stem = f"{adapter if NAME.fullmatch(adapter) else 'adapter'}-{body.format}"[:90]
        return free_path(folder, stem)

    def _check_room(self, request: ExportRequest, output: Path) -> None:
        try:
            needed = needed_bytes(request)
        except (OSError, ValueError) as problem:
            raise BadContent(f"The model can't be exported: {problem}") from problem
        output.parent.mkdir(parents=True, exist_ok=True)
        require_room(
            output.parent,
            needed,
            what="The export needs",
            hint="Free some space, choose a smaller format, or set DROID_EXPORTS_DIR to a "
            "folder on another disk.",
        )


def _format(
    one: Format, source: _Source | None, reason: str | None, gguf: str | None, speed: float | None
) -> FormatInfo:
    """A format; `gguf` is why the model can't be one, `speed` bytes per second where known."""
    size: int | None = None
    if source is not None:
        reason = _refusal(one.id, source, gguf)
        try:
            size = written_bytes(_request(source, one.id, Path("-"), Path("-")))
        except (OSError, ValueError):
            size = None
    return FormatInfo(
        id=one.id,
        name=one.name,
        description=one.description,
        extension=one.extension,
        size=size,
        seconds=round(size / speed, 1) if size is not None and speed is not None else None,
        requires=one.requires,
        available=reason is None,
        reason=reason,
    )


def _refusal(kind: ExportFormat, source: _Source, gguf: str | None) -> str | None:
    """Why this adapter can't be exported so, as far as headers and configurations tell."""
    if kind.startswith("gguf"):
        return gguf
    if kind == "peft" and source.ready.fine_tune_type == "full":
        return f"{source.ready.name} is a full fine-tune: it is no adapter. Export it merged."
    return None


def _request(
    source: _Source, kind: ExportFormat, output: Path, staging: Path, **more: Any
) -> ExportRequest:
    lineage, config = source.folder.lineage, source.folder.config
    return ExportRequest(
        model=source.model.path,
        format=kind,
        output=str(output),
        staging=str(staging),
        adapter=source.ready.spec,
        adapter_name=source.ready.name,
        checkpoint=str(source.ready.checkpoint),
        base=base_record(source.folder, source.model.name, source.model.path),
        lineage=dict(lineage),
        data=_table(lineage.get("data")),
        settings=_settings(config),
        **more,
    )


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    return {str(k): v for k, v in value.items() if isinstance(v, str | int | float)}


def _settings(config: Any) -> dict[str, object]:
    names = (
        "learning_rate", "batch_size", "iters", "max_seq_length", "optimizer", "seed", "num_layers",
        "fine_tune_type", "mask_prompt", "train_mode",
    )  # fmt: skip
    settings = {name: config[name] for name in names if config.get(name) is not None}
    lora = config.get("lora_parameters")
    lora_settings = {f"lora {k}": v for k, v in lora.items()} if isinstance(lora, dict) else {}
    return {**settings, **lora_settings}


def _ollama(body: ExportRequestBody, name: str) -> str | None:
    if not body.import_to_ollama:
        return None
    if not body.format.startswith("gguf"):
        raise BadContent(
            f"Ollama takes GGUF files, and {body.format} is none.", hint="Choose a gguf format."
        )
    program = programs()[0]
    if not program.available:
        raise BadContent(f"Ollama can't take it: {program.reason}")
    return body.ollama_model_name or name.lower()


def _lm_studio(body: ExportRequestBody, name: str) -> str | None:
    if not body.copy_to_lm_studio:
        return None
    folder = lm_studio_folder()
    if folder is None:
        raise BadContent(f"LM Studio can't take it: {programs()[1].reason}")
    if body.format == "peft":
        raise BadContent("LM Studio takes models, and a PEFT adapter is none.")
    target = child_path(folder, "droid-finetuning") / name
    if os.path.lexists(target):
        raise AlreadyExists(f"LM Studio has a model {name!r} already: {target}.")
    return str(target)


def _answer(job: Job[ExportRequest]) -> ExportResultAnswer | None:
    result = job.folder.result_of(ExportResult)
    if result is None:
        return None
    request, places = job.request, (FOLDER, EXPORT_FOLDER)
    proof = read_proof(job.folder.path, request.sets, places=places, reference=1)
    gguf = next((one.name for one in result.files if one.name.endswith(".gguf")), None)
    modelfile = any(one.name == "Modelfile" for one in result.files)
    return ExportResultAnswer(
        adapter_name=request.adapter_name or "",
        format=result.format,
        output_name=result.name,
        merged_dir=result.path,
        files=list(result.files),
        bytes=result.bytes,
        seconds=result.seconds,
        peak_memory_bytes=result.peak_memory_bytes,
        quantisation=result.quantisation,
        smoke=result.smoke,
        gguf_path=f"{result.path}/{gguf}" if gguf else None,
        modelfile_path=f"{result.path}/Modelfile" if modelfile else None,
        ollama_model_name=result.ollama,
        lm_studio_path=result.lm_studio,
        proof=proof,
        unproven=request.unproven,
        worse=_is_worse(proof),
        warnings=[*request.warnings, *result.warnings],
        timestamp=job.started,
    )


def _is_worse(proof: Proof | None) -> bool | None:
    """Whether the export's loss is above the 95 % interval of the adapter's."""
    if proof is None or len(proof.targets) < 3:
        return None
    adapter, export = proof.targets[1].loss, proof.targets[2].loss
    if adapter is None or export is None or adapter.high is None:
        return None
    return export.mean > adapter.high
