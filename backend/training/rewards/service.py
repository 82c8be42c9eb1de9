"""Reward functions as the server knows them: listed, checked and tried in a child, never here."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from backend.core.process import CompletedChild, run_child
from backend.data.checks.method_rows import Sample, first_samples
from backend.errors import (
    AppError,
    BadContent,
    EngineMissing,
    EngineTimeout,
    FieldProblem,
    Invalid,
)
from backend.settings import CHECKOUT, Settings
from backend.training.request.reward_names import DEFAULT_REWARDS, names_of, weights_of
from backend.training.rewards.code import code_path
from backend.training.rewards.schemas import (
    ResolvedReward,
    RewardFunction,
    RewardFunctionsAnswer,
    TriedReward,
    TriedSample,
    TryAnswer,
    TryRequest,
)
from backend.training.rewards.trusted_files import TrustedFiles

SECONDS = 30.0  # For one question, with the loading of a person's own file.
MEMORY = 2 * 1024**3  # Bytes that the functions may hold.
_OUTPUT = 8 * 1024**2
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG")


class Rewards:
    """Asks the child `backend.engines.rewards`; a file of one's own must be trusted."""

    def __init__(self, settings: Settings, *, seconds: float = SECONDS) -> None:
        self.trusted = TrustedFiles(settings)
        self.seconds = seconds
        self.memory = MEMORY
        self._python = settings.python
        self._listed: list[RewardFunction] | None = None

    async def known(self) -> RewardFunctionsAnswer:
        """Own functions are those seen in the code of trusted files; nothing of theirs is run."""
        if self._listed is None:
            answer = await self._ask({"task": "list"})
            self._listed = [RewardFunction(**each, file=None) for each in answer["functions"]]
        files = await asyncio.to_thread(self.trusted.known)
        own = await asyncio.to_thread(self._own, [f.path for f in files if f.state == "trusted"])
        return RewardFunctionsAnswer(
            functions=[*self._listed, *own], default=[*DEFAULT_REWARDS], files=files
        )

    async def check(
        self,
        names: str | Sequence[str],
        *,
        weights: str | Sequence[float] | None = None,
        file: str | None = None,
    ) -> list[ResolvedReward]:
        """The functions as a run would have them, or what is wrong: Invalid for a name, its
        parameters or the weights; NotTrusted or BadContent for the file.
        """
        answer = await self._ask({"task": "check", **await self._named(names, weights, file)})
        return [ResolvedReward(**each) for each in answer["functions"]]

    async def try_on(self, request: TryRequest) -> TryAnswer:
        """Scores of rows' own answers or of pasted completions. Raises BadContent when a function
        fails, EngineTimeout when it does not end.
        """
        request_names = await self._named(
            request.reward_functions, request.reward_weights, request.reward_functions_file
        )
        first_rows = await asyncio.to_thread(first_samples, request.data_path, request.samples)
        samples, notes = _with_completions(list(first_rows.samples), request)
        answer = await self._ask(
            {
                "task": "try",
                **request_names,
                "samples": [
                    {
                        "line": sample.line,
                        "prompt": sample.prompt,
                        "answer": sample.answer,
                        "type": sample.type,
                        "completion": completion,
                    }
                    for sample, completion in samples
                ],
            }
        )
        totals = [total for total in answer["totals"] if total is not None]
        return TryAnswer(
            format=first_rows.format,
            functions=_summaries(answer),
            samples=[
                TriedSample(
                    line=sample.line,
                    prompt=sample.prompt,
                    answer=sample.answer,
                    completion=completion,
                    scores=scores,
                    total=total,
                )
                for (sample, completion), scores, total in zip(
                    samples, answer["scores"], answer["totals"], strict=True
                )
            ],
            mean_total=statistics.fmean(totals) if totals else None,
            notes=[*first_rows.notes, *notes, *_notes(answer)],
        )

    async def _named(
        self,
        names: str | Sequence[str],
        weights: str | Sequence[float] | None,
        file: str | None,
    ) -> dict[str, Any]:
        rewards = {"names": names_of(names), "weights": weights_of(weights)}
        if not file or not file.strip():
            return rewards
        path = await asyncio.to_thread(code_path, file.strip())
        sha256 = await asyncio.to_thread(self.trusted.require, str(path))
        return {**rewards, "file": str(path), "sha256": sha256}

    async def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            child = await run_child(
                [str(self._python), "-m", "backend.engines.rewards"],
                cwd=CHECKOUT,
                env=_environment(),
                deadline=self.seconds,
                stdin_json={**request, "memory": self.memory},
                output_cap=_OUTPUT,
            )
        except EngineTimeout as problem:
            names = ", ".join(request.get("names", [])) or "The list of reward functions"
            raise EngineTimeout(
                f"{names} did not answer within {self.seconds:g} seconds and was ended.",
                hint="Look for a loop or a wait in your own functions, or for a pattern that "
                "takes very long; try fewer samples.",
            ) from problem
        answer = _read(child)
        if "refused" in answer:
            raise _refusal(answer["about"], answer["refused"])
        return answer

    def _own(self, paths: Sequence[str]) -> list[RewardFunction]:
        rewards = []
        for path in islice(paths, 100):
            try:
                code = self.trusted.inspect(path)
            except AppError:  # Gone since it was listed.
                continue
            rewards += [
                RewardFunction(
                    name=function.name,
                    source="file",
                    doc=function.problem or function.doc,
                    minimum=None,
                    maximum=None,
                    needs=[],
                    parameters=[],
                    example=function.name,
                    file=path,
                    problem=function.problem,
                )
                for function in code.functions
            ]
        return rewards


