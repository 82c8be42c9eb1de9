"""A thousand questions over five adapters: does the worker's memory stay where it is?"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.bench.asking import ask, make_models
from scripts.bench.machine import machine
from scripts.bench.runs import service
from scripts.setup.stamps import CHECKOUT

PAGE = CHECKOUT / "docs" / "benchmarks-soak.md"
ADAPTERS, SETTLED, LIMIT = 5, 100, 1.05
_HEAD = """# The inference worker's memory over many questions

Written by `npm run soak:inference -- --write`. The demo model and five adapters of other ranks,
matrices, layers and kinds answer in turn, in twenty conversations. Wanted: at most 5 % above what
the first hundred questions end with.

"""


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes: what the process holds of the machine's memory, and what MLX does."""

    resident: int
    active: int


def soak_inference(requests: int, *, write: bool) -> int:
    """Ask, print and with `write` keep it; 1 when memory grows by more than 5 %."""
    sizes: list[Size] = []
    for size in _sizes(requests):
        sizes.append(size)
        if len(sizes) % SETTLED == 0:
            print(f"  {len(sizes):>5} questions   {_said(size)}")
    found, where = growth(sizes), machine()
    good = found <= LIMIT
    print(
        f"\n  highest after the first {SETTLED} ÷ there: × {found:.4f} "
        f"({'ok' if good else 'MISSED'}: at most {LIMIT})\n  {where}"
    )
    if write:
        PAGE.write_text(_HEAD + report(sizes[SETTLED - 1 :: SETTLED], found, where), "utf-8")
        print(f"  wrote {PAGE.relative_to(CHECKOUT)}")
    return 0 if good else 1


def growth(sizes: Sequence[Size]) -> float:
    """The highest resident size after the first hundred, as a multiple of what they ended with."""
    settled = statistics.median(size.resident for size in sizes[SETTLED - 20 : SETTLED])
    return max(size.resident for size in sizes[SETTLED:]) / settled


def report(sizes: Sequence[Size], found: float, where: str) -> str:
    """The page's table; `sizes` after each hundred."""
    rows = [
        f"| {(at + 1) * SETTLED} | {size.resident / 1e6:.1f} MB | {size.active / 1e6:.1f} MB |"
        for at, size in enumerate(sizes)
    ]
    table = ["| questions | resident | MLX |", "|---|---|---|", *rows]
    return (
        f"{where}\n\n" + "\n".join(table) + f"\n\nHighest after the first hundred: × {found:.4f}.\n"
    )


def _sizes(requests: int) -> Iterator[Size]:
    with tempfile.TemporaryDirectory(prefix="droid-soak-") as folder:
        root = Path(folder)
        make_models(root, layers=0, adapters=ADAPTERS)
        with service(root) as (_, client, _pid):
            for number in range(requests):
                turn = number % (ADAPTERS + 1)
                ask(
                    client.url,
                    model_name="droid-demo",
                    adapter_name=f"adapter-{turn}" if turn < ADAPTERS else None,
                    max_tokens=8,
                    temperature=0.8,
                    conversation=f"c{number % 20}",
                )
                state = client.get("/models/worker")
                yield Size(state["resident_bytes"], state["active_bytes"])


def _said(size: Size) -> str:
    return f"resident {size.resident / 1e6:.1f} MB   MLX {size.active / 1e6:.1f} MB"
