"""One evaluation: every target answers the same rows, is scored on them, and is summed up."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import mlx.core as mx

from backend.contract.inference_frames import BatchItem, ModelInput
from backend.contract.jobs.evaluation import (
    EvaluationMeasurements,
    EvaluationRequest,
    EvaluationRow,
    EvaluationTarget,
    GivenAnswer,
    QuestionResult,
    TargetInfo,
    write_measurements,
)
from backend.contract.record import read_record
from backend.contract.run.events import Phase, Progress
from backend.core.disk.files import write_json, write_text
from backend.core.disk.removal import named, remove
from backend.engines.evaluate.judges import judge_of
from backend.engines.evaluate.judging import Judging, Verdict, calls_for
from backend.engines.evaluate.questions import Question, question_of
from backend.engines.evaluate.report import report_of
from backend.engines.evaluate.summary import (
    LOSS,
    PERPLEXITY,
    TaskScore,
    answer_to,
    score_answer,
    set_text,
    side_by_side,
    summarise,
)
from backend.engines.inference.generate import Watch
from backend.engines.inference.protocol import Cancelled, Refused
from backend.engines.inference.resident_model import Resident, Unanswered
from backend.engines.inference.score import score_rows
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control

_COPIES = "task_rows"  # What `datasets` makes of a task's data files, for as long as it is asked.
_AT_ONCE = 16  # Questions per batch: between two batches a cancel is heard and progress is told.


def evaluate_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Evaluate what the folder asks for; answer how it ended. Errors are raised."""
    text = (folder / "request.json").read_text(encoding="utf-8")
    request = read_record(EvaluationRequest, json.loads(text))
    with (folder / "rows.jsonl").open(encoding="utf-8") as lines:
        rows = [read_record(EvaluationRow, json.loads(line)) for line in lines]
    start = time.monotonic()
    try:
        result = _Evaluation(folder, request, rows, emit, control).result()
    except Cancelled:
        return Ending("stopped", "The evaluation was cancelled; nothing was saved.")
    except Refused as refusal:
        raise Unusable(refusal.message, refusal.hint) from refusal
    finally:
        with suppress(OSError):
            remove(folder / _COPIES, inside=folder, own=named(_COPIES))
    result = replace(result, seconds=time.monotonic() - start)
    write_text(folder / "report.md", report_of(request, result))
    # Last: with it the evaluation is there.
    write_json(folder / "result.json", write_measurements(result))
    emit(Phase(name="done"))
    return Ending("completed", f"{len(rows)} rows evaluated.")


