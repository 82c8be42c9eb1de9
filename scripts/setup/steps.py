"""The steps: each looks whether its work is done already, and does it only if not."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Literal

from scripts.setup.stamps import CHECKOUT, digest, drop_stamp, read_stamp, write_stamp
from scripts.setup.terminal import SetupFailed, answer_of, run, step, succeeds

Flavour = Literal["runtime", "dev", "cuda"]

VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
UI = CHECKOUT / "frontend" / "dist"
NODE_MODULES = CHECKOUT / "node_modules"
NODE_NEEDED = (20, 19)

_LOCKS: dict[Flavour, str] = {
    "runtime": "locks/requirements.lock",
    "dev": "locks/requirements-dev.lock",
    "cuda": "locks/requirements-cuda.lock",
}
# What the package.json files ask for is in the lock too (scripts/check/locks.py).
_NODE_FILES = ("package-lock.json", ".npmrc")
_TRY_AGAIN_AFTER = 24 * 3600.0
# The system's certificates, because a company's proxy has one of its own.
_SYNC = ("--quiet", "--require-hashes", "--system-certs")
# Debian's python without python3-venv leaves an environment that runs but can install nothing.
_WORKS = """import sys, importlib.util as look
sys.exit(sys.version_info < (3, 11) or not (look.find_spec("pip") or look.find_spec("uv")))"""


def python_environment(asked: Flavour | None, *, afresh: bool = False) -> None:
    """`.venv` with exactly what the lock says. Unasked, an environment keeps the flavour it has.
    `afresh` makes it anew, whatever its state.
    """
    stamp = read_stamp(VENV)
    flavour: Flavour = asked or _flavour(stamp.get("flavour"))
    lock = CHECKOUT / _LOCKS[flavour]
    wanted = digest([lock, CHECKOUT / "locks/requirements-setup.lock"])
    works = not afresh and succeeds([PYTHON, "-c", _WORKS])
    if works and stamp.get("digest") == wanted:
        return
    drop_stamp(VENV)
    if not works:
        with step("Creating the Python environment"):
            _create_environment()
    if not (VENV / "bin" / "uv").is_file():
        with step("Fetching the installer"):
            run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                 "--require-hashes", "-r", "locks/requirements-setup.lock"])  # fmt: skip
    with step("Installing the Python packages"):
        uv = VENV / "bin" / "uv"
        run([uv, "pip", "sync", *_SYNC, "--python", PYTHON, lock])
    write_stamp(VENV, flavour=flavour, digest=wanted)


def _flavour(recorded: str | None) -> Flavour:
    return "dev" if recorded == "dev" else "cuda" if recorded == "cuda" else "runtime"


def _create_environment() -> None:
    base = sys.executable if not Path(sys.executable).is_relative_to(VENV) else "python3"
    try:
        run([base, "-m", "venv", "--clear", VENV])
    except SetupFailed as problem:
        raise SetupFailed(
            f"{problem}\n  Python can't make a virtual environment. On Debian or Ubuntu: "
            "apt install python3-venv"
        ) from problem


def user_interface() -> None:
    """The UI as the server gives it out, built from the sources that are there now."""
    wanted = _ui_digest()
    if (UI / "index.html").is_file() and read_stamp(UI).get("digest") == wanted:
        return
    node_packages()
    with step("Building the user interface"):
        run(["npm", "run", "build", "--workspace", "frontend"])
    write_stamp(UI, digest=wanted)


def _ui_digest() -> str:
    parts = ("src", "public", "index.html", "vite.config.ts", "package.json", "tsconfig.json")
    return digest([*(CHECKOUT / "frontend" / part for part in parts), *_node_locks()])


def node_packages() -> None:
    """`node_modules` with exactly what the lock says."""
    version = require_node()
    wanted = digest(_node_locks(), extra=version.partition(".")[0])
    if read_stamp(NODE_MODULES).get("digest") == wanted:
        return
    with step("Installing the Node packages"):
        run(["npm", "ci"])
    write_stamp(NODE_MODULES, digest=wanted)


def _node_locks() -> list[Path]:
    return [CHECKOUT / name for name in _NODE_FILES]


def require_node() -> str:
    """Node's version ("20.20.2"), or SetupFailed with what to install."""
    found = (answer_of(["node", "--version"]) or "").removeprefix("v")
    numbers = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
    if numbers < NODE_NEEDED or shutil.which("npm") is None:
        raise SetupFailed(
            f"Node 20.19 or newer with npm is needed to build the user interface; "
            f"{f'{found} is' if found else 'none is'} on PATH. "
            'Install one, for example with "brew install node" or from nodejs.org, and try again.'
        )
    return found


def electron_binary() -> Path | None:
    """The desktop shell's program, if it was downloaded; the npm package alone has none."""
    package = NODE_MODULES / "electron"
    try:
        inside = (package / "path.txt").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    program = package / "dist" / inside
    return program if program.is_file() else None


def desktop_window() -> Path | None:
    """Electron's program and the built shell, or None where Electron can't be had.

    The download is tried once a day at most: without it the app opens in the browser.
    """
    if not NODE_MODULES.is_dir():
        return None
    package = NODE_MODULES / "electron"
    wanted = digest([CHECKOUT / "electron", *_node_locks()])
    stamp = read_stamp(package)
    if electron_binary() is None:
        if stamp.get("digest") == wanted and _recent(stamp.get("tried")):
            return None
        write_stamp(package, digest=wanted, tried=str(time.time()))
        try:
            with step("Fetching the desktop window"):
                run(["node", package / "install.js"], env={"ELECTRON_RUN_AS_NODE": ""})
        except SetupFailed:
            print("    Electron can't be downloaded here; the browser is used instead.")
            return None
    program = electron_binary()
    shell = CHECKOUT / "electron" / "dist"
    if program is not None and read_stamp(shell).get("digest") != wanted:
        with step("Building the desktop window"):
            run(["npm", "run", "build", "--workspace", "electron"])
        write_stamp(shell, digest=wanted)
    return program


def _recent(tried: str | None) -> bool:
    return tried is not None and time.time() - float(tried) < _TRY_AGAIN_AFTER


def has_display() -> bool:
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
