"""An evaluation: what the server asks its process for, on which rows, and what that measured.

The API shows the parts of a result as they are here, so their docstrings are its descriptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from backend.contract.inference_frames import AdapterSpec
from backend.contract.record import write_record
from backend.contract.sampling import Sampling

MetricId = Literal[
    "loss",
    "perplexity",
    "exact_match",
    "token_f1",
    "rouge_l",
    "number_match",
    "valid_json",
    "length",
    "repetition",
]
ALL_METRICS: tuple[MetricId, ...] = get_args(MetricId)
# What an answer alone is measured by, without an expected one beside it.
METRICS_OF_ANSWERS: tuple[MetricId, ...] = ("length", "repetition")
Better = Literal["higher", "lower", "neither"]

# -- what is asked for --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationTarget:
    """Who answers: the base, or an adapter on it. `label` names it on pages and in reports."""

    label: str
    adapter: AdapterSpec | None = None
    adapter_name: str | None = None
    checkpoint: str | int | None = None


JUDGE_KEY = "DROID_JUDGE_PASS"  # Of the environment: a key is never written to a file or a log.


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeService:
    """A judge that speaks OpenAI's protocol. Its key is in the environment, never in a file."""

    url: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeModel:
    """A judge that is a model of this machine: its folder."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LmEvalTask:
    """A task of lm-eval, with its configuration as the YAML file gives it."""

    name: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """`request.json`. The engine asks `targets` the rows of `rows.jsonl`; the rest is for the page
    and the report. `seen_rows` is null, and `compared` false, where what was trained on is not
    known. With a `prompt_set` its prompts are asked, which have no expected answers. A `helper`
    works for another answer, so that it is no result of its own.
    """

    adapter_name: str
    model: str
    targets: tuple[EvaluationTarget, ...]
    metrics: tuple[MetricId, ...]
    sampling: Sampling
    training_data_path: str
    num_questions: int
    rows_available: int
    prompt_set: str | None = None
    seen_rows: int | None = None
    compared: bool = False
    adapter_config: Mapping[str, Any] | None = None
    judge: JudgeService | JudgeModel | None = None
    tasks: tuple[LmEvalTask, ...] = ()
    task_limit: int | None = None
    warnings: tuple[str, ...] = ()
    helper: bool = False
    started: str = ""  # The time, in ISO form; written with the folder.


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRow:
    """A line of `rows.jsonl`: a row in the engine's form, the line of the data file that it stands
    on, and whether it was trained on. Of a prompt set, a `prompt` without an answer, and its place.
    """

    line: int
    seen: bool
    row: Mapping[str, Any]


def write_request(request: EvaluationRequest) -> Mapping[str, Any]:
    """The JSON value of a request."""
    return write_record(request) | {"sampling": write_sampling(request.sampling)}


def write_sampling(sampling: Sampling) -> Mapping[str, Any]:
    """As a request and a result have it: an evaluation knows no texts to stop at."""
    return {name: value for name, value in write_record(sampling).items() if name != "stop"}


# -- what was measured --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over `rows` rows with its 95 % bootstrap interval; no interval for one row."""

    mean: float
    low: float | None
    high: float | None
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """One estimate per target; with two targets, `difference` is second − first, row by row.

    Perplexities are compared by their `ratio`, second / first, instead.
    """

    id: MetricId
    name: str
    help: str
    source: str
    better: Better
    values: tuple[Estimate | None, ...]
    difference: Estimate | None
    ratio: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One metric of one lm-eval task: a value per target with its standard error, as lm-eval gives
    them, over `rows` rows. `filter` is how an answer was taken from what was said.
    """

    task: str
    metric: str
    filter: str
    better: Better
    values: tuple[float | None, ...]
    stderrs: tuple[float | None, ...]
    rows: int | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeScores:
    """0 to 100, more is better (of hallucination too: 100 is none). Null without a judge."""

    overall: float | None = None
    faithfulness: float | None = None
    fact_recall: float | None = None
    consistency: float | None = None
    hallucination: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSwaps:
    """Pairs shown in both orders: `consistent` ones got the same verdict twice, and only those have
    a winner. `first_wins` counts verdicts, two per pair, for whichever answer stood first.
    """

    asked: int
    consistent: int
    base_wins: int
    adapter_wins: int
    ties: int
    first_wins: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeReport:
    """Of the judge itself. Failed calls are no scores; `problems` are the first different ones."""

    model: str
    asked: int
    failed: int
    problems: tuple[str, ...]
    swaps: JudgeSwaps | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInfo:
    label: str
    adapter_name: str | None
    checkpoint: str | int | None


@dataclass(slots=True, kw_only=True)
class GivenAnswer:
    """What one target answered. `loss` is the sum over `tokens` of the expected answer, in nats."""

    text: str | None
    thoughts: str | None = None
    answer: str | None = None
    finish_reason: str | None
    completion_tokens: int | None
    loss: float | None
    tokens: int | None
    problem: str | None
    metrics: Mapping[str, float | None]
    judged: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionResult:
    """`seen`: a row of the same content was trained on. `line` is its line in the data file."""

    line: int
    seen: bool
    messages: tuple[Mapping[str, Any], ...] | None
    expected: str | None
    answers: tuple[GivenAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationMeasurements:
    """`result.json`. `scores` are the judge's of the last target, `base_model_scores` those of the
    first of two; both are null without a judge.
    """

    targets: tuple[TargetInfo, ...]
    metrics: tuple[MetricResult, ...]
    rows: int
    batched: bool
    questions: tuple[QuestionResult, ...]
    seconds: float
    questions_asked: int | None = None
    tasks: tuple[TaskResult, ...] = ()
    judge: JudgeReport | None = None
    scores: JudgeScores | None = None
    base_model_scores: JudgeScores | None = None


def write_measurements(measurements: EvaluationMeasurements) -> Mapping[str, Any]:
    """The JSON value of a result: without a judge, nothing of one."""
    value = write_record(measurements)
    if measurements.judge is None:
        for name in ("judge", "scores", "base_model_scores"):
            del value[name]
    return value
