"""A Chromium for the browser tests: one that is there, else apt's, else Playwright's own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.setup.terminal import SetupFailed, answer_of, run, step

_ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC_APPS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_PLAYWRIGHT = (
    "import('playwright-core').then(({ chromium }) => console.log(chromium.executablePath()))"
)


def find_browser() -> Path | None:
    """An installed one; `DROID_BROWSER` names another."""
    named = os.environ.get("DROID_BROWSER")
    found = [shutil.which(named)] if named else [shutil.which(name) for name in _ON_PATH]
    found += [app for app in _MAC_APPS if not named]
    if not named:
        found.append(answer_of(["node", "-e", _PLAYWRIGHT]))
    return next((Path(path) for path in found if path and os.access(path, os.X_OK)), None)


def require_browser() -> Path:
    """An installed browser, or a fresh one; SetupFailed says how to get one by hand."""
    found = find_browser()
    if found is not None:
        return found
    if sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get"):
        _attempt("Installing Chromium with apt", _apt)
    if find_browser() is None:
        _attempt("Downloading Chromium", _download)
    found = find_browser()
    if found is None:
        raise SetupFailed(
            "The browser tests need a Chromium: install Google Chrome or Chromium, or run "
            "npx playwright-core install chromium, or name one in DROID_BROWSER."
        )
    return found


def _attempt(title: str, work: Callable[[], None]) -> None:
    try:
        with step(title):
            work()
    except SetupFailed:
        return  # The next way is tried; what is missing in the end is said once.


def _apt() -> None:
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=env)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], env=env)


def _download() -> None:
    run(["npx", "--no-install", "playwright-core", "install", "chromium"])
