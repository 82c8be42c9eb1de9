"""What people bring works, or is refused before the run with the line and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.settings import read_settings
from tests.api.live import Live, serving
from tests.field.bases import BASES
from tests.field.case import CALLS, ROOT, Case, at, cases, failures, filled, kept
from tests.field.models import BUILDERS, build
from tests.field.warm import warm_python

CASES = list(cases())


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server with every base that a case names, and the real tokenizers behind it."""
    folder = tmp_path_factory.mktemp("field")
    models = folder / "models"
    models.mkdir()
    for name in sorted({case.model for case in CASES if case.model}):
        build(name, models / name)
    (folder / "data root").mkdir()
    with warm_python(folder) as python:
        settings = read_settings(
            {"DROID_PYTHON": str(python)},
            data_dir=str(folder / "data root"),
            models_dirs=[str(models)],
        )
        with serving(settings) as live:
            live.client.timeout = 60
            yield live


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_people_bring(case: Case, field: Live, tmp_path: Path) -> None:
    folder = case.copy_to(tmp_path / "case")
    places = {"case": str(folder), "model": case.model or ""}

    for ask in case.told["asks"]:
        method, path = CALLS.get(ask["call"], ask["call"]).split(" ")
        body = filled(ask.get("body"), places)
        answer = field.client.request(method, filled(path, places), json=body)

        expect = filled(ask["expect"], places)
        problems = failures(answer.json(), answer.status_code, expect, folder)
        assert not problems, f"{case.told['about']}\n" + "\n".join(problems)
        places |= {name: str(at(answer.json(), place)) for name, place in kept(ask)}


def test_every_case_says_how_its_outcome_is_known() -> None:
    unsaid = [
        case.name
        for case in CASES
        if not (case.told.get("about") and case.told.get("known") and case.told.get("asks"))
        or (case.model and case.model not in {*BUILDERS, *BASES})
    ]

    assert CASES and not unsaid


def test_every_folder_that_the_table_of_kinds_names_is_there() -> None:
    names = re.findall(r"`([a-z]+/[a-z0-9_-]+)`", (ROOT / "README.md").read_text(encoding="utf-8"))

    assert len(names) > 80
    assert [name for name in names if not (ROOT / name / "case.json").is_file()] == []
