"""Questions to the running service, timed as its clients feel them."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backend.core.machine.blas import engine_environment
from backend.settings import read_settings
from scripts.setup.stamps import CHECKOUT

DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"
PROMPT = "Tell me what the sea is like in the morning, and who lives in it."


@dataclass(frozen=True, slots=True)
class Heard:
    """Seconds from sending to the first token, and the last event's data."""

    first: float
    done: dict[str, Any]


def environment() -> dict[str, str]:
    """That of an engine, the same for both sides of a comparison."""
    return engine_environment(read_settings(os.environ))


def make_models(folder: Path, *, layers: int, adapters: int) -> int:
    """Write a model (the demo model without `layers`) and adapters; answers its parameters."""
    child = subprocess.run(
        [sys.executable, "-m", "scripts.bench.inference_models", str(folder), str(layers),
         str(adapters)],
        cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(child.stdout.splitlines()[-1])


def ask(url: str, **fields: Any) -> Heard:
    """Stream one answer. Raises RuntimeError with the refusal."""
    body = {"prompt": PROMPT, "temperature": 0, "stream": True, **fields}
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=600)
    started = time.perf_counter()
    connection.request(
        "POST", "/models/inference", json.dumps(body), {"Content-Type": "application/json"}
    )
    answer = connection.getresponse()
    first: float | None = None
    kind, data = "", "{}"
    while line := answer.readline().decode():
        if line.startswith("event: "):
            kind = line[7:].strip()
            if kind == "token" and first is None:
                first = time.perf_counter() - started
        elif line.startswith("data: "):
            data = line[6:]
    connection.close()
    if answer.status != 200 or kind != "done":
        raise RuntimeError(f"The question was refused: {answer.status} {data or line}")
    return Heard(first or time.perf_counter() - started, json.loads(data))
