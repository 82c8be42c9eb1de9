"""`npm run experiment:rl`: does each method learn? Resumable; a part of it makes a page too.

Results are kept in `.cache/experiments/rl.json` under the data root.
"""

from __future__ import annotations

import sys
from typing import Any

from scripts.bench.machine import machine
from scripts.experiments.course import finish, options
from scripts.experiments.rl_grid import cells
from scripts.experiments.rl_report import report
from scripts.experiments.rl_runs import run_cell
from scripts.setup.stamps import CHECKOUT

PAGE = CHECKOUT / "docs" / "rl-learning.md"
IMAGES = CHECKOUT / "docs" / "images"


def main() -> int:
    results = finish("rl", list(cells()), options("rl"), run=run_cell, say=_said)
    text, images = report(results, machine())
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, image in images.items():
        (IMAGES / name).write_text(image, encoding="utf-8")
    PAGE.write_text(text, encoding="utf-8")
    print(f"  wrote {PAGE.relative_to(CHECKOUT)}")
    return 0


def _said(result: dict[str, Any]) -> str:
    metric = "val_reward" if "val_reward" in result["curve"][0] else "val_accuracy"
    values = " → ".join(f"{point[metric]:.3f}" for point in result["curve"])
    return f"{values}  in {result['seconds']:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
