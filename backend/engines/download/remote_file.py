"""A file of the hub read in pieces, without fetching the rest of it."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import httpx2
from huggingface_hub import get_session, hf_raise_for_status

from backend.contract.download import HubFile

PIECE = 128 * 1024  # Each request costs a way to the hub and back.
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(?:\d+|\*)")


class TooMuch(Exception):
    """More of the file would have to be read than is allowed."""


class NoPieces(Exception):
    """The place where the file lies sends it only as a whole."""


class RemoteFile(io.RawIOBase):
    """Reads by ranges, at most `budget` bytes together. Raises TooMuch, NoPieces, or what the
    library and its client raise.
    """

    def __init__(
        self, file: HubFile, url: str, *, headers: Mapping[str, str], timeout: float, budget: int
    ) -> None:
        self.read_bytes = 0
        self._size, self._url, self._timeout, self._budget = file.size, url, timeout, budget
        self._headers = dict(headers)
        self._at = 0
        self._start, self._piece = 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._size, self._at + size)
        body = bytearray()
        while self._at < end:
            inside = self._at - self._start
            if not 0 <= inside < len(self._piece):
                self._fetch(self._at, end)
                continue
            part = self._piece[inside : inside + end - self._at]
            body += part
            self._at += len(part)
        return bytes(body)

    def _fetch(self, start: int, end: int) -> None:
        last = min(self._size, max(end, start + PIECE)) - 1
        if self.read_bytes + last + 1 - start > self._budget:
            raise TooMuch
        request_headers = {
            **self._headers,
            "accept-encoding": "identity",
            "range": f"bytes={start}-{last}",
        }
        with get_session().stream(
            "GET", self._url, headers=request_headers, timeout=self._timeout
        ) as answer:
            hf_raise_for_status(answer)
            piece = self._body(answer, start, last)
            moved = answer.url.host != httpx2.URL(self._url).host
            self._url = str(answer.url)  # The next piece needs no redirect,
            if moved:
                self._headers = {}  # and no token outside the hub.
        self._start, self._piece = start, piece

    def _body(self, answer: httpx2.Response, start: int, last: int) -> bytes:
        match = _RANGE.fullmatch(answer.headers.get("content-range", ""))
        whole = answer.status_code == 200
        if whole and start > 0:
            raise NoPieces
        if not whole and (match is None or int(match[1]) != start):
            raise NoPieces
        size, piece = last + 1 - start, bytearray()
        for chunk in answer.iter_bytes():
            piece += chunk
            self.read_bytes += len(chunk)
            if len(piece) >= size:  # Of a whole file no more is read.
                break
        if not piece:
            raise httpx2.RemoteProtocolError("Nothing was sent.")
        return bytes(piece[:size])
