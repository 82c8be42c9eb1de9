"""Which engine packages are installed, without importing one of them."""

from __future__ import annotations

import json
import logging
import platform
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from backend.core.errand import run_errand
from backend.errors import AppError
from backend.settings import Settings

logger = logging.getLogger(__name__)

ENGINES = ("mlx", "mlx-lm", "mlx-lm-lora", "mlx-cuda-12", "mlx-cuda-13", "transformers", "lm-eval")

# The same question, asked of another Python; its answer is one line of JSON.
_QUESTION = """import json, platform, sys
from importlib.metadata import PackageNotFoundError, version
def known(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
print(json.dumps([platform.python_version(), {name: known(name) for name in sys.argv[1:]}]))
"""


def engine_versions(settings: Settings) -> tuple[str, dict[str, str | None]]:
    """The engines' Python version, and the version of each package; None where not installed."""
    if settings.python == Path(sys.executable):
        return platform.python_version(), {name: _installed(name) for name in ENGINES}
    try:
        return _ask(str(settings.python))
    except (AppError, ValueError) as problem:
        logger.warning("DROID_PYTHON (%s) did not say what it has: %s", settings.python, problem)
        return "", dict.fromkeys(ENGINES)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@lru_cache(maxsize=4)
def _ask(python: str) -> tuple[str, dict[str, str | None]]:
    """Only answers are kept: what raises is asked again."""
    done = run_errand([python, "-c", _QUESTION, *ENGINES])
    number, versions = json.loads(done.stdout)
    return number, {name: versions.get(name) for name in ENGINES}
