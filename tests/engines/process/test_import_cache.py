"""What transformers finds in its own files is found once, and is the same as without the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.engines.process.import_cache import Structure, cache_structure
from tests.house.sources import CHECKOUT

FOUND: Structure = {
    frozenset(): {"models.a.configuration_a": {"AConfig"}},
    frozenset({"torch", "vision"}): {"models.a.modeling_a": {"A", "B"}},
}


class Search:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, module_path: str, prefix: str | None = None) -> Structure:
        self.calls += 1
        return {backends: dict(modules) for backends, modules in FOUND.items()}


def test_an_answer_is_kept_until_the_folder_changes(tmp_path: Path) -> None:
    models, search = tmp_path / "models", Search()
    models.mkdir()
    find = cache_structure(search, tmp_path / "cache")

    first = find(str(models), prefix="models")
    first[frozenset()]["more"] = {"x"}  # As transformers does with what it was given.

    assert find(str(models), prefix="models") == FOUND
    assert search.calls == 1
    assert find(str(models)) == FOUND  # Another question.
    assert search.calls == 2
    os.utime(models, ns=(1, 1))
    find(str(models), prefix="models")
    assert search.calls == 3


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1}', '[["x"]]'])
def test_a_damaged_file_is_searched_anew(tmp_path: Path, text: str) -> None:
    models, search = tmp_path / "models", Search()
    models.mkdir()
    find = cache_structure(search, tmp_path / "cache")
    find(str(models))
    (file,) = (tmp_path / "cache").iterdir()
    file.write_text(text, encoding="utf-8")

    assert find(str(models)) == FOUND
    assert (search.calls, find(str(models)), search.calls) == (2, FOUND, 2)


def test_a_folder_that_can_not_be_written_costs_only_the_time(tmp_path: Path) -> None:
    models, search = tmp_path / "models", Search()
    models.mkdir()
    (tmp_path / "cache").write_text("a file in its place", encoding="utf-8")
    find = cache_structure(search, tmp_path / "cache")

    assert find(str(models)) == find(str(models)) == FOUND
    assert search.calls == 2


@pytest.mark.engine
def test_transformers_has_the_same_names_with_the_cache(tmp_path: Path) -> None:
    plain = names("")
    cache = (
        "from pathlib import Path\n"
        "from backend.engines.process.import_cache import cache_imports\n"
        f"cache_imports(Path({str(tmp_path)!r}))\n"
    )

    assert names(cache) == plain
    assert list(tmp_path.iterdir())
    assert names(cache) == plain


def names(before: str) -> str:
    """Every class that transformers offers, and the module of one that is loaded lazily."""
    code = before + (
        "import transformers\n"
        "names = transformers._import_structure\n"
        "print(sorted((module, sorted(inside)) for module, inside in names.items()))\n"
        "print(transformers.Qwen2Config.__module__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
