"""`python -m backend.engines.tokens`: rows as the engine turns them into tokens and masks them.

Reads JSON on stdin, answers JSON on stdout. `{"task": "lengths", "model", "sample", "out"}`
measures every row of a sample file and writes (tokens, first trained, line) of each as 32-bit
numbers to `out`. `{"task": "preview", "model", "rows", "mask", "limit", "most"}` spells rows out.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from mlx_lm.utils import load_tokenizer

from backend.engines.spans import conversation, tokens_and_spans

Row = dict[str, Any]
FAILED = 0xFFFFFFFF  # In place of a length: the template refused the row.
_AT_ONCE = 256
_COMPARED = 8


def main() -> int:
    """0 with the answer, or with `{"error": sentence}` when the model's tokenizer can't do it."""
    asked = json.load(sys.stdin)
    try:
        tokenizer = load_tokenizer(Path(asked["model"]))
        if asked["task"] == "lengths":
            answer = measure(tokenizer, Path(asked["sample"]), Path(asked["out"]))
        else:
            answer = {
                "rows": [
                    spell(tokenizer, row, mask=asked["mask"], most=asked["most"])
                    for row in asked["rows"]
                ]
            }
    except Exception as error:  # noqa: BLE001 - the top: tokenizers fail in their own ways
        answer = {"error": _sentence(error)}
    sys.stdout.write(json.dumps(answer))
    return 0


# -- one row, spelled out -----------------------------------------------------------------------


def spell(tokenizer: Any, row: Row, *, mask: bool, most: int) -> dict[str, Any]:
    """The row's first `most` tokens with their texts, and which of them are learned."""
    try:
        tokens, spans = tokens_and_spans(tokenizer, row, mask=mask)
    except Exception as error:  # noqa: BLE001 - a template raises what it likes
        return {"error": _sentence(error)}
    special = set(tokenizer.all_special_ids)
    special |= {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    shown = tokens[:most]
    return {
        "text": tokenizer.decode(shown, skip_special_tokens=False),
        "ids": shown,
        "texts": pieces(tokenizer, shown),
        "special": [token in special for token in shown],
        "total": len(tokens),
        "spans": spans,
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


def measure(tokenizer: Any, sample: Path, out: Path) -> dict[str, Any]:
    """Write the lengths of the sample's rows; answers how many the template refused, and why."""
    count = _counter(tokenizer, sample)
    failed = 0
    first: dict[str, Any] | None = None
    with out.open("wb") as file:
        rows = _sampled(sample)
        while batch := list(islice(rows, _AT_ONCE)):
            found = array("I")
            for (line, _), counted in zip(batch, count([row for _, row in batch]), strict=True):
                if isinstance(counted, str):
                    failed += 1
                    first = first or {"line": line, "message": counted}
                    found.extend((FAILED, 0, line))
                else:
                    found.extend((*counted, line))
            file.write(found.tobytes())
            file.flush()
    return {"failed": failed, "first": first}


Counted = tuple[int, int] | str
Count = Callable[[Sequence[Row]], list[Counted]]


def _counter(tokenizer: Any, sample: Path) -> Count:
    """The engine's own way is exact but slow (1 ms a row); where the tokenizer, called directly,
    agrees with it on the first rows, that is used instead.
    """

    def slow(rows: Sequence[Row]) -> list[Counted]:
        return [_counted(tokenizer, row) for row in rows]

    backend = getattr(getattr(tokenizer, "_tokenizer", None), "backend_tokenizer", None)
    if backend is None:
        return slow
    backend.no_truncation()
    backend.no_padding()

    def fast(rows: Sequence[Row]) -> list[Counted]:
        return _fast(tokenizer, backend, rows)

    some = [row for _, row in islice(_sampled(sample), _COMPARED)]
    try:
        return fast if fast(some) == slow(some) else slow
    except Exception:  # noqa: BLE001 - an unusual tokenizer: the slow way says what is wrong
        return slow


def _counted(tokenizer: Any, row: Row) -> Counted:
    try:
        tokens, spans = tokens_and_spans(tokenizer, row, mask=True)
    except Exception as error:  # noqa: BLE001 - a template raises what it likes
        return _sentence(error)
    return len(tokens), spans[0][0] if spans else len(tokens)


def _fast(tokenizer: Any, backend: Any, rows: Sequence[Row]) -> list[Counted]:
    """As `_counted`: every text is made with the template, and all are encoded together."""
    texts: list[str] = []
    places: list[tuple[int, int] | str] = []  # Where the whole and the prompt are in `texts`.
    for row in rows:
        try:
            made = [row["text"]] if "text" in row else _rendered(tokenizer, row)
        except Exception as error:  # noqa: BLE001 - a template raises what it likes
            places.append(_sentence(error))
            continue
        places.append((len(texts), len(made)))
        texts.extend(made)
    prose = bool(rows) and "text" in rows[0]
    codes = backend.encode_batch(texts, add_special_tokens=prose)
    counted: list[Counted] = []
    for place in places:
        if isinstance(place, str):
            counted.append(place)
            continue
        at, made_count = place
        ids = codes[at].ids
        end = prose and ids[-1:] != [tokenizer.eos_token_id]
        counted.append((len(ids) + end, len(codes[at + 1].ids) if made_count > 1 else 0))
    return counted


def _rendered(tokenizer: Any, row: Row) -> list[str]:
    """The whole conversation as text, and all of it before the first answer."""
    tools, turns = row.get("tools"), conversation(row)
    roles = [turn.get("role") for turn in turns]
    first = roles.index("assistant") if "assistant" in roles else len(turns)
    return [
        tokenizer.apply_chat_template(turns, tools=tools, tokenize=False),
        tokenizer.apply_chat_template(
            turns[:first], tools=tools, add_generation_prompt=first < len(turns), tokenize=False
        ),
    ]


def _sampled(path: Path) -> Iterator[tuple[int, Row]]:
    """(line, row) of the rows that the sample's last line tells to take."""
    stride = _last(path)["stride"]
    with path.open("rb") as file:
        for raw in file:
            item = json.loads(raw)
            if "row" in item and item["index"] % stride == 0:
                yield item["line"], item["row"]


def _last(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 200))
        last: dict[str, Any] = json.loads(file.read().rstrip(b"\n").rsplit(b"\n", 1)[-1])
        return last


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:500]


if __name__ == "__main__":
    sys.exit(main())
