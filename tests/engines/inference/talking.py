"""Talk to a real inference worker over its pipes."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from backend.contract.inference_frames import ModelInput
from backend.contract.sampling import Sampling
from backend.settings import CHECKOUT
from tests.engines.running import environment

Frame = dict[str, Any]
SAMPLING = {"max_tokens": 12, "temperature": 0.0, "top_p": 1.0, "min_p": 0.0, "top_k": 0}
QUESTION = {each.name for each in fields(ModelInput)}


class Worker:
    def __init__(self, process: subprocess.Popen[bytes], model: Path) -> None:
        self.process = process
        self._model = model
        self._numbers = itertools.count(1)

    def send(self, op: str, **values: Any) -> int:
        number = next(self._numbers)
        request = {"id": number, "op": op, "model": str(self._model), **nested(values)}
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
        for part in ("end", "stats"):  # So that a test names a number alone.
            frame |= frame.pop(part, {})
        return frame

    def rest_of(self, number: int) -> list[Frame]:
        """The frames of a request up to its last one."""
        frames: list[Frame] = []
        while not frames or frames[-1]["type"] not in {"done", "error"}:
            frame = self.frame()
            assert frame["id"] == number, frame
            frames.append(frame)
        return frames

    def ask(self, op: str, **values: Any) -> list[Frame]:
        return self.rest_of(self.send(op, **values))

    def answer(self, prompt: str, **values: Any) -> tuple[str, Frame]:
        """The text of a generation and its last frame."""
        frames = self.ask("generate", prompt=prompt, **values)
        assert frames[-1]["type"] == "done", frames[-1]
        return "".join(f["text"] for f in frames if f["type"] == "token"), frames[-1]


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """A request's fields, those of its question and of its sampling where they belong."""
    sampling = {each.name for each in fields(Sampling)}
    rest = {name: one for name, one in values.items() if name not in sampling | QUESTION}
    if "prompts" in rest:
        rest["prompts"] = [nested(one) for one in rest["prompts"]]
    return rest | {
        "question": {name: one for name, one in values.items() if name in QUESTION},
        "sampling": SAMPLING | {name: one for name, one in values.items() if name in sampling},
    }


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
