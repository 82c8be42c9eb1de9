"""One upload: the repository, each large file, and one commit that makes all of them visible.

1. the files are hashed   2. the repository is made, private unless asked otherwise   3. large files
are sent one after the other; those that the hub has are passed over   4. one commit.
What is stopped or fails before step 4 changes nothing that anybody sees, and is not sent again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from backend.contract.jobs.upload import UploadRequest, UploadResult
from backend.contract.record import read_record, write_record
from backend.contract.run.events import Phase, Progress, UploadPhase
from backend.core.disk.files import format_bytes, write_json
from backend.engines.download.hub import use_guard
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter, PartEmitter
from backend.engines.process.signals import Control
from backend.engines.upload.explain import explain_upload
from backend.engines.upload.files import CountedFile, Stopped, files_of, without_places

_WHOLE, _HASHED = 1000, 100
_BETWEEN = 0.2  # Seconds between two reports.
_STOPPED = Ending(
    "stopped", "The upload was stopped. Upload it again to go on: sent files are kept for a while."
)


def upload_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Upload what the folder asks for; answer how it ended. Errors of no hub are raised."""
    text = (folder / "request.json").read_text(encoding="utf-8")
    request = read_record(UploadRequest, json.loads(text))
    began = time.monotonic()
    use_guard(request.endpoint)
    api = HfApi(endpoint=request.endpoint, token=os.environ["HF_TOKEN"])
    try:
        with ExitStack() as opened:
            result = _upload(api, request, opened, emit, control, began)
    except Exception as problem:
        if control.stop is not None:
            return _STOPPED
        ending = explain_upload(problem, request)
        if ending is None:
            raise
        return ending
    write_json(folder / "result.json", write_record(result))
    emit(Phase(name="done"))
    size = format_bytes(result.bytes)
    visibility = "private" if result.private else "public"
    return Ending("completed", f"{request.export} is at {result.url} ({size}, {visibility}).")


def _upload(
    api: HfApi,
    request: UploadRequest,
    opened: ExitStack,
    emit: Emitter,
    control: Control,
    began: float,
) -> UploadResult:
    meter = _Meter(emit, control)
    meter.begin("hashing", start=0, end=_HASHED)
    additions = _additions(Path(request.folder), opened, meter)
    total = meter.whole
    meter.begin("uploading", start=_HASHED, end=_WHOLE)
    private = _repository(api, request)
    for addition in additions:
        meter.require_going()
        api.preupload_lfs_files(request.repo_id, [addition], free_memory=False)
        meter.file_done(addition.upload_info.size)
    meter.require_going()
    emit(Phase(name="finishing"))
    commit = api.create_commit(
        request.repo_id, additions, commit_message=f"Upload {request.export}"
    )
    return UploadResult(
        export=request.export,
        folder=request.folder,
        repo_id=request.repo_id,
        url=f"{request.endpoint}/{request.repo_id}",
        commit=commit.oid,
        private=private,
        files=len(additions),
        bytes=total,
        seconds=time.monotonic() - began,
    )


def _repository(api: HfApi, request: UploadRequest) -> bool:
    """Make it unless it is there; whether it is private. Raises Unusable for a public one where a
    private one was asked for, and what the library raises.
    """
    api.create_repo(request.repo_id, private=request.private, exist_ok=True)
    private = bool(api.model_info(request.repo_id).private)
    if request.private and not private:
        raise Unusable(
            f"{request.repo_id} exists already and is public.",
            "Choose another name, or switch Private off to add the files to it.",
        )
    return private


def _additions(folder: Path, opened: ExitStack, meter: _Meter) -> list[CommitOperationAdd]:
    """The files as the library takes them; each is read once, for its hash."""
    files, rewritten = files_of(folder), without_places(folder)
    if not files:
        raise Unusable(f"There is no file in {folder}.", "Export it again.")
    meter.whole = sum(len(rewritten.get(name, b"")) or path.stat().st_size for name, path in files)
    additions: list[CommitOperationAdd] = []
    for name, path in files:
        content = rewritten.get(name)
        source = opened.enter_context(CountedFile(path, meter.at)) if content is None else content
        additions.append(CommitOperationAdd(path_in_repo=name, path_or_fileobj=source))
        meter.file_done(additions[-1].upload_info.size)
    return additions


class _Meter:
    """How many bytes of all files are through one of the two steps."""

    def __init__(self, emit: Emitter, control: Control) -> None:
        self.whole = 0
        self._emit, self._control = emit, control
        self._part: Callable[[Progress], None] = emit
        self._done = 0
        self._last = 0.0

    def begin(self, phase: UploadPhase, *, start: int, end: int) -> None:
        self._emit(Phase(name=phase))
        self._part = PartEmitter(self._emit, start=start, end=end, total=_WHOLE)
        self._done = 0

    def require_going(self) -> None:
        """Raise Stopped once the upload was asked to end."""
        if self._control.stop is not None:
            raise Stopped

    def at(self, place: int) -> None:
        self.require_going()
        now = time.monotonic()
        if now - self._last >= _BETWEEN:
            self._tell(self._done + place)
            self._last = now

    def file_done(self, size: int) -> None:
        self._done += size
        self._tell(self._done)

    def _tell(self, done: int) -> None:
        self._part(Progress(done=min(done, self.whole), total=max(1, self.whole)))
