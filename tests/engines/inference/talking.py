"""Talk to a real inference worker over its pipes."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.settings import CHECKOUT
from tests.engines.running import environment

Frame = dict[str, Any]
SAMPLING = {"max_tokens": 12, "temperature": 0.0, "top_p": 1.0, "min_p": 0.0, "top_k": 0}


class Worker:
    def __init__(self, process: subprocess.Popen[bytes], model: Path) -> None:
        self.process = process
        self._model = model
        self._numbers = itertools.count(1)

    def send(self, op: str, **fields: Any) -> int:
        number = next(self._numbers)
        request = {"id": number, "op": op, "model": str(self._model), **SAMPLING, **fields}
        self.write(request)
        return number

    def write(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def cancel(self, number: int) -> None:
        self.write({"id": number, "op": "cancel"})

    def frame(self) -> Frame:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the worker ended with {self.process.wait()}"
        frame: Frame = json.loads(line)
        return frame

    def rest_of(self, number: int) -> list[Frame]:
        """The frames of a request up to its last one."""
        frames: list[Frame] = []
        while not frames or frames[-1]["type"] not in {"done", "error"}:
            frame = self.frame()
            assert frame["id"] == number, frame
            frames.append(frame)
        return frames

    def ask(self, op: str, **fields: Any) -> list[Frame]:
        return self.rest_of(self.send(op, **fields))

    def answer(self, prompt: str, **fields: Any) -> tuple[str, Frame]:
        """The text of a generation and its last frame."""
        frames = self.ask("generate", prompt=prompt, **fields)
        assert frames[-1]["type"] == "done", frames[-1]
        return "".join(f["text"] for f in frames if f["type"] == "token"), frames[-1]


@contextmanager
def worker(model: Path, log: Path) -> Iterator[Worker]:
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "backend.engines.inference"],
            cwd=CHECKOUT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=errors,
        )  # fmt: skip
        try:
            talk = Worker(process, model)
            assert talk.frame()["type"] == "ready"
            yield talk
        finally:
            process.kill()
            process.wait()
