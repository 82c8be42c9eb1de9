"""The data files of a request: checked once, in a child process where they are large."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from backend.data.checks.checked_file import CheckedFile, check_file, stamp_of
from backend.data.checks.method_rows import DataNeeds
from backend.data.readers.data_file import data_file
from backend.data.tasks.client import SMALL, do_task
from backend.errors import AppError, BadContent, FieldProblem

_HELD = 64
_Key = tuple[Path, DataNeeds, tuple[int, int]]
T = TypeVar("T")


class Unread(Exception):
    """A file that is too long for a thread of the server: read it by `DataFiles.read`."""

    def __init__(self, key: _Key, field: str) -> None:
        super().__init__(str(key[0]))
        self.key, self.field = key, field


class DataFiles:
    """Checks files, and remembers the result until a file changes: previews are frequent."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[Path, DataNeeds], CheckedFile] = OrderedDict()
        self._reading: dict[_Key, asyncio.Task[None]] = {}
        self._lock = threading.Lock()

    async def during(self, work: Callable[[], T]) -> T:
        """Do `work`, which checks files, in a thread; long files that it comes to are read in a
        child, and it begins again. Raises what `work` raises.
        """
        while True:
            try:
                return await asyncio.to_thread(work)
            except Unread as unread:
                await self._read_in_child(unread)

    def check(
        self, value: str, *, field: str, name: str = "train.jsonl", needs: DataNeeds = "sft"
    ) -> CheckedFile:
        """Every line of the file that `value` means (`name` in it, if it is a folder).

        Every row must be what a method `needs`; for fine-tuning it has the first row's form. Raises
        NotFound or BadContent whose `errors` name `field`, the file and the lines; Unread, inside
        `during`, for a long file.
        """
        try:
            path = data_file(value, name).resolve()
            stamp = stamp_of(path)
            with self._lock:
                report = self._held.get((path, needs))
            if report is not None and report.stamp == stamp:
                return report
            if stamp[0] > SMALL or path.suffix == ".parquet":  # Whose size says little.
                raise Unread((path, needs, stamp), field)
            checked = check_file(path, needs)
        except OSError as problem:
            text = f"{value} can't be read: {problem.strerror}."
            raise BadContent(text, errors=[FieldProblem(field, text)]) from problem
        except AppError as refusal:
            raise _naming(field, refusal) from refusal
        self._hold(checked)
        return checked

    async def _read_in_child(self, unread: Unread) -> None:
        # Two previews that ask at once share one child.
        task = self._reading.get(unread.key)
        if task is None:
            task = asyncio.create_task(self._read(*unread.key), name=f"read {unread.key[0].name}")
            self._reading[unread.key] = task
            task.add_done_callback(lambda _: self._reading.pop(unread.key, None))
        try:
            await asyncio.shield(task)
        except AppError as refusal:
            raise _naming(unread.field, refusal) from refusal

    async def _read(self, path: Path, needs: DataNeeds, stamp: tuple[int, int]) -> None:
        options = {"path": path, "needs": needs}
        self._hold(await do_task("rows", options, CheckedFile, size=max(stamp[0], SMALL + 1)))

    def _hold(self, checked: CheckedFile) -> None:
        with self._lock:
            key = checked.path, checked.needs
            self._held[key] = checked
            self._held.move_to_end(key)
            while len(self._held) > _HELD:
                self._held.popitem(last=False)


def _naming(field: str, refusal: AppError) -> AppError:
    """The same refusal, of that field of the form."""
    problems = [FieldProblem(each.field or field, each.message) for each in refusal.errors]
    return type(refusal)(
        refusal.detail,
        hint=refusal.hint,
        errors=problems or [FieldProblem(field, refusal.detail)],
    )
