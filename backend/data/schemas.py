"""What is asked and answered about data files."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.core.limits import Count

DataForm = Literal["text", "chat", "completions", "grpo", "preference", "alpaca", "sharegpt"]
JobState = Literal["waiting", "running", "completed", "error", "cancelled"]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class LineProblem(BaseModel):
    """One line that can't be used. `line` counts from 1; 0 stands for the file as a whole."""

    line: int
    message: str


class DuplicateGroup(BaseModel):
    """Rows that say the same: the first of their lines, and how many there are."""

    lines: list[int]
    count: int


class Duplicates(BaseModel):
    """`rows` is how many rows repeat an earlier one; `groups` the largest groups.

    Compared is what is trained on, not columns such as an id. `complete` is false when the file
    has more rows than are remembered.
    """

    rows: int
    groups: list[DuplicateGroup]
    complete: bool = True


class SharedRow(BaseModel):
    line: int
    valid_line: int


class Leakage(BaseModel):
    """Validation rows that are in the training file too, so that they can't tell learning from
    memorising. `examples` has the first ones.
    """

    path: str
    valid_rows: int
    shared_rows: int
    examples: list[SharedRow]


class LengthBin(BaseModel):
    """How many rows have `start` to `end` - 1 tokens."""

    start: int
    end: int
    rows: int


class OmittedPart(BaseModel):
    """What rows say and the model's chat template does not write, or writes twice: `part` is one of
    tools, tool_calls, reasoning_content, thoughts, name, message, doubled_start and
    doubled_end. `lines` has the first ones.
    """

    part: str
    rows: int
    lines: list[int]
    message: str


class TokenLengths(BaseModel):
    """Rows measured in the model's own tokens, with its chat template.

    Of a large file a share of rows, evenly spread, is measured (`sampled`); counts of rows are
    then scaled to the whole file. `without_target` are the rows of which, at `max_seq_length` and
    training on answers only, nothing is left to learn; the engine's loss is NaN on those.
    `refused_rows` are those that the model's chat template can't take, `unlearnable_rows` those of
    which, with training on answers only, an answer is nothing but an end mark or can't be told
    apart; `refused` and `unlearnable` have the first of them. `omitted` is what the template leaves
    out of rows that it takes.
    """

    model: str
    rows: int
    measured: int
    sampled: bool
    total_tokens: int
    shortest: int
    mean: float
    median: int
    p95: int
    longest: int
    bins: list[LengthBin]
    max_seq_length: int | None = None
    truncated_rows: int | None = None
    truncated_share: float | None = None
    cut_tokens: int | None = None
    without_target: int | None = None
    without_target_lines: list[int] = []
    refused_rows: int = 0
    first_refused: LineProblem | None = None
    refused: list[LineProblem] = []
    unlearnable_rows: int = 0
    unlearnable: list[LineProblem] = []
    omitted: list[OmittedPart] = []


class DatasetInspection(BaseModel):
    """POST /api/datasets/inspect. `problems` holds the first ones; `problem_count` all of them.

    `rows` are all rows that could be read, `good_rows` those that can be trained on.
    `tail_rows` is what plain mlx_lm would leave out at `batch_size` in every epoch; this app trains
    on them. `columns` and `sample` are as the file writes them; `notes` say how rows of another
    spelling are read. `complete` is false when a very large file was not read to its end within the
    time for it; a job has no such limit.
    """

    path: str
    format: str | None
    columns: list[str]
    rows: int
    size_bytes: int
    sample: list[dict[str, Any]]
    problems: list[LineProblem]
    problem_count: int
    valid_beside: str | None = None
    complete: bool = True
    good_rows: int = 0
    multi_turn_rows: int = 0
    unanswered_rows: int = 0
    labelled_text: bool = False
    duplicates: Duplicates | None = None
    leakage: Leakage | None = None
    lengths: TokenLengths | None = None
    lengths_problem: str | None = None
    tail_rows: int | None = None
    notes: list[str] = []


class InspectRequest(_Request):
    """`valid_path` is compared with the file; without it a valid.jsonl in the same folder is."""

    path: str
    model: str | None = None
    max_seq_length: int | None = Field(default=None, ge=16, le=10_000_000)
    valid_path: str | None = None
    batch_size: int | None = Field(default=None, ge=1, le=1_000_000)


class DatasetJob(BaseModel):
    """A long inspection. `progress` is from 0 to 1, null where it can't be known."""

    job_id: str
    kind: Literal["inspection"] = "inspection"
    state: JobState
    phase: str
    progress: float | None
    path: str
    result: DatasetInspection | None = None
    error: str | None = None
    hint: str | None = None


