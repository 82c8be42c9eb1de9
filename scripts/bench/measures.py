"""Page, server and speed, each measure with its limit; those of a first run are beside it."""

from __future__ import annotations

import gzip
import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from scripts.bench.runs import Timed, bench_request, plain, service, through_the_app
from scripts.setup.stamps import CHECKOUT

_IMPORTS = 5
_IDLE = 3.0
_PROBE_EVERY = 0.02
_IMPORT = "import time; t = time.perf_counter(); import backend.app; print(time.perf_counter() - t)"
_SCRIPT = re.compile(r'<(?:script|link)[^>]+(?:src|href)="\.?/?([^"]+\.js)"')


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its limit: `at_least` for ratios, at most otherwise."""

    name: str
    value: float
    unit: str
    limit: float
    at_least: bool = False
    detail: str = ""

    @property
    def good(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def speed(pairs: int) -> Iterator[Measure]:
    """(a) and (b): the app and the plain command in turn, so that both meet the same machine."""
    app: list[Timed] = []
    bare: list[Timed] = []
    with tempfile.TemporaryDirectory(prefix="droid-bench-") as folder:
        root = Path(folder)
        with service(root / "data") as (settings, client, _):
            for number in range(pairs):
                request = bench_request(client, settings, f"bench-{number}")
                client.post("/training/preview", request)  # as the page does while one types
                timed, session = through_the_app(client, request)
                app.append(timed)
                work = root / f"plain-{number}"
                work.mkdir()
                bare.append(plain(settings, settings.sessions_dir / session / "config.yaml", work))
                print(f"    pair {number + 1}: app {_said(timed)}, plain {_said(bare[-1])}")
    ratios = [a.tokens_per_second / b.tokens_per_second for a, b in zip(app, bare, strict=True)]
    later = [a.first_metric - b.first_metric for a, b in zip(app, bare, strict=True)]
    yield Measure(
        "tokens per second, app ÷ plain mlx_lm",
        statistics.median(ratios),
        "×",
        0.98,
        at_least=True,
        detail=f"median of {pairs} pairs; {_median(app)} against {_median(bare)} tokens/s",
    )
    yield Measure(
        "first metric, app − plain mlx_lm",
        statistics.median(later),
        "s",
        1.0,
        detail=f"median of {pairs} pairs, previewed; {_first(app)} s against {_first(bare)} s",
    )


def _said(timed: Timed) -> str:
    return f"{timed.tokens_per_second:.0f} tok/s, first metric after {timed.first_metric:.2f} s"


def _median(times: list[Timed]) -> str:
    return f"{statistics.median(t.tokens_per_second for t in times):.0f}"


def _first(times: list[Timed]) -> str:
    return f"{statistics.median(t.first_metric for t in times):.2f}"


def server() -> Iterator[Measure]:
    """(c): import time, memory at rest, and how long /health takes while a run lives."""
    seconds = [_import_seconds() for _ in range(_IMPORTS)]
    yield Measure(
        "server import", statistics.median(seconds), "s", 1.5, detail=f"median of {_IMPORTS}"
    )
    with (
        tempfile.TemporaryDirectory(prefix="droid-bench-") as folder,
        service(Path(folder)) as (settings, client, pid),
    ):
        time.sleep(_IDLE)
        memory = psutil.Process(pid).memory_info().rss / 1e6
        yield Measure("server memory at rest", memory, "MB", 150, detail="resident")
        done = threading.Event()
        probes: list[float] = []
        prober = threading.Thread(target=_probe, args=(client.url, done, probes))
        prober.start()
        through_the_app(client, bench_request(client, settings, "bench-health"))
        done.set()
        prober.join()
    slow = sorted(probes)[int(len(probes) * 0.99)] * 1000
    yield Measure(
        "/health while a run lives, p99", slow, "ms", 50, detail=f"{len(probes)} requests"
    )


def _import_seconds() -> float:
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    answer = subprocess.run(
        [sys.executable, "-c", _IMPORT], env=env, capture_output=True, text=True, check=True
    )
    return float(answer.stdout)


def _probe(url: str, done: threading.Event, seconds: list[float]) -> None:
    address = urlsplit(url).netloc
    while not done.wait(_PROBE_EVERY):
        started = time.perf_counter()
        connection = http.client.HTTPConnection(address, timeout=10)
        connection.request("GET", "/health")
        connection.getresponse().read()
        connection.close()
        seconds.append(time.perf_counter() - started)


def page() -> Iterator[Measure]:
    """(d): the JavaScript that a first visit loads, compressed."""
    dist = CHECKOUT / "frontend" / "dist"
    scripts = sorted(set(_SCRIPT.findall((dist / "index.html").read_text(encoding="utf-8"))))
    total = sum(len(gzip.compress((dist / name).read_bytes(), 9)) for name in scripts)
    yield Measure(
        "page, first-load JavaScript", total / 1000, "kB gzip", 300, detail=f"{len(scripts)} files"
    )
