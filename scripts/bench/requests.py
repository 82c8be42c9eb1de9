"""How long a request takes: over one kept connection, over new ones, and as the page asks."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from scripts.bench.measures import Measure
from scripts.bench.runs import service
from scripts.check.browser import require_browser
from scripts.setup.stamps import CHECKOUT

_REQUESTS = 200
_BROWSER = CHECKOUT / "scripts" / "bench" / "page_requests.mjs"


def requests() -> Iterator[Measure]:
    """(e): what a browser and a script wait for while nothing else is going on."""
    with (
        tempfile.TemporaryDirectory(prefix="droid-bench-") as folder,
        service(Path(folder)) as (_, client, _),
    ):
        address = urlsplit(client.url).netloc
        for path, limit in (("/health", 5.0), ("/models", 20.0)):
            yield _measure(f"{path}, kept connection, p50", kept_connection(address, path), limit)
        yield _measure("/health, new connections, p50", new_connections(address, "/health"), 5.0)
        yield _measure("page's own requests in Chromium, p50", _in_the_browser(client.url), 50.0)


def _measure(name: str, seconds: list[float], limit: float) -> Measure:
    middle = statistics.median(seconds) * 1000
    slow = sorted(seconds)[int(len(seconds) * 0.95)] * 1000
    detail = f"{len(seconds)} requests, p95 {slow:.1f} ms"
    return Measure(name, middle, "ms", limit, detail=detail)


def kept_connection(address: str, path: str, *, count: int = _REQUESTS) -> list[float]:
    """Seconds of each request; the first, which opens the connection, is not among them."""
    connection = http.client.HTTPConnection(address, timeout=10)
    seconds = [_timed(connection, path) for _ in range(count + 1)]
    connection.close()
    return seconds[1:]


def new_connections(address: str, path: str, *, count: int = _REQUESTS) -> list[float]:
    """Seconds of each request with the opening of its own connection."""
    seconds = []
    for _ in range(count):
        connection = http.client.HTTPConnection(address, timeout=10)
        seconds.append(_timed(connection, path))
        connection.close()
    return seconds


def _timed(connection: http.client.HTTPConnection, path: str) -> float:
    started = time.perf_counter()
    connection.request("GET", path)
    connection.getresponse().read()
    return time.perf_counter() - started


def _in_the_browser(url: str) -> list[float]:
    """Seconds of every request that the pages make by themselves, as Chromium timed them."""
    done = subprocess.run(
        ["node", str(_BROWSER), url, str(require_browser())],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"The browser's requests were not measured:\n{done.stderr[-2000:]}")
    return [float(value) / 1000 for value in json.loads(done.stdout)]
