"""The documents say what is there, and name it rightly."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.sources import CHECKOUT, committed, name_of

DOCS = CHECKOUT / "docs"
SYSTEMS = range(1, 7)
PROOF = re.compile(r"`(tests/[\w./-]+|frontend/src/[\w./-]+|electron/tests/[\w./-]+)(?:::(\w+))?`")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def _coverage() -> str:
    return (DOCS / "coverage.md").read_text(encoding="utf-8")


def _rows() -> list[list[str]]:
    """The cells of each row of the coverage tables, headers left out."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in _coverage().splitlines()
        if line.startswith("|")
    ]
    return [row for row in rows if row[0] != "feature" and not set(row[0]) <= set("- :")]


def test_every_system_has_its_table() -> None:
    for number in SYSTEMS:
        assert re.search(rf"^## {number}\. ", _coverage(), re.MULTILINE), f"system {number}"


def test_every_feature_names_its_proof_or_says_not_yet() -> None:
    for row in _rows():
        proven = PROOF.search(row[-1])
        assert proven or "not yet" in row[-1], f"{row[0]}: {row[-1]}"


@pytest.mark.parametrize("proof", sorted(set(PROOF.findall(_coverage()))), ids="::".join)
def test_the_named_proof_exists(proof: tuple[str, str]) -> None:
    file, test = proof
    path = CHECKOUT / file

    assert path.exists(), f"docs/coverage.md names {file}, which is not there"
    if test:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert test in names, f"docs/coverage.md names {file}::{test}, which is not there"


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{name_of(page)}: {target}"
        for page in committed()
        if page.suffix == ".md"
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert not broken


def test_the_readme_is_short_and_shows_the_app() -> None:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")

    assert text.count("\n") < 120
    for said in ("./startmlxnew", "npm test", "Apple Silicon", "Linux", "3.11", "20.19"):
        assert said in text, f"README.md does not say {said}"
    assert "docs/images/training.png" in text


def test_decisions_are_numbered_and_complete() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))

    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for heading in ("## Context", "## Decision", "## Rejected", "## To reverse it"):
            assert heading in text, f"{page.name} has no {heading}"


@pytest.mark.parametrize("path", sorted(DOCS.glob("**/*.md")), ids=name_of)
def test_a_file_named_in_a_document_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"`((?:backend|scripts|frontend|electron|tests)/[\w./-]+\.\w+)`", text)

    assert not [file for file in named if not (CHECKOUT / file).exists()]
