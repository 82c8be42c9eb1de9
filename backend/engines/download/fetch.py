"""Fetch one file over HTTP: go on where an earlier attempt ended, and trust only its hash.

`huggingface_hub` 2.4 starts every file anew in a new process, so the bytes are fetched here; the
library still does what it knows best: addresses, headers, and telling one refusal from another.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import get_session, hf_raise_for_status

from backend.contract.download import PART, HubFile
from backend.core.disk.removal import named, remove

_REREAD = 16 * 1024 * 1024
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")

Beat = Callable[[], None]


class Refused(Exception):
    """The download leads to a place where this machine must not look."""


class Broken(Exception):
    """What arrived is not what the hub said would come."""


def fetch(
    file: HubFile, url: str, folder: Path, *, headers: Mapping[str, str], timeout: float, beat: Beat
) -> None:
    """Raises Broken, Refused, OSError, or what the library and its HTTP client raise."""
    target, part = folder / file.name, folder / (file.name + PART)
    if target.is_file() and target.stat().st_size == file.size:
        return  # It got its name only after its hash was found right.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(part, flags, 0o644), "r+b") as out:
        hasher = _hasher(file)
        have = _reread(out, hasher, beat)
        if have > file.size:
            hasher, have = _start_over(out, file), 0
        if have < file.size:
            hasher = _receive(file, url, out, hasher, have=have, headers=headers, timeout=timeout)
        out.flush()
        os.fsync(out.fileno())
    if hasher.hexdigest() != file.digest:
        remove(part, inside=part.parent, own=named(r".+\.part"))
        raise Broken(f"{file.name} arrived damaged: its checksum is not the one the hub gives.")
    part.rename(target)


def _receive(
    file: HubFile,
    url: str,
    out: Any,
    hasher: Any,
    *,
    have: int,
    headers: Mapping[str, str],
    timeout: float,
) -> Any:
    # Compressed bytes could neither be counted nor continued.
    request_headers = {**headers, "accept-encoding": "identity"}
    if have:
        request_headers["range"] = f"bytes={have}-"
    with get_session().stream("GET", url, headers=request_headers, timeout=timeout) as answer:
        if answer.status_code == 416:
            out.truncate(0)
            raise Broken(f"The hub would not continue {file.name}; it is fetched anew.")
        hf_raise_for_status(answer)
        if have and not _continues(answer, have):
            hasher, have = _start_over(out, file), 0
        for chunk in answer.iter_bytes():  # As they come: what is collected is lost with a cut.
            have += len(chunk)
            if have > file.size:
                out.truncate(0)
                raise Broken(f"{file.name} is longer than the {file.size} bytes the hub gives.")
            out.write(chunk)
            out.flush()  # The server counts what is in the file.
            hasher.update(chunk)
    if have < file.size:
        raise httpx2.RemoteProtocolError(f"{file.name} ended after {have} of {file.size} bytes.")
    return hasher


def _continues(answer: httpx2.Response, have: int) -> bool:
    match = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    return answer.status_code == 206 and match is not None and int(match.group(1)) == have


def _start_over(out: Any, file: HubFile) -> Any:
    out.seek(0)
    out.truncate()
    return _hasher(file)


def _hasher(file: HubFile) -> Any:
    if file.large:
        return hashlib.sha256()
    blob = hashlib.sha1(usedforsecurity=False)  # As git names its blobs.
    blob.update(f"blob {file.size}\0".encode())
    return blob


def _reread(out: Any, hasher: Any, beat: Beat) -> int:
    have = 0
    while block := out.read(_REREAD):
        hasher.update(block)
        have += len(block)
        beat()
    return have


def guard(endpoint: str) -> Callable[[httpx2.Request], None]:
    """A hook for every request, redirected ones too: the hub itself, else public places by HTTPS.

    Every address of a name is looked at: one private one is enough to refuse.
    """
    home = httpx2.URL(endpoint)

    def check(request: httpx2.Request) -> None:
        url = request.url
        if (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port):
            return
        if url.scheme != "https":
            raise Refused(f"The hub led to {url.host} without encryption, which is not followed.")
        try:
            result = socket.getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
        except OSError:
            return  # Behind a proxy names may be unknown here; the client says what is wrong.
        for *_, address in result:
            if not ipaddress.ip_address(str(address[0]).split("%")[0]).is_global:
                raise Refused(f"The hub led to {url.host}, an address inside your own network.")

    return check
