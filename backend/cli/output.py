"""What a command prints: text for a person, or JSON for a program. Results go to stdout, remarks
and progress to stderr.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from backend.core.disk.files import format_bytes

if TYPE_CHECKING:  # Its import takes longer than many a command.
    from rich.console import Console

UNKNOWN = "—"


class Bar(Protocol):
    """Progress of something: its share from 0 to 1 where it is known, and a line about it."""

    def __call__(self, share: float | None, text: str) -> None: ...


class Output:
    """One command's output. As JSON, each value is one line."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.live = not as_json and sys.stderr.isatty()

    def value(self, value: Any) -> None:
        """A value for a program; nothing for a person."""
        if self.as_json:
            print_line(json.dumps(value, ensure_ascii=False))

    def text(self, text: str = "") -> None:
        """A line of the result for a person."""
        if not self.as_json:
            print_line(printable(text))

    def piece(self, text: str) -> None:
        """A part of a line, at once."""
        if not self.as_json:
            sys.stdout.write(printable(text))
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """A remark beside the result."""
        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
        """Rows for a person; as wide as they are where no terminal limits them."""
        if self.as_json:
            return
        if not rows:
            print_line(empty)
            return
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(printable(cell) for cell in row))
        _console(sys.stdout).print(table)

    @contextmanager
    def bar(self, title: str) -> Iterator[Bar]:
        """Progress on a terminal; elsewhere a line for each new text, and none as JSON."""
        if self.as_json:
            yield lambda share, text: None
        elif not self.live:
            yield self._lines()
        else:
            with _live_bar(title) as bar:
                yield bar

    def _lines(self) -> Bar:
        last = [""]

        def show(share: float | None, text: str) -> None:
            if text and text != last[0]:
                last[0] = text
                self.note(f"  {text}")

        return show


@contextmanager
def _live_bar(title: str) -> Iterator[Bar]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
    with Progress(*columns, console=_console(sys.stderr), transient=True) as progress:
        task = progress.add_task(title, total=None, text="")

        def show(share: float | None, text: str) -> None:
            total = None if share is None else 1.0
            progress.update(task, total=total, completed=share or 0.0, text=printable(text))

        yield show


def _console(stream: Any) -> Console:
    from rich.console import Console

    return Console(
        file=stream,
        width=None if stream.isatty() else 1000,
        markup=False,
        emoji=False,
        highlight=False,
    )


def print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def printable(text: str) -> str:
    """Without control characters: a model's answer or a file's name may not steer the terminal."""
    return "".join(
        one for one in text if one in "\n\t" or (ord(one) >= 32 and not 127 <= ord(one) < 160)
    )


def number(value: object, digits: int = 3) -> str:
    """A number for a person; the sign for unknown where there is none."""
    if isinstance(value, int) and not isinstance(value, bool) and digits == 0:
        return f"{value}"
    return f"{value:.{digits}f}" if isinstance(value, int | float) else UNKNOWN


def size(value: object) -> str:
    return format_bytes(value) if isinstance(value, int | float) else UNKNOWN


def seconds(value: object) -> str:
    """A duration: `42 s`, `3 min 5 s`, `2 h 10 min`."""
    if not isinstance(value, int | float):
        return UNKNOWN
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(value: object) -> str:
    """A time of the service, in this machine's zone."""
    if not isinstance(value, str):
        return UNKNOWN
    try:
        return datetime.fromisoformat(value).astimezone().strftime("%m-%d %H:%M")
    except ValueError:
        return value


def word(value: object) -> str:
    """A value as it is; the sign for unknown where there is none."""
    return UNKNOWN if value is None or value == "" else str(value)
