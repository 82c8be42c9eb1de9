"""What to know of the rows of a fine-tuning run: cut, left out, or trained otherwise elsewhere."""

from __future__ import annotations

from backend.errors import FieldProblem, Invalid
from backend.jobs.run.recipe import StartFix, StartWarning
from backend.models.schemas import ModelInfo
from backend.training.plan.planner import Plan

_LEAST_LENGTH = 16


def token_warnings(plan: Plan) -> list[StartWarning]:
    """Of rows longer than the limit. Raises Invalid where nothing is left to learn of any."""
    counts = plan.counts
    if counts is None:
        return []
    limit = plan.request.max_seq_length
    empty = counts.without_target(limit)
    if empty == len(counts.lengths):
        text = f"Every prompt is longer than max_seq_length {limit}, so no answer is left to learn."
        raise Invalid(text, errors=[FieldProblem("max_seq_length", text)])
    warnings: list[StartWarning] = []
    room = whole_rows(plan.model, counts.longest)
    if cut := counts.over(limit):
        text = f"{cut} of {plan.data.train_rows} rows are longer than {limit} tokens and are cut; "
        text += f"the longest has {counts.longest}."
        warnings.append(StartWarning(text, code="truncated", said_by_run=True, fix=room))
    if empty:
        rows = "row is" if empty == 1 else "rows are"
        text = f"{empty} {rows} left out: the prompt alone fills {limit} tokens, so no answer is "
        text += "left to learn."
        warnings.append(StartWarning(text, code="empty_target", said_by_run=True, fix=room))
    return warnings


def command_warnings(plan: Plan) -> list[StartWarning]:
    """Where the copied command would train something else than the run."""
    rows = plan.data.train.multi_turn
    if not plan.request.mask_prompt or not rows:
        return []
    text = (
        f"{rows} {'row has' if rows == 1 else 'rows have'} several answers. The run learns all of "
        "them; the command, repeated in a terminal, would learn only the last answer of each row."
    )
    return [StartWarning(text, code="several_answers", level="info")]


def whole_rows(model: ModelInfo, longest: int) -> StartFix | None:
    """The length that cuts no row; None where the model was not made for so many tokens."""
    if model.context_length and longest > model.context_length:
        return None
    length = max(longest, _LEAST_LENGTH)
    return StartFix(f"Raise the length to {length:,} tokens", "max_seq_length", length)
