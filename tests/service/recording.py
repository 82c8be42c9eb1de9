"""A scripted session over REST and WebSocket, and what each request answered, made comparable.

`python -m tests.service.recording` writes it to `tests/service/recorded/session.json`; the test
beside this file plays the script again and compares. Whatever differs from run to run (ids, times,
paths, measured numbers) is replaced by a word for its kind, so a difference is a changed answer.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.service.live import frames_until, has_ended, listening
from tests.service.server import CHECKOUT, DEMO, Server, running_server

RECORDED = Path(__file__).parent / "recorded" / "session.json"

_CHAT = CHECKOUT / "test_data" / "demo" / "chat"
_GRPO = CHECKOUT / "test_data" / "demo" / "grpo"
_RUN: dict[str, Any] = {
    "model_path": str(DEMO),
    "train_data_path": str(_CHAT / "train.jsonl"),
    "val_data_path": str(_CHAT / "valid.jsonl"),
    "adapter_name": "recorded",
    "iterations": 6,
    "batch_size": 4,
    "max_seq_length": 128,
    "steps_per_report": 2,
    "steps_per_eval": 3,
    "save_every": 3,
}
_ENHANCED: dict[str, Any] = {
    "training_method": "grpo",
    "model_path": str(DEMO),
    "train_data_path": str(_GRPO / "train.jsonl"),
    "val_data_path": str(_GRPO / "valid.jsonl"),
    "adapter_name": "recorded_grpo",
    "iterations": 2,
    "batch_size": 2,
    "group_size": 2,
    "max_completion_length": 4,
    "max_seq_length": 128,
    "steps_per_report": 1,
    "steps_per_eval": 2,
    "val_batches": 1,
    "reward_functions": "token_f1",
}
_ASK = {"model_name": "droid-demo", "prompt": "Who are you?", "max_tokens": 4, "temperature": 0}
_COMPARED = [
    {"model_name": "droid-demo", "adapter_name": None},
    {"model_name": "droid-demo", "adapter_name": "recorded"},
]
_Step = tuple[str, int, Any]  # What was asked, the status, and the body of the answer.

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[\d.]*(?:Z|[+-]\d{2}:\d{2})?")
_STAMP = re.compile(r"\d{8}_\d{6}_\d{2}")
_HASH = re.compile(r"\b[0-9a-f]{16,64}\b")
_MEASURED = re.compile(r"\d+\.\d+")
# Words of the machine and of the moment, not of the program.
_OF_THE_MACHINE = {
    "command", "versions", "version", "pid", "process_started", "python", "os", "chip", "blas",
    "config_yaml", "log_tail", "log_line", "log_lines", "logs", "log_file", "text", "response",
    "content", "samples", "completion", "answer", "series", "available", "verdict", "size_bytes",
}  # fmt: skip


def play(server: Server, data: Path) -> dict[str, Any]:
    """Every request of the script and its answer, in order; a number keeps their order."""
    answers: dict[str, Any] = {}
    for number, (label, status, body) in enumerate(_steps(server)):
        key = f"{number:02d} {_comparable(label, data)}"
        answers[key] = {"status": status, "body": _comparable(body, data)}
    answers["files"] = sorted({_comparable(name, data) for name in _files(data)})
    answers["contents"] = _contents(data)
    return answers


def write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder).resolve() / "data"
        with running_server(data) as server:
            answers = play(server, data)
    RECORDED.parent.mkdir(exist_ok=True)
    text = json.dumps(answers, indent=1, ensure_ascii=False, sort_keys=True)
    RECORDED.write_text(text + "\n", encoding="utf-8")


def _steps(server: Server) -> Iterator[_Step]:
    yield from _asked(server, "GET", "/health", "/system", "/models", "/models/droid-demo/lora")
    yield from _asked(server, "GET", "/training/status", "/sessions", "/adapters", "/v1/models")
    yield from _asked(server, "GET", "/api/training/methods", "/api/training/reward-functions")
    yield from _data(server)
    yield _ask(server, "POST", "/training/preview", _RUN)
    yield _ask(server, "POST", "/training/start", _RUN | {"lora_rnk": 8})
    yield _ask(server, "POST", "/training/start", _RUN | {"model_path": "nowhere"})
    yield _ask(server, "POST", "/training/pause")
    session = yield from _run(server, "/training/start", _RUN)
    yield from _session(server, session)
    yield _ask(server, "POST", "/training/start", _RUN)
    yield from _inference(server)
    yield from _evaluation(server)
    yield _ask(server, "POST", "/api/training/estimate-resources", _resources())
    session = yield from _run(server, "/api/training/start-enhanced", _ENHANCED)
    yield from _session(server, session)
    yield from _asked(server, "GET", "/models/available", "/adapters", "/sessions")
    yield _ask(server, "DELETE", f"/sessions/{session}?files=true")
    yield from _asked(server, "GET", "/sessions/none", "/training/queue", "/models/downloads")


def _data(server: Server) -> Iterator[_Step]:
    path = str(_CHAT / "valid.jsonl")
    yield _ask(server, "POST", "/api/datasets/inspect", {"path": path, "model": str(DEMO)})
    row = {"path": path, "model": str(DEMO), "row": 0}
    yield _ask(server, "POST", "/api/datasets/preview", row)
    target = str(server.data_dir / "datasets" / "converted.jsonl")
    convert = {"path": path, "output_path": target, "to": "completions"}
    yield _ask(server, "POST", "/api/datasets/convert", convert)
    validate = {"method": "grpo", "data_path": str(_GRPO / "valid.jsonl")}
    yield _ask(server, "POST", "/api/training/validate-data", validate)
    tried = {"reward_functions": "token_f1", "data_path": str(_GRPO / "valid.jsonl"), "samples": 2}
    yield _ask(server, "POST", "/api/training/reward-functions/try", tried)


def _session(server: Server, session: str) -> Iterator[_Step]:
    yield from _asked(server, "GET", "/training/status", f"/sessions/{session}")
    yield from _asked(server, "GET", f"/sessions/{session}/metrics?max_points=10")
    yield _ask(server, "PATCH", f"/sessions/{session}", {"notes": "kept", "tags": ["a"]})
    yield _ask(server, "POST", f"/sessions/{session}/load")


def _inference(server: Server) -> Iterator[_Step]:
    yield _ask(server, "POST", "/models/inference", _ASK | {"adapter_name": "recorded"})
    yield _ask(server, "POST", "/models/inference", _ASK | {"adapter_name": "nobody"})
    question = {name: value for name, value in _ASK.items() if name != "model_name"}
    compared = question | {"targets": _COMPARED, "stream": False}
    yield _ask(server, "POST", "/models/compare", compared)
    yield _ask(server, "POST", "/model/test", {"prompt": "Who are you?", "max_tokens": 4})
    message = {"role": "user", "content": "Who are you?"}
    chat = {"model": "droid-demo+recorded", "messages": [message], "max_tokens": 4}
    yield _ask(server, "POST", "/v1/chat/completions", chat)
    yield from _asked(server, "GET", "/models/worker")
    yield _ask(server, "POST", "/models/unload")


def _evaluation(server: Server) -> Iterator[_Step]:
    body = {"adapter_name": "recorded", "num_questions": 2, "max_tokens": 4}
    with listening(server) as socket:
        yield _ask(server, "POST", "/api/evaluation/compare", body)
        ends = {"job_completed", "job_error"}
        frames = frames_until(socket, lambda frame: frame["type"] in ends)
    yield "frames of an evaluation", 200, _shapes(frames)
    yield from _asked(server, "GET", "/api/evaluation/status", "/api/evaluation/result")


def _resources() -> dict[str, Any]:
    return {"method": "grpo", "model_path": str(DEMO), "dataset_size": 100}


def _run(server: Server, route: str, body: dict[str, Any]) -> Generator[_Step, None, str]:
    """Start a run and hear it to its end; returns its session."""
    with listening(server) as socket:
        started = _ask(server, "POST", route, body)
        yield started
        frames_until(socket, lambda frame: frame["type"] == "training_started")
        frames = frames_until(socket, has_ended)
    yield f"frames of {route}", 200, _shapes(frames)
    return str(started[2]["session_id"])


def _shapes(frames: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The kinds of frame in the order of their first coming, with the names in their data."""
    shapes: dict[str, set[str]] = {}
    for frame in frames:
        shapes.setdefault(frame["type"], set()).update(frame["data"])
    return {kind: sorted(names) for kind, names in shapes.items() if kind != "ping"}


