"""`npm run test:exports`: exports loaded by PEFT, transformers and llama.cpp, in their own venv.

The venv lies in `.cache/exports` and sees the packages of `.venv` as well; its lock names only what
comes on top. Slow, and no part of `npm test`. The table of results is `test-results/exports.md`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from scripts.setup.stamps import CHECKOUT
from scripts.setup.terminal import SetupFailed, answer_of, run, step, succeeds

_VENV = CHECKOUT / ".cache" / "exports"
_PYTHON = _VENV / "bin" / "python"
_LOCK = CHECKOUT / "locks" / "requirements-exports.lock"
_WORKS = "import gguf, mlx_lm, peft, torch, transformers, xllamacpp"
_SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"


def main() -> int:
    try:
        _prepare()
    except SetupFailed as problem:
        print(f"\nThe exports suite can't run. {problem}", file=sys.stderr)
        print(
            "On Linux it needs the CPU build of torch, where pip finds it (PIP_FIND_LINKS) and "
            "with its hash in the lock.",
            file=sys.stderr,
        )
        return 1
    (CHECKOUT / "test-results").mkdir(exist_ok=True)
    command = [str(_PYTHON), "-m", "pytest", "-m", "exports", "tests/exports", *sys.argv[1:]]
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode


def _prepare() -> None:
    if succeeds([_PYTHON, "-c", _WORKS]):
        return
    with step("Creating the environment of the exports suite"):
        run([sys.executable, "-m", "venv", "--clear", _VENV])
    with step("Installing torch, PEFT and llama.cpp"):
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        run([_PYTHON, "-m", "pip", "install", *options, "-r", _LOCK], env=dict(os.environ))
    own = answer_of([_PYTHON, "-c", _SITE])
    if own is None:
        raise SetupFailed(f"{_PYTHON} does not run.")
    (Path(own.strip()) / "dev.pth").write_text(sysconfig.get_path("purelib") + "\n")
    run([_PYTHON, "-c", _WORKS])


if __name__ == "__main__":
    sys.exit(main())
