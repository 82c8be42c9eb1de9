"""How many tokens the rows of a run have, and which rows its model's chat template can't take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.core.hub import Hub
from backend.data.checks.checked_file import CheckedFile
from backend.data.inspect.rendered import REFUSED, UNLEARNABLE, Note, RenderedFile, lines_of
from backend.data.schemas import LineProblem
from backend.errors import FieldProblem, RowsRefused
from backend.jobs.run.recipe import StartFix, StartWarning
from backend.models.schemas import ModelInfo
from backend.settings import Settings
from backend.training.run_data.data_plan import DataPlan
from backend.training.run_data.rendered_files import RenderedFiles, Rendering

_WHY = {REFUSED: "refused", UNLEARNABLE: "unlearnable"}


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Per training row: its tokens, and where its loss begins: of rows that answers are sampled to,
    the prompt alone, twice. `valid` has the tokens of each validation row. `bad` has the rows that
    can't be used, by the field of their file and position; `warnings` what the template leaves out.
    """

    lengths: tuple[int, ...]
    starts: tuple[int, ...]
    valid: tuple[int, ...] = ()
    bad: Mapping[str, frozenset[int]] = field(default_factory=dict)
    warnings: tuple[StartWarning, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.lengths)

    @property
    def longest(self) -> int:
        return max(self.lengths)

    def over(self, limit: int) -> int:
        """Rows that are cut at `limit` tokens."""
        return sum(length > limit for length in self.lengths)

    def without_target(self, limit: int) -> int:
        """Rows of which nothing is left to learn after the cut: the engine's loss is then NaN."""
        return sum(start >= limit for start in self.starts)


class TokenCounter:
    def __init__(self, settings: Settings, hub: Hub | None = None) -> None:
        self._rendered = RenderedFiles(settings, hub)

    async def count(
        self,
        model: ModelInfo,
        data: DataPlan,
        *,
        mask: bool,
        skip: bool = False,
        train_mode: str | None = None,
        patience: float | None = None,
    ) -> TokenCounts | Rendering:
        """Of the rows that are trained and validated on; or, of long files after `patience`
        seconds, the job that renders them.

        Raises RowsRefused for rows that the run could not use, unless it is to `skip` them: then
        `bad` names those that the plan does not leave out yet.
        """
        files = data.files
        rendering = await self._rendered.find(
            model, list(files.values()), train_mode=train_mode, patience=patience
        )
        if isinstance(rendering, Rendering):
            return rendering
        renderings = dict(zip(files, rendering, strict=True))
        bits = REFUSED | (UNLEARNABLE if mask else 0)
        bad = {
            name: frozenset(rows.positions(bits)) - data.skipped.get(name, frozenset())
            for name, rows in renderings.items()
        }
        bad = {name: rows for name, rows in bad.items() if rows}
        if bad and not skip:
            raise _refusal(model, files, renderings, bits)
        return _counts(model, data, renderings, bad, bits)


def _counts(
    model: ModelInfo,
    data: DataPlan,
    rendered: Mapping[str, RenderedFile],
    bad: Mapping[str, frozenset[int]],
    bits: int,
) -> TokenCounts:
    train = rendered["train_data_path"]
    left_out = data.skipped.get("train_data_path", frozenset()) | data.held_out
    used = [row for row in range(len(train.lengths)) if row not in left_out]
    beside = rendered.get("val_data_path")
    if beside is None:
        valid = [train.lengths[row] for row in sorted(data.held_out)]
    else:
        without = data.skipped.get("val_data_path", frozenset())
        valid = [count for row, count in enumerate(beside.lengths) if row not in without]
    warnings = [
        StartWarning(
            f"{file.path.name}, {model.name}: {part.message}", code=f"template_{part.part}"
        )
        for name, file in data.files.items()
        for part in rendered[name].notes.omitted(file.rows)
    ]
    warnings += [
        _left_out(model, data.files[name], rendered[name], len(rows), bits)
        for name, rows in data.skipped.items()
    ]
    return TokenCounts(
        tuple(train.lengths[row] for row in used),
        tuple(train.starts[row] for row in used),
        tuple(valid),
        bad,
        tuple(warnings),
    )


def _refusal(
    model: ModelInfo,
    files: Mapping[str, CheckedFile],
    rendered: Mapping[str, RenderedFile],
    bits: int,
) -> RowsRefused:
    problems: list[FieldProblem] = []
    counts: list[str] = []
    whole, refusals = False, 0
    for name, file in files.items():
        bad = sum(1 for _ in rendered[name].positions(bits))
        whole, refusals = whole or bad == file.rows, refusals + bad
        if bad:
            counts.append(f"{bad} of {file.rows} rows of {file.path.name}")
            problems += [
                FieldProblem(name, f"Line {line} of {file.path.name}: {message}")
                for line, message in _first(rendered[name], bits)
            ]
    hint = "Correct these rows, or use a model whose chat template takes them."
    if not whole:
        text = f"Choose skip to leave out {refusals} {'row' if refusals == 1 else 'rows'}."
        problems.append(FieldProblem("on_bad_rows", text))
        hint = (
            'Correct these rows, or leave them out: on_bad_rows "skip" trains without them and '
            "says how many they were."
        )
    return RowsRefused(
        f"{' and '.join(counts)} can't be used with the chat template of {model.name}. "
        f"{problems[0].message.rstrip('.')}.",
        hint=hint,
        errors=problems,
    )


def _first(rendered: RenderedFile, bits: int) -> list[tuple[int, str]]:
    batch = [
        (each.line, each.message)
        for bit, name in _WHY.items()
        if bits & bit and name in rendered.notes.notes
        for each in rendered.notes.notes[name].first
    ]
    return sorted(batch)


def _left_out(
    model: ModelInfo, file: CheckedFile, rendered: RenderedFile, count: int, bits: int
) -> StartWarning:
    first = _first(rendered, bits)
    lines = lines_of(
        Note(count=count, first=[LineProblem(line=at, message=why) for at, why in first])
    )
    return StartWarning(
        f"{count} of {file.rows} rows of {file.path.name} are left out ({lines}): the chat "
        f"template of {model.name} can't be used with them. {first[0][1].rstrip('.')}.",
        code="rows_left_out",
        fix=StartFix("Refuse the file instead", "on_bad_rows", "error"),
    )
