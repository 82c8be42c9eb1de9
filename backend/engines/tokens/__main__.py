"""`python -m backend.engines.tokens`: rows as the engine turns them into tokens and masks them.

Reads JSON on stdin, answers JSON on stdout. `{"task": "lengths", "model", "files", "needs",
"train_mode", "vocab_size"}` renders every row of each file's `rows`, a sample or what a run gets,
and writes (tokens, first trained, line, bits of NOTES) of each as 32-bit numbers to its `out`; it
answers how many rows each note is of. `{"task": "preview", "model", "rows", "mask", "most",
"vocab_size"}` spells rows out.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.engines.process.import_cache import cache_imports

cache_imports()  # Before the first of these brings transformers.
from mlx_lm.utils import load_tokenizer  # noqa: E402

from backend.engines.tokens.answer_spans import tokens_and_spans  # noqa: E402
from backend.engines.tokens.omissions import PARTS  # noqa: E402
from backend.engines.tokens.rendering import (  # noqa: E402
    ChatRenderer,
    Rendered,
    sentence,
    special_ids,
)

if TYPE_CHECKING:
    from backend.engines.tokens.method_counts import MethodRenderer

Row = dict[str, Any]
NOTES = ("refused", "unlearnable", *PARTS)
_AT_ONCE = 256
_MOST_BYTES = 4_000_000  # Of the rows that are rendered together: their tokens take some 50 times.
_SHOWN = 20


def main() -> int:
    """0 with the answer, or with `{"error": sentence}` when the model's tokenizer can't do it."""
    request = json.load(sys.stdin)
    answer: dict[str, Any]
    try:
        tokenizer = load_tokenizer(Path(request["model"]))
        if request["task"] == "lengths":
            answer = {
                "files": [
                    measure(
                        tokenizer,
                        Path(file["rows"]),
                        Path(file["out"]),
                        needs=request["needs"],
                        train_mode=request["train_mode"],
                        embedded=request["vocab_size"],
                    )
                    for file in request["files"]
                ]
            }
        else:
            answer = {
                "rows": [
                    spell(
                        tokenizer,
                        row,
                        mask=request["mask"],
                        most=request["most"],
                        embedded=request["vocab_size"],
                    )
                    for row in request["rows"]
                ]
            }
    except Exception as error:  # noqa: BLE001 - the top: tokenizers fail in their own ways
        answer = {"error": sentence(error)}
    sys.stdout.write(json.dumps(answer))
    return 0


# -- one row, spelled out -----------------------------------------------------------------------


def spell(
    tokenizer: Any, row: Row, *, mask: bool, most: int, embedded: int | None = None
) -> dict[str, Any]:
    """The row's first `most` tokens with their texts, and which of them are learned."""
    try:
        tokens, spans = tokens_and_spans(tokenizer, row, mask=mask)
    except Exception as error:  # noqa: BLE001 - a template raises what it likes
        return {"error": sentence(error)}
    (rendering,) = ChatRenderer(tokenizer, [row], embedded).render([row])
    special = special_ids(tokenizer)
    tokens_shown = tokens[:most]
    return {
        "text": tokenizer.decode(tokens_shown, skip_special_tokens=False),
        "ids": tokens_shown,
        "texts": pieces(tokenizer, tokens_shown),
        "special": [token in special for token in tokens_shown],
        "total": len(tokens),
        "spans": spans,
        "omitted": rendering.omitted,
        "unlearnable": rendering.unlearnable if mask else None,
    }


def pieces(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Each token's share of the text: joined they are the whole. A character made of several
    tokens goes to the last of them.
    """
    texts: list[str] = []
    begin = read = 0
    for end in range(1, len(ids) + 1):
        before = tokenizer.decode(ids[begin:read], skip_special_tokens=False)
        now = tokenizer.decode(ids[begin:end], skip_special_tokens=False)
        if now.endswith("\ufffd") and end - read < 8:
            texts.append("")
            continue
        texts.append(now[len(before) :])
        begin, read = read, end
    if read < len(ids) and texts:
        before = tokenizer.decode(ids[begin:read], skip_special_tokens=False)
        texts[-1] = tokenizer.decode(ids[begin:], skip_special_tokens=False)[len(before) :]
    return texts


# -- many rows, measured ------------------------------------------------------------------------


def measure(
    tokenizer: Any,
    file: Path,
    out: Path,
    *,
    needs: str = "sft",
    train_mode: str | None = None,
    embedded: int | None = None,
) -> dict[str, Any]:
    """Write a record of every row of the file to `out`; answers what the template refuses or
    leaves out: of each how many rows, and the first of them. `embedded` is how many tokens have an
    embedding.
    """
    notes = _Notes()
    rows = _number(file)
    renderer: ChatRenderer | MethodRenderer | None = None
    with out.open("wb") as target:
        for batch in _batches(rows):
            row_values = [row for _, row in batch]
            renderer = renderer or _renderer(tokenizer, row_values, needs, train_mode, embedded)
            records = array("I")
            for (line, _), one in zip(batch, renderer.render(row_values), strict=True):
                records.extend((one.length, one.start, line, notes.add(line, one)))
            target.write(records.tobytes())
            target.flush()
    return notes.answer()


def _renderer(
    tokenizer: Any,
    first: Sequence[Row],
    needs: str,
    train_mode: str | None,
    embedded: int | None,
) -> ChatRenderer | MethodRenderer:
    if needs == "sft":
        return ChatRenderer(tokenizer, first, embedded)
    from backend.engines.tokens.method_counts import MethodRenderer  # A second engine to import.

    return MethodRenderer(tokenizer, needs, train_mode, first, embedded)


class _Notes:
    """What was noted of rows: how often, and where first."""

    def __init__(self) -> None:
        self._noted: dict[str, dict[str, Any]] = {name: {"count": 0, "first": []} for name in NOTES}

    def add(self, line: int, row: Rendered) -> int:
        """Note a row; answers the bits of its notes."""
        bits = 0
        for name, message in (("refused", row.refused), ("unlearnable", row.unlearnable)):
            if message is not None:
                bits |= self._note(name, line, message)
        for part in row.omitted:
            bits |= self._note(part, line, "")
        return bits

    def answer(self) -> dict[str, Any]:
        return {"notes": {name: noted for name, noted in self._noted.items() if noted["count"]}}

    def _note(self, name: str, line: int, message: str) -> int:
        noted = self._noted[name]
        noted["count"] += 1
        if len(noted["first"]) < _SHOWN:
            noted["first"].append({"line": line, "message": message})
        return 1 << NOTES.index(name)


def _batches(rows: Iterator[tuple[int, Row, int]]) -> Iterator[list[tuple[int, Row]]]:
    """Rows that are rendered together: many, but no more bytes than fit."""
    batch: list[tuple[int, Row]] = []
    size = 0
    for line, row, length in rows:
        if len(batch) == _AT_ONCE or (batch and size + length > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((line, row))
        size += length
    if batch:
        yield batch


def _number(path: Path) -> Iterator[tuple[int, Row, int]]:
    """(line, row, bytes) of a file of rows; of a sample, those that its last line tells to take."""
    stride = _last(path).get("stride", 1)
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            item = json.loads(raw)
            if "index" not in item or "row" not in item:
                if "stride" not in item:
                    yield number, item, len(raw)
            elif item["index"] % stride == 0:
                yield item["line"], item["row"], len(raw)


def _last(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 200))
        raw = file.read().rstrip(b"\n").rsplit(b"\n", 1)[-1]
    return json.loads(raw) if raw.startswith(b'{"stride"') else {}


if __name__ == "__main__":
    sys.exit(main())
