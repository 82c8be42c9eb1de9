"""A grid of runs, cell by cell: what is finished is kept and not run again."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from backend.core.disk.files import write_json
from backend.settings import read_settings

Result = dict[str, Any]


class Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def fields(self) -> dict[str, Any]: ...


Cell = TypeVar("Cell", bound=Named)


def options(name: str, given: Sequence[str] | None = None) -> argparse.Namespace:
    """`fresh` and `minutes` of the command line of the experiment of that name."""
    parser = argparse.ArgumentParser(prog=f"npm run experiment:{name} --")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--minutes", type=float, default=60.0, help="start no cell after this (60)")
    return parser.parse_args(given)


def finish(
    name: str,
    cells: Sequence[Cell],
    given: argparse.Namespace,
    *,
    run: Callable[[Cell], Result],
    say: Callable[[Result], str],
) -> dict[str, Result]:
    """Run what is missing; answer the results of these cells by name, also of a part of them.

    Kept in `.cache/experiments/<name>.json` under the data root. A result that names the `fields`
    it was made with is run again when the cell's have changed.
    """
    kept = read_settings().data_dir / ".cache" / "experiments" / f"{name}.json"
    results = {} if given.fresh else _read(kept)
    end = time.monotonic() + 60 * given.minutes
    for number, cell in enumerate(cells, 1):
        if _holds(results.get(cell.name), cell):
            continue
        if time.monotonic() > end:
            print(f"  Stopped at cell {number} of {len(cells)}; start again to go on.")
            break
        results[cell.name] = run(cell)
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_json(kept, results)
        print(
            f"  {number:3} of {len(cells)}  {cell.name:<28} {say(results[cell.name])}", flush=True
        )
    return {c.name: results[c.name] for c in cells if _holds(results.get(c.name), c)}


def _holds(result: Result | None, cell: Named) -> bool:
    return result is not None and result.get("fields", cell.fields) == cell.fields


def _read(path: Path) -> dict[str, Result]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return value if isinstance(value, dict) else {}
