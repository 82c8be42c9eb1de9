"""The package in an environment of its own, on a PATH without Node: installed, started, used."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.setup.terminal import run, step
from scripts.wheel.build import Package

_SYSTEM = "/usr/bin:/bin:/usr/sbin:/sbin"
_STEPS = "20"


class ProofFailed(Exception):
    """A step of the proof did not do what it must; says which and what came instead."""


def prove(package: Package) -> None:
    """Raises ProofFailed. Prints what each step took, and what the environment weighs."""
    with TemporaryDirectory(prefix="droid-wheel-") as folder:
        home = Path(folder)
        installed = _Installed(home)
        with step("Installing it in an environment of its own"):
            _install(package, installed)
        megabytes = sum(f.lstat().st_size for f in installed.venv.rglob("*") if f.is_file()) / 1e6
        print(f"    the environment has {megabytes:.0f} MB")
        _no_node(installed)
        with step("Doctor"):
            report = installed.json("doctor")
            if not report["healthy"]:
                raise ProofFailed(f"doctor: {report}")
        try:
            _use(installed)
        finally:
            installed.call("stop", "service")


class _Installed:
    """The environment, and commands in it with no more of this machine than a login has."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.venv = home / "venv"
        self.data = home / "data" / "droid-finetuning"
        self.env: Mapping[str, str] = {
            "PATH": f"{self.venv / 'bin'}:{_without_node(home)}",
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "LANG": "C.UTF-8",
        }

    def call(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["droid-finetuning", *argv, "--port", "0"], cwd=self.home, env=dict(self.env),
            capture_output=True, text=True, check=False,
            executable=str(self.venv / "bin" / "droid-finetuning"),
        )  # fmt: skip

    def good(self, *argv: str) -> str:
        done = self.call(*argv)
        if done.returncode != 0:
            raise ProofFailed(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def json(self, *argv: str) -> dict[str, object]:
        """The last value that it prints."""
        answer: dict[str, object] = json.loads(self.good(*argv, "--json").splitlines()[-1])
        return answer


def _without_node(home: Path) -> str:
    """The system's own folders; where Node is in one of them, links to all of it but Node."""
    if shutil.which("node", path=_SYSTEM) is None:
        return _SYSTEM
    links = home / "bin"
    links.mkdir()
    for folder in _SYSTEM.split(":"):
        for program in Path(folder).glob("*"):
            link = links / program.name
            if program.name not in {"node", "nodejs", "npm", "npx"} and not link.exists():
                link.symlink_to(program)
    return str(links)


def _install(package: Package, installed: _Installed) -> None:
    extra = "" if sys.platform == "darwin" else "[cpu]"
    run([sys.executable, "-m", "venv", installed.venv])
    run([installed.venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
         f"{package.wheel}{extra}"])  # fmt: skip


def _no_node(installed: _Installed) -> None:
    if shutil.which("node", path=installed.env["PATH"]) is not None:
        raise ProofFailed("Node is on the PATH of the proof")


def _use(installed: _Installed) -> None:
    with step("Starting the service"):
        url = str(installed.json("status")["url"])
    if not (installed.data / "sessions" / "server.lock").is_file():
        raise ProofFailed(f"the service does not work in {installed.data}")
    with step("Opening the page"):
        _read_page(url)
    with step(f"Training the demo model, {_STEPS} steps"):
        end = installed.json(
            "train", "--demo", "--iterations", _STEPS, "--set", "steps_per_eval=10"
        )
        if end["state"] != "completed":
            raise ProofFailed(f"the run ended in {end}")
    with step("Asking its adapter"):
        answer = installed.good("ask", "Who are you?", "--max-tokens", "30")
        if not answer.strip():
            raise ProofFailed("the adapter answered nothing")
    with step("Exporting it"):
        installed.json("export", "demo_captain", "gguf_q8")
    with step("The service in the foreground, ended by Ctrl-C"):
        installed.good("stop", "service")
        _serve(installed)


def _read_page(url: str) -> None:
    """The page and its script come from the package."""
    page = urllib.request.urlopen(url, timeout=10).read().decode()  # noqa: S310
    script = page.partition('src="')[2].partition('"')[0].removeprefix(".")
    if not script.endswith(".js"):
        raise ProofFailed(f"{url} is not the page: {page[:200]}")
    urllib.request.urlopen(f"{url}/{script.lstrip('/')}", timeout=10).read()  # noqa: S310


def _serve(installed: _Installed) -> None:
    process = subprocess.Popen(
        [installed.venv / "bin" / "droid-finetuning", "--port", "0"], cwd=installed.home,
        env={**installed.env, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        said = process.stdout.readline() if process.stdout else ""
        if not said.startswith("Droid FineTuning is running at "):
            raise ProofFailed(f"the command said {said!r}")
        _read_page(said.split()[-1])
        process.send_signal(signal.SIGINT)
        if process.wait(30) != 0:
            raise ProofFailed(f"Ctrl-C ended it with {process.returncode}")
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
