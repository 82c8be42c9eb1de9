"""Show the running service: desktop window, else browser, else the address."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from scripts.setup.stamps import CHECKOUT


def open_window(url: str, token: str | None) -> subprocess.Popen[bytes] | None:
    """Open the best view there is; the desktop window's process where that is one.

    The token goes to the window or browser, and not into the terminal.
    """
    electron = os.environ.get("DROID_ELECTRON")
    if electron and Path(electron).is_file():
        try:
            return _desktop(Path(electron), url, token)
        except OSError as problem:
            print(f"  The desktop window can't be opened ({problem}); using the browser.")
    opener = _browser_opener()
    if opener is None:
        then = "" if token is None else ", with /?token= and the token of DROID_TOKEN behind it"
        print(f"  Open {url} in a browser{then}.")
        return None
    quiet = subprocess.DEVNULL
    subprocess.Popen(
        [opener, entrance(url, token)],
        stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True,
    )  # fmt: skip
    print(f"  Opened {url} in the browser.")
    return None


def entrance(url: str, token: str | None) -> str:
    """Where a page is opened: the server turns the token in the address into a cookie."""
    return url if token is None else f"{url}/?token={quote(token, safe='')}"


def _desktop(program: Path, url: str, token: str | None) -> subprocess.Popen[bytes]:
    env = {name: value for name, value in os.environ.items() if name != "ELECTRON_RUN_AS_NODE"}
    if token is not None:  # It may stand in `.env`, which only the service reads.
        env["DROID_TOKEN"] = token
    return subprocess.Popen(
        [str(program), str(CHECKOUT / "electron")],
        env={**env, "DROID_URL": url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _browser_opener() -> str | None:
    if sys.platform == "darwin":
        return shutil.which("open")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return shutil.which("xdg-open")
    return None
