"""Every step of the checks, in order. A new kind of check is one more row."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Suite = Literal["lint", "unit", "engine", "build", "e2e", "slow"]

SUITES: Mapping[str, tuple[Suite, ...]] = {
    "lint": ("lint",),
    "check": ("lint", "unit"),
    "unit": ("unit",),
    "engine": ("engine",),
    "e2e": ("build", "e2e"),
    "methods": ("build", "slow"),
    "all": ("lint", "unit", "build", "engine", "e2e"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """`browser`: it needs one. `alone`: its data root and home are empty folders."""

    suite: Suite
    name: str
    command: tuple[str, ...]
    browser: bool = False
    alone: bool = False
    env: Mapping[str, str] = field(default_factory=dict)


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *arguments)


def _tests(*arguments: str) -> tuple[str, ...]:
    """Tests of Python on both cores of the build machine; a file's tests share one process."""
    return _python("pytest", "-n", "2", "--dist", "loadfile", *arguments)


def _parts(script: str) -> tuple[str, ...]:
    return ("npm", "run", "--silent", script, "--workspaces", "--if-present")


STEPS: tuple[Step, ...] = (
    Step("lint", "locks", _python("scripts.check.locks")),
    Step("lint", "python format", _python("ruff", "format", "--check", "--quiet", ".")),
    Step("lint", "python lint", _python("ruff", "check", "--quiet", ".")),
    Step("lint", "python types", _python("mypy")),
    Step("lint", "typescript lint", _parts("lint")),
    Step("lint", "typescript types", _parts("typecheck")),
    Step("lint", "browser test types", ("npx", "--no-install", "tsc", "-p", "tests/e2e")),
    Step("lint", "generated client", _python("scripts.openapi", "--check")),
    Step("unit", "house rules", _python("pytest", "tests/house")),
    Step(
        "unit",
        "python tests",
        _tests("-m", "not engine and not exports", "--ignore", "tests/house", "tests"),
    ),
    Step("unit", "page tests", ("npm", "run", "--silent", "test", "--workspace", "frontend")),
    Step("unit", "shell tests", ("npm", "run", "--silent", "test", "--workspace", "electron")),
    Step("build", "user interface", _python("scripts.setup", "--dev")),
    Step("build", "desktop shell", ("npm", "run", "--silent", "build", "--workspace", "electron")),
    Step("engine", "engine tests", _tests("-m", "engine", "tests")),
    Step(
        "e2e",
        "browser tests",
        ("npx", "--no-install", "vitest", "run", "--config", "tests/e2e/vitest.config.ts"),
        browser=True,
    ),
    Step(
        "slow",
        "every method",
        ("npx", "--no-install", "vitest", "run", "--config", "tests/e2e/slow.config.ts"),
        browser=True,
    ),
    Step(
        "e2e",
        "desktop stand-in",
        ("npm", "run", "--silent", "test:e2e", "--workspace", "electron"),
        browser=True,
    ),
    Step(
        "e2e",
        "demo run",
        ("./startmlxnew", "--no-window", "--demo", "--port", "0"),
        alone=True,
    ),
)


def steps_of(suite: str) -> list[Step]:
    order = SUITES[suite]
    return sorted(
        (step for step in STEPS if step.suite in order), key=lambda step: order.index(step.suite)
    )