def _asked(server: Server, method: str, *paths: str) -> Iterator[_Step]:
    for path in paths:
        yield _ask(server, method, path)


def _ask(server: Server, method: str, path: str, body: Any = None) -> _Step:
    answer = server.client.request(method, path, json=body)
    return f"{method} {path}", answer.status_code, answer.json()


def _files(data: Path) -> Iterator[str]:
    for path in data.rglob("*"):
        name = path.relative_to(data)
        if path.is_file() and name.parts[0] not in {"logs", ".cache"}:
            yield name.as_posix()


def _contents(data: Path) -> dict[str, Any]:
    """What a run left in its files: configuration, adapter, lineage, and its kinds of event."""
    adapter = data / "adapters" / "recorded"
    config = next(
        path for path in data.glob("sessions/*/config.yaml") if "grpo" not in path.read_text()
    )
    events = [json.loads(line) for line in (config.parent / "events.jsonl").open()]
    shapes: dict[str, set[str]] = {}
    for event in events:
        shapes.setdefault(event["type"], set()).update(event)
    return {
        "config.yaml": _comparable(yaml.safe_load(config.read_text()), data),
        "config.yaml order": list(yaml.safe_load(config.read_text())),
        "events": {kind: sorted(names) for kind, names in shapes.items()},
        "adapter_config.json": _comparable(_json(adapter / "adapter_config.json"), data),
        "droid.json": _comparable(_json(adapter / "droid.json"), data),
    }


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _comparable(value: Any, data: Path) -> Any:
    if isinstance(value, dict):
        return {
            _comparable(name, data): _kind(one)
            if name in _OF_THE_MACHINE
            else _comparable(one, data)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_comparable(one, data) for one in value]
    if isinstance(value, float):
        return value if value == round(value, 6) and abs(value) <= 1 else "<number>"
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 10_000_000 else "<number>"
    if not isinstance(value, str):
        return value
    text = value.replace(str(data), "<data>").replace(str(CHECKOUT), "<checkout>")
    text = text.replace(str(Path.home()), "<home>")
    for pattern, word in (
        (_UUID, "<id>"),
        (_TIME, "<time>"),
        (_STAMP, "<stamp>"),
        (_HASH, "<hash>"),
        (_MEASURED, "<number>"),
    ):
        text = pattern.sub(word, text)
    return text


def _kind(value: Any) -> str:
    return f"<{type(value).__name__}>"


if __name__ == "__main__":
    write()
    sys.stdout.write(f"{RECORDED}\n")
