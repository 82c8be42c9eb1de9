"""A short program: what an adapter does to each matrix, JSON in on stdin, JSON out on stdout.

In: `{"file", "scale", "base", "names"}`, as `backend/adapters/finder.py` knows an adapter.
Out: `{"matrices": [...]}`, or `{"problem": a sentence}`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from backend.engines.weights.delta_norms import changes_of


def main() -> int:
    asked = json.load(sys.stdin)
    base = Path(asked["base"]) if asked.get("base") else None
    try:
        matrices = [
            asdict(one)
            for one in changes_of(
                Path(asked["file"]), scale=float(asked["scale"]), base=base,
                names=asked.get("names"), scales=asked.get("scales") or {},
            )
        ]  # fmt: skip
        answer: dict[str, object] = {"matrices": matrices}
    except (ValueError, OSError, RuntimeError, KeyError) as problem:
        answer = {"problem": " ".join(str(problem).split()) or type(problem).__name__}
    json.dump(answer, sys.stdout, allow_nan=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
