"""An executable for DROID_PYTHON that plays the scripted engine."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

ENGINE = Path(__file__).with_name("engine.py")


def fake_python(folder: Path, **part: Any) -> Path:
    """Write the wrapper into `folder`; `part` is the fake's default (mode, steps, pause)."""
    path = folder / "fake-python"
    path.write_text(
        "#!/bin/sh\n"
        f"FAKE_ENGINE={shlex.quote(json.dumps(part))}\n"
        "export FAKE_ENGINE\n"
        f'exec {shlex.quote(sys.executable)} {shlex.quote(str(ENGINE))} "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path
