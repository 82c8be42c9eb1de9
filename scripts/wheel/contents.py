"""What a package must hold, and all that it may hold: judged by the names alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

NEEDED = (
    "backend/__main__.py",
    "backend/cli/main.py",
    "backend/engines/sft/__main__.py",
    "frontend/dist/index.html",
    "examples/dashboard.html",
    "examples/listen.py",
    "test_data/models/droid-demo/config.json",
    "test_data/models/droid-demo/model.safetensors",
    "test_data/models/droid-demo/tokenizer.json",
    "test_data/demo/chat/train.jsonl",
    "test_data/demo/chat/valid.jsonl",
    "test_data/tasks/sums.yaml",
    "test_data/train.jsonl",
)
_NEEDED_KINDS = ("frontend/dist/assets/*.js", "frontend/dist/assets/*.css")
_ALLOWED = re.compile(
    r"""(?:backend/(?:\w+/)*\w+\.py
    | frontend/dist/(?:[\w-]+/)*[\w.-]+\.(?:html|js|css|svg|png|ico|woff2|webmanifest|txt)
    | test_data/(?:[\w-]+/)*[\w.-]+\.(?:json|jsonl|jinja|md|safetensors|yaml)
    | examples/(?:dashboard\.html|listen\.py)
    | __(?:init|main)__\.py | scripts/wheel/package/__(?:init|main)__\.py
    | droid_finetuning-[\w.]+\.dist-info/
      (?:METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)
    | PKG-INFO | README\.md | CHANGELOG\.md | LICENSE | pyproject\.toml | \.gitignore
    )""",
    re.VERBOSE,
)


def problems(names: Iterable[str]) -> Iterator[str]:
    """A sentence for each file that is missing, and for each that has no place in a package."""
    held = {name for name in names if not name.endswith("/")}
    for name in NEEDED:
        if name not in held:
            yield f"{name} is missing"
    for kind in _NEEDED_KINDS:
        folder, _, ending = kind.rpartition("/*")
        if not any(name.startswith(f"{folder}/") and name.endswith(ending) for name in held):
            yield f"{kind} is missing: the page is not built"
    for name in sorted(held):
        if not _ALLOWED.fullmatch(name):
            yield f"{name} does not belong in it"
