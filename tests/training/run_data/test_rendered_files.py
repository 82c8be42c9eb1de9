"""Long files are rendered in the background: the job's frames tell of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.core.hub import Hub
from backend.data.checks.checked_file import check_file
from backend.data.inspect.rendered import RECORD
from backend.errors import BadContent
from backend.jobs.lifecycle.frames import JobData
from backend.settings import read_settings
from backend.training.run_data import rendered_files
from backend.training.run_data.rendered_files import RenderedFiles, Rendering
from tests.training.requests import model, write_rows

ROWS = 20


@pytest.mark.parametrize("ends", ["completed", "error"])
async def test_frames_tell_how_far_the_rendering_is_and_how_it_ended(
    ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, over = asyncio.Event(), asyncio.Event()
    told: list[JobData] = []

    async def ask(
        _settings: object, asked: dict[str, Any], *, look: Callable[[], None], **_: Any
    ) -> dict[str, Any]:
        _write(asked, ROWS // 2)
        look()
        await go.wait()
        if ends == "error":
            raise BadContent("The tokenizer can't be used.")
        _write(asked, ROWS)
        return {"files": [{"notes": {}}]}

    def publish(_hub: Hub, data: JobData) -> None:
        told.append(data)
        if data.state != "running":
            over.set()

    monkeypatch.setattr(rendered_files, "ask_tokens", ask)
    monkeypatch.setattr(rendered_files, "MOST_BYTES", 0)
    monkeypatch.setattr(rendered_files, "publish_job", publish)
    files = RenderedFiles(read_settings(data_dir=str(tmp_path)), Hub())
    checked = [check_file(write_rows(tmp_path / "rows.jsonl", ROWS), "sft")]
    base = model(path=str(tmp_path))

    found = await files.find(base, checked, patience=0.05)
    go.set()

    assert isinstance(found, Rendering)
    if ends == "completed":
        (rendered,) = await _rendered(files.find(base, checked))
        assert len(rendered.lengths) == ROWS
    else:
        with pytest.raises(BadContent):
            await files.find(base, checked)
    await asyncio.wait_for(over.wait(), 10)
    assert (told[0].kind, told[0].job_id, told[0].state) == ("rendering", found.job_id, "running")
    assert told[0].progress == 0.5
    assert told[-1].state == ends


def _write(asked: dict[str, Any], rows: int) -> None:
    Path(asked["files"][0]["out"]).write_bytes(bytes(RECORD * rows))


async def _rendered(find: Any) -> Any:
    return await find
