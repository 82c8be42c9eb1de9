"""What goes into the Python package: built for real, from a checkout of empty files."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from backend import __version__
from scripts.wheel.build import sdist_names, wheel_names
from scripts.wheel.contents import NEEDED, problems
from tests.house.sources import CHECKOUT, committed, name_of

# What may lie in a checkout beside what git knows.
UNTRACKED = (
    "frontend/dist/index.html", "frontend/dist/assets/index-a1.js",
    "frontend/dist/assets/index-a1.css", "frontend/dist/.droid-stamp.json",
    "frontend/node_modules/react/index.js", "node_modules/react/index.js",
    ".venv/bin/python", ".env", "backend/__pycache__/main.cpython-311.pyc", ".cache/blas/lib.so",
    "adapters/mine/adapters.safetensors", "models/big/model.safetensors", "logs/backend.log",
    "sessions/latest.json", "test_data/.DS_Store", "backend/.DS_Store",
)  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The names of this one with nothing in the files; building it takes no time."""
    root = tmp_path_factory.mktemp("checkout")
    for name in (*map(name_of, committed()), *UNTRACKED):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for name in ("pyproject.toml", ".gitignore", "README.md", "LICENSE"):
        (root / name).write_bytes((CHECKOUT / name).read_bytes())
    return root


@pytest.fixture
def in_checkout(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(checkout)
    return checkout


def test_the_wheel_holds_what_it_must_and_nothing_else(in_checkout: Path, tmp_path: Path) -> None:
    (built,) = WheelBuilder(str(in_checkout)).build(directory=str(tmp_path), versions=["standard"])

    names = wheel_names(Path(built))

    assert not list(problems(names))
    expected = {name for name in map(name_of, committed()) if name.startswith("backend/")}
    assert {name for name in names if name.startswith("backend/")} == expected
    assert not [name for name in names if "test_wheel" in name or "node_modules" in name]


def test_the_sdist_holds_the_built_page_so_that_no_node_is_needed(
    in_checkout: Path, tmp_path: Path
) -> None:
    (built,) = SdistBuilder(str(in_checkout)).build(directory=str(tmp_path), versions=["standard"])

    names = sdist_names(Path(built))

    assert not list(problems(names))
    assert {"pyproject.toml", "scripts/wheel/package/__init__.py"} <= set(names)


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["backend/tests/test_app.pyc"], "backend/tests/test_app.pyc does not belong in it"),
        (["tests/cli/test_train.py"], "tests/cli/test_train.py does not belong in it"),
        (["frontend/node_modules/a.js"], "frontend/node_modules/a.js does not belong in it"),
        ([".env"], ".env does not belong in it"),
        ([], "frontend/dist/assets/*.js is missing: the page is not built"),
    ],
)
def test_a_wrong_package_is_told_by_file(names: list[str], fault: str) -> None:
    assert fault in list(problems([*NEEDED, *names]))


def test_version_and_names_are_told_once() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == __version__
    assert set(project["optional-dependencies"]) >= {"cpu", "cuda"}
    assert all(target.startswith("droid_finetuning:") for target in project["scripts"].values())


def test_the_package_runs_the_command_with_what_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`backend` is found in the package's own folder, wherever that is."""

    package = tmp_path / "droid_finetuning"
    package.mkdir()
    for name in ("__init__.py", "__main__.py"):
        (package / name).write_bytes((CHECKOUT / "scripts/wheel/package" / name).read_bytes())
    (package / "backend").symlink_to(CHECKOUT / "backend")

    done = subprocess.run(
        [sys.executable, "-m", "droid_finetuning", "--version"], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert done.stdout == f"droid-finetuning {__version__}\n", done.stderr
