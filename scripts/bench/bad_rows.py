"""A file with one row that the chat template refuses: how long until a start says so."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backend.cli.client import Client, Refused
from scripts.bench.measures import Measure
from scripts.bench.runs import service
from scripts.setup.stamps import CHECKOUT

_DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"
_ROWS, _BAD, _TRIES = 300, 200, 3
_ALTERNATES = (
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def bad_rows() -> Iterator[Measure]:
    """Each try is of a file that was never rendered before."""
    seconds = []
    with tempfile.TemporaryDirectory(prefix="droid-bench-") as folder:
        root = Path(folder)
        model = root / "strict"
        shutil.copytree(_DEMO, model)
        (model / "chat_template.jinja").write_text(_ALTERNATES, encoding="utf-8")
        with service(root / "data") as (_, client, _):
            for number in range(_TRIES):
                path = _write(root / f"rows-{number}.jsonl", number)
                request = {"model_path": str(model), "train_data_path": str(path),
                           "adapter_name": f"bad-{number}", "iterations": 10}  # fmt: skip
                seconds.append(_refused_after(client, request))
    yield Measure(
        f"one bad row of {_ROWS} refused by its line",
        statistics.median(seconds),
        "s",
        2.0,
        detail=f"median of {_TRIES} files of new content; a start on the demo's weights",
    )


def _refused_after(client: Client, request: Mapping[str, Any]) -> float:
    started = time.monotonic()
    try:
        client.post("/training/start", request)
    except Refused as refusal:
        if f"Line {_BAD}" in str(refusal):
            return time.monotonic() - started
        raise
    raise RuntimeError("The row was not refused.")


def _write(path: Path, seed: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, _ROWS + 1):
            asked = [{"role": "user", "content": f"What is {number} and {seed}?"}]
            turns = [*asked * (2 if number == _BAD else 1), _answer(number)]
            file.write(json.dumps({"messages": turns}) + "\n")
    return path


def _answer(number: int) -> dict[str, str]:
    return {"role": "assistant", "content": f"It is the number {number}, and nothing else."}
