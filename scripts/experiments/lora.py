"""`npm run experiment:lora`: the grid, cell by cell; what is finished is not run again.

Results are kept in `.cache/experiments/lora.json` under the data root; the report is written from
whatever is there, also after an interruption.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scripts.bench.machine import machine
from scripts.experiments.course import finish, options
from scripts.experiments.grid import Cell, cells
from scripts.experiments.report import report
from scripts.experiments.runs import Event, make_run, train
from scripts.setup.stamps import CHECKOUT

PAGE = CHECKOUT / "docs" / "lora-without-regret.md"
IMAGES = CHECKOUT / "docs" / "images"
_DATA = CHECKOUT / "test_data" / "demo" / "chat"


def main() -> int:
    results = finish("lora", list(cells()), options("lora"), run=_run, say=_said)
    text, images = report(results, machine())
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, image in images.items():
        (IMAGES / name).write_text(image, encoding="utf-8")
    PAGE.write_text(text, encoding="utf-8")
    print(f"  wrote {PAGE.relative_to(CHECKOUT)}")
    return 0


def _run(cell: Cell) -> dict[str, Any]:
    root = Path(tempfile.mkdtemp(prefix="droid-experiment-"))
    started = time.monotonic()
    try:
        events = train(make_run(root / "cell", _DATA, cell.keys, **cell.fields))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return {
        "method": cell.method,
        "rank": cell.rank,
        "rate": cell.rate,
        "seed": cell.seed,
        "loss": _last_loss(events),
        "trained": _first(events, "model").get("trainable_parameters"),
        "seconds": round(time.monotonic() - started, 1),
    }


def _last_loss(events: list[Event]) -> float | None:
    """The validation after the last step; None for a run that diverged."""
    if any(event.get("code") == "diverged" for event in events):
        return None
    losses = [event["val_loss"] for event in events if event["type"] == "validation"]
    return float(losses[-1]) if losses and losses[-1] is not None else None


def _first(events: list[Event], kind: str) -> Event:
    return next((event for event in events if event["type"] == kind), {})


def _said(result: dict[str, Any]) -> str:
    loss = result["loss"]
    return f"{'diverged' if loss is None else f'{loss:.3f}'}  in {result['seconds']:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
