"""One example of what people bring: its input, what is asked about it, what the answer must hold.

A case is a folder below `tests/field/` with a `case.json` and its input files:

    about    what people bring, and `known`, how the outcome is known;
    model    a base of `models.py` that `{model}` in a body stands for;
    files    inputs made of another: {"rows.jsonl.gz": {"of": "rows.jsonl", "as": "gzip"}}, of the
             kinds in `MADE`;
    asks     the calls, in order: `call` (a name of `CALLS`, or "POST /path"), `body`, `expect`, and
             `keep`: {"sha256": "functions.0.sha256"} lets later bodies say `{sha256}`.

In a body `{case}` is the case's own copy, where files may be written. `expect` has

    status   of the answer, 200 where it is not named;
    holds    values by their dotted place in the answer: {"learned.0.trained": true};
    says     texts that occur somewhere in the answer, `silent` such that don't, in any case;
    written  {"file": rows}: the first rows of a file in the case's folder.
"""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

ROOT = Path(__file__).parent
CALLS: Mapping[str, str] = {
    "preview": "POST /training/preview",
    "start": "POST /training/start",
    "method_preview": "POST /api/training/preview-enhanced",
    "start_method": "POST /api/training/start-enhanced",
    "validate": "POST /api/training/validate-data",
    "inspect": "POST /api/datasets/inspect",
    "row": "POST /api/datasets/preview",
    "convert": "POST /api/datasets/convert",
    "split": "POST /api/datasets/split",
    "try_rewards": "POST /api/training/reward-functions/try",
    "models": "GET /models",
}


def _packed(source: bytes, target: Path) -> None:
    target.write_bytes(gzip.compress(source))


def _sheet(source: bytes, target: Path) -> None:
    with zipfile.ZipFile(target, "w") as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", source)


def _list(source: bytes, target: Path) -> None:
    rows = [json.loads(line) for line in source.splitlines()]
    target.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _tensors(source: bytes, target: Path) -> None:
    """Zeros of the shapes that a JSON object names."""
    shapes = json.loads(source)
    save_file({name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, target)


MADE: Mapping[str, Callable[[bytes, Path], None]] = {
    "gzip": _packed,
    "xlsx": _sheet,
    "list": _list,
    "safetensors": _tensors,
    "utf-16": lambda source, target: _write(target, source.decode().encode("utf-16")),
    "latin-1": lambda source, target: _write(target, source.decode().encode("latin-1")),
    "copy": lambda source, target: _write(target, source),
}


def _write(target: Path, content: bytes) -> None:
    target.write_bytes(content)


@dataclass(frozen=True, slots=True)
class Case:
    folder: Path
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.folder.relative_to(ROOT).as_posix()

    @property
    def model(self) -> str | None:
        return self.told.get("model")

    def copy_to(self, folder: Path) -> Path:
        """The case's inputs, those that are made of others among them."""
        shutil.copytree(self.folder, folder)
        for name, made in self.told.get("files", {}).items():
            MADE[made["as"]]((folder / made["of"]).read_bytes(), folder / name)
        return folder


def cases() -> Iterator[Case]:
    for path in sorted(ROOT.rglob("case.json")):
        yield Case(path.parent, json.loads(path.read_text(encoding="utf-8")))


def filled(value: Any, places: Mapping[str, str]) -> Any:
    """`value` with the names in braces replaced by what they stand for."""
    if isinstance(value, str):
        for name, place in places.items():
            value = value.replace("{" + name + "}", place)
        return value
    if isinstance(value, dict):
        return {name: filled(item, places) for name, item in value.items()}
    return [filled(item, places) for item in value] if isinstance(value, list) else value


def at(answer: Any, place: str) -> Any:
    """The value at a dotted place: "warnings.0", "data.rows"."""
    for part in place.split("."):
        answer = answer[int(part)] if isinstance(answer, list) else answer.get(part)
    return answer


def kept(ask: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What later calls may name, and where it is in this call's answer."""
    yield from ask.get("keep", {}).items()


def failures(answer: Any, status: int, expect: Mapping[str, Any], folder: Path) -> list[str]:
    """What of `expect` does not hold, in words; empty when all of it does."""
    text = json.dumps(answer, ensure_ascii=False)
    found = []
    if status != expect.get("status", 200):
        found.append(f"the status is {status}")
    else:
        for place, value in expect.get("holds", {}).items():
            if at(answer, place) != value:
                found.append(f"{place} is {at(answer, place)!r}, not {value!r}")
    plain = text.replace('\\"', '"').lower()
    found += [
        f"{said!r} is not said" for said in expect.get("says", ()) if said.lower() not in plain
    ]
    found += [f"{said!r} is said" for said in expect.get("silent", ()) if said.lower() in plain]
    for name, rows in expect.get("written", {}).items():
        path = folder / name
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        written = [json.loads(line) for line in lines[: len(rows)]]
        if written != rows:
            found.append(f"{name} begins with {written}, not {rows}")
    return [f"{problem}: {text[:3000]}" for problem in found]
