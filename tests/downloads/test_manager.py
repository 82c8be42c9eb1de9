"""Downloads with their real process, from a hub on loopback."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from backend.contract.download import HubRequest
from backend.core.hub import Hub, Listener
from backend.core.process import Child, find_marked, spawn
from backend.downloads.folder import DownloadFolder
from backend.downloads.manager import Downloads, Pace
from backend.downloads.model_kind import ModelKind, model_place
from backend.downloads.schemas import DownloadInfo, DownloadRequest
from backend.errors import AccessRefused, AlreadyExists, HubUnreachable, NoDiskSpace, NotFound
from backend.models.catalog import ModelCatalog
from backend.models.known_bases import KNOWN_BASES
from backend.settings import Settings, read_settings
from backend.training.plan.base_catalog import base_catalog
from tests.fakes.hub import FakeHub, running_hub
from tests.models.folders import model_folder

TOKEN = "token-of-this-test"
QUICK = Pace(look_every=0.02, say_every=0, answer_within=60, waits=(0, 0, 0))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    made = model_folder(tmp_path / "made")
    files = {path.name: path.read_bytes() for path in made.iterdir()}
    with running_hub(FakeHub({**files, "LICENSE": b"x" * 50_000})) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, hub: FakeHub) -> Settings:
    root = tmp_path / "data root"
    return read_settings(
        {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "DROID_PYTHON": sys.executable},
        data_dir=str(root),
        models_dirs=[str(root / "models")],
    )


@asynccontextmanager
async def opened(
    settings: Settings, pace: Pace = QUICK
) -> AsyncIterator[tuple[Downloads, Listener]]:
    bus = Hub()
    listener = bus.listen()
    assert listener is not None
    downloads = Downloads(settings, bus, ModelKind(settings), pace)
    await downloads.open()
    try:
        yield downloads, listener
    finally:
        await downloads.close()


async def heard(listener: Listener, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first frame that is `wanted`."""
    while True:
        sent = await asyncio.wait_for(listener.get(), 60)
        assert sent is not None
        frame: dict[str, Any] = json.loads(sent.text)
        if wanted(frame):
            return frame
        assert frame["data"]["state"] != "error", frame["data"]


