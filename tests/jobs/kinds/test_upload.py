"""Uploads with their real process, to a hub on loopback: what arrives, what failures say."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.contract.jobs.upload import UploadRequest
from backend.core.hub import Hub
from backend.jobs.kinds.upload import UPLOAD, Uploads, UploadStatus
from backend.settings import read_settings
from tests.fakes.hub import FakeHub, running_hub

TOKEN = "hf_writes"
WEIGHTS = b"w" * 300_000
LINEAGE = {
    "method": "export",
    "base_model": {"path": "/home of ada/models/tiny", "name": "tiny"},
    "export": {"format": "merged"},
}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with running_hub(FakeHub({})) as running:
        yield running


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "exports" / "law-merged"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "config.json").write_text("{}")
    (folder / "droid.json").write_text(json.dumps(LINEAGE))
    (folder / "README.md").write_text("---\n---\n| base | /home of ada/models/tiny |\n")
    (folder / ".hidden").write_text("not sent")
    (folder / "link").symlink_to("/etc/hosts")
    return folder


@asynccontextmanager
async def opened(root: Path) -> AsyncIterator[Uploads]:
    settings = read_settings({"DROID_PYTHON": sys.executable}, data_dir=str(root))
    uploads = Uploads(settings, Hub())
    await uploads.open()
    try:
        yield uploads
    finally:
        await uploads.stop()
        await uploads.close()


def request(hub: FakeHub, export: Path, **part: Any) -> UploadRequest:
    fields = {"repo_id": "ada/law", "private": True, **part}
    return UploadRequest(export=export.name, folder=str(export), endpoint=hub.url, **fields)


async def upload(uploads: Uploads, asked: UploadRequest, token: str = TOKEN) -> UploadStatus:
    await uploads.upload(asked, token)
    assert uploads.current is not None
    await asyncio.wait_for(uploads.current.ended.wait(), 120)
    return uploads.status()


async def test_an_export_arrives_whole_private_and_without_local_folders(
    hub: FakeHub, export: Path, tmp_path: Path
) -> None:
    async with opened(tmp_path / "root") as uploads:
        done = await upload(uploads, request(hub, export))

        assert done.state == "completed", (done.error, done.hint)
        assert done.result is not None and done.result.url == f"{hub.url}/ada/law"
        assert done.result.private
        assert [result.repo_id for result in uploads.newest().values()] == ["ada/law"]
    sent = hub.uploads.repos["ada/law"]
    assert sent.private
    assert set(sent.files) == {"README.md", "config.json", "droid.json", "model.safetensors"}
    assert sent.files["model.safetensors"] == WEIGHTS
    assert json.loads(sent.files["droid.json"])["base_model"]["path"] == "tiny"
    assert b"of ada" not in b"".join(sent.files.values())
    # The token is in no file of the job, its log included.
    written = [path for path in (tmp_path / "root").rglob("*") if path.is_file()]
    assert written
    assert all(TOKEN.encode() not in path.read_bytes() for path in written)


@pytest.mark.parametrize(
    ("refused", "token", "words", "hint"),
    [
        ({}, "hf_wrong", "did not accept the token", "HF_TOKEN"),
        ({"create": 403}, TOKEN, "may not write to ada/law: No create for you", "'ada'"),
        ({"commit": 409}, TOKEN, "changed by somebody else", "again"),
        ({"create": 404}, TOKEN, "has no 'ada'", "spelling"),
    ],
)
async def test_a_refusal_says_what_to_do(
    hub: FakeHub, export: Path, tmp_path: Path, refused: dict[str, int], token: str, words: str,
    hint: str,
) -> None:  # fmt: skip
    hub.uploads.refused = refused
    async with opened(tmp_path / "root") as uploads:
        ended = await upload(uploads, request(hub, export), token)

    assert ended.state == "error"
    assert words in (ended.error or "")
    assert hint in (ended.hint or "")


async def test_a_public_repository_is_not_filled_by_a_private_upload(
    hub: FakeHub, export: Path, tmp_path: Path
) -> None:
    async with opened(tmp_path / "root") as uploads:
        await upload(uploads, request(hub, export, private=False))
        files = dict(hub.uploads.repos["ada/law"].files)
        (export / "config.json").write_text('{"changed": 1}')
        ended = await upload(uploads, request(hub, export))

    assert ended.state == "error"
    assert ended.error == "ada/law exists already and is public."
    assert hub.uploads.repos["ada/law"].files == files


async def test_one_that_was_refused_at_the_end_goes_on_without_sending_twice(
    hub: FakeHub, export: Path, tmp_path: Path
) -> None:
    hub.uploads.refused = {"commit": 409}
    async with opened(tmp_path / "root") as uploads:
        await upload(uploads, request(hub, export))
        assert hub.uploads.repos["ada/law"].files == {}
        hub.uploads.refused = {}
        done = await upload(uploads, request(hub, export))

    assert done.state == "completed"
    assert len(hub.uploads.put) == 1
    assert hub.uploads.repos["ada/law"].files["model.safetensors"] == WEIGHTS


async def test_a_stopped_upload_leaves_nothing_to_see_and_is_repeated(
    hub: FakeHub, export: Path, tmp_path: Path
) -> None:
    hub.hang_after = 100_000
    async with opened(tmp_path / "root") as uploads:
        await uploads.upload(request(hub, export), TOKEN)
        assert await asyncio.to_thread(hub.hung.wait, 60)
        hub.hang_after = None
        uploads.kind = replace(UPLOAD, grace=0.1)  # It waits for the network and can't hear.
        await uploads.stop()
        hub.let_go.set()
        assert uploads.status().state == "stopped"
        assert hub.uploads.repos["ada/law"].files == {}

        done = await upload(uploads, request(hub, export))
    assert done.state == "completed"
    assert hub.uploads.repos["ada/law"].files["model.safetensors"] == WEIGHTS


async def test_bytes_are_not_sent_into_the_own_network(
    hub: FakeHub, export: Path, tmp_path: Path
) -> None:
    hub.uploads.lead_to = "https://10.0.0.7"
    async with opened(tmp_path / "root") as uploads:
        ended = await upload(uploads, request(hub, export))

    assert ended.state == "error"
    assert "inside your own network" in (ended.error or "")
