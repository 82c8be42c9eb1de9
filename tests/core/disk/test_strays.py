"""Unfinished files are removed once they are old; everything with a name of its own stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

from backend.core.disk.strays import OLD, sweep_strays
from backend.settings import Settings

TEMPORARY = ".rows.jsonl.0123456789abcdef.tmp"


def made(path: Path, *, old: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half a li")
    age(path, old=old)
    return path


def age(path: Path, *, old: bool) -> None:
    when = time.time() - (2 * OLD if old else 0)
    os.utime(path, (when, when))


def test_what_a_killed_write_left_is_removed_and_nothing_else(settings: Settings) -> None:
    data = settings.data_dir
    places = [
        settings.datasets_dir, settings.datasets_dir / "split", settings.adapters_dir / "mine",
        data / "comparisons", data / "prompt_sets", data / "evaluations" / "20260101_000000_00",
    ]  # fmt: skip
    strays = [made(place / TEMPORARY) for place in places]
    drafts = [
        made(data / ".cache" / "datasets" / f".{'ab' * 16}.01234567" / "sample.jsonl").parent,
        made(data / ".cache" / "blas" / ".making-x1y2" / "names").parent,
    ]
    kept = [made(place / "rows.jsonl") for place in places]
    kept += [made(places[0] / name) for name in (".hidden", ".notes.tmp", "a.0123456789abcdef.tmp")]
    kept.append(made(data / ".cache" / "datasets" / ("ab" * 16) / "sample.jsonl"))
    kept.append(made(settings.adapters_dir / "mine" / TEMPORARY.replace("rows", "live"), old=False))
    living = made(data / ".cache" / "datasets" / ".cd.01234567" / "progress", old=False)
    for draft in drafts:
        age(draft, old=True)

    sweep_strays(settings)

    assert [path for path in (*strays, *drafts) if path.exists()] == []
    assert [path for path in (*kept, living) if not path.exists()] == []


def test_a_data_root_with_nothing_in_it_is_fine(settings: Settings) -> None:
    sweep_strays(settings)
