"""Split a data file into training, validation and test rows, the same way every time."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path

from backend.core.disk.disk_errors import full_refusal
from backend.data.readers.data_file import read_lines
from backend.data.rows.content_hash import content_hash
from backend.data.rows.formats import Format, check, file_form
from backend.data.rows.line import Line
from backend.data.schemas import LineProblem, SplitAnswer, WrittenFile
from backend.data.write.atomic_output import NewFile
from backend.errors import BadContent, Invalid

SHOWN = 50


def split_file(
    source: Path,
    folder: Path,
    *,
    valid_share: float,
    test_share: float,
    seed: int,
    overwrite: bool = False,
) -> SplitAnswer:
    """Write train.jsonl, valid.jsonl and, with a `test_share`, test.jsonl into `folder`.

    Which set a row is in depends on the seed and on what it says: rows that say the same stay
    together. Rows that can't be trained on are left out and named.
    """
    if valid_share + test_share >= 1:
        raise Invalid(
            f"A validation share of {valid_share:g} and a test share of {test_share:g} leave "
            "nothing to train on.",
            hint="Let them add up to less than 1, such as 0.1 and 0.1.",
        )
    try:
        draws = array("Q", (draw for draw, _ in _drawn(source, seed)))
        limits = _limits(draws, valid_share, test_share)
        if limits is None:
            raise BadContent(
                f"{source.name} has {len(draws)} usable rows, too few different ones to split "
                "like that.",
                hint="Give more rows, or another share.",
            )
        folder.mkdir(parents=True, exist_ok=True)
        return _write(source, folder, limits, seed=seed, overwrite=overwrite)
    except OSError as problem:
        full = full_refusal(problem, folder)
        raise full or BadContent(f"{source} can't be split: {problem.strerror}.") from problem


def _drawn(source: Path, seed: int, skipped: _Skipped | None = None) -> Iterator[tuple[int, Line]]:
    """Every usable row with its lot: a number that depends on the seed and on what it says."""
    form: Format | None = None
    for line in read_lines(source):
        wrong = line.problem
        if line.row is not None:
            form = file_form(form, line.row)
            wrong = check(line.row, form)
            if wrong is None:
                text = f"{seed}/{content_hash(line.row, form)}"
                yield int.from_bytes(blake2b(text.encode(), digest_size=8).digest()), line
        if wrong is not None and skipped is not None:
            skipped.add(line.number, wrong)


def _limits(draws: array[int], valid_share: float, test_share: float) -> tuple[int, int] | None:
    """Below which lot a row is for validation, and below which for the test."""
    valid = max(1, round(len(draws) * valid_share))
    test = max(1, round(len(draws) * test_share)) if test_share else 0
    if valid + test >= len(draws):
        return None
    valid_end, test_end = _smallest(draws, valid), _smallest(draws, valid + test)
    counts = [0, 0, 0]
    for draw in draws:
        counts[(draw >= valid_end) + (draw >= test_end)] += 1
    enough = counts[0] and counts[2] and (counts[1] or not test)
    return (valid_end, test_end) if enough else None


def _smallest(draws: array[int], place: int) -> int:
    """The lot at that place in order. Sorting millions of them as objects would take 200 MB."""
    tops = array("Q", bytes(8 * 65536))
    for draw in draws:
        tops[draw >> 48] += 1
    below = 0
    for top, count in enumerate(tops):
        if below + count > place:
            return sorted(draw for draw in draws if draw >> 48 == top)[place - below]
        below += count
    raise ValueError("there is no such place")


class _Skipped:
    def __init__(self) -> None:
        self.count = 0
        self.first: list[LineProblem] = []

    def add(self, line: int, problem: str) -> None:
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(LineProblem(line=line, message=f"Line {line} {problem}."))


def _write(
    source: Path, folder: Path, limits: tuple[int, int], *, seed: int, overwrite: bool
) -> SplitAnswer:
    valid_end, test_end = limits
    skipped = _Skipped()
    with ExitStack() as stack:
        names = ["train", "valid"] + (["test"] if test_end > valid_end else [])
        new = {
            name: stack.enter_context(NewFile(folder / f"{name}.jsonl", overwrite=overwrite))
            for name in names
        }
        for draw, line in _drawn(source, seed, skipped):
            name = "valid" if draw < valid_end else "test" if draw < test_end else "train"
            new[name].add_raw(line.raw.strip().replace(b"\r", b" "))
        for file in new.values():
            file.keep()
    files = {name: WrittenFile(path=str(file.path), rows=file.rows) for name, file in new.items()}
    return SplitAnswer(
        path=str(folder),
        train=files["train"],
        valid=files["valid"],
        test=files.get("test"),
        skipped_count=skipped.count,
        skipped=skipped.first,
        seed=seed,
    )
