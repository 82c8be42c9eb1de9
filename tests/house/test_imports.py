"""The import direction of docs/architecture.md, as data."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import CHECKOUT, imports, name_of, under

# The rooms of the server from the lowest to the highest. A room with a dot is a sub-room, a file's
# name stands for that file alone; both are rooms of their own. A room may import the rooms named
# beside it and itself; `errors`, `settings`, `contract` and `core` are open to all.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "settings": set(),
    "core": set(),
    "core.disk": set(),
    "core.machine": set(),
    "contract": set(),
    "contract.run": {"contract"},
    "contract.jobs": {"contract"},
    "contract.export": {"contract", "contract.jobs"},
    "jobs.lifecycle": set(),
    "models": set(),
    "data.schemas": set(),
    "data.rows": {"data.schemas"},
    "data.readers": {"data.schemas", "data.rows"},
    "data.checks": {"data.schemas", "data.rows", "data.readers"},
    "data.write": {"data.schemas", "data.rows", "data.readers", "data.checks"},
    "data.tasks": {"data.checks", "data.write"},
    "data.inspect": {
        "data.schemas", "data.readers", "data.rows", "data.tasks", "models", "jobs.lifecycle",
    },
    "data": {"data.*", "models"},
    "downloads": {"models", "jobs.lifecycle", "data.schemas", "data.tasks"},
    "jobs.run": {"jobs.lifecycle"},
    "jobs.health": {"jobs.run"},
    "jobs": {"jobs.run", "jobs.health", "jobs.lifecycle"},
    "adapters": {"jobs.run", "models"},
    "inference": {"adapters", "models", "jobs.lifecycle"},
    "inference.openai": {"inference"},
    "comparisons": {"inference"},
    "jobs.kinds": {"jobs.lifecycle"},
    "evaluation": {"data", "data.*", "jobs.*", "adapters", "inference", "models"},
    "fusion": {"adapters", "evaluation", "jobs.lifecycle", "models"},
    "export": {"adapters", "evaluation", "jobs.lifecycle", "jobs.kinds", "models"},
    "training.schemas": {"jobs.run"},
    "training.request": {"training.schemas", "jobs.run", "data.*"},
    "training.lora": {"jobs.run", "models"},
    "training.quantize": {"training.request", "jobs", "jobs.run", "models"},
    "training.rewards": {"training.request", "jobs.run", "data.*"},
    "training.run_data": {
        "training.request", "jobs.run", "jobs.lifecycle", "data", "data.*", "models",
    },
    "training.estimate": {
        "training.schemas", "training.request", "training.quantize", "training.run_data",
        "jobs.run", "models",
    },
    "training.plan": {
        "training.schemas", "training.request", "training.lora", "training.quantize",
        "training.rewards", "training.run_data", "training.estimate",
        "jobs", "jobs.run", "jobs.kinds", "data", "data.*", "models", "adapters",
    },
    "training": {"training.*", "jobs", "jobs.run", "data", "data.*", "models", "adapters"},
    "notifications": {"jobs.run"},
    "preferences": {"downloads", "models", "notifications", "training.request"},
    "results": {"jobs.run", "training.request"},
    "api": {"SERVICES"},
    "api.library": {"api", "SERVICES"},
    "api.runs": {"api", "SERVICES"},
    "api.inference": {"api", "SERVICES"},
    "api.evaluation": {"api", "SERVICES"},
    "api.fusion": {"api", "SERVICES"},
    "app": {"api", "api.*", "SERVICES"},
    "main": {"app", "api"},
    "__main__": {"app", "main"},
    "cli": set(),  # It asks the service, and imports nothing of it.
}  # fmt: skip
SERVICES = {
    "models", "data", "data.*", "downloads", "jobs", "jobs.*", "adapters", "inference",
    "inference.openai", "comparisons", "evaluation", "export", "fusion", "results", "preferences",
    "notifications", "training", "training.*",
}  # fmt: skip
OPEN_TO_ALL = {"errors", "settings", "__version__", "core", "contract"}

# Engines run in processes of their own: they take the contract and files beside these.
ENGINES: dict[str, set[str]] = {
    "process": set(),
    "rewards": set(),
    "download": set(),
    "weights": set(),
    "loss": set(),
    "optimizer": set(),
    "modules": {"weights"},
    "trainer.samples": {"process"},
    "trainer": {"process", "loss", "optimizer", "weights", "trainer.samples"},
    "rl.policy": set(),
    "rl": {"process", "trainer", "trainer.samples", "rewards", "rl.policy", "weights"},
    "tokens": {"process", "rl"},
    "ranks": {"process", "trainer"},
    "sft": {"process", "trainer", "tokens", "ranks"},
    "inference": {"process", "tokens", "loss", "weights"},
    "evaluate": {"process", "rewards", "inference"},
    "benchmark": {"process"},
    "convert": {"process", "trainer", "weights"},
    "upload": {"process", "download"},
    "fusion": {"process", "trainer", "inference", "evaluate"},
    "export": {"process", "trainer", "inference", "evaluate", "weights"},
}
OUTSIDE_ENGINES = ("backend.contract", "backend.core.disk", "backend.core.clock")
# An export is tested by a program that it starts; a run of several processes starts them.
STARTS_PROGRAMS = {"backend/engines/export/fresh_process.py", "backend/engines/ranks/start.py"}

ENGINE_PACKAGES = {"mlx", "mlx_lm", "mlx_lm_lora", "transformers", "tokenizers", "datasets"}
ENGINE_PACKAGES |= {"numpy", "torch", "safetensors", "huggingface_hub"}
IN_CHILDREN_ONLY = {
    "pyarrow": {
        "backend/data/readers/parquet_child.py",
        "backend/engines/download/remote_parquet.py",
    }
}
WEB_PACKAGES = {"fastapi", "starlette", "uvicorn"}
STARTS_PROCESSES = ("subprocess", "multiprocessing", "pty", "os.system", "os.popen", "os.fork")

REMOVES = {"rmtree", "unlink", "rmdir", "remove", "removedirs"}

BACKEND = under("backend", ".py")
MODULES = {".".join(path.relative_to(CHECKOUT).with_suffix("").parts) for path in BACKEND}


def room_of_module(name: str, rooms: set[str]) -> str:
    """The room of `backend.a.b.c`, or of the name `c` in the module `backend.a.b`."""
    while name not in MODULES and f"{name}.__init__" not in MODULES:
        name = name.rpartition(".")[0]
    parts = name.split(".")[1:]
    whole = ".".join(parts)
    return whole if whole in rooms or len(parts) < 2 else ".".join(parts[:-1])


def room_of(path: Path) -> str:
    module = ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)
    return room_of_module(module, set(MAY_IMPORT))


def allowed_for(room: str) -> set[str]:
    named = MAY_IMPORT[room]
    return named - {"SERVICES"} | (SERVICES if "SERVICES" in named else set())


def may_import(room: str, target: str) -> bool:
    allowed = allowed_for(room)
    head = target.split(".")[0]
    return (
        target == room
        or head in OPEN_TO_ALL
        or target in allowed
        or ("." in target and f"{head}.*" in allowed)
    )


def holds_no_code(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return all(isinstance(node, ast.Expr) for node in body)  # A docstring at most.


def in_engines(path: Path) -> bool:
    return path.is_relative_to(CHECKOUT / "backend" / "engines")


@pytest.mark.parametrize("path", [p for p in BACKEND if not in_engines(p)], ids=name_of)
def test_a_file_imports_only_rooms_below_its_own(path: Path) -> None:
    if path.name == "__init__.py":
        assert path.parent.name == "backend" or holds_no_code(path)
        return
    room = room_of(path)
    assert room in MAY_IMPORT, f"{name_of(path)}: no such room here; name it, or use another"

    for line, name in imports(path):
        if name.startswith("backend.") and name != "backend.__version__":
            target = room_of_module(name, set(MAY_IMPORT))
            assert may_import(room, target), (
                f"{name_of(path)}:{line}: {room} may not import {target}"
            )


@pytest.mark.parametrize("path", [p for p in BACKEND if in_engines(p)], ids=name_of)
def test_an_engine_imports_only_rooms_below_its_own(path: Path) -> None:
    if path.name == "__init__.py":  # Imported by every start of a child: it stays empty.
        assert holds_no_code(path)
        return
    room = ".".join(path.relative_to(CHECKOUT / "backend" / "engines").parts[:-1])
    assert room in ENGINES, f"{name_of(path)}: no such room here; name it, or use another"

    for line, name in imports(path):
        if name.startswith("backend.engines."):
            target = room_of_module(name, set()).removeprefix("engines.")
            allowed = ENGINES[room] | {room}
            assert target in allowed, f"{name_of(path)}:{line}: {room} may not import {target}"
        elif name.startswith("backend."):
            door = name.startswith("backend.core.process") and name_of(path) in STARTS_PROGRAMS
            assert door or name.startswith(OUTSIDE_ENGINES), (
                f"{name_of(path)}:{line} imports {name}"
            )


def test_no_room_imports_another_in_a_circle() -> None:
    for table in (MAY_IMPORT, ENGINES):
        order = list(table)
        for place, room in enumerate(order):
            for other in order[place:]:
                if table is ENGINES:
                    assert other not in ENGINES[room], f"{room} stands before {other}"
                elif other != room and other.split(".")[0] not in OPEN_TO_ALL:
                    assert not may_import(room, other), f"{room} stands before {other}"


def test_the_contract_needs_the_standard_library_only() -> None:
    """The Python that runs the engines may be another one, with other packages."""
    for path in under("backend/contract", ".py"):
        for line, name in imports(path):
            own = name.startswith("backend.contract.")
            assert own or name.split(".")[0] in sys.stdlib_module_names, f"{name_of(path)}:{line}"


@pytest.mark.parametrize("path", BACKEND, ids=name_of)
def test_engines_the_web_and_processes_each_have_one_door(path: Path) -> None:
    room, file = name_of(path).split("/")[1].removesuffix(".py"), name_of(path)

    for line, name in imports(path):
        package, where = name.split(".")[0], f"{name_of(path)}:{line}"
        if room != "engines":
            assert package not in ENGINE_PACKAGES, f"{where} imports {name}; only engines may"
        if room not in {"api", "app", "main", "__main__"}:
            assert package not in WEB_PACKAGES, f"{where} imports {name}; only app and api may"
        assert file in IN_CHILDREN_ONLY.get(package, {file}), f"{where} imports {name}"
        if file != "backend/core/process.py":
            assert not name.startswith(STARTS_PROCESSES), f"{where} imports {name}"


def test_nothing_imports_an_engine() -> None:
    for path in BACKEND:
        if not in_engines(path):
            for line, name in imports(path):
                assert not name.startswith("backend.engines"), f"{name_of(path)}:{line}"


def test_nothing_of_the_service_imports_the_command_line() -> None:
    for path in BACKEND:
        if not name_of(path).startswith("backend/cli/"):
            for line, name in imports(path):
                assert not name.startswith(("backend.cli", "rich")), f"{name_of(path)}:{line}"


def test_the_command_line_starts_without_what_only_the_service_needs() -> None:
    code = "import sys, backend.cli.main; print(*sorted({n.split('.')[0] for n in sys.modules}))"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (WEB_PACKAGES | ENGINE_PACKAGES | {"pydantic", "rich"}).isdisjoint(done.stdout.split())


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
