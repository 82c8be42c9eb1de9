"""A scripted engine: plays every way in which a run can go, in place of the real one.

Called as `<python> -m backend.engines.<name> <run folder>` through a wrapper (`fakes.python`). It
takes its part from fake.json in the run folder, or from FAKE_ENGINE (JSON) in the environment. It
imports nothing of the project, and little else: a test waits for every import.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SAFETENSORS = b"\x02\x00\x00\x00\x00\x00\x00\x00{}"


class Part:
    """One run of the fake: its folder, its settings, and what it was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fake: dict[str, Any] = {
            "mode": "normal",
            "steps": 20,
            "pause": 0.005,
            **json.loads(os.environ.get("FAKE_ENGINE", "{}")),
            **_own_part(folder),
        }
        self.adapter = Path(self.fake.get("adapter_path") or _configured_adapter(folder))
        self.seq = 0
        self.stop: str | None = None
        self.paused = False

    def emit(self, kind: str, **fields: Any) -> None:
        self.seq += 1
        at = datetime.now(UTC).isoformat()
        line = json.dumps({"seq": self.seq, "at": at, "type": kind, **fields})
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def listen(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stop", self.stop or "save"))
        signal.signal(signal.SIGINT, lambda *_: setattr(self, "stop", "discard"))
        signal.signal(signal.SIGUSR1, lambda *_: setattr(self, "paused", True))
        signal.signal(signal.SIGUSR2, lambda *_: setattr(self, "paused", False))

    def begin(self) -> None:
        self.emit("phase", name="loading model")
        self.emit("model", trainable_parameters=1000, total_parameters=10000, matched_modules=7)
        self.emit("phase", name="training")
        self.emit("validation", step=0, val_loss=4.0, val_time=0.1)

    def report(self, step: int, loss: float | None = None) -> None:
        self.emit(
            "metrics",
            step=step,
            train_loss=4.0 / (1 + step) if loss is None else loss,
            learning_rate=1e-4,
            iterations_per_second=10.0,
            tokens_per_second=1000.0,
            trained_tokens=100 * step,
            peak_memory_gb=0.5,
        )

    def save(self, step: int) -> None:
        self.adapter.mkdir(parents=True, exist_ok=True)
        path = self.adapter / "adapters.safetensors"
        path.write_bytes(SAFETENSORS)
        lineage = {"session_id": self.folder.name}
        (self.adapter / "droid.json").write_text(json.dumps(lineage), encoding="utf-8")
        self.emit("checkpoint", step=step, path=str(path))

    def leave(
        self, state: str, message: str, code: int = 0, hint: str | None = None, saved: bool = False
    ) -> int:
        self.emit("phase", name="done")
        self.emit("exit", state=state, code=code, message=message, hint=hint, saved=saved)
        return code

    def train(self, steps: int) -> int:
        for step in range(1, steps + 1):
            if self.paused and self.stop is None:
                self.emit("phase", name="paused")
                while self.paused and self.stop is None:
                    time.sleep(0.01)
                if self.stop is None:
                    self.emit("phase", name="training")
            if self.stop == "discard":
                return self.leave("stopped", f"Stopped after step {step - 1}; nothing was saved.")
            if self.stop == "save":
                self.emit("phase", name="saving")
                self.save(step - 1)
                return self.leave(
                    "stopped", f"Stopped after step {step - 1} and saved.", saved=True
                )
            self.report(step)
            sys.stdout.write(f"Iter {step}: Train loss {4.0 / (1 + step):.3f}\n")
            sys.stdout.flush()
            if step % 5 == 0:
                self.emit("validation", step=step, val_loss=3.0 / step, val_time=0.1)
                best = self.adapter / "best_adapters.safetensors"
                if self.fake.get("save_best"):
                    best.write_bytes(SAFETENSORS)
                self.emit("best", step=step, val_loss=3.0 / step, path=str(best))
            time.sleep(self.fake["pause"])
        self.save(steps)
        return self.leave("completed", f"Training is done after {steps} steps.")


def normal(part: Part) -> int:
    part.begin()
    return part.train(part.fake["steps"])


def endless(part: Part) -> int:
    part.begin()
    return part.train(10**9)


def fast(part: Part) -> int:
    part.begin()
    for step in range(1, part.fake["steps"] + 1):
        part.report(step)
    return part.leave("completed", "Done.")


def silent(part: Part) -> int:
    part.begin()
    while part.stop is None:
        time.sleep(0.01)
    return part.leave("stopped", "Stopped.")


def flood(part: Part) -> int:
    part.begin()
    block = "".join(f"line {number} of the flood {'x' * 80}\n" for number in range(10_000))
    for _ in range(part.fake.get("blocks", 10)):
        sys.stdout.write(block)
    sys.stdout.flush()
    return part.leave("completed", "Done.")


def ignore_term(part: Part) -> int:
    part.begin()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    part.emit("phase", name="evaluating")
    while True:
        time.sleep(1)


def grandchildren(part: Part) -> int:
    import subprocess

    sleeper = [sys.executable, "-c", "import time; time.sleep(300)"]
    near = subprocess.Popen(sleeper)
    far = subprocess.Popen(sleeper, start_new_session=True)
    pids = json.dumps([os.getpid(), near.pid, far.pid])
    (part.folder / "pids.json").write_text(pids, encoding="utf-8")
    return ignore_term(part)


def leaves_a_child(part: Part) -> int:
    import subprocess

    sleeper = [sys.executable, "-c", "import time; time.sleep(300)"]
    child = subprocess.Popen(sleeper, start_new_session=True)
    (part.folder / "pids.json").write_text(json.dumps([child.pid]), encoding="utf-8")
    part.begin()
    return part.leave("completed", "Done.")


def nan(part: Part) -> int:
    part.begin()
    part.report(1, 1.5)
    part.report(2, float("nan"))
    part.report(3, float("nan"))
    part.emit("validation", step=3, val_loss=float("inf"), val_time=0.1)
    return part.leave("completed", "Done.")


def odd_bytes(part: Part) -> int:
    part.begin()
    raw = sys.stdout.buffer
    raw.write(b"bad \xff\xfe utf-8\n")
    raw.write(b"\x1b[1mbold\x1b[0m and \x00nul\x07\n")
    raw.write(b"10%\r50%\r100%\r\n")
    raw.write(b"L" * 1_000_000 + b"\n")
    raw.write(b"no newline at the end")
    raw.flush()
    with (part.folder / "events.jsonl").open("ab") as file:
        file.write(b'{"type": "sample", \xff\xfe\n[1, 2]\nnot json\n{"type": "unheard of"}\n')
    return part.leave("completed", "Done.")


def crash(part: Part) -> int:
    part.begin()
    raise ValueError("Model type foo not supported.")


def killed(part: Part) -> int:
    part.begin()
    part.report(1)
    with (part.folder / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"seq": 99, "type": "metr')
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def out_of_memory(part: Part) -> int:
    part.begin()
    sys.stderr.write(
        "libc++abi: terminating due to uncaught exception: [METAL] Command buffer execution "
        "failed: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)\n"
    )
    sys.stderr.flush()
    signal.signal(signal.SIGABRT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGABRT)
    return 0


def no_exit_event(part: Part) -> int:
    part.begin()
    part.report(1)
    return 0


PARTS: dict[str, Callable[[Part], int]] = {
    "normal": normal,
    "endless": endless,
    "fast": fast,
    "silent": silent,
    "flood": flood,
    "ignore-term": ignore_term,
    "grandchildren": grandchildren,
    "leaves-a-child": leaves_a_child,
    "nan": nan,
    "odd-bytes": odd_bytes,
    "crash": crash,
    "killed": killed,
    "out-of-memory": out_of_memory,
    "no-exit-event": no_exit_event,
}


def _own_part(folder: Path) -> dict[str, Any]:
    try:
        part: dict[str, Any] = json.loads((folder / "fake.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return part


def _configured_adapter(folder: Path) -> str:
    import yaml

    text = (folder / "config.yaml").read_text(encoding="utf-8")
    return str(yaml.safe_load(text)["adapter_path"])


def main(argv: list[str]) -> int:
    if argv[:1] != ["-m"] or not argv[1].startswith("backend.engines."):
        os.execv(sys.executable, [sys.executable, *argv])  # noqa: S606 - any other errand
    if argv[1] == "backend.engines.modules":
        os.execv(sys.executable, [sys.executable, *argv])  # noqa: S606
    if argv[1] == "backend.engines.inference":
        here = str(Path(__file__).with_name("worker.py"))
        os.execv(sys.executable, [sys.executable, here])  # noqa: S606
    part = Part(Path(argv[2]))
    part.listen()
    return PARTS[part.fake["mode"]](part)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
