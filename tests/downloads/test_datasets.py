"""Data sets from a hub on loopback, to a file that can be trained on."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from backend.core.hub import Hub, Listener
from backend.data.schemas import InspectRequest
from backend.data.service import DatasetCatalog
from backend.downloads.dataset_kind import DatasetKind
from backend.downloads.manager import Downloads, Pace
from backend.downloads.schemas import LIVE, DatasetDownloadRequest, DownloadInfo
from backend.errors import AccessRefused, AlreadyExists, BadContent, NotFound
from backend.settings import Settings, read_settings
from tests.fakes.hub import FakeHub, running_hub

QUICK = Pace(look_every=0.02, say_every=0, answer_within=60, waits=(0, 0, 0))
ROWS = 3000
CARD = {
    "license": "mit",
    "configs": [
        {
            "config_name": "main",
            "data_files": [
                {"split": "train", "path": "main/train-*"},
                {"split": "test", "path": "main/test-*"},
            ],
        },
        {"config_name": "pairs", "data_files": "pairs/*.jsonl"},
    ],
}


def problems(first: int, count: int, folder: Path) -> bytes:
    """A Parquet file of questions whose solutions end as those of GSM8K."""
    path = folder / f"{first}.parquet"
    numbers = range(first, first + count)
    questions = [f"What is {n} + {n}? Say it in words of row {n * 7919 % 104729}." for n in numbers]
    answers = [f"Twice {n} is wanted.\n#### {2 * n}" for n in numbers]
    table = arrow.table({"question": questions, "answer": answers})
    parquet.write_table(table, path, compression="none")
    return path.read_bytes()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    pair = {"question": "Which?", "good": "This one.", "bad": "None."}
    files = {
        "README.md": b"---\nlicense: mit\n---\n",
        "main/train-00000-of-00002.parquet": problems(0, ROWS, tmp_path),
        "main/train-00001-of-00002.parquet": problems(ROWS, ROWS, tmp_path),
        "main/test-00000-of-00001.parquet": problems(2 * ROWS, 5, tmp_path),
        "pairs/all.jsonl": json.dumps(pair).encode() + b"\n",
        "load.py": b"raise SystemExit('ran')",
    }
    fake = FakeHub(files, repo="acme/sums", repo_type="dataset", card=CARD)
    with running_hub(fake) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, hub: FakeHub) -> Settings:
    environment = {"HF_ENDPOINT": hub.url, "DROID_PYTHON": sys.executable}
    return read_settings(environment, data_dir=str(tmp_path / "data root"))


@dataclass(frozen=True)
class Opened:
    downloads: Downloads
    listener: Listener

    async def fetch(self, asked: DatasetDownloadRequest) -> DownloadInfo:
        """Start it and wait for its end."""
        info = await self.downloads.start(asked)
        while info.state in LIVE:
            await self.heard(lambda _: True)
        return info

    async def heard(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            sent = await asyncio.wait_for(self.listener.get(), 60)
            assert sent is not None
            data: dict[str, Any] = json.loads(sent.text)["data"]
            if wanted(data):
                return data


@asynccontextmanager
async def opened(settings: Settings, pace: Pace = QUICK) -> AsyncIterator[Opened]:
    bus = Hub()
    listener = bus.listen()
    assert listener is not None
    downloads = Downloads(settings, bus, DatasetKind(settings), pace)
    await downloads.open()
    try:
        yield Opened(downloads, listener)
    finally:
        await downloads.close()


def ask(**changes: Any) -> DatasetDownloadRequest:
    return DatasetDownloadRequest(**{"repo_id": "acme/sums", "split": "train", **changes})


def rows_of(info: DownloadInfo) -> list[dict[str, Any]]:
    assert (info.state, info.error) == ("completed", None)
    assert info.path is not None
    return [json.loads(line) for line in Path(info.path).read_text().splitlines()]


async def test_a_split_of_two_files_becomes_one_file_for_grpo(
    settings: Settings, hub: FakeHub
) -> None:
    async with opened(settings) as here:
        asked = ask(
            to="grpo", mapping={"prompt": "question", "answer": "answer"}, answer_after="####"
        )
        done = await here.fetch(asked)

    rows = rows_of(done)
    assert [rows[0]["answer"], rows[-1]["answer"]] == ["0", str(2 * (2 * ROWS - 1))]
    assert (len(rows), done.name) == (2 * ROWS, "sums-train-grpo.jsonl")
    assert done.written is not None
    assert (done.written.format, done.written.skipped_count) == ("grpo", 0)
    found = await DatasetCatalog(settings, Hub()).inspect(InspectRequest(path=str(done.path)))
    assert (found.format, found.good_rows, found.problem_count) == ("grpo", 2 * ROWS, 0)
    assert [path.name for path in settings.datasets_dir.iterdir()] == [done.name]
    assert not any("test-" in path or "load.py" in path for path, _ in hub.bodies())


async def test_rows_are_kept_as_they_are_without_a_form_and_end_at_the_limit(
    settings: Settings,
) -> None:
    async with opened(settings) as here:
        done = await here.fetch(ask(limit=7))
        with pytest.raises(AlreadyExists, match=r"sums-train\.jsonl already"):
            await here.downloads.start(ask(limit=9))
        again = await here.fetch(ask(limit=9, name="nine"))

    assert rows_of(done)[1] == {
        "question": "What is 1 + 1? Say it in words of row 7919.",
        "answer": "Twice 1 is wanted.\n#### 2",
    }
    assert len(rows_of(done)) == 7
    assert (len(rows_of(again)), again.name) == (9, "nine.jsonl")


async def test_a_limit_fetches_only_the_files_that_it_needs(
    settings: Settings, hub: FakeHub
) -> None:
    first, second = (f"main/train-0000{number}-of-00002.parquet" for number in (0, 1))
    async with opened(settings) as here:
        few = await here.fetch(ask(limit=5, name="few"))
        fetched = {path for path, ranged in hub.bodies() if ranged is None}
        many = await here.fetch(ask(limit=ROWS + 1, name="many"))

    assert (len(rows_of(few)), fetched) == (5, {f"/store/{first}"})
    assert few.bytes_total == len(hub.files[first])
    assert len(rows_of(many)) == ROWS + 1
    assert f"/store/{second}" in {path for path, ranged in hub.bodies() if ranged is None}


async def test_a_limit_that_left_out_rows_missed_is_explained(
    settings: Settings, hub: FakeHub, tmp_path: Path
) -> None:
    table = arrow.table({"question": ["Why?", "How?"], "answer": ["So.", ""]})
    parquet.write_table(table, tmp_path / "gaps.parquet")
    hub.files["main/train-00000-of-00002.parquet"] = (tmp_path / "gaps.parquet").read_bytes()
    mapping = {"prompt": "question", "completion": "answer"}
    async with opened(settings) as here:
        done = await here.fetch(ask(limit=2, to="completions", mapping=mapping))

    assert len(rows_of(done)) == 1
    assert done.written is not None
    assert "only the first 1 of 2 files" in done.written.notes[-1]


async def test_another_configuration_becomes_preference_pairs(settings: Settings) -> None:
    mapping = {"prompt": "question", "chosen": "good", "rejected": "bad"}
    async with opened(settings) as here:
        asked = ask(config="pairs", to="preference", mapping=mapping)
        done = await here.fetch(asked)

    assert rows_of(done) == [{"prompt": "Which?", "chosen": "This one.", "rejected": "None."}]


async def test_a_cut_and_throttled_connection_is_continued(
    settings: Settings, hub: FakeHub
) -> None:
    size = len(hub.files["main/train-00000-of-00002.parquet"])
    hub.cut_after, hub.throttled = size // 2 + 1, 1
    async with opened(settings) as here:
        done = await here.fetch(ask())

    assert len(rows_of(done)) == 2 * ROWS
    assert any(ranged and ranged != "bytes=0-" for _, ranged in hub.bodies())


async def test_a_stopped_one_keeps_its_part_and_goes_on_after_a_restart(
    settings: Settings, hub: FakeHub
) -> None:
    hub.hang_after = 10_000
    asked = ask(to="completions", mapping={"prompt": "question", "completion": "answer"})
    async with opened(settings) as here:
        info = await here.downloads.start(asked)
        await here.heard(lambda data: data["bytes_done"] >= 20_000)
        assert (await here.downloads.remove(info.id)).state == "cancelled"
    hub.hang_after = None

    async with opened(settings) as here:
        (left,) = here.downloads.listed()
        assert (left.state, left.dataset) == (
            "interrupted",
            asked.model_copy(update={"revision": "main"}),
        )
        assert left.dataset is not None
        done = await here.fetch(left.dataset)

    assert len(rows_of(done)) == 2 * ROWS
    assert "bytes=10000-" in [ranged for _, ranged in hub.bodies()]


async def test_a_redirect_to_a_private_address_is_refused(settings: Settings, hub: FakeHub) -> None:
    hub.redirect_to = "https://127.0.0.1:9"
    async with opened(settings) as here:
        with pytest.raises(AccessRefused, match="inside your own network"):
            await here.downloads.start(ask())
        assert here.downloads.listed() == []


async def test_a_conversion_that_fits_no_row_keeps_the_files_for_another_try(
    settings: Settings, hub: FakeHub
) -> None:
    async with opened(settings) as here:
        wrong = ask(to="preference", mapping={"prompt": "question", "chosen": "answer"})
        with suppress(BadContent):  # Raised where it is known within the time of an answer.
            await here.fetch(wrong)
        (failed,) = here.downloads.listed()
        fetched = len(hub.bodies())
        done = await here.fetch(
            ask(to="completions", mapping={"prompt": "question", "completion": "answer"})
        )

    assert failed.state == "error"
    assert failed.error is not None
    assert "can be written as preference" in failed.error
    assert len(rows_of(done)) == 2 * ROWS
    assert len(hub.bodies()) == fetched


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"config": "other"}, "no configuration 'other', only main, pairs"),
        ({"split": "dev"}, "no split 'dev', only train, test"),
        ({"repo_id": "acme/none"}, "no data set acme/none"),
    ],
)
async def test_what_the_hub_lacks_is_told_at_once(
    settings: Settings, changes: dict[str, Any], words: str
) -> None:
    async with opened(settings) as here:
        with pytest.raises(NotFound, match=words):
            await here.downloads.start(ask(**changes))
        assert here.downloads.listed() == []


async def test_a_set_made_by_a_script_is_refused_with_the_way_out(
    settings: Settings, hub: FakeHub
) -> None:
    hub.files = {"sums.py": b"raise SystemExit('ran')"}
    async with opened(settings) as here:
        with pytest.raises(BadContent, match="code from the hub is never run") as refusal:
            await here.downloads.start(ask())

    assert "refs/convert/parquet" in str(refusal.value.hint)


def test_conversion_fields_need_a_form() -> None:
    with pytest.raises(ValueError, match="say in 'to' which form"):
        ask(mapping={"prompt": "question"})
