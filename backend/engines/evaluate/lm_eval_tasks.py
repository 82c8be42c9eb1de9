"""Tasks of lm-eval on the model that an evaluation holds already, with the adapter it carries.

mlx_lm's own adapter to lm-eval (`mlx_lm.evaluate`) does the work; it would load a model of its own,
so only its beginning is replaced here. Imported where a task is asked for: lm-eval is optional.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.contract.jobs.evaluation import LmEvalTask
from backend.contract.thoughts import answer_of
from backend.engines.evaluate.summary import TaskScore
from backend.engines.inference.resident_model import Resident
from backend.engines.process.endings import Unusable

# Standard errors in this process: a pool would fork one that holds a model.
os.environ["DISABLE_MULTIPROC"] = "1"

try:
    import datasets
    import lm_eval
    from lm_eval.api.model import LM
    from lm_eval.tasks import TaskManager
    from mlx_lm.evaluate import MLXLM
except ImportError as problem:
    raise Unusable(
        f"Tasks are asked by lm-eval, which can't be loaded: {problem}.",
        "Install it beside the engines; docs/evaluation.md has the command.",
    ) from problem

_AT_ONCE = 16  # Requests between two looks at whether the evaluation was cancelled.
_DRAWS = 1000  # Of a bootstrap, for metrics whose standard error has no formula.


class _OnResident(MLXLM):  # type: ignore[misc]
    def __init__(self, resident: Resident, check: Callable[[], None]) -> None:
        LM.__init__(self)
        self._model, self.tokenizer = resident.model, resident.tokenizer
        self._max_tokens, self._batch_size, self._sampler = None, 8, None
        self.use_chat_template = bool(resident.tokenizer.has_chat_template)
        self._check = check

    def loglikelihood(self, requests: Sequence[Any]) -> list[Any]:
        return self._in_parts(super().loglikelihood, requests)

    def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[Any]:
        return self._in_parts(super().loglikelihood_rolling, requests)

    def generate_until(self, requests: Sequence[Any]) -> list[Any]:
        answers = self._in_parts(super().generate_until, requests)
        return [answer_of(answer) for answer in answers]

    def _in_parts(
        self, answer: Callable[[Sequence[Any]], list[Any]], requests: Sequence[Any]
    ) -> list[Any]:
        answers: list[Any] = []
        for first in range(0, len(requests), _AT_ONCE):
            self._check()
            answers += answer(requests[first : first + _AT_ONCE])
        return answers


def run_task(
    resident: Resident,
    task: LmEvalTask,
    *,
    limit: int | None,
    seed: int,
    check: Callable[[], None],
    cache: Path,
) -> list[TaskScore]:
    """One task's metrics under what the resident carries, each with its standard error.

    `check` is called between requests, and may raise to end it; copies of the rows go to `cache`.
    Raises Unusable when lm-eval can't do with the task.
    """
    datasets.config.HF_DATASETS_CACHE = str(cache)
    model = _OnResident(resident, check)
    try:
        results = lm_eval.simple_evaluate(
            model=model,
            tasks=[dict(task.config)],
            task_manager=TaskManager(include_defaults=False),
            limit=limit,
            bootstrap_iters=_DRAWS,
            log_samples=False,
            apply_chat_template=model.use_chat_template,
            random_seed=seed,
            numpy_random_seed=seed,
            torch_random_seed=seed,
            fewshot_random_seed=seed,
        )
    except (AttributeError, LookupError, OSError, TypeError, ValueError) as problem:
        if isinstance(problem, Unusable):
            raise
        reason = " ".join(str(problem).split()) or type(problem).__name__
        raise Unusable(
            f"lm-eval could not ask the task {task.name}: {reason[:400]}.",
            "The end of the log has the details.",
        ) from problem
    return list(_metrics(task.name, results))


def _metrics(name: str, results: Mapping[str, Any]) -> list[TaskScore]:
    scores: Mapping[str, Any] = results["results"][name]
    better: Mapping[str, Any] = results.get("higher_is_better", {}).get(name) or {}
    rows = (results.get("n-samples", {}).get(name) or {}).get("effective")
    rest = []
    for key, value in scores.items():
        metric, comma, how = key.partition(",")
        if not comma or metric.endswith("_stderr"):
            continue
        higher = better.get(metric)
        rest.append(
            TaskScore(
                task=name,
                metric=metric,
                filter=how,
                better="neither" if higher is None else "higher" if higher else "lower",
                value=_number(value),
                stderr=_number(scores.get(f"{metric}_stderr,{how}")),
                rows=rows,
                version=_text(results.get("versions", {}).get(name)),
            )
        )
    return rest


def _number(value: Any) -> float | None:
    """None for what is no finite number, as the `N/A` of a standard error."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < float("inf") else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