def of_type(kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: bool(frame["type"] == kind)


def in_state(state: str) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: bool(frame["data"]["state"] == state)


def only(downloads: Downloads) -> DownloadInfo:
    (info,) = downloads.listed()
    return info


def mark_of(settings: Settings, download_id: str) -> str:
    return f"download {(settings.data_dir / 'models' / '.downloads' / download_id).resolve()}"


ASKED = DownloadRequest(repo_id="acme/tiny")


async def test_a_base_of_the_catalogue_arrives_and_is_in_the_lists(
    settings: Settings, hub: FakeHub
) -> None:
    base = KNOWN_BASES[0].repo_id
    hub.repo, asked = base, DownloadRequest(repo_id=base)
    async with opened(settings) as (downloads, listener):
        await downloads.start(asked)
        done = await heard(listener, of_type("job_completed"))

        assert done["data"]["kind"] == "download"
        assert done["data"]["progress"] == 1.0
        (model,) = ModelCatalog(settings).scan()
        assert (model.name, model.problem) == (base.partition("/")[2], None)
        assert done["data"]["path"] == model.path
        here = {one.repo_id: one.here for one in base_catalog([model], None).bases if one.here}
        assert here == {base: model.name}
        assert not (settings.data_dir / "models" / ".downloads").exists()
        with pytest.raises(AlreadyExists, match=f"here already, as {model.name}"):
            await downloads.start(asked)
    assert set(hub.tokens) == {TOKEN}


async def test_a_connection_that_breaks_again_and_again_still_arrives(
    settings: Settings, hub: FakeHub
) -> None:
    hub.cut_after = 20_000  # Three attempts for 50 000 bytes.
    async with opened(settings) as (downloads, listener):
        await downloads.start(ASKED)
        retrying = await heard(listener, in_state("retrying"))
        await heard(listener, of_type("job_completed"))

    assert "Trying again" in retrying["data"]["message"]
    first, *rest = [ranged for _, ranged in hub.bodies()]
    assert first is None
    starts = [int((ranged or "bytes=0-").removeprefix("bytes=")[:-1]) for ranged in rest]
    assert starts == sorted(starts)
    assert starts[0] > 0
    assert starts[-1] >= 30_000


async def test_a_download_from_which_nothing_comes_is_ended_and_told(
    settings: Settings, hub: FakeHub
) -> None:
    hub.hang_after = 0
    pace = Pace(look_every=0.02, say_every=0, stall=0.5, waits=())
    async with opened(settings, pace) as (downloads, listener):
        info = await downloads.start(ASKED)
        failed = await heard(listener, of_type("job_error"))

        assert hub.hung.is_set()
        assert failed["data"]["error"] == "Nothing has arrived for 0.5 seconds."
        assert find_marked(mark_of(settings, info.id)) is None


async def test_a_stopped_download_keeps_its_part_and_goes_on_from_there(
    settings: Settings, hub: FakeHub
) -> None:
    hub.hang_after = 30_000
    async with opened(settings, Pace(look_every=0.02, say_every=0)) as (downloads, listener):
        info = await downloads.start(ASKED)
        await heard(listener, lambda frame: (frame["data"]["bytes_done"] or 0) >= 30_000)
        stopped = await downloads.remove(info.id)
        assert stopped.state == "cancelled"
        assert find_marked(mark_of(settings, info.id)) is None
        assert ModelCatalog(settings).scan() == []
        hub.hang_after = None

        await downloads.start(ASKED)
        await heard(listener, of_type("job_completed"))

    assert hub.bodies()[-1][1] == "bytes=30000-"


async def test_one_that_is_stopped_as_its_process_is_started_leaves_none(
    settings: Settings, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.hang_after = 30_000
    begun, go_on, spawned = asyncio.Event(), threading.Event(), list[Child]()
    loop = asyncio.get_running_loop()

    def slow(*args: Any, **named: Any) -> Child:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(30)
        spawned.append(spawn(*args, **named))
        return spawned[0]

    monkeypatch.setattr("backend.jobs.lifecycle.engine_process.spawn", slow)
    async with opened(settings) as (downloads, _):
        starting = asyncio.create_task(downloads.start(ASKED))
        await begun.wait()
        removing = asyncio.create_task(downloads.remove(only(downloads).id))
        await asyncio.sleep(0)  # It has asked for the end.
        go_on.set()
        assert (await removing).state == "cancelled"
        await starting

    assert not (spawned and spawned[0].alive())
    assert find_marked(mark_of(settings, only(downloads).id)) is None


async def test_after_a_restart_an_unfinished_download_is_listed_and_can_be_discarded(
    settings: Settings, hub: FakeHub
) -> None:
    hub.hang_after = 30_000
    async with opened(settings, Pace(look_every=0.02, say_every=0)) as (downloads, listener):
        await downloads.start(ASKED)
        await heard(listener, lambda frame: (frame["data"]["bytes_done"] or 0) >= 30_000)

    async with opened(settings) as (downloads, _):
        info = only(downloads)
        assert (info.state, info.bytes_done) == ("interrupted", info.bytes_done)
        assert info.bytes_done >= 30_000
        removed = await downloads.remove(info.id)
        assert removed.state == "removed"
        assert downloads.listed() == []
    assert not (settings.data_dir / "models" / ".downloads").exists()


async def test_a_process_that_outlived_its_server_is_ended(
    settings: Settings, hub: FakeHub
) -> None:
    hub.hang_after = 30_000
    bus = Hub()
    lost = Downloads(settings, bus, ModelKind(settings), Pace(look_every=0.02, say_every=0))
    info = await lost.start(ASKED)
    (task,) = [each for each in asyncio.all_tasks() if each.get_name() == f"download {info.id}"]
    identity = find_marked(mark_of(settings, info.id))
    assert identity is not None

    async with opened(settings) as (downloads, _):
        assert only(downloads).state == "interrupted"
        assert find_marked(mark_of(settings, info.id)) is None
    await lost.close()
    assert task.done()


@pytest.mark.parametrize(
    ("fault", "refusal", "words"),
    [
        ({"gated_for": "another"}, AccessRefused, "gated"),
        ({"private": True}, NotFound, "no model acme/tiny"),
        ({"sizes": {"LICENSE": 10**18}}, NoDiskSpace, "are free"),
        ({"busy": True}, HubUnreachable, "busy or down"),
    ],
)
async def test_a_refusal_comes_as_the_answer_and_leaves_nothing(
    settings: Settings, hub: FakeHub, fault: dict[str, Any], refusal: Any, words: str
) -> None:
    for name, value in fault.items():
        setattr(hub, name, value)
    async with opened(settings) as (downloads, _):
        with pytest.raises(refusal, match=words):
            await downloads.start(ASKED)

        assert downloads.listed() == []
    assert not (settings.data_dir / "models" / ".downloads").exists()


def test_of_two_models_with_one_name_the_second_has_its_publisher_in_front(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()

    def place(repo: str, revision: str = "main") -> str:
        request = HubRequest(repo_id=repo, revision=revision)
        return model_place(DownloadFolder(root=tmp_path, request=request)).name

    assert place("acme/tiny") == "acme--tiny"
    assert place("acme/tiny", "refs/pr/1") == "tiny--refs-pr-1"
    assert place("acme/small") == "small"


@pytest.mark.parametrize(
    "repo_id",
    [
        "",
        "a/b/c",
        "../x",
        "a/..",
        "https://huggingface.co/a/b",
        "-a/b",
        "a b/c",
        "a/b\n",
        "a/b?x=1",
    ],
)
def test_only_a_repository_name_is_taken(repo_id: str) -> None:
    with pytest.raises(ValueError, match="repo_id"):
        DownloadRequest(repo_id=repo_id)


def test_the_token_is_not_in_the_text_of_the_settings(settings: Settings) -> None:
    assert settings.hf_token == TOKEN
    assert TOKEN not in repr(settings)