class PreviewRequest(_Request):
    """Which row to show: `row` counts rows from 1; `line`, where given, is the line it is in."""

    path: str
    model: str
    row: Count = 1
    line: Count | None = None
    mask_prompt: bool = False
    max_seq_length: int | None = Field(default=None, ge=16, le=10_000_000)


class PreviewToken(BaseModel):
    """`text` is empty where a character is made of several tokens: the last of them has it."""

    id: int
    text: str
    trained: bool
    cut: bool
    special: bool


class DatasetPreview(BaseModel):
    """One row as the model sees it. `format` is the file's, `shown_as` what the engine is given.

    `tokens` has the first ones; the counts are of the whole row. `pad_trained`: the engine's loss
    counts one padding token after the last one, unless the row fills its batch.
    """

    path: str
    model: str
    row: int
    line: int
    last: bool
    format: str
    shown_as: str
    text: str
    tokens: list[PreviewToken]
    total_tokens: int
    trained_tokens: int
    cut_tokens: int
    first_trained: int | None
    max_seq_length: int | None
    mask_prompt: bool
    pad_trained: bool
    notes: list[str]


class ConvertRequest(_Request):
    """`mapping` names, for each field of a known form, the column it is in: {"prompt": "question",
    "answer": "solution.value"}. `system` is put before every row that has no system message.
    `answer_after` is for grpo rows: of an answer it keeps what stands behind the last such mark
    ("####"), and leaves out rows without it. `first_exchange` keeps of longer conversations the
    first question and answer, where a form holds only one; else they are left out.
    A relative `output_path` is under the data folder of the app.
    """

    path: str
    output_path: str
    to: DataForm
    mapping: dict[str, str] | None = None
    system: str | None = Field(default=None, max_length=20_000)
    answer_after: str | None = Field(default=None, min_length=1, max_length=200)
    first_exchange: bool = False
    overwrite: bool = False


class RowsToConvert(_Request):
    """A few rows, to see what POST /api/datasets/convert would make of them."""

    rows: list[dict[str, Any]] = Field(min_length=1, max_length=20)
    to: DataForm
    mapping: dict[str, str] | None = None
    system: str | None = Field(default=None, max_length=20_000)
    answer_after: str | None = Field(default=None, min_length=1, max_length=200)
    first_exchange: bool = False


class ConvertedRow(BaseModel):
    """`row` as it would be written, or null and the `problem` that it would be left out for."""

    row: dict[str, Any] | None
    problem: str | None = None


class ConvertedRows(BaseModel):
    rows: list[ConvertedRow]


class WrittenFile(BaseModel):
    path: str
    rows: int


class ConvertAnswer(BaseModel):
    """`skipped` has the first rows that were left out and why; `skipped_count` all of them."""

    path: str
    format: str
    source_format: str
    rows: int
    skipped: list[LineProblem]
    skipped_count: int
    notes: list[str]


class MethodDataReport(BaseModel):
    """What every line of a file says to one training method. `num_samples` counts the good rows,
    `error_count` the bad ones, of which `errors` has the first; `error` is the first of them in
    words, null where the file is valid. `convertible_to` is a form of POST /api/datasets/convert
    that its first row can be written in.
    """

    success: Literal[True] = True
    valid: bool
    num_samples: int
    format: str
    needs: Literal["sft", "prompt_answer", "preference", "prompt", "next_token"]
    message: str
    error: str | None
    hint: str | None
    errors: list[LineProblem]
    error_count: int
    warnings: list[str]
    convertible_to: DataForm | None


class SplitRequest(_Request):
    """Rows that say the same go to the same file, so that none leaks into validation."""

    path: str
    output_dir: str
    valid_share: float = Field(default=0.1, gt=0, lt=1)
    test_share: float = Field(default=0.0, ge=0, lt=1)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    overwrite: bool = False


class SplitAnswer(BaseModel):
    path: str
    train: WrittenFile
    valid: WrittenFile
    test: WrittenFile | None
    skipped_count: int
    skipped: list[LineProblem]
    seed: int


class DatasetInfo(BaseModel):
    """A known data file, or a folder with train.jsonl. `rows` is null where counting takes long."""

    name: str
    path: str
    source: Literal["datasets", "demo", "recent"]
    format: str | None
    rows: int | None
    size_bytes: int | None
    modified: str | None
    has_valid: bool
    has_test: bool
    problem: str | None


class DatasetsAnswer(BaseModel):
    datasets: list[DatasetInfo]
    folder: str


class UploadAnswer(BaseModel):
    path: str
    size_bytes: int
