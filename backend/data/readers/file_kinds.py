"""What a file is by its first bytes, where it is of no kind that is read: with the way out."""

from __future__ import annotations

from pathlib import Path

from backend.errors import BadContent

LOOKED_AT = 4096
_PICKLE = "It can run code when it is opened, so it is not: write its rows as JSONL or Parquet."
_BY_BEGINNING: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "is packed with gzip", "Unpack it first: gunzip '{name}'."),
    (b"(\xb5/\xfd", "is packed with Zstandard", "Unpack it first: unzstd '{name}'."),
    (b"BZh", "is packed with bzip2", "Unpack it first: bunzip2 '{name}'."),
    (b"\xfd7zXZ\x00", "is packed with xz", "Unpack it first: unxz '{name}'."),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive", "Unpack it first, and choose a file of it."),
    (b"\xd0\xcf\x11\xe0", "is an Excel workbook",
     "Save the sheet as CSV (UTF-8) in Excel, and choose that file."),
    (b"%PDF", "is a PDF document", "Training data are rows: write them as JSONL or CSV."),
    (b"SQLite format 3", "is a SQLite database", "Export the table as CSV, and choose that file."),
    (b"version https://git-lfs", "is a pointer of Git LFS, and not the file itself",
     "Fetch the file: git lfs pull; or download it from the page of the data set."),
    (b"<!DOCTYPE html", "is a web page", "Download the file itself, and choose that."),
    (b"<!doctype html", "is a web page", "Download the file itself, and choose that."),
    (b"<html", "is a web page", "Download the file itself, and choose that."),
    (b"<?xml", "is an XML document", "Training data are rows: write them as JSONL or CSV."),
    (b"\x93NUMPY", "is an array of NumPy", "Training data are texts: write them as JSONL or CSV."),
    (b"\x80\x02", "is a pickle of Python", _PICKLE),
    (b"\x80\x03", "is a pickle of Python", _PICKLE),
    (b"\x80\x04", "is a pickle of Python", _PICKLE),
    (b"\x80\x05", "is a pickle of Python", _PICKLE),
    (b"ARROW1", "is an Arrow file", "Save it as Parquet, or as JSONL with to_json(…, lines=True)."),
)  # fmt: skip
_UTF16 = "Save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 '{name}' > utf8-{name}"
_UTF32 = "Save it as UTF-8, or convert it: iconv -f UTF-32 -t UTF-8 '{name}' > utf8-{name}"


def refuse_foreign(path: Path, head: bytes) -> None:
    """Raises BadContent with the way out for a file that is packed, a workbook or in UTF-16."""
    found = _foreign(path, head)
    if found is not None:
        what, remedy = found
        raise BadContent(f"{path.name} {what}.", hint=remedy.replace("{name}", path.name))


def _foreign(path: Path, head: bytes) -> tuple[str, str] | None:
    for beginning, what, remedy in _BY_BEGINNING:
        if head.startswith(beginning):
            return what, remedy
    if head.startswith(b"PK\x03\x04"):
        if b"xl/" in head or path.suffix.lower() in (".xlsx", ".xlsm"):
            return "is an Excel workbook", (
                "Save the sheet as CSV (UTF-8) in Excel, and choose that file."
            )
        if b"opendocument.spreadsheet" in head:
            return "is a spreadsheet", "Save the sheet as CSV (UTF-8), and choose that file."
        return "is a ZIP archive", "Unpack it first, and choose a file of it."
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "is written in UTF-32", _UTF32
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _every_second_is_zero(head):
        return "is written in UTF-16", _UTF16
    if head.startswith(b"PAR1") and path.suffix.lower() != ".parquet":
        return "is a Parquet file", "Let its name end in .parquet."
    return None


def _every_second_is_zero(head: bytes) -> bool:
    """UTF-16 without a mark at its beginning, as far as it is in Latin letters."""
    pairs = head[:256]
    half = len(pairs) // 2
    if half < 8:
        return False
    even, odd = pairs[0::2], pairs[1::2]
    return any(
        zeros.count(0) > 0.8 * half and others.count(0) == 0
        for zeros, others in ((even, odd), (odd, even))
    )
