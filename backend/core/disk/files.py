"""Files that survive a crash: atomic writes, append-only lines, and reading them by offset.

The engines use this module too (atomic writes, appends), so it imports nothing heavy.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from backend.core.disk.removal import discard
from backend.core.disk.stored_files import open_regular, parse_json
from backend.errors import AlreadyExists, Invalid

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SHOWN_LINE = 8 * 1024  # Characters of one log line that are ever shown; the file keeps it all.

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")
_MAX_LINE = 1024 * 1024
_CHUNK = 4 * 1024 * 1024
_BREAK = re.compile(rb"\r\n|\n|\r")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` so that a crash leaves the old file or the new one, never a part of it.

    A link at `path` is itself replaced, never followed. Raises OSError that names `path`; the old
    file then stands.
    """
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(temporary, flags, 0o600)
        try:
            _write_all(handle, data)
            _sync(handle)
        finally:
            os.close(handle)
        os.replace(temporary, path)  # noqa: PTH105 - tests fail this very call
    except BaseException as problem:
        if isinstance(problem, OSError):
            problem.filename, problem.filename2 = str(path), None
        discard(temporary)
        raise
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Atomically replace `path` by UTF-8 text; a lone surrogate becomes a question mark."""
    write_bytes(path, text.encode("utf-8", errors="replace"))


def write_json(path: Path, value: Any) -> None:
    """Atomically replace `path` by JSON. Raises ValueError on NaN or Infinity: not legal JSON."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)
    write_text(path, text + "\n")


def write_yaml(path: Path, value: Any) -> None:
    """Atomically replace `path` by YAML with keys in the given order."""
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    if "\x85" in text:  # PyYAML writes this line break bare, and reads it back as a blank.
        text = yaml.safe_dump(value, sort_keys=False)
    write_text(path, text)


def append_jsonl(path: Path, value: Any) -> None:
    """Append one line of JSON. A line torn by an earlier crash is closed off first.

    Not fsynced: the kernel keeps what a killed process wrote, and a line is no promise to anyone.
    """
    line = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags, 0o600)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        _write_all(handle, (b"\n" if torn else b"") + line.encode("utf-8", errors="replace"))
    except OSError as problem:
        problem.filename = str(path)
        raise
    finally:
        os.close(handle)


def format_bytes(size: float) -> str:
    """A size for people, in powers of ten: 17 B, 40 kB, 2.6 MB, 31 MB, 1,204.5 GB."""
    if size < 1000:
        return f"{size:.0f} B"
    if size < 999.5e3:
        return f"{size / 1e3:.0f} kB"
    if size < 9.95e6:
        return f"{size / 1e6:.1f} MB"
    return f"{size / 1e6:.0f} MB" if size < 999.5e6 else f"{size / 1e9:,.1f} GB"


def child_path(root: Path, name: str, *, pattern: re.Pattern[str] = NAME) -> Path:
    """The path of `name` inside `root`, which it can't leave by dots, slashes or a link.

    Raises Invalid with a sentence otherwise. The path need not exist.
    """
    if not pattern.fullmatch(name):
        raise Invalid(
            f"The name {name[:120]!r} can't be used.",
            hint="Use 1 to 100 letters, digits, dots, dashes and underscores, "
            "with a letter or digit first.",
        )
    path = root / name
    if "/" not in name and name.strip(".") and not path.is_symlink():
        return path  # Nothing leads out, and most of ten thousand records are asked this way.
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # A loop of links.
        inside = False
    if not inside:
        raise Invalid(
            f"{name} is a link that leads out of {root.name}/.",
            hint="Remove the link, or choose another name.",
        )
    return path


def free_path(root: Path, stem: str, *, joint: str = "_") -> Path:
    """`<stem>`, else `<stem>_2`, `<stem>_3`, …: the first inside `root` that is not there.

    Raises AlreadyExists after a thousand, and Invalid as `child_path`.
    """
    for number in range(1, 1000):
        path = child_path(root, stem if number == 1 else f"{stem}{joint}{number}")
        if not os.path.lexists(path):
            return path
    raise AlreadyExists(
        f"There are too many folders named {stem!r} in {root}.", hint="Give output_name."
    )


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal, read in pieces."""
    with os.fdopen(open_regular(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """Give the file a second name, or copy it where that can't be. Replaces `target`."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        os.link(source, temporary)
    except OSError:  # Another disk, or a file system or owner that forbids links.
        shutil.copyfile(source, temporary)
    temporary.replace(target)


