"""A short program: what an adapter does to each matrix, JSON in on stdin, JSON out on stdout.

In: a request, out: an answer, both of `backend/contract/weights.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from backend.contract.record import read_record, write_record
from backend.contract.weights import WeightsAnswer, WeightsRequest
from backend.engines.weights.delta_norms import changes_of


def main() -> int:
    try:
        request = read_record(WeightsRequest, json.load(sys.stdin))
        matrices = changes_of(
            Path(request.file),
            scale=request.scale,
            base=Path(request.base) if request.base else None,
            names=request.names,
            scales=request.scales,
        )
        answer = WeightsAnswer(matrices=tuple(matrices))
    except (ValueError, OSError, RuntimeError, KeyError) as problem:
        answer = WeightsAnswer(problem=" ".join(str(problem).split()) or type(problem).__name__)
    json.dump(write_record(answer), sys.stdout, allow_nan=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
