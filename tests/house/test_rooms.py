"""Folders stay small enough that a newcomer guesses the file, and the root stays tidy."""

from __future__ import annotations

from collections import Counter

from tests.house.sources import CHECKOUT, committed, name_of

MOST = 15
SOURCES = {".py", ".ts", ".tsx", ".mjs", ".css"}
UNDER = ("backend", "frontend/src", "tests", "scripts", "electron")
# Doors and tests beside their page are not counted: neither makes a file harder to find.
NOT_COUNTED = ("__init__.py", "__main__.py", "conftest.py")
# Folder: how many it may hold, and why it may hold more than others.
MORE: dict[str, tuple[int, str]] = {}

# All that may stand at the top: the product's layout, and what a tool looks for there.
ROOT = {
    "AGENTS.md", "CHANGELOG.md", "LICENSE", "README.md", "startmlxnew", "killmlxnew",
    "backend", "frontend", "electron", "scripts", "tests", "docs", "test_data", "locks",
    "sessions", "logs", "examples", "package.json", "package-lock.json", "pyproject.toml",
    ".ci", ".editorconfig", ".gitignore", ".npmrc",
}  # fmt: skip


def test_a_folder_has_at_most_15_sources() -> None:
    count = Counter(
        name_of(path.parent)
        for path in committed()
        if path.suffix in SOURCES
        and name_of(path).startswith(tuple(f"{folder}/" for folder in UNDER))
        and path.name not in NOT_COUNTED
        and ".test." not in path.name
    )
    limits = {folder: limit for folder, (limit, _) in MORE.items()}

    crowded = {f: n for f, n in count.items() if n > limits.get(f, MOST)}
    roomy = {f: limit for f, limit in limits.items() if count[f] <= MOST}

    assert not crowded, "split these folders by subject"
    assert not roomy, "these folders need no exception any more"


def test_only_what_belongs_there_stands_at_the_top() -> None:
    top = {path.relative_to(CHECKOUT).parts[0] for path in committed()}

    assert top <= ROOT, "put it into a folder"