def sync_folder(folder: Path) -> None:
    """Make a rename or a creation in `folder` outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep_temporary(folder: Path, *, older_than: float = 0.0) -> int:
    """Remove what a crash in the middle of a write left behind, unless it was written to within
    the last `older_than` seconds; answers how many there were.
    """
    strays = [path for path in folder.glob(".*.tmp") if _TEMPORARY.fullmatch(path.name)]
    swept = 0
    for path in strays:
        with suppress(OSError):
            if older_than == 0 or time.time() - path.stat().st_mtime > older_than:
                discard(path)
                swept += 1
    return swept


def shown(raw: bytes) -> str:
    """A log line as it may be shown: valid text without terminal codes, at most SHOWN_LINE long."""
    text = raw[: SHOWN_LINE * 4].decode("utf-8", errors="replace")
    text = _CONTROL.sub("", _ANSI.sub("", text))
    return text if len(text) <= SHOWN_LINE else text[: SHOWN_LINE - 1] + "…"


def read_tail(path: Path, lines: int, *, before: int | None = None) -> tuple[list[str], int]:
    """The last `lines` log lines that end at or before byte `before` (default: the file's end).

    Also answers the byte where the first of them starts: pass it on as `before` for the lines
    above; 0 is the top. Reads backwards in blocks, so a huge log costs no more than a small one.
    A missing file has no lines.
    """
    try:
        file = os.fdopen(open_regular(path), "rb")
    except FileNotFoundError:
        return [], 0
    with file:
        size = file.seek(0, os.SEEK_END)
        end = size if before is None else max(0, min(before, size))
        start, data = end, b""
        while start > 0 and end - start < _CHUNK * 4:
            if len(_BREAK.findall(data)) > lines + 1:
                break
            step = min(max(64 * 1024, len(data)), start)
            start -= step
            data = os.pread(file.fileno(), step, start) + data
    pieces = list(_pieces(data, start))
    if start > 0 and len(pieces) > 1:
        pieces = pieces[1:]  # The first piece began before the block that was read.
    tail = pieces[-lines:]
    return [shown(piece) for _, piece in tail], (tail[0][0] if tail else 0)


class JsonlTail:
    """Read the new complete lines of a growing JSONL file, each time from where it left off.

    A line without its newline is left for the next read. Lines that are not JSON, or over 1 MiB,
    are skipped and counted: one bad byte must never stop a run from being followed. `finite` as in
    `parse_json`; or `parse` makes a value of a line, and raises ValueError where it can't.
    """

    def __init__(
        self,
        path: Path,
        *,
        offset: int = 0,
        finite: bool = True,
        parse: Callable[[bytes], Any] | None = None,
    ) -> None:
        self.path = path
        self.offset = offset
        self.skipped = 0
        self._finite = finite
        self._parse_line = parse or self._json

    def read(self) -> list[Any]:
        """The values that arrived since the last read (at most a few megabytes of them)."""
        data = _read_from(self.path, self.offset)
        end = data.rfind(b"\n") + 1
        if end == 0:
            if len(data) > _MAX_LINE:
                self.offset += len(data)
                self.skipped += 1
            return []
        self.offset += end
        return [value for value in map(self._parse, data[: end - 1].split(b"\n")) if value]

    def read_all(self) -> Iterator[Any]:
        """Every value up to the end, also past a stretch that holds none."""
        while True:
            before = self.offset
            yield from self.read()
            if self.offset == before:
                return

    def _parse(self, line: bytes) -> Any:
        if not line.strip():
            return None
        try:
            if len(line) > _MAX_LINE:
                raise ValueError("line too long")
            return self._parse_line(line)
        except (ValueError, RecursionError):
            self.skipped += 1
            return None

    def _json(self, line: bytes) -> Any:
        return parse_json(line.decode("utf-8", errors="replace"), finite=self._finite)


class TextTail:
    """Read the new lines of a growing log, split at newlines and at carriage returns.

    Progress bars end in carriage returns and some crashes in no newline at all: `flush` gives the
    unfinished last line once the writer is gone.
    """

    def __init__(self, path: Path, *, offset: int = 0) -> None:
        self.path = path
        self.offset = offset
        self._pending = b""

    def read(self) -> list[str]:
        """The complete lines that arrived since the last read (a few megabytes at most)."""
        data = _read_from(self.path, self.offset)
        if not data:
            return []
        self.offset += len(data)
        data = self._pending + data
        # A final carriage return may be the first half of "\r\n".
        carry = 1 if data.endswith(b"\r") else 0
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - carry)) + 1
        self._pending = data[cut:][: SHOWN_LINE * 4]
        return [shown(piece) for _, piece in _pieces(data[:cut], 0)]

    def flush(self) -> list[str]:
        """The unfinished last line, if there is one."""
        pending, self._pending = self._pending, b""
        return [shown(piece) for _, piece in _pieces(pending, 0)]


def _pieces(data: bytes, start: int) -> list[tuple[int, bytes]]:
    """(offset, line) of each line in `data`; what a carriage return leaves empty is no line."""
    result, at = [], 0
    for match in _BREAK.finditer(data):
        if match.start() > at or match.group() != b"\r":
            result.append((start + at, data[at : match.start()]))
        at = match.end()
    if at < len(data):
        result.append((start + at, data[at:]))
    return result


def _read_from(path: Path, offset: int) -> bytes:
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            return os.pread(file.fileno(), _CHUNK, offset)
    except FileNotFoundError:
        return b""


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _sync(handle: int) -> None:
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone stops at the drive's cache.
    if full is None:
        os.fsync(handle)
        return
    try:
        fcntl.fcntl(handle, full)
    except OSError:  # Not every file system has it.
        os.fsync(handle)
