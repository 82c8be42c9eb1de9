"""The answer to a stop that arrives when the result is in its place already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from backend.api.fusion.export import stop_export
from backend.api.fusion.fusion import stop_fusion
from backend.api.services import Services
from backend.export.jobs import EXPORT
from backend.fusion.jobs import FUSION
from backend.jobs.lifecycle.folder import JobFolder
from backend.jobs.lifecycle.job import Job, LastWord

DONE = "both is exported: 3.0 MB."
STOPPED = "The export was stopped; nothing was written."


@dataclass
class Stopped:
    """Jobs whose current one ends with that word when it is told to stop."""

    kind: Any
    word: LastWord

    async def stop(self) -> Job[None]:
        folder = JobFolder(Path("/jobs/1"), self.kind.name)
        job = Job(folder=folder, title="both", request=None, started=datetime.now(UTC))
        job.last_word = self.word
        job.end()
        return job


@pytest.mark.parametrize(
    "word",
    [LastWord(state="completed", message=DONE), LastWord(state="stopped", message=STOPPED)],
)
async def test_a_stop_answers_how_the_job_ended(word: LastWord) -> None:
    wired = cast(
        "Services",
        SimpleNamespace(
            export=SimpleNamespace(jobs=Stopped(EXPORT, word)),
            fusion=SimpleNamespace(jobs=Stopped(FUSION, word)),
        ),
    )

    assert (await stop_export(wired)).message == word.message
    assert (await stop_fusion(wired)).message == word.message
