"""The import direction of docs/architecture.md, as data."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import CHECKOUT, imports, name_of, under

# A room may import the rooms named here and itself; `errors` and `settings` are open to all.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "settings": set(),
    "core": set(),
    "runs": {"core"},
    "catalog": {"core"},
    "inference": {"runs", "catalog", "core"},
    "evaluation": {"inference", "runs", "catalog", "core"},
    "training": {"inference", "runs", "catalog", "core"},
    "api": {"training", "evaluation", "inference", "runs", "catalog", "core"},
    "app": {"api", "training", "evaluation", "inference", "runs", "catalog", "core"},
    "main": {"app", "api"},
    "__main__": {"app", "main", "core"},
    "engines": set(),
}
OPEN_TO_ALL = {"errors", "settings", "__version__"}
# Engines take values, pure functions and file writing only: they run in processes of their own.
ENGINES_MAY_IMPORT = (
    "backend.contract.batching",
    "backend.contract.step_parts",
    "backend.contract.reward_arguments",
    "backend.core.clock",
    "backend.core.disk.files",
    "backend.core.disk.removal",
    "backend.contract.thoughts",
    "backend.engines",
)

ENGINE_PACKAGES = {"mlx", "mlx_lm", "mlx_lm_lora", "transformers", "tokenizers", "datasets"}
ENGINE_PACKAGES |= {"numpy", "torch", "safetensors", "huggingface_hub"}
IN_CHILDREN_ONLY = {"pyarrow": "backend/data/readers/parquet_child.py"}
WEB_PACKAGES = {"fastapi", "starlette", "uvicorn"}
STARTS_PROCESSES = ("subprocess", "multiprocessing", "pty", "os.system", "os.popen", "os.fork")

REMOVES = {"rmtree", "unlink", "rmdir", "remove", "removedirs"}

BACKEND = under("backend", ".py")


def room_of(path: Path) -> str:
    inside = path.relative_to(CHECKOUT / "backend")
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


@pytest.mark.parametrize("path", BACKEND, ids=name_of)
def test_a_file_imports_only_rooms_to_its_right(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    allowed = MAY_IMPORT[room] | {room} | OPEN_TO_ALL

    for line, name in imports(path):
        if not name.startswith("backend."):
            continue
        target = name.split(".")[1]
        if room == "engines":
            assert name.startswith(ENGINES_MAY_IMPORT), f"{name_of(path)}:{line} imports {name}"
        else:
            assert target in allowed, f"{name_of(path)}:{line}: {room} may not import {target}"


@pytest.mark.parametrize("path", BACKEND, ids=name_of)
def test_engines_the_web_and_processes_each_have_one_door(path: Path) -> None:
    room, file = room_of(path), path.relative_to(CHECKOUT).as_posix()

    for line, name in imports(path):
        package, where = name.split(".")[0], f"{name_of(path)}:{line}"
        if room != "engines":
            assert package not in ENGINE_PACKAGES, f"{where} imports {name}; only engines may"
        if room not in {"api", "app", "main", "__main__"}:
            assert package not in WEB_PACKAGES, f"{where} imports {name}; only app and api may"
        assert IN_CHILDREN_ONLY.get(package, file) == file, f"{where} imports {name}"
        if file != "backend/core/process.py":
            assert not name.startswith(STARTS_PROCESSES), f"{where} imports {name}"


def test_nothing_imports_an_engine() -> None:
    for path in BACKEND:
        if room_of(path) != "engines":
            for line, name in imports(path):
                assert not name.startswith("backend.engines"), f"{name_of(path)}:{line}"


def test_the_app_never_needs_the_tools_around_it() -> None:
    for path in BACKEND:
        for line, name in imports(path):
            assert name.split(".")[0] not in {"scripts", "tests"}, f"{name_of(path)}:{line}"


def test_importing_the_server_loads_no_engine() -> None:
    code = "import sys, backend.app; print(*sorted({n.split('.')[0] for n in sys.modules}))"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (ENGINE_PACKAGES | set(IN_CHILDREN_ONLY)).isdisjoint(done.stdout.split())


@pytest.mark.parametrize("path", BACKEND, ids=name_of)
def test_everything_is_removed_through_one_door(path: Path) -> None:
    if name_of(path) == "backend/core/disk/removal.py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in REMOVES:
            # A list has a `remove` too.
            of_a_list = node.attr == "remove" and ast.unparse(node.value) != "os"
            assert of_a_list, (
                f"{name_of(path)}:{node.lineno} uses {node.attr}, not core/disk/removal.py"
            )