def _environment() -> dict[str, str]:
    """Nothing of the server's but where things are: somebody's code is going to read it."""
    variables = {name: os.environ[name] for name in _KEPT if name in os.environ}
    ours = {"PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**variables, **ours, "HF_HUB_OFFLINE": "1"}


def _read(child: CompletedChild) -> dict[str, Any]:
    if child.overflowed:
        raise BadContent(
            f"The reward functions wrote more than {_OUTPUT // 1024**2} MiB and were ended.",
            hint="Take the print calls out of your own functions.",
        )
    last = (child.stderr.strip().splitlines() or ["it said nothing"])[-1][:300]
    if child.exit_code != 0 and "ModuleNotFoundError" in last:
        raise EngineMissing(
            f"The reward functions can't be loaded: {last}",
            hint="Run ./startmlxnew, which installs missing parts.",
        )
    try:
        answer: dict[str, Any] = json.loads(child.stdout)
    except ValueError as problem:
        raise BadContent(
            f"The reward functions ended their process (exit code {child.exit_code}): {last}",
            hint="A reward function must return its scores and must not exit.",
        ) from problem
    return answer


def _refusal(about: str, text: str) -> AppError:
    if about == "scoring":
        return BadContent(text, hint="Correct the function, or leave it out.")
    kind = BadContent if about == "reward_functions_file" else Invalid
    return kind(
        text,
        hint="GET /api/training/reward-functions lists all, with their parameters.",
        errors=[FieldProblem(about, text)],
    )


def _with_completions(
    samples: list[Sample], request: TryRequest
) -> tuple[list[tuple[Sample, str]], list[str]]:
    completions = request.completions
    if completions is None:
        notes = ["The rows' own answers were scored as if the model had written them."]
        return [(sample, sample.answer) for sample in samples], notes
    if len(samples) == 1:
        return [(samples[0], text) for text in completions], []
    if len(completions) > len(samples):
        text = (
            f"There are {len(completions)} completions for {len(samples)} rows; give one for each "
            "row, or ask for a single sample to score all of them on it."
        )
        raise Invalid(text, errors=[FieldProblem("completions", text)])
    return list(zip(samples, completions, strict=False)), []


def _summaries(answer: Mapping[str, Any]) -> list[TriedReward]:
    columns = list(zip(*answer["scores"], strict=True))
    summaries = []
    for function, column, seconds in zip(
        answer["functions"], columns, answer["seconds"], strict=True
    ):
        scores = [score for score in column if score is not None]
        summaries.append(
            TriedReward(
                **function,
                mean=statistics.fmean(scores) if scores else None,
                std=statistics.pstdev(scores) if scores else None,
                coverage=len(scores) / len(column),
                seconds=seconds,
            )
        )
    return summaries


def _notes(answer: Mapping[str, Any]) -> list[str]:
    """What a run with these functions would stumble over."""
    lost = sum(total is None for total in answer["totals"])
    if not lost:
        return []
    return [
        f"No function applies to {lost} of {len(answer['totals'])} samples; a run stops at such a "
        "completion. Add a function that always scores, such as length_window."
    ]
