"""What an evaluation is asked for, and what it found. Unknown is null, never 0."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backend.contract.jobs.evaluation import (
    METRICS_OF_ANSWERS,
    JudgeReport,
    JudgeScores,
    MetricId,
    MetricResult,
    QuestionResult,
    TargetInfo,
    TaskResult,
)
from backend.core.schemas import DamagedItem
from backend.inference.requests import Checkpoint

EvaluationState = Literal["starting", "running", "completed", "stopped", "error", "interrupted"]


class EvaluationStart(BaseModel):
    """POST /api/evaluation/start and /compare. Unknown fields are refused.

    Without `training_data_path` the rows are those that the run held out: its test set, else its
    validation set. Without `model_name` the base is the one that the adapter was trained on.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    adapter_name: str = Field(min_length=1)
    checkpoint: Checkpoint | None = None
    model_name: str | None = None
    allow_other_base: bool = Field(
        False,
        description="Use the adapter also on a base that it does not name, if all shapes fit.",
    )
    training_data_path: str | None = None
    num_questions: int = Field(20, ge=1, le=2000)
    prompts: list[Annotated[str, Field(min_length=1, max_length=100_000)]] = Field(
        [],
        max_length=500,
        description="Asked in place of rows, all of them. They have no expected answers, so that "
        "only `length` and `repetition` are measured, and what a judge gives.",
    )
    prompt_set: str | None = Field(
        None, min_length=1, max_length=100, description="What to call `prompts` in the result."
    )
    system: str | None = Field(
        None, max_length=100_000, description="The system prompt that `prompts` are asked with."
    )
    evaluate_base_model: bool = False
    metrics: list[MetricId] = Field([], description="Empty: all of them.")
    max_tokens: int = Field(300, ge=1, le=8192)
    temperature: float = Field(0.0, ge=0, le=2)
    seed: int = Field(0, ge=0, lt=2**32)
    judge: bool = Field(
        False,
        description="Ask a judge for scores too: the service of the settings, or `judge_model`.",
    )
    judge_model: str | None = Field(
        None, min_length=1, description="A model of this machine that judges instead of a service."
    )
    tasks: list[Annotated[str, Field(min_length=1, max_length=4096)]] = Field(
        [],
        max_length=8,
        description="lm-eval tasks asked too: names that /api/evaluation/offers gives, or YAML "
        "files. Needs lm-eval.",
    )
    task_limit: int | None = Field(
        None, ge=1, le=100_000, description="The most rows of each task; null: all of them."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.prompts:
            extras = [name for name in ("prompt_set", "system") if getattr(self, name) is not None]
            if extras:
                raise ValueError(f"{extras[0]} belongs to prompts, and there are none.")
            return self
        if self.training_data_path is not None:
            raise ValueError("Give either prompts or training_data_path, not both.")
        if others := [name for name in self.metrics if name not in METRICS_OF_ANSWERS]:
            raise ValueError(
                f"{others[0]} needs expected answers, which prompts do not have: "
                f"choose {' or '.join(METRICS_OF_ANSWERS)}, or evaluate on rows."
            )
        return self


class JudgeOffered(BaseModel):
    """The judging service of the settings. Its whole address may hold a secret."""

    host: str
    model: str


class EvaluationOffers(BaseModel):
    """GET /api/evaluation/offers: what an evaluation can ask for here beyond its own metrics.

    `judge` is null where none is set up, `lm_eval` (its version) where it is not installed.
    """

    judge: JudgeOffered | None
    lm_eval: str | None
    lm_eval_install: str
    tasks: list[str]


class AdapterPrompts(BaseModel):
    """GET /adapters/{name}/prompts: how its training rows ask.

    `system` is the system prompt that most of them have, null where there is none. `prompts` are
    those of up to `limit` rows that it was not trained on, of the file `source`; null where nothing
    was held out.
    """

    system: str | None
    prompts: list[str]
    source: str | None


class EvaluationStarted(BaseModel):
    success: Literal[True] = True
    message: str
    adapter_name: str
    evaluation_id: str
    warnings: list[str]


class EvaluationStatus(BaseModel):
    """Of the running evaluation, or of the last one. `progress` is from 0 to 100."""

    running: bool
    progress: float
    current_question: int
    total_questions: int
    adapter_name: str | None
    error: str | None
    hint: str | None = None
    evaluation_id: str | None = None
    state: EvaluationState | None = None
    phase: str | None = None


class ReportFiles(BaseModel):
    json_file: str = Field(serialization_alias="json", validation_alias="json")
    markdown: str

    model_config = ConfigDict(populate_by_name=True)


class EvaluationResult(BaseModel):
    """One finished evaluation. `scores` are the judge's of the last target. Of a `prompt_set`,
    `training_data_path` is its name too.
    """

    evaluation_id: str
    adapter_name: str
    is_base_model: bool
    base_model: str
    adapter_config: dict[str, Any] | None
    training_data_path: str
    num_questions: int
    rows_available: int
    prompt_set: str | None = None
    seen_rows: int | None
    evaluation_date: datetime
    seconds: float
    batched: bool
    sampling: dict[str, Any]
    warnings: list[str]
    targets: list[TargetInfo]
    metrics: list[MetricResult]
    tasks: list[TaskResult] = []
    judge: JudgeReport | None = None
    scores: JudgeScores
    base_model_scores: JudgeScores | None
    questions: list[QuestionResult]
    report_files: ReportFiles | None = None


class ResultAnswer(BaseModel):
    success: Literal[True] = True
    result: EvaluationResult


class EvaluationSummary(BaseModel):
    """One line of the list of past evaluations, newest first."""

    evaluation_id: str
    adapter_name: str
    state: EvaluationState
    started: datetime
    num_questions: int
    targets: list[str]
    error: str | None = None


class EvaluationList(BaseModel):
    evaluations: list[EvaluationSummary]
    damaged: list[DamagedItem] = []


class StopAnswer(BaseModel):
    success: Literal[True] = True
    message: str
    evaluation_id: str | None
