"""`python -m backend.engines.download <job folder>`: fetch from the Hugging Face hub.

A model, or the files of one split of a data set. Reads `request.json`; writes `plan.json` once it
knows what will come, the files into `files/`, and `end.json` as its last word. A process of its
own: it can be ended at any byte and goes on from there, and it alone is given the hub's token.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from backend.contract.download import (
    BEAT,
    END,
    FILES,
    PART,
    PLAN,
    REQUEST,
    DownloadEnd,
    DownloadPlan,
    HubFile,
    HubRequest,
    write_end,
)
from backend.contract.record import read_record, write_record
from backend.core.disk.files import write_json
from backend.core.disk.removal import Proof, remove
from backend.engines.download.data_files import choose_split, configs_of, needed_files
from backend.engines.download.explain import RESERVE, NoSpace, explain
from backend.engines.download.fetch import Broken, fetch
from backend.engines.download.hub import address, check_access, headers, list_repository, use_guard
from backend.engines.download.listing import choose
from backend.engines.download.remote_file import NoPieces, RemoteFile, TooMuch

AT_ONCE = 3
INDEX_BYTES = 16 * 1024**2  # Of a Parquet file's index; a larger one is not read.
ATTEMPTS = 2  # Of a file that arrives damaged.


def main(folder: Path) -> int:
    request = read_record(HubRequest, json.loads((folder / REQUEST).read_text(encoding="utf-8")))
    try:
        download(request, folder)
        end = DownloadEnd(ok=True)
    except Exception as problem:  # noqa: BLE001 - the one top-level handler of this process
        end = explain(problem, request)
    write_json(folder / END, write_end(end))
    return 0 if end.ok else 1


def download(request: HubRequest, folder: Path) -> None:
    use_guard(request.endpoint)
    plan = _plan(request)
    files = plan.files
    target = folder / FILES
    target.mkdir(exist_ok=True)
    _drop_outdated(folder / PLAN, files, target)
    check_access(request, plan.commit, files[0])
    need = plan.total - sum(_have(target, file) for file in files)
    free = shutil.disk_usage(target).free
    if need + RESERVE > free:
        raise NoSpace(need, free)
    write_json(folder / PLAN, write_record(plan))
    beat = _beat(folder / BEAT)
    beat()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for done in [
                pool.submit(_fetch, request, plan.commit, file, target, beat) for file in files
            ]:
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _plan(request: HubRequest) -> DownloadPlan:
    repository, left = list_repository(request), 0
    if request.dataset is None:
        files = choose(repository.files)
    else:
        configs = configs_of(repository.files, repository.card)
        split = choose_split(configs, request.dataset.config, request.dataset.split)
        files = needed_files(
            split.files, request.dataset.limit, _row_counter(request, repository.commit)
        )
        left = len(split.files) - len(files)
    total = sum(file.size for file in files)
    return DownloadPlan(commit=repository.commit, total=total, files=tuple(files), files_left=left)


def _row_counter(request: HubRequest, commit: str) -> Callable[[HubFile], int | None]:
    """What counts the rows of a Parquet file by its index; None where that can't be read."""

    def count(file: HubFile) -> int | None:
        from backend.engines.download.remote_parquet import (  # 50 MB, and seldom needed.
            UnreadableParquet,
            number_of_rows,
        )

        url = address(request, commit, file.name)
        remote = RemoteFile(
            file, url, headers=headers(), timeout=request.timeout, budget=INDEX_BYTES
        )
        try:
            return number_of_rows(remote)
        except (NoPieces, TooMuch, UnreadableParquet):
            return None

    return count


def _fetch(
    request: HubRequest, commit: str, file: HubFile, target: Path, beat: Callable[[], None]
) -> None:
    url = address(request, commit, file.name)
    (target / file.name).parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            fetch(file, url, target, headers=headers(), timeout=request.timeout, beat=beat)
        except Broken:
            if attempt == ATTEMPTS:
                raise
        else:
            return


def _drop_outdated(plan: Path, files: Sequence[HubFile], target: Path) -> None:
    """A branch may have moved since the last attempt: what changed there is fetched anew."""
    try:
        before = read_record(DownloadPlan, json.loads(plan.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return
    now = {file.name: file.digest for file in files}
    for old in before.files:
        if now.get(old.name) != old.digest:
            for name in (old.name, old.name + PART):
                path = target / name
                remove(path, inside=path.parent, own=_lies_in(target))


def _lies_in(target: Path) -> Proof:
    """The proof that a file, whose name came from the hub, lies in the download's own folder."""
    return lambda path: path.resolve().is_relative_to(target.resolve())


def _have(target: Path, file: HubFile) -> int:
    for path in (target / file.name, target / (file.name + PART)):
        if path.is_file():
            return min(path.stat().st_size, file.size)
    return 0


def _beat(path: Path) -> Callable[[], None]:
    """A sign of life also while an earlier part is read again and nothing arrives."""

    def touch() -> None:
        path.touch(mode=0o600)

    return touch


if __name__ == "__main__":
    status = main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(status)  # Other files' threads may hang in a read; nothing is left to be written.
