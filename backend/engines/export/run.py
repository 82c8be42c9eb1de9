"""One export, from the request to a tested folder.

1. check the disk   2. merge and write beside its place, a tensor at a time   3. load the files in a
fresh process and ask them   4. score on held-out rows   5. put it into its place.
What fails or is stopped before step 5 leaves nothing behind. The sources are only read.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlx.core as mx

from backend.contract.export.request import (
    STAGING,
    CardScore,
    ExportedFile,
    ExportRequest,
    ExportResult,
    SmokeAnswer,
)
from backend.contract.export.size import needed_bytes
from backend.contract.jobs.evaluation import EvaluationMeasurements
from backend.contract.record import read_record, write_record
from backend.contract.run.events import Phase, Progress
from backend.core.disk.files import format_bytes, write_json, write_text
from backend.core.disk.removal import named, remove
from backend.engines.evaluate.run import evaluate_run
from backend.engines.export.fresh_process import python_module, run_program
from backend.engines.export.merged_format import ProgressReport, Written, write_merged
from backend.engines.export.model_card import CARD, model_card
from backend.engines.export.peft_format import write_peft
from backend.engines.export.tensor_files import Stopped
from backend.engines.inference.protocol import Refused
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter, PartEmitter
from backend.engines.process.signals import Control
from backend.engines.process.staged_folder import publish, sync_files

PROOFS = ("proof", "proof_export")  # Base and adapter; the written model, on the same rows.
_WHOLE, _WRITTEN = 1000, 300  # Of the progress: the answers of the proof take most of the time.
_SMOKE_LIMIT = 900.0
_OLLAMA_LIMIT = 3600.0
_CACHE = 64 << 20  # Freed buffers that mlx may hold on to.
_PART = 16 << 20  # Bytes that are copied between two looks at the stop.
_STOPPED_LATE = "the export was stopped before."
_STOPPED = Ending("stopped", "The export was stopped; nothing was written.")

Writer = Callable[[ExportRequest, Path, ProgressReport, Callable[[], bool]], Written]


def export_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Export what the folder asks for; answer how it ended. Errors are raised."""
    request = read_record(
        ExportRequest, json.loads((folder / "request.json").read_text(encoding="utf-8"))
    )
    staging, output, start = Path(request.staging), Path(request.output), time.monotonic()

    def stopped() -> bool:
        return control.stop is not None

    try:
        _require_room(request, output)
        usual = mx.set_cache_limit(_CACHE)
        emit(Phase(name="writing"))
        part = PartEmitter(emit, start=0, end=_WRITTEN if request.proof else _WHOLE, total=_WHOLE)
        staging.mkdir(parents=True)
        written = _writer(request)(
            request, staging, lambda done, total: part(Progress(done=done, total=total)), stopped
        )
        peak = _peak_memory()
        mx.set_cache_limit(usual)
        sync_files(staging)
        emit(Phase(name="testing"))
        smoke = _smoke(request, folder, staging, stopped)
        if request.proof:
            if not _prove(folder, emit, control):
                return _STOPPED
            write_text(staging / CARD, model_card(replace(request, scores=_scores(folder))))
        if stopped():
            return _STOPPED
        result = _result(request, staging, written, smoke, peak, time.monotonic() - start)
        publish(staging, output)
        write_json(folder / "result.json", write_record(result))
        if request.ollama is not None or request.lm_studio is not None:
            emit(Phase(name="handing over"))
            result = _handed_over(request, result, folder, stopped)
            write_json(folder / "result.json", write_record(result))
    except Stopped:
        return _STOPPED
    except Refused as refusal:
        raise Unusable(refusal.message, refusal.hint) from refusal
    finally:
        remove(staging, inside=staging.parent, own=named(STAGING))
    emit(Phase(name="done"))
    return Ending("completed", f"{result.name} is exported: {format_bytes(result.bytes)}.")


