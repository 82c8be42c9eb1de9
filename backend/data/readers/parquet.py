"""Read the rows of a Parquet file through a child process, one by one and in bounded memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from backend.core.process import reading
from backend.data.readers.jsonl import Decoder, parse_line
from backend.data.rows.line import Line
from backend.errors import BadContent
from backend.settings import CHECKOUT


def read_parquet(path: Path) -> Iterator[Line]:
    """Every row. Raises BadContent where the file can't be read."""
    argv = [sys.executable, "-m", "backend.data.readers.parquet_child", str(path)]
    env = {"PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1"}
    number = 0
    decoder = Decoder()
    with reading(argv, cwd=CHECKOUT, env=env) as child:
        for raw in child.lines():
            if raw.startswith(b"["):
                raise BadContent(json.loads(raw)[0])
            number += 1
            if raw.startswith(b'"'):
                yield Line(number, None, json.loads(raw), b"", clean=False)
                continue
            line = parse_line(number, raw.rstrip(b"\n"), decoder)
            yield Line(number, line.row, line.problem, line.raw, clean=False)
        problem = child.problem()
    if problem is not None:
        raise BadContent(f"{path.name} can't be read as a Parquet file: {problem}")
