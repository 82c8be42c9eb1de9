"""Long data files are read by a child, once for all that ask, and remembered until they change."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from backend.core.news import News
from backend.core.process import CompletedChild, run_child
from backend.data.checks.checked_file import CheckedFile
from backend.data.tasks.client import SMALL
from backend.errors import BadContent
from backend.training.run_data.files import DataFiles
from tests.training.requests import CHAT, write_rows


class Children(list[str]):
    """The paths that children were asked to read."""

    def __init__(self) -> None:
        self.news = News()


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Children:
    asked = Children()

    async def counted(*args: Any, stdin_json: Any, **named: Any) -> CompletedChild:
        asked.append(stdin_json["options"]["path"])
        asked.news.tell()
        return await run_child(*args, stdin_json=stdin_json, **named)

    monkeypatch.setattr("backend.data.tasks.client.run_child", counted)
    return asked


def long_file(path: Path, *, last: object = CHAT) -> Path:
    line = json.dumps(CHAT | {"note": "x" * 4000}) + "\n"
    path.write_text(line * (SMALL // 4000 + 1) + json.dumps(last) + "\n", encoding="utf-8")
    return path


async def checked(files: DataFiles, path: Path, field: str = "train_data_path") -> CheckedFile:
    return await files.during(partial(files.check, str(path), field=field))


async def test_a_short_file_is_read_at_once(tmp_path: Path, children: Children) -> None:
    files = DataFiles()
    assert files.check(str(write_rows(tmp_path / "a.jsonl", 8)), field="train_data_path").rows == 8
    assert children == []


async def test_a_long_file_is_read_by_one_child_for_all_who_ask(
    tmp_path: Path, children: Children
) -> None:
    path, files = long_file(tmp_path / "long.jsonl"), DataFiles()

    found = await asyncio.gather(*(checked(files, path) for _ in range(5)))
    again = await checked(files, path)

    assert {each.rows for each in [*found, again]} == {SMALL // 4000 + 2}
    assert (again.form, again.clean, again.path) == ("chat", True, path.resolve())
    assert children == [str(path)]


async def test_one_who_gives_up_does_not_cost_the_others(
    tmp_path: Path, children: Children
) -> None:
    path, files = long_file(tmp_path / "long.jsonl"), DataFiles()
    first, second = (asyncio.create_task(checked(files, path)) for _ in range(2))
    await children.news.until(lambda: len(children) == 1)
    first.cancel()

    assert (await second).rows == SMALL // 4000 + 2
    assert len(children) == 1


async def test_what_is_wrong_with_a_long_file_names_the_line_and_each_askers_field(
    tmp_path: Path, children: Children
) -> None:
    path, files = long_file(tmp_path / "long.jsonl", last={"text": 7}), DataFiles()

    refusals = await asyncio.gather(
        checked(files, path), checked(files, path, "val_data_path"), return_exceptions=True
    )

    for refusal, field in zip(refusals, ("train_data_path", "val_data_path"), strict=True):
        assert isinstance(refusal, BadContent)
        assert f"Line {SMALL // 4000 + 2} of long.jsonl" in refusal.detail
        assert [each.field for each in refusal.errors] == [field]
    assert len(children) == 1


async def test_a_file_that_changed_is_read_again(tmp_path: Path, children: Children) -> None:
    path, files = long_file(tmp_path / "long.jsonl"), DataFiles()
    await checked(files, path)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(CHAT) + "\n")

    assert (await checked(files, path)).rows == SMALL // 4000 + 3
    assert len(children) == 2


async def test_a_packed_file_is_read_by_a_child_however_short(
    tmp_path: Path, children: Children
) -> None:
    path = tmp_path / "rows.parquet"
    parquet.write_table(arrow.Table.from_pylist([CHAT] * 3), path)

    assert (await checked(DataFiles(), path)).rows == 3
    assert children == [str(path)]
