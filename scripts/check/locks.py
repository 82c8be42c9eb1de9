"""Do the locks say what pyproject.toml and the package.json files ask for, and no address?

Works offline. That npm's lock is complete is checked by `npm ci` itself.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]

_DIRECT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^;\s]+)")
_LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ;.*?)?(?: \\)?$", re.MULTILINE)
# Folders with a lock of their own, and the packages that it covers.
_NODE_LOCKS = {"": ("", "frontend", "electron"), "electron/packaging": ("",)}


def main() -> int:
    problems = [*python_problems(CHECKOUT), *node_problems(CHECKOUT)]
    for problem in problems:
        print(problem)
    if problems:
        print("Write the locks anew: scripts/lock.sh, or npm install --package-lock-only.")
    return 1 if problems else 0


def python_problems(root: Path) -> Iterator[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    base: list[str] = project["project"]["dependencies"]
    extras: dict[str, list[str]] = project["project"]["optional-dependencies"]
    groups: dict[str, list[Any]] = project["dependency-groups"]
    wanted = {
        "locks/requirements-setup.lock": _group(groups, "setup"),
        "locks/requirements.lock": [*base, *extras["cpu"]],
        "locks/requirements-dev.lock": [*base, *extras["cpu"], *_group(groups, "dev")],
        "locks/requirements-cuda.lock": [*base, *extras["cuda"]],
        "locks/requirements-exports.lock": _group(groups, "exports"),
        "locks/requirements-packaging.lock": _group(groups, "packaging"),
    }
    for name, requirements in wanted.items():
        text = (root / name).read_text(encoding="utf-8")
        for problem in lock_problems(text, requirements):
            yield f"{name}: {problem}"


def lock_problems(text: str, requirements: Iterable[str]) -> Iterator[str]:
    """What is wrong with one Python lock, given what it must hold directly."""
    if "://" in text or "--index-url" in text or "--find-links" in text:
        yield "holds an address"
    locked: dict[str, set[str]] = {}
    for name, version in _LOCKED.findall(text):
        locked.setdefault(name, set()).add(version)
    if text.count("\n    --hash=sha256:") < len(locked):
        yield "some packages have no hash"
    for requirement in requirements:
        found = _DIRECT.match(requirement)
        if found is None:
            yield f"{requirement} is not pinned with =="
        elif found[2] not in locked.get(_normal(found[1]), set()):
            yield f"{found[1]}=={found[2]} is asked for and not locked"


def _group(groups: dict[str, list[Any]], name: str) -> list[str]:
    found: list[str] = []
    for entry in groups[name]:
        found += _group(groups, entry["include-group"]) if isinstance(entry, dict) else [entry]
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def node_problems(root: Path) -> Iterator[str]:
    """What is wrong with npm's locks, of the checkout and of the packager."""
    for folder, parts in _NODE_LOCKS.items():
        if (root / folder / "package.json").is_file():
            for problem in _npm_lock_problems(root / folder, parts):
                yield f"{folder}/{problem}" if folder else problem


def _npm_lock_problems(root: Path, parts: Iterable[str]) -> Iterator[str]:
    text = (root / "package-lock.json").read_text(encoding="utf-8")
    if '"resolved": "http' in text:
        yield "package-lock.json: holds an address (omit-lockfile-registry-resolved is in .npmrc)"
    packages: dict[str, dict[str, Any]] = json.loads(text)["packages"]
    for part in parts:
        wanted = json.loads((root / part / "package.json").read_text(encoding="utf-8"))
        for kind in ("dependencies", "devDependencies"):
            if wanted.get(kind, {}) != packages.get(part, {}).get(kind, {}):
                yield f"package-lock.json: {kind} of {part or 'the root'} differ from package.json"
        for name, version in {
            **wanted.get("dependencies", {}),
            **wanted.get("devDependencies", {}),
        }.items():
            if not version[:1].isdigit():
                yield f"{part or '.'}/package.json: {name} {version} is not an exact version"


if __name__ == "__main__":
    sys.exit(main())
