"""`python -m backend.engines.download.first_rows`: the first rows of a split, before it is fetched.

Reads a request on stdin; answers with the rows on stdout, or with how it failed. Of the split's
first file the beginning is fetched, of a Parquet file its index and the first pages.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from backend.contract.download import HubFile, HubRequest
from backend.contract.hub_dataset import HubRows
from backend.core.disk.files import format_bytes
from backend.engines.download.answer import answer_request
from backend.engines.download.data_files import choose_split, configs_of
from backend.engines.download.hub import address, headers, list_repository, use_guard
from backend.engines.download.remote_file import NoPieces, RemoteFile, TooMuch
from backend.engines.download.remote_parquet import UnreadableParquet
from backend.engines.download.remote_parquet import first_rows as first_parquet_rows

ROWS = 5
BEGINNING = 512 * 1024  # Of a text file.
BUDGET = 32 * 1024**2  # Of a Parquet file: wide rows have large first pages.
LONGEST = 20_000  # Characters of a text that are shown.

Row = Mapping[str, Any]


def main() -> int:
    return answer_request("rows", first_rows)


def first_rows(request: HubRequest) -> HubRows:
    """Raises NoData, NoSuchPart, and what the library raises."""
    use_guard(request.endpoint)
    repository = list_repository(request)
    rows = request.dataset
    split = choose_split(
        configs_of(repository.files, repository.card),
        rows.config if rows else None,
        rows.split if rows else None,
    )
    file = split.files[0]
    remote = RemoteFile(
        file,
        address(request, repository.commit, file.name),
        headers=headers(),
        timeout=request.timeout,
        budget=BUDGET,
    )
    try:
        rows_shown = [_shortened(row) for row in islice(rows_of(file, remote), ROWS)]
        problem = None if rows_shown else "The file has no rows."
    except (NoPieces, TooMuch, UnreadableParquet, ValueError) as reason:
        rows_shown, problem = [], _reason(reason)
    return HubRows(
        file=file.name,
        read_bytes=remote.read_bytes,
        rows=tuple(row for row, _ in rows_shown),
        cut=any(cut for _, cut in rows_shown),
        problem=problem,
    )


def rows_of(file: HubFile, remote: RemoteFile) -> Iterator[Row]:
    """The rows from the first on, as far as a preview reads."""
    kind = file.name.rpartition(".")[2].lower()
    if kind == "parquet":
        return first_parquet_rows(remote, ROWS)
    raw = remote.read(min(file.size, BEGINNING))
    text, whole = raw.decode("utf-8-sig", errors="replace"), len(raw) >= file.size
    return _READERS[kind](text, whole)


def _json_lines(text: str, whole: bool) -> Iterator[Row]:
    for line in _lines(text, whole):
        with suppress(json.JSONDecodeError):  # Such a line is named when the file is read.
            yield from _objects([json.loads(line)])


def _json_document(text: str, whole: bool) -> Iterator[Row]:
    """The items of its list of rows, as far as the text goes; also a file of JSON lines."""
    if whole:
        with suppress(json.JSONDecodeError):
            yield from _objects(_items(json.loads(text)))
            return
    start = text.find("[")
    if start < 0 or next(_json_lines(text, whole), None) is not None:
        yield from _json_lines(text, whole)
        return
    decoder, at = json.JSONDecoder(), start + 1
    with suppress(json.JSONDecodeError):  # The text ends within a row, or the list does.
        while at < len(text):
            while text[at : at + 1] in (",", " ", "\t", "\r", "\n"):
                at += 1
            item, at = decoder.raw_decode(text, at)
            yield from _objects([item])


def _items(document: Any) -> list[Any]:
    """The rows of a document: a list, or the one list that an object has."""
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        return lists[0] if len(lists) == 1 else [document]
    return document if isinstance(document, list) else []


def _table(delimiter: str) -> Callable[[str, bool], Iterator[Row]]:
    def read(text: str, whole: bool) -> Iterator[Row]:
        rows = csv.DictReader(io.StringIO("\n".join(_lines(text, whole))), delimiter=delimiter)
        for row in rows:
            yield {str(name): value for name, value in row.items() if name and value is not None}

    return read


_READERS: dict[str, Callable[[str, bool], Iterator[Row]]] = {
    "jsonl": _json_lines,
    "json": _json_document,
    "csv": _table(","),
    "tsv": _table("\t"),
}


def _lines(text: str, whole: bool) -> list[str]:
    """The lines that are there to their end."""
    lines = text.split("\n")
    return lines if whole else lines[:-1]


def _objects(values: Iterable[Any]) -> Iterator[Row]:
    for value in values:
        if isinstance(value, dict):
            yield value


def _shortened(row: Row) -> tuple[Row, bool]:
    """The row as JSON has it, and whether something of it was cut."""
    text = json.dumps(row, ensure_ascii=False, default=str)
    row_value: Row = json.loads(text, parse_constant=lambda _: None)
    if len(text) <= LONGEST:
        return row_value, False
    return {name: _cut(value) for name, value in row_value.items()}, True


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _reason(problem: Exception) -> str:
    if isinstance(problem, NoPieces):
        return "The place where the file lies sends it only as a whole."
    if isinstance(problem, TooMuch):
        return f"Its first rows are larger than the {format_bytes(BUDGET)} that a preview reads."
    return f"Its beginning can't be read: {' '.join(str(problem).split())[:200]}"


if __name__ == "__main__":
    sys.exit(main())
