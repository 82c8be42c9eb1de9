"""What to know of the rows of a fine-tuning run: cut, left out, or trained otherwise elsewhere."""

from __future__ import annotations

from backend.errors import FieldProblem, Invalid
from backend.jobs.run.recipe import StartWarning
from backend.training.plan.planner import Plan


def token_warnings(plan: Plan) -> list[str]:
    """Of rows longer than the limit. Raises Invalid where nothing is left to learn of any."""
    counts = plan.counts
    if counts is None:
        return []
    limit = plan.request.max_seq_length
    empty = counts.without_target(limit)
    if empty == len(counts.lengths):
        text = f"Every prompt is longer than max_seq_length {limit}, so no answer is left to learn."
        raise Invalid(text, errors=[FieldProblem("max_seq_length", text)])
    warnings: list[str] = []
    if cut := counts.over(limit):
        text = f"{cut} of {plan.data.train_rows} rows are longer than {limit} tokens and are cut; "
        text += f"the longest has {counts.longest}."
        warnings.append(StartWarning(text, code="truncated", said_by_run=True))
    if empty:
        text = f"{empty} rows are left out: their prompt alone fills {limit} tokens, so no answer "
        text += "is left to learn."
        warnings.append(StartWarning(text, code="empty_target", said_by_run=True))
    return warnings


def command_warnings(plan: Plan) -> list[str]:
    """Where the copied command would train something else than the run."""
    rows = plan.data.train.multi_turn
    if not plan.request.mask_prompt or not rows:
        return []
    return [
        f"{rows} rows have several answers. The run learns all of them; the command, repeated in a "
        "terminal, would learn only the last answer of each row."
    ]
