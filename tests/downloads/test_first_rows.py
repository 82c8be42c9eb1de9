"""The first rows of a split of a hub on loopback, before anything is downloaded."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from backend.downloads.hub_listing import first_rows
from backend.downloads.schemas import DatasetSplitRequest
from backend.errors import AccessRefused, HubUnreachable, NotFound
from backend.settings import Settings, read_settings
from tests.fakes.hub import FakeHub, running_hub

LONG = "x" * 30_000
LINES = b"".join(b'{"question": "%d?", "answer": "so"}\n' % number for number in range(90_000))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    path = tmp_path / "rows.parquet"
    columns: dict[str, list[Any]] = {
        "question": [f"Number {number} of {number * 7919 % 104729}?" for number in range(200_000)],
        "day": [date(2026, 1, 2)] * 200_000,
        "score": [float("nan")] * 200_000,
    }
    parquet.write_table(arrow.table(columns), path, compression="none", row_group_size=50_000)
    items = json.dumps([{"prompt": f"{number}?"} for number in range(60_000)]).encode()
    files = {
        "table/train-0.parquet": path.read_bytes(),
        "table/train-1.parquet": b"never read",
        "lines/train.jsonl": b'not a row\n{"question": "' + LONG.encode() + b'"}\n' + LINES,
        "list/train.json": items,
        "named/train.json": b'{"version": 1,\n "data": [{"prompt": "a"},\n {"prompt": "b"}]}',
        "csv/train.csv": b"\xef\xbb\xbfquestion,answer\n" + b'"Why, so?",Because\n' * 60_000,
        "empty/train.jsonl": b"\n",
        "broken/train.parquet": b"PAR1 and no more",
    }
    names = {name.split("/")[0] for name in files}
    configs = [{"config_name": name, "data_files": f"{name}/*"} for name in sorted(names)]
    fake = FakeHub(files, repo="acme/sums", repo_type="dataset", card={"configs": configs})
    with running_hub(fake) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, hub: FakeHub) -> Settings:
    environment = {"HF_ENDPOINT": hub.url, "DROID_PYTHON": sys.executable, "HF_TOKEN": "hf_secret"}
    return read_settings(environment, data_dir=str(tmp_path / "root"))


def ask(config: str, **changes: Any) -> DatasetSplitRequest:
    return DatasetSplitRequest(**{"repo_id": "acme/sums", "config": config, **changes})


async def test_a_parquet_file_is_shown_by_a_small_part_of_it(
    settings: Settings, hub: FakeHub
) -> None:
    found = await first_rows(settings, ask("table"))

    assert found.file == "table/train-0.parquet"
    assert found.rows[1] == {"question": "Number 1 of 7919?", "day": "2026-01-02"}
    assert len(found.rows) == 5
    assert found.read_bytes < len(hub.files[found.file]) / 2
    assert all(ranged for _, ranged in hub.bodies())


async def test_lines_lists_and_tables_are_shown_from_their_beginning(settings: Settings) -> None:
    lines = await first_rows(settings, ask("lines"))
    items = await first_rows(settings, ask("list"))
    named = await first_rows(settings, ask("named"))
    table = await first_rows(settings, ask("csv"))

    assert [row["question"][:2] for row in lines.rows] == ["xx", "0?", "1?", "2?", "3?"]
    assert (lines.cut, len(lines.rows[0]["question"])) == (True, 20_001)
    assert [row["prompt"] for row in items.rows] == ["0?", "1?", "2?", "3?", "4?"]
    assert [row["prompt"] for row in named.rows] == ["a", "b"]
    assert table.rows[0] == {"question": "Why, so?", "answer": "Because"}
    assert max(lines.read_bytes, items.read_bytes, table.read_bytes) <= 600_000


@pytest.mark.parametrize(
    ("config", "words"), [("empty", "no rows"), ("broken", "can't be read: .*Parquet")]
)
async def test_what_cannot_be_shown_says_why(settings: Settings, config: str, words: str) -> None:
    found = await first_rows(settings, ask(config))

    assert found.rows == []
    assert found.problem is not None
    assert re.search(words, found.problem)


async def test_a_store_without_ranges_shows_text_and_says_that_it_cannot_show_parquet(
    settings: Settings, hub: FakeHub
) -> None:
    hub.no_ranges = True

    table = await first_rows(settings, ask("table"))
    lines = await first_rows(settings, ask("lines"))

    assert table.problem == "The place where the file lies sends it only as a whole."
    assert len(lines.rows) == 5


async def test_refusals_are_those_of_a_download(settings: Settings, hub: FakeHub) -> None:
    with pytest.raises(NotFound, match="no configuration 'other'"):
        await first_rows(settings, ask("other"))
    hub.redirect_to = "https://127.0.0.1:9"
    with pytest.raises(AccessRefused, match="inside your own network"):
        await first_rows(settings, ask("table"))
    hub.redirect_to, hub.gated_for = None, "another token"
    with pytest.raises(AccessRefused, match="gated"):
        await first_rows(settings, ask("table"))
    hub.gated_for, hub.busy = None, True
    with pytest.raises(HubUnreachable, match="busy or down"):
        await first_rows(settings, ask("table"))


async def test_a_broken_connection_is_said(settings: Settings, hub: FakeHub) -> None:
    hub.cut_after = 100

    with pytest.raises(HubUnreachable, match="can't be reached"):
        await first_rows(settings, ask("table"))