def _prove(folder: Path, emit: Emitter, control: Control) -> bool:
    """Score base, adapter and export; False when it was stopped."""
    marks = [_WRITTEN, (_WHOLE + _WRITTEN) // 2, _WHOLE]
    for name, start, end in zip(PROOFS, marks, marks[1:], strict=False):
        part = PartEmitter(emit, start=start, end=end, total=_WHOLE)
        if evaluate_run(folder / name, part, control).state != "completed":
            return False
        mx.clear_cache()
    return True


def _scores(folder: Path) -> tuple[CardScore, ...]:
    """What the proof measured, for the model card."""
    scores: list[CardScore] = []
    for name in PROOFS:
        value = json.loads((folder / name / "result.json").read_text(encoding="utf-8"))
        measured = read_record(EvaluationMeasurements, value)
        scores += [
            CardScore(
                name=target.label,
                metric=metric.name,
                value=estimate.mean,
                low=estimate.low,
                high=estimate.high,
            )
            for metric in measured.metrics
            for target, estimate in zip(measured.targets, metric.values, strict=True)
            if estimate is not None
        ]
    return tuple(scores)


def _handed_over(
    request: ExportRequest, result: ExportResult, folder: Path, stopped: Callable[[], bool]
) -> ExportResult:
    """The result once other programs have their copy; where they refuse, or it is stopped before
    they have it, the export stands.
    """
    warnings = list(result.warnings)
    ollama, lm_studio = request.ollama, request.lm_studio
    if ollama is not None and (reason := _ollama_refusal(ollama, result, folder, stopped)):
        warnings.append(f"Ollama did not take it: {reason}")
        ollama = None
    if lm_studio is not None:
        try:
            copy_folder(Path(result.path), Path(lm_studio), stopped)
        except (OSError, Stopped) as problem:
            reason = _STOPPED_LATE if isinstance(problem, Stopped) else f"{problem}."
            warnings.append(f"It could not be copied to LM Studio: {reason}")
            lm_studio = None
    return replace(result, ollama=ollama, lm_studio=lm_studio, warnings=tuple(warnings))


def _ollama_refusal(
    name: str, result: ExportResult, folder: Path, stopped: Callable[[], bool]
) -> str | None:
    command = ["ollama", "create", name, "-f", str(Path(result.path) / "Modelfile")]
    try:
        code, output = run_program(
            command, log=folder / "ollama.log", stopped=stopped, limit=_OLLAMA_LIMIT
        )
    except Stopped:
        return _STOPPED_LATE
    return None if code == 0 else output or "it did not end in an hour."


def copy_folder(source: Path, target: Path, stopped: Callable[[], bool]) -> None:
    """A copy that is there whole or not at all. Raises OSError or Stopped."""
    draft = target.with_name(f".exporting-{target.name}")

    def copy_file(one: str, to: str) -> str:
        with Path(one).open("rb") as reader, Path(to).open("wb") as writer:
            while not stopped() and (part := reader.read(_PART)):
                writer.write(part)
        if stopped():
            raise Stopped
        return to

    try:
        remove(draft, inside=target.parent, own=named(STAGING))  # Of one that was killed.
        shutil.copytree(source, draft, copy_function=copy_file)
        draft.rename(target)
    finally:
        remove(draft, inside=target.parent, own=named(STAGING))


def _writer(request: ExportRequest) -> Writer:
    if request.format.startswith("gguf"):
        from backend.engines.export.gguf_format import write_gguf  # A package of its own.

        return write_gguf
    return write_peft if request.format == "peft" else write_merged


def _require_room(request: ExportRequest, output: Path) -> None:
    if output.exists():
        raise Unusable(f"There is already an export {output.name}.", "Choose another output_name.")
    try:
        needed = needed_bytes(request)
    except ValueError as problem:
        raise Unusable(f"The model can't be exported: {problem}") from problem
    place = next(folder for folder in output.parents if folder.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise Unusable(
            f"The export needs {format_bytes(needed)} in {output.parent}, and "
            f"{format_bytes(free)} are free.",
            "Free some space, or choose a smaller format.",
        )


def _smoke(
    request: ExportRequest, folder: Path, staging: Path, stopped: Callable[[], bool]
) -> SmokeAnswer:
    """What the files answer to a program that knows nothing of how they were made."""
    answer, log = folder / "smoke.json", folder / "smoke.log"
    command = python_module("backend.engines.export.smoke", str(folder), str(answer))
    code, output = run_program(command, log=log, stopped=stopped, limit=_SMOKE_LIMIT)
    if code != 0:
        how = f"ended with code {code}" if code is not None else "did not end in 15 minutes"
        raise Unusable(
            f"The export failed its test: the program that loads it {how}. {output}",
            "Nothing was saved. Try another format; the sources are untouched.",
        )
    return read_record(SmokeAnswer, json.loads(answer.read_text(encoding="utf-8")))


def _peak_memory() -> int:
    """Bytes of this process at its largest so far."""
    unit = 1 if sys.platform == "darwin" else 1024  # Linux counts in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _result(
    request: ExportRequest,
    staging: Path,
    written: Written,
    smoke: SmokeAnswer,
    peak: int,
    seconds: float,
) -> ExportResult:
    files = tuple(
        ExportedFile(name=str(path.relative_to(staging)), bytes=path.stat().st_size)
        for path in sorted(staging.rglob("*"))
        if path.is_file()
    )
    return ExportResult(
        name=Path(request.output).name,
        path=request.output,
        format=request.format,
        files=files,
        bytes=sum(file.bytes for file in files),
        seconds=seconds,
        peak_memory_bytes=peak,
        merged_modules=written.merged_modules,
        quantisation=written.quantisation,
        smoke=smoke,
        warnings=written.warnings,
    )
