"""What a chat template makes of the rows of a file: their lengths, and what to know of them.

The child `backend.engines.tokens` renders the rows; here is its answer, and its words.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from backend.data.schemas import LineProblem, OmittedPart

REFUSED, UNLEARNABLE = 1, 2  # The bits of a row's notes, in the order of `tokens.NOTES`.
SHOWN_LINES = 5
RECORD = 16  # Bytes of a row: four 32-bit numbers.

_OMITTED: Mapping[str, str] = {
    "tools": "the tools are not written by this chat template",
    "tool_calls": "a tool call is not written by this chat template",
    "reasoning_content": "the reasoning of an answer is not written by this chat template",
    "thoughts": "the thoughts of an answer (<think>…</think>) are cut off by this chat template",
    "name": "the name of a message is not written by this chat template",
    "message": "the text of a message is not written by this chat template",
    "doubled_start": "the text begins with the start mark that the tokenizer adds as well, so it "
    "stands there twice",
    "beyond_embedding": "a token whose id is beyond the embedding's rows: the engine checks no "
    "bound, so it trains on made-up numbers",
    "doubled_end": "an end mark stands twice in a row: the text has one, and another is added",
}


class Note(BaseModel):
    """How many rows have it, and the first of them."""

    model_config = ConfigDict(frozen=True)

    count: int
    first: list[LineProblem]


class Notes(BaseModel):
    """What was noted of the rows: `refused`, `unlearnable`, and what the template leaves out."""

    notes: dict[str, Note] = {}

    def omitted(self, rows: int, scale: float = 1.0) -> list[OmittedPart]:
        """What the template leaves out of `rows` rows, in words. With a `scale` only some of them
        were rendered, and that is said.
        """
        about = "about " if scale != 1.0 else ""
        return [
            OmittedPart(
                part=part,
                rows=round(note.count * scale),
                lines=[each.line for each in note.first[:SHOWN_LINES]],
                message=f"{about}{round(note.count * scale)} of {rows} rows: {text} "
                f"({lines_of(note)}).",
            )
            for part, text in _OMITTED.items()
            if (note := self.notes.get(part)) is not None
        ]


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """Of each row: its tokens, the first that is learned when only answers are, its line, and the
    bits of its notes.
    """

    lengths: array[int]
    starts: array[int]
    lines: array[int]
    bits: array[int]
    notes: Notes

    def positions(self, bit: int) -> Iterator[int]:
        """The rows with that note, by position."""
        return (at for at, bits in enumerate(self.bits) if bits & bit)


def unpack_rendered(raw: bytes, notes: Notes) -> RenderedFile:
    """What the child wrote."""
    numbers = array("I")
    numbers.frombytes(raw)
    return RenderedFile(numbers[0::4], numbers[1::4], numbers[2::4], numbers[3::4], notes)


def omission(part: str) -> str | None:
    """What is said of one row that has the note."""
    return _OMITTED.get(part)


def lines_of(note: Note) -> str:
    """The first lines, as "line 3" or "lines 3, 5, …"."""
    shown = [str(each.line) for each in note.first[:SHOWN_LINES]]
    more = ", …" if note.count > len(shown) else ""
    return f"line{'s' if note.count > 1 else ''} {', '.join(shown)}{more}"
