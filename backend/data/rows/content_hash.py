"""What a row says, apart from how it is written: to find the same row twice."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from backend.data.rows.formats import Format

MOST_ROWS = 8_000_000  # Twelve bytes each: about 100 MB.

_FIELDS: Mapping[Format, tuple[str, ...]] = {
    "text": ("text",),
    "chat": ("messages", "tools"),
    "completions": ("prompt", "completion"),
    "grpo": ("system", "prompt", "answer"),
    "preference": ("system", "prompt", "chosen", "rejected"),
    "alpaca": ("system", "instruction", "input", "output"),
    "sharegpt": ("system", "conversations", "tools"),
}
_BUCKETS = 256


def content_hash(row: Mapping[str, Any], form: Format) -> int:
    """Eight bytes of a hash of what is trained on: other columns, such as an id, don't count."""
    names = _FIELDS.get(form)
    if names is None:
        text = json.dumps(row, sort_keys=True)
    else:
        text = "\0".join([_text(row.get(name)) for name in names])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


class ContentIndex:
    """The hash and line of many rows in twelve bytes each, searched bucket by bucket.

    A dict of a 1 GB file's rows would take over 400 MB. `full` says that later rows are left out.
    """

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._hashes = [array("Q") for _ in range(_BUCKETS)]
        self._lines = [array("I") for _ in range(_BUCKETS)]
        self._most = most
        self.rows = 0

    @property
    def full(self) -> bool:
        return self.rows >= self._most

    def add(self, content: int, line: int) -> None:
        if self.full:
            return
        self.rows += 1
        bucket = content & (_BUCKETS - 1)
        self._hashes[bucket].append(content)
        self._lines[bucket].append(min(line, 0xFFFFFFFF))

    def repeated(self) -> Iterator[list[int]]:
        """The lines of each content that occurs more than once."""
        for hashes, lines in zip(self._hashes, self._lines, strict=True):
            first: dict[int, int] = {}
            groups: dict[int, list[int]] = {}
            for content, line in zip(hashes, lines, strict=True):
                if content in first:
                    groups.setdefault(content, [first[content]]).append(line)
                else:
                    first[content] = line
            yield from groups.values()

    def shared(self, other: ContentIndex) -> Iterator[tuple[int, int]]:
        """(own line, other's line) for each of the other's rows that is here too."""
        for bucket in range(_BUCKETS):
            mine = dict(
                zip(reversed(self._hashes[bucket]), reversed(self._lines[bucket]), strict=True)
            )
            for content, line in zip(other._hashes[bucket], other._lines[bucket], strict=True):
                if content in mine:
                    yield mine[content], line
