"""`python -m backend.engines.inspect_data`: token counts of a data file, as the engine counts.

Reads `{"model", "path", "mask", "needs"}` on stdin, the rows being JSON lines as the engine gets
them for a method that needs such rows;
answers `{"lengths": […], "starts": […]}` on stdout, one number per row: its tokens, and where its
loss begins.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from mlx_lm.utils import load_tokenizer

from backend.engines.spans import tokens_and_spans


def main() -> int:
    """0 with the counts, or with `{"error": sentence}` when a row can't be turned into tokens."""
    asked = json.load(sys.stdin)
    try:
        needs = asked.get("needs", "sft")
        answer = count(Path(asked["model"]), Path(asked["path"]), asked["mask"], needs)
    except Exception as error:  # noqa: BLE001 - the top: templates fail in their own ways
        answer = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    sys.stdout.write(json.dumps(answer))
    return 0


def count(model: Path, path: Path, mask: bool, needs: str = "sft") -> dict[str, Any]:
    tokenizer = load_tokenizer(model)
    rows = [json.loads(line) for line in path.read_bytes().split(b"\n") if line.strip()]
    if needs != "sft":
        from backend.engines.method_tokens import count_method_rows  # A second engine to import.

        return count_method_rows(tokenizer, rows, needs)
    lengths, starts = [], []
    for row in rows:
        tokens, spans = tokens_and_spans(tokenizer, row, mask=mask)
        lengths.append(len(tokens))
        starts.append(spans[0][0] if spans else len(tokens))
    return {"lengths": lengths, "starts": starts}


if __name__ == "__main__":
    sys.exit(main())
