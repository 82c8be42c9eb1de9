"""Who judges: a service that speaks OpenAI's protocol, or a model on this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import httpx2

from backend.contract.inference_frames import BatchItem, ModelInput
from backend.contract.jobs.evaluation import JUDGE_KEY, JudgeModel, JudgeService
from backend.contract.sampling import untruncated
from backend.engines.evaluate.judge_prompts import Messages
from backend.engines.inference.generate import Watch
from backend.engines.inference.resident_model import Resident, Unanswered

_AT_ONCE = 4
_TOKENS = 400
_PATIENCE = 120.0
_WAITS = (0.0, 0.5, 3.0)  # Seconds before each attempt.
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_LONGEST_REPLY = 1024 * 1024


class JudgeFailed(Exception):
    """One call failed; the message says how, and names no secret."""


class Judge(Protocol):
    name: str

    def ask(
        self, talks: Sequence[Messages], watch: Watch
    ) -> Iterator[tuple[int, str | JudgeFailed]]:
        """The reply to each talk with its place, in any order; failures stand in for replies."""
        ...


class RemoteJudge:
    """`url` is the service's base address, as in `https://host/v1`. Redirects are not followed."""

    def __init__(self, url: str, model: str) -> None:
        self.name = model
        self._url = f"{url.rstrip('/')}/chat/completions"
        key = os.environ.get(JUDGE_KEY)
        self._headers = {"authorization": f"Bearer {key}"} if key else {}

    def ask(
        self, talks: Sequence[Messages], watch: Watch
    ) -> Iterator[tuple[int, str | JudgeFailed]]:
        with (
            httpx2.Client(headers=self._headers, timeout=_PATIENCE) as client,
            ThreadPoolExecutor(_AT_ONCE) as pool,
        ):
            calls = [pool.submit(self._reply, client, talk) for talk in talks]
            try:
                for at, call in enumerate(calls):
                    watch.check()
                    yield at, call.result()
            finally:
                for call in calls:
                    call.cancel()

    def _reply(self, client: httpx2.Client, talk: Messages) -> str | JudgeFailed:
        problem = ""
        for wait in _WAITS:
            time.sleep(wait)
            try:
                answer = client.post(
                    self._url,
                    json={
                        "model": self.name, "messages": talk, "temperature": 0,
                        "max_tokens": _TOKENS,
                    },
                )  # fmt: skip
            except httpx2.HTTPError as error:
                problem = f"the judge can't be reached ({type(error).__name__})"
                continue
            if answer.status_code == 200:
                return _content(answer)
            problem = f"the judge answered {answer.status_code}"
            if answer.status_code not in _PASSING:
                break
        return JudgeFailed(problem)


class LocalJudge:
    """A model of this machine; it is loaded after the models it judges are gone."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._resident = Resident(path)

    def ask(
        self, talks: Sequence[Messages], watch: Watch
    ) -> Iterator[tuple[int, str | JudgeFailed]]:
        sampling = untruncated(_TOKENS)
        items = [
            BatchItem(question=ModelInput(messages=tuple(talk)), sampling=sampling)
            for talk in talks
        ]
        for answer in self._resident.answer_all(items, watch):
            if isinstance(answer, Unanswered):
                yield answer.index, JudgeFailed(answer.refusal.message)
            else:
                yield answer.index, answer.text


def judge_of(judge: JudgeService | JudgeModel) -> Judge:
    """The judge that a request names."""
    if isinstance(judge, JudgeModel):
        return LocalJudge(Path(judge.path))
    return RemoteJudge(judge.url, judge.model)


def _content(answer: httpx2.Response) -> str | JudgeFailed:
    if len(answer.content) > _LONGEST_REPLY:
        return JudgeFailed("the judge's reply is longer than 1 MB")
    try:
        content = answer.json()["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        return JudgeFailed("the judge's reply is not in OpenAI's form")
    return content if isinstance(content, str) else JudgeFailed("the judge's reply has no text")
