"""Write the API's schema to `frontend/src/api/openapi.json`, and the browser's client from it.

All of it is committed. `--check` writes nothing and fails when a committed file is not what the
code says.
"""

from __future__ import annotations

import argparse
import difflib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import islice

from backend.app import create_app
from backend.settings import CHECKOUT, read_settings

GENERATOR = CHECKOUT / "frontend" / "scripts" / "generate.mjs"
TARGET = CHECKOUT / "frontend" / "src" / "api" / "openapi.json"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare; fail on a difference")
    flags = parser.parse_args(argv)
    if not write_schema(check=flags.check):
        return 1
    return subprocess.run(["node", GENERATOR, *(["--check"] if flags.check else [])]).returncode


def write_schema(*, check: bool) -> bool:
    """Bring the file up to date, or only compare; False on a difference."""
    wanted = schema_text()
    committed = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if wanted == committed:
        return True
    if check:
        sys.stderr.write(
            f"{TARGET.relative_to(CHECKOUT)} is not what the code says. Run npm run openapi and "
            "commit the result. The first differences:\n"
        )
        changed = difflib.unified_diff(
            committed.splitlines(), wanted.splitlines(), "committed", "code", lineterm="", n=1
        )
        sys.stderr.writelines(line + "\n" for line in islice(changed, 40))
        return False
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(wanted, encoding="utf-8")
    sys.stdout.write(f"Wrote {TARGET.relative_to(CHECKOUT)}.\n")
    return True


def schema_text() -> str:
    """The schema as text: the same on every machine, since no setting reaches it."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(read_settings({}, data_dir=folder))
        return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
