"""A data root with one whole file of every kind, and the ways in which each can be damaged."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.contract.download import HubRequest
from backend.downloads.folder import DownloadFolder

AT = "2026-11-30T12:00:00+00:00"
SESSION = "00000000-0000-4000-8000-{:012d}"
Leaf = str  # The JSON text that takes the place of each value.


@dataclass(frozen=True, slots=True)
class Kind:
    """What one file holds: JSON, or lines of it, or a text."""

    value: Any
    lines: bool = False

    @property
    def text(self) -> str:
        if isinstance(self.value, str):
            return self.value
        values = self.value if self.lines else [self.value]
        return "\n".join(json.dumps(value) for value in values) + "\n"

    def with_leaves(self, leaf: Leaf) -> str:
        """Every value replaced, names and nesting kept; a text is the leaf alone."""
        if isinstance(self.value, str):
            return leaf
        values = self.value if self.lines else [self.value]
        return "\n".join(json.dumps(_hollow(value)).replace('"@"', leaf) for value in values)


def _hollow(value: Any) -> Any:
    match value:
        case dict() if value:
            return {name: _hollow(item) for name, item in value.items()}
        case list() if value:
            return [_hollow(item) for item in value]
        case _:
            return "@"


RECORD = {
    "schema_version": 1, "session_id": "x", "timestamp": AT, "training_state": "running",
    "state": "running", "method": "sft", "adapter_path": "/nowhere/adapters/a/adapters.safetensors",
    "config": {"model_path": "/nowhere/model", "adapter_name": "a", "seed": 1},
    "metrics": {"current_step": 3, "total_steps": 9, "train_loss": 1.5, "elapsed_seconds": 9},
    "best_model": {"step": 2, "val_loss": 1.25, "path": "/nowhere", "metric": "val_loss"},
    "created_at": AT, "started_at": AT, "ended_at": AT, "pid": 2**22 + 1, "process_started": 1.5,
    "notes": "", "tags": ["a"], "exit": {"state": "completed", "message": "Done.", "hint": None},
}  # fmt: skip
RUN_EVENTS = [
    {"seq": 1, "at": AT, "type": "phase", "name": "training"},
    {"seq": 2, "at": AT, "type": "metrics", "step": 1, "train_loss": 2.5, "learning_rate": 1e-4},
    {"seq": 3, "at": AT, "type": "validation", "step": 1, "val_loss": 2.25, "val_time": 1.5},
    {
        "seq": 4,
        "at": AT,
        "type": "exit",
        "state": "completed",
        "code": 0,
        "message": "",
        "hint": None,
    },
]
RUN: dict[str, Kind] = {
    "events.jsonl": Kind(RUN_EVENTS, lines=True),
    "train.log": Kind("Iter 1: Train loss 2.5\n"),
    "config.yaml": Kind({"model": "m", "adapter_path": "/nowhere/adapters/a", "iters": 9}),
    "warnings.json": Kind([{"code": "c", "message": "m", "hint": None}]),
    "data/summary.json": Kind({"train": {"path": "/x", "sha256": "0", "rows": 3}}),
    "state/0000002.json": Kind(
        {
            "checkpoint": 2, "step": 2, "saved_at": AT, "train_loss": 1.5, "best": [2, 1.25],
            "weights": "w.safetensors", "optimizer": "o.safetensors",
        }
    ),
}  # fmt: skip
EVALUATION: dict[str, Kind] = {
    "request.json": Kind(
        {
            "adapter_name": "a", "model": "/nowhere/m", "num_questions": 4, "started": AT,
            "targets": [{"label": "a", "adapter": {"path": "x"}, "adapter_name": "a"}],
            "training_data_path": "/nowhere/rows.jsonl", "rows_available": 4, "seen_rows": 0,
            "adapter_config": {"rank": 8}, "sampling": {"seed": 1}, "warnings": [], "helper": False,
        }
    ),
    "rows.jsonl": Kind([{"line": 1, "seen": False, "row": {"text": "a"}}], lines=True),
    "events.jsonl": Kind(
        [
            {"type": "phase", "name": "asking"},
            {"type": "progress", "done": 2, "total": 4},
            {"type": "exit", "state": "error", "message": "No.", "hint": "Try again."},
        ],
        lines=True,
    ),
    "result.json": Kind({"seconds": 1.5, "batched": True, "scores": {"overall": 1.5}}),
    "report.md": Kind("# Report\n"),
}  # fmt: skip
ADAPTER: dict[str, Kind] = {
    "adapter_config.json": Kind(
        {
            "model": "/nowhere/m", "fine_tune_type": "lora", "num_layers": 4, "data": "/nowhere",
            "lora_parameters": {"rank": 8, "scale": 16.0, "dropout": 0.0, "keys": ["q_proj"]},
        }
    ),
    "droid.json": Kind({"session_id": "s", "method": "sft", "base_model": {"path": "/m"}}),
    "tags.json": Kind({"tags": ["good"]}),
    "adapters.safetensors": Kind("no weights"),
}  # fmt: skip
MODEL: dict[str, Kind] = {
    "config.json": Kind({"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 2}),
    "model.safetensors": Kind("no weights"),
    "model.safetensors.index.json": Kind({"weight_map": {"a": "model.safetensors"}}),
    "tokenizer_config.json": Kind({"chat_template": "{{ x }}", "model_max_length": 8}),
    "tokenizer.json": Kind({}),
    "droid_defaults.json": Kind({"iterations": 9, "train_data_path": "x", "learning_rate": 1e-4}),
    "droid_source.json": Kind({"repo_id": "a/b", "revision": "main", "commit": "c"}),
}
DOWNLOAD: dict[str, Kind] = {
    "request.json": Kind({"repo_id": "", "revision": "main", "endpoint": "", "timeout": 1}),
    "plan.json": Kind(
        {
            "commit": "c",
            "total": 9,
            "files": [{"name": "a.json", "size": 9, "digest": "", "large": False}],
        }
    ),
    "end.json": Kind({"ok": False, "kind": "failed", "error": "No.", "hint": None, "retry": True}),
    "beat": Kind(""),
    "files/a.json.part": Kind("{"),
}
COMPARISON = {
    "id": "x", "at": AT, "prompt": "p", "system": None, "sampling": {"seed": 1},
    "answers": [{"model_name": "m", "text": "t", "stats": {"tokens": 3}, "rating": 3}],
}  # fmt: skip
VOTE = {"model_name": "m", "adapter_name": "a", "winner": "tie", "base_first": True, "at": AT}
QUEUED = {
    "session_id": SESSION.format(99), "adapter_name": "q", "model_name": "m", "method": "sft",
    "total_steps": 9, "queued_at": AT, "request": {"model_path": "/nowhere"}, "overwrite": False,
}  # fmt: skip
STANDALONE: dict[str, Kind] = {
    ".env": Kind("# nothing\n"),
    "sessions/queue.json": Kind({"schema_version": 1, "queue": [QUEUED]}),
    "sessions/keys.json": Kind({"keys": {"k": {"at": AT, "request": "r", "answer": {}}}}),
    "sessions/latest.json": Kind({"latest_session_id": SESSION.format(0)}),
    "trusted_rewards.json": Kind({"version": 1, "files": {"/f.py": {"sha256": "0", "at": AT}}}),
    "arena.jsonl": Kind([VOTE, VOTE], lines=True),
    "comparisons/20260101_000000_a.json": Kind(COMPARISON),
    "prompt_sets/mine.json": Kind({"name": "mine", "prompts": ["a"]}),
    "notices/0123.json": Kind(
        {"id": "0123", "at": AT, "file": "f", "problem": "p", "kept_as": None, "message": "m"}
    ),
    "datasets/rows.jsonl": Kind([{"text": "a"}], lines=True),
    "datasets/rows.json": Kind([{"text": "a"}]),
    "tasks/mine.yaml": Kind({"task": "mine", "dataset_path": "json"}),
    "models/refs/main": Kind("abc"),
    "logs/worker.log": Kind("a\n"),
}


def plant(root: Path, damage: Callable[[Path, Kind], None]) -> None:
    """Fill a data root: each file of each kind damaged once, with whole ones beside it."""
    for name, kind in STANDALONE.items():
        _write(root / name, kind, damage)
    for number, (folder, files) in enumerate(_folders(root)):
        if files is RUN:
            _write(folder.parent / f"session_{folder.name}.json", Kind(RECORD), None)
        for name, kind in files.items():
            _write(
                folder / name, kind, damage if name == list(files)[number % len(files)] else None
            )
    _write(root / "sessions" / f"session_{SESSION.format(50)}.json", Kind(RECORD), damage)


def _folders(root: Path) -> Iterator[tuple[Path, dict[str, Kind]]]:
    """As many folders of each kind as it has files, in turn one for each of them."""
    for at in range(len(RUN)):
        yield root / "sessions" / SESSION.format(at), RUN
    for at in range(len(EVALUATION)):
        yield root / "evaluations" / f"20260101_00000{at}_00", EVALUATION
    for at in range(len(ADAPTER)):
        yield root / "adapters" / f"adapter-{at}", ADAPTER
    for at in range(len(MODEL)):
        yield root / "models" / f"model-{at}", MODEL
    for at in range(len(DOWNLOAD)):
        asked = HubRequest(repo_id=f"a/b{at}", revision="main")
        folder = DownloadFolder(root=root / "models", request=asked)
        request = {**DOWNLOAD["request.json"].value, "repo_id": asked.repo_id}
        yield folder.path, {**DOWNLOAD, "request.json": Kind(request)}


def _write(path: Path, kind: Kind, damage: Callable[[Path, Kind], None] | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if damage is None:
        path.write_text(kind.text, encoding="utf-8")
    else:
        damage(path, kind)


# -- the damages ----------------------------------------------------------------------------


def _bytes(data: bytes) -> Callable[[Path, Kind], None]:
    def write(path: Path, _: Kind) -> None:
        path.write_bytes(data)

    return write


def _leaves(leaf: Leaf) -> Callable[[Path, Kind], None]:
    def write(path: Path, kind: Kind) -> None:
        path.write_text(kind.with_leaves(leaf), encoding="utf-8")

    return write


def _huge(path: Path, _: Kind) -> None:
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)  # Sparse: it takes no space.


def _twice(path: Path, kind: Kind) -> None:
    """Every name of every object a second time, with another value."""
    if isinstance(kind.value, str):
        path.write_text(kind.text, encoding="utf-8")
        return
    text = kind.text.replace("{", '{"seq": [], ').replace("}", ', "state": 1, "queue": 1}')
    path.write_text(text.replace("{, ", "{").replace(", ,", ","), encoding="utf-8")


def _folder(path: Path, _: Kind) -> None:
    path.mkdir()


def _pipe(path: Path, _: Kind) -> None:
    os.mkfifo(path)


def _socket(path: Path, _: Kind) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # An address has room for 100 characters.
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def _link(target: str) -> Callable[[Path, Kind], None]:
    return lambda path, _: path.symlink_to(target.format(name=path.name))


def _unreadable(path: Path, kind: Kind) -> None:
    path.write_text(kind.text, encoding="utf-8")
    path.chmod(0)


DAMAGES: dict[str, Callable[[Path, Kind], None]] = {
    "binary": _bytes(bytes(range(256)) * 4),
    "empty": _bytes(b""),
    "huge": _huge,
    "repeated names": _twice,
    "deep lists below Python's limit": _bytes(b"[" * 600 + b"]" * 600 + b"\n"),
    "deep objects": _bytes(b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"\n"),
    "a deep value": _leaves("[" * 300 + "]" * 300),
    "null": _bytes(b"null\n"),
    "infinite numbers": _leaves("1e999"),
    "numbers of 400 digits": _leaves("9" * 400),
    "numbers of 5000 digits": _leaves("9" * 5000),
    "large floats": _leaves("-1e308"),
    "numbers": _leaves("-1"),
    "texts": _leaves('"a"'),
    "lone surrogates": _leaves('"\\ud800"'),
    "zero characters": _leaves('"a\\u0000/../b"'),
    "ways up": _leaves('"../../../x"'),
    "invalid UTF-8": _bytes(b'{"a": "\xff\xfe"}\n'),
    "a YAML bomb": _bytes(
        b"a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + b"".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n".encode()
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        )
    ),
    "a YAML loop": _bytes(b"adapter_path: &a [*a]\n"),
    "a folder": _folder,
    "a pipe": _pipe,
    "a socket": _socket,
    "a loop of links": _link("{name}"),
    "a link to a device": _link("/dev/zero"),
    "not readable": _unreadable,
}