class _Evaluation:
    def __init__(
        self,
        folder: Path,
        request: EvaluationRequest,
        rows: Sequence[EvaluationRow],
        emit: Emitter,
        control: Control,
    ) -> None:
        self._resident = Resident(Path(request.model))
        self._targets = request.targets
        self._chosen = request.metrics
        self._sampling = request.sampling
        self._rows = rows
        self._questions = [question_of(entry.row) for entry in rows]
        self._emit = emit
        self._watch = Watch(lambda: control.stop is not None, None)
        self._judge = request.judge
        # Each target reads every row once for its loss and answers every question, as far as what
        # was chosen needs that.
        self._wants_loss = bool({LOSS, PERPLEXITY} & set(self._chosen))
        self._wants_answers = bool(self._judge or set(self._chosen) - {LOSS, PERPLEXITY})
        self._asked = sum(question is not None for question in self._questions)
        self._asked *= self._wants_answers
        per_target = len(rows) * self._wants_loss + self._asked
        judged = calls_for(self._asked, len(self._targets)) if self._judge else 0
        self._tasks = request.tasks
        self._task_limit = request.task_limit
        per_target += len(self._tasks) * _AT_ONCE  # A task counts as a batch.
        self._total, self._done = per_target * len(self._targets) + judged, 0
        self._task_scores: list[list[TaskScore]] = []
        self._folder = folder

    def result(self) -> EvaluationMeasurements:
        sides = [self._side(target) for target in self._targets]
        tasks = side_by_side(self._task_scores)
        batched = self._resident.batches
        verdict = self._judged(sides)
        self._emit(Phase(name="scoring"))
        return EvaluationMeasurements(
            targets=tuple(_described(target) for target in self._targets),
            metrics=tuple(summarise(sides, self._chosen)),
            tasks=tuple(tasks),
            rows=len(self._rows),
            questions_asked=self._asked,
            batched=batched,
            questions=tuple(
                QuestionResult(
                    line=entry.line,
                    seen=entry.seen,
                    messages=tuple(question.messages) if question else None,
                    expected=question.expected if question else None,
                    answers=tuple(side[at] for side in sides),
                )
                for at, (entry, question) in enumerate(
                    zip(self._rows, self._questions, strict=True)
                )
            ),
            seconds=0.0,  # Until all of it is over.
            judge=verdict.judge if verdict else None,
            scores=verdict.scores if verdict else None,
            base_model_scores=verdict.base_model_scores if verdict else None,
        )

    def _judged(self, sides: Sequence[Sequence[GivenAnswer]]) -> Verdict | None:
        if self._judge is None:
            return None
        self._emit(Phase(name="judging"))
        del self._resident  # A judge of this machine needs the room.
        gc.collect()
        mx.clear_cache()
        judging = Judging(judge_of(self._judge), self._watch, lambda more: self._tell(None, more))
        return judging.sides(self._questions, sides)

    def _side(self, target: EvaluationTarget) -> list[GivenAnswer]:
        self._watch.check()
        self._resident.carry(target.adapter)
        side = [answer_to() for _ in self._rows]
        if self._wants_loss:
            self._emit(Phase(name="scoring"))
            self._take_losses(side)
        if self._wants_answers:
            self._emit(Phase(name="answering"))
        for batch in self._batches():
            self._watch.check()
            self._answer(side, batch)
            self._tell(target, len(batch))
        if self._tasks:
            self._ask_tasks(target)
        return side

    def _ask_tasks(self, target: EvaluationTarget) -> None:
        # Optional, and a second to import.
        from backend.engines.evaluate.lm_eval_tasks import run_task

        self._emit(Phase(name="tasks"))
        scores: list[TaskScore] = []
        for task in self._tasks:
            scores += run_task(
                self._resident,
                task,
                limit=self._task_limit,
                seed=self._sampling.seed or 0,
                check=self._watch.check,
                cache=self._folder / _COPIES,
            )
            self._tell(target, _AT_ONCE)
        self._task_scores.append(scores)

    def _take_losses(self, side: Sequence[GivenAnswer]) -> None:
        told = 0

        def between(done: int) -> None:
            nonlocal told
            self._watch.check()
            self._tell(None, done - told)
            told = done

        scores = score_rows(
            self._resident.model,
            self._resident.tokenizer,
            [entry.row for entry in self._rows],
            limit=self._resident.context,
            between=between,
        )
        between(len(scores))
        for row, score in zip(side, scores, strict=True):
            if score.problem is not None:
                row.problem = score.problem
            elif score.tokens:
                row.loss, row.tokens = score.loss, score.tokens

    def _answer(self, side: Sequence[GivenAnswer], batch: Sequence[tuple[int, Question]]) -> None:
        items = [
            BatchItem(
                question=ModelInput(messages=tuple(question.messages)), sampling=self._sampling
            )
            for _, question in batch
        ]
        for answer in self._resident.answer_all(items, self._watch):
            at, question = batch[answer.index]
            row = side[at]
            if isinstance(answer, Unanswered):  # It must not end the others.
                row.problem = answer.refusal.message
                continue
            set_text(row, answer.text, answer.end.split(answer.text))
            row.finish_reason = answer.end.stats.finish_reason
            row.completion_tokens = answer.end.stats.completion_tokens
            score_answer(row, question.expected, self._chosen)

    def _batches(self) -> Iterator[list[tuple[int, Question]]]:
        if not self._wants_answers:
            return
        questions = [(at, question) for at, question in enumerate(self._questions) if question]
        for first in range(0, len(questions), _AT_ONCE):
            yield questions[first : first + _AT_ONCE]

    def _tell(self, target: EvaluationTarget | None, more: int) -> None:
        if more:
            self._done += more
            label = target.label if target else None
            self._emit(Progress(done=self._done, total=self._total, target=label))


def _described(target: EvaluationTarget) -> TargetInfo:
    return TargetInfo(
        label=target.label, adapter_name=target.adapter_name, checkpoint=target.checkpoint
    )
