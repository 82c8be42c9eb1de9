"""What goes into the desktop package beside the shell, and what this machine lacks for it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.setup.stamps import CHECKOUT

ELECTRON = CHECKOUT / "electron"
PACKAGING = ELECTRON / "packaging"
RELEASE = ELECTRON / "release"
SERVICE = ELECTRON / "build" / "service"
_PROGRAM = CHECKOUT / "node_modules" / "electron" / "dist"
_NOTARY = ("APPLE_API_KEY", "APPLE_API_KEY_ID", "APPLE_API_ISSUER")


def fill_service(wheel: Path, *, folder: Path = SERVICE) -> None:
    """Put the wheel, the lock and uv where the packager takes them: all that the first start needs
    to make its environment.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy2(wheel, folder)
    shutil.copy2(CHECKOUT / "locks" / "requirements.lock", folder)
    shutil.copy2(Path(sys.prefix) / "bin" / "uv", folder / "uv")


def has_electron() -> bool:
    """Whether Electron's program is installed, and not only its types."""
    return _PROGRAM.is_dir()


def notes(environ: Mapping[str, str], *, unpacked: bool, stub: bool) -> Iterator[str]:
    """What the package will lack, and what it takes to have it."""
    if stub:
        yield (
            "Electron's program is not installed (npx install-electron), so this is packed around "
            "a stand-in: contents, fuses and integrity are real, the program can't run."
        )
    if unpacked:
        return
    if sys.platform == "linux":
        yield "The AppImage and the deb need tools that the packager fetches from GitHub."
        if not environ.get("DROID_HOMEPAGE"):
            yield "No deb is made: it has to name a home page, which DROID_HOMEPAGE gives."
    if sys.platform == "darwin":
        if not environ.get("CSC_LINK") and not environ.get("CSC_NAME"):
            yield "It is not signed: CSC_LINK or CSC_NAME names the certificate."
        missing = [name for name in _NOTARY if not environ.get(name)]
        if missing:
            yield f"It is not notarised: {', '.join(missing)} must be set."
