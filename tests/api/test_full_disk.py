"""A full, read-only or vanished disk is told as what it is, and costs nothing that was there."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.core.disk import files
from backend.data import service
from tests.adapters.folders import adapter, base
from tests.api.live import Live

VOTE = {"model_name": "small", "adapter_name": "tuned", "winner": "tie", "base_first": True}
COMPARISON = {"prompt": "one", "answers": [{"model_name": "small", "text": "two"}]}
REWARD = "def own(prompts, completions, answer, types=None):\n    return [1.0]\n"
Ask = Callable[["Bench"], httpx.Response]


class Bench:
    """A server with one of each thing that a request changes."""

    def __init__(self, live: Live) -> None:
        self.live, self.client = live, live.client
        self.root = live.settings.data_dir
        small = base(live.settings.models_dirs[0] / "small")
        if not (live.settings.adapters_dir / "tuned").exists():
            adapter(live.settings.adapters_dir / "tuned", small, lineage={"session_id": "s1"})
        self.session = live.settings.sessions_dir / "session_s1.json"
        record = {
            "session_id": "s1", "training_state": "completed", "config": {"adapter_name": "tuned"},
        }  # fmt: skip
        self.session.write_text(json.dumps(record))
        folder = live.settings.sessions_dir / "s1"
        folder.mkdir(exist_ok=True)
        (folder / "events.jsonl").touch()  # Without it nothing tells that a run made the folder.
        self.reward = self.root / "rewards.py"
        self.reward.write_text(REWARD)
        seen = self.client.post(
            "/api/training/reward-functions/inspect", json={"path": str(self.reward)}
        )
        self.sha256 = seen.json()["sha256"]
        self.comparison = self.client.post("/api/comparisons", json=COMPARISON).json()["id"]

    def everything(self) -> dict[str, bytes]:
        """The content of each file that has any."""
        paths = [path for path in self.root.rglob("*") if path.is_file() and path.stat().st_size]
        return {str(path): path.read_bytes() for path in paths}


@pytest.fixture
def bench(live: Live) -> Iterator[Bench]:
    yield Bench(live)
    live.client.delete("/api/comparisons")


WRITES: dict[str, Ask] = {
    "a comparison": lambda b: b.client.post("/api/comparisons", json=COMPARISON),
    "a rating": lambda b: b.client.patch(
        f"/api/comparisons/{b.comparison}", json={"answer": 0, "rating": 3}
    ),
    "a prompt set": lambda b: b.client.put("/api/prompt-sets/mine", json={"prompts": ["x"]}),
    "a vote": lambda b: b.client.post("/api/arena/vote", json=VOTE),
    "a trusted file": lambda b: b.client.post(
        "/api/training/reward-functions/trust", json={"path": str(b.reward), "sha256": b.sha256}
    ),
    "tags": lambda b: b.client.patch("/adapters/tuned", json={"tags": ["a"]}),
    "a name and tags": lambda b: b.client.patch(
        "/adapters/tuned", json={"name": "other", "tags": ["a"]}
    ),
    "an upload": lambda b: b.client.put(
        "/api/datasets/files/a.jsonl",
        content=b'{"text": "a"}\n',
        headers={"Content-Type": "application/octet-stream"},
    ),
}
REMOVALS: dict[str, Ask] = {
    "an adapter": lambda b: b.client.delete("/adapters/tuned"),
    "a session": lambda b: b.client.delete("/sessions/s1?files=true"),
}


def failing(number: int, *, named: bool = False) -> Callable[..., Any]:
    def fail(*given: Any) -> None:
        path = [str(given[0])] if named else []
        raise OSError(number, os.strerror(number), *path)

    return fail


@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize(
    ("number", "status", "name", "words"),
    [
        (errno.ENOSPC, 507, "NoDiskSpace", "The disk is full"),
        (errno.EROFS, 409, "DiskUnusable", "The disk is read-only"),
        (errno.EIO, 409, "DiskUnusable", "Input/output error"),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_path_and_leaves_all_as_it_was(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    number: int,
    status: int,
    name: str,
    words: str,
) -> None:
    before = bench.everything()
    with monkeypatch.context() as patch:
        patch.setattr(files, "_write_all", failing(number))
        patch.setattr(service, "_sync", failing(number))
        patch.setattr(service, "need_space", lambda *_: None)
        answer = WRITES[what](bench)

    told = answer.json()
    assert (answer.status_code, told["error"]) == (status, name), told
    assert words in told["detail"]
    assert str(bench.root) in told["detail"]
    assert told["hint"]
    assert bench.everything() == before


@pytest.mark.parametrize("what", REMOVALS)
@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO])
def test_what_cannot_be_deleted_whole_is_not_deleted_at_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    before = bench.everything()
    rename, calls = Path.rename, list[Path]()

    def fail_at_the_last(path: Path, target: Path) -> Path:
        calls.append(path)
        if path.name == "tuned":
            failing(number, named=True)(path)
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail_at_the_last)
        answer = REMOVALS[what](bench)

    assert (answer.status_code, answer.json()["error"]) == (409, "DiskUnusable")
    assert str(bench.live.settings.adapters_dir / "tuned") in answer.json()["detail"]
    assert bench.everything() == before


@pytest.mark.parametrize("what", REMOVALS)
def test_what_is_deleted_needs_no_free_space(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(files, "_write_all", failing(errno.ENOSPC))
        answer = REMOVALS[what](bench)

    assert answer.status_code == 200, answer.text
    assert not (bench.live.settings.adapters_dir / "tuned").exists()
    assert not list(bench.root.rglob(".deleted-*"))


def test_an_error_that_is_no_matter_of_files_is_still_a_bug(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_write_all", failing(errno.ECONNRESET))

    answer = bench.client.put("/api/prompt-sets/mine", json={"prompts": ["x"]})

    assert (answer.status_code, answer.json()["error"]) == (500, "InternalError")
