"""`python -m backend.engines.download <job folder>`: fetch a model from the Hugging Face hub.

Reads `request.json`; writes `plan.json` once it knows what will come, the files into `files/`, and
`end.json` as its last word. A process of its own: it can be ended at any byte and goes on from
there, and it alone is given the hub's token.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import (
    HfApi,
    close_session,
    get_session,
    get_token,
    hf_hub_url,
    hf_raise_for_status,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

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
from backend.core.disk.files import format_bytes, write_json
from backend.core.disk.removal import Proof, remove
from backend.engines.download.fetch import Broken, Refused, fetch, guard
from backend.engines.download.listing import NoModel, choose

AT_ONCE = 3
RESERVE = 500_000_000  # Bytes that stay free on the disk.
ATTEMPTS = 2  # Of a file that arrives damaged.


@dataclass(frozen=True, slots=True)
class NoSpace(Exception):
    need: int
    free: int


def main(folder: Path) -> int:
    asked = read_record(HubRequest, json.loads((folder / REQUEST).read_text(encoding="utf-8")))
    try:
        download(asked, folder)
        end = DownloadEnd(ok=True)
    except Exception as problem:  # noqa: BLE001 - the one top-level handler of this process
        end = explain(problem, asked)
    write_json(folder / END, write_end(end))
    return 0 if end.ok else 1


def download(asked: HubRequest, folder: Path) -> None:
    _use_guard(asked.endpoint)
    commit, files = _list(asked)
    target = folder / FILES
    target.mkdir(exist_ok=True)
    _drop_outdated(folder / PLAN, files, target)
    _check_access(asked, commit, files)
    total = sum(file.size for file in files)
    need = total - sum(_have(target, file) for file in files)
    free = shutil.disk_usage(target).free
    if need + RESERVE > free:
        raise NoSpace(need, free)
    plan = DownloadPlan(commit=commit, total=total, files=tuple(files))
    write_json(folder / PLAN, write_record(plan))
    beat = _beat(folder / BEAT)
    beat()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for done in [pool.submit(_fetch, asked, commit, file, target, beat) for file in files]:
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _use_guard(endpoint: str) -> None:
    close_session()  # One of before would be guarded for another place.
    client = get_session()
    hooks = client.event_hooks
    client.event_hooks = {**hooks, "request": [*hooks["request"], guard(endpoint)]}


def _list(asked: HubRequest) -> tuple[str, list[HubFile]]:
    info = HfApi(endpoint=asked.endpoint).model_info(
        asked.repo_id, revision=asked.revision, files_metadata=True, timeout=asked.timeout
    )
    found = [
        HubFile(
            name=each.rfilename,
            size=each.lfs.size if each.lfs else each.size,
            digest=each.lfs.sha256 if each.lfs else str(each.blob_id),
            large=each.lfs is not None,
        )
        for each in info.siblings or []
        if each.size is not None
    ]
    return str(info.sha), choose(found)


def _check_access(asked: HubRequest, commit: str, files: list[HubFile]) -> None:
    """Anyone may see the list of a gated model; its files only who accepted its licence."""
    answer = get_session().head(
        _address(asked, commit, files[0].name), headers=_headers(), timeout=asked.timeout
    )
    hf_raise_for_status(answer)


def _fetch(
    asked: HubRequest, commit: str, file: HubFile, target: Path, beat: Callable[[], None]
) -> None:
    url = _address(asked, commit, file.name)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            fetch(file, url, target, headers=_headers(), timeout=asked.timeout, beat=beat)
        except Broken:
            if attempt == ATTEMPTS:
                raise
        else:
            return


def _headers() -> dict[str, str]:
    token = get_token()  # HF_TOKEN, or the one that `hf auth login` keeps.
    return {"authorization": f"Bearer {token}"} if token else {}


def _address(asked: HubRequest, commit: str, name: str) -> str:
    return hf_hub_url(asked.repo_id, name, revision=commit, endpoint=asked.endpoint)


def _drop_outdated(plan: Path, files: list[HubFile], target: Path) -> None:
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


def explain(problem: Exception, asked: HubRequest) -> DownloadEnd:
    """What went wrong, for a person; `kind` is what the server answers with."""
    repo, host = asked.repo_id, asked.endpoint.removeprefix("https://")
    token = get_token() is not None
    match problem:
        case GatedRepoError():
            return _end(
                "gated",
                f"{repo} is gated: its authors ask you to accept their terms first.",
                f"Accept them at {asked.endpoint}/{repo}, signed in "
                + (
                    "to the account that your token belongs to, then try again."
                    if token
                    else "to Hugging Face. Then put a read token into HF_TOKEN (environment, or "
                    "the .env file of the data folder) and restart the app."
                ),
            )
        case RevisionNotFoundError():
            return _end(
                "missing",
                f"{repo} has no revision {asked.revision!r}.",
                "Leave the revision empty for the newest files.",
            )
        case RepositoryNotFoundError():
            return _end(
                "missing",
                f"There is no model {repo} on {host}, or it is private.",
                "Check the spelling (organisation/name). "
                + (
                    "A private model needs a token of an account that may see it."
                    if token
                    else "For a private model, put a token into HF_TOKEN and restart the app."
                ),
            )
        case HfHubHTTPError():
            return _http(problem.response.status_code, host)
        case NoSpace():
            return _end(
                "disk",
                f"{repo} needs {format_bytes(problem.need)} more, but only "
                f"{format_bytes(problem.free)} are free.",
                f"Free some space: {format_bytes(RESERVE)} must stay free as well.",
            )
        case NoModel():
            return _end(
                "unusable",
                f"{repo} can't be trained. {problem}",
                "Look for a safetensors version, for example of mlx-community.",
            )
        case Refused():
            return _end("refused", f"{problem}", "If you use a mirror, check HF_ENDPOINT.")
        case Broken():
            return _end("broken", f"{problem}", "Try again; what came through whole is kept.")
        case httpx2.HTTPError():
            reason = str(problem) or type(problem).__name__
            return _end(
                "connection",
                f"{host} can't be reached: {reason[:200]}",
                "Check the network; what has arrived is kept.",
                retry=True,
            )
        case OSError() if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            return _end("disk", "The disk is full.", "Free some space; what has arrived is kept.")
        case OSError():
            return _end("failed", f"A file could not be written: {problem.strerror}.", None)
    return _end("failed", f"The download failed: {type(problem).__name__}: {problem}"[:300], None)


def _http(status: int, host: str) -> DownloadEnd:
    if status == 401:
        return _end(
            "gated",
            f"{host} did not accept the token.",
            "Put a valid read token into HF_TOKEN and restart the app.",
        )
    if status == 429 or status >= 500:
        return _end(
            "connection",
            f"{host} answered with status {status}: it is busy or down.",
            "Try again later; what has arrived is kept.",
            retry=True,
        )
    return _end("failed", f"{host} answered with status {status}.", None)


def _end(kind: str, error: str, hint: str | None, *, retry: bool = False) -> DownloadEnd:
    return DownloadEnd(ok=False, kind=kind, error=error, hint=hint, retry=retry)


if __name__ == "__main__":
    status = main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(status)  # Other files' threads may hang in a read; nothing is left to be written.
