"""A thousand questions over five adapters: does the worker's memory stay where it is?"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from scripts.bench.asking import ask, make_models
from scripts.bench.machine import machine
from scripts.bench.runs import service

ADAPTERS, SETTLED, LIMIT = 5, 100, 1.05


def soak_inference(requests: int) -> int:
    """Ask the demo model and its adapters in turn; 1 when memory grows by more than 5 % after the
    first hundred questions. The adapters differ in rank, matrices, layers and kind.
    """
    resident: list[int] = []
    with tempfile.TemporaryDirectory(prefix="droid-soak-") as folder:
        root = Path(folder)
        make_models(root, layers=0, adapters=ADAPTERS)
        with service(root) as (_, client, _pid):
            for number in range(requests):
                turn = number % (ADAPTERS + 1)
                name = f"adapter-{turn}" if turn < ADAPTERS else None
                ask(client.url, model_name="droid-demo", adapter_name=name, max_tokens=8,
                    temperature=0.8, conversation=f"c{number % 20}")  # fmt: skip
                state = client.get("/models/worker")
                resident.append(state["resident_bytes"])
                if (number + 1) % SETTLED == 0:
                    print(
                        f"  {number + 1:>5} questions   resident {resident[-1] / 1e6:.1f} MB   "
                        f"MLX {state['active_bytes'] / 1e6:.1f} MB"
                    )
    settled = statistics.median(resident[SETTLED - 20 : SETTLED])
    ratio = max(resident[SETTLED:]) / settled
    good = ratio <= LIMIT
    print(
        f"\n  highest after the first {SETTLED} ÷ there: × {ratio:.4f} "
        f"({'ok' if good else 'MISSED'}: at most {LIMIT})\n  {machine()}"
    )
    return 0 if good else 1
