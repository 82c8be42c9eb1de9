"""The smoke test of an export, in a process of its own: load the finished files and ask them.

`python -m backend.engines.export.smoke <job folder> <answer file>`
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from backend.contract.export.request import ExportRequest, SmokeAnswer
from backend.contract.record import read_record, write_record
from backend.core.disk.files import write_json
from backend.engines.process.import_cache import cache_imports

TOKENS = 8
Answer = tuple[str, str | None, int]  # The program, what it said, and how many tokens that is.


def main(argv: Sequence[str]) -> int:
    """Write the answer; raises what the loading program raised."""
    folder, answer = argv
    cache_imports()
    stored = (Path(folder) / "request.json").read_text(encoding="utf-8")
    request = read_record(ExportRequest, json.loads(stored))
    start = time.monotonic()
    program, text, tokens = _asker(request.format)(request)
    result = SmokeAnswer(
        program=program,
        prompt=request.prompt if text is not None else None,
        text=text,
        tokens=tokens,
        seconds=time.monotonic() - start,
    )
    write_json(Path(answer), write_record(result))
    return 0


def _asker(kind: str) -> Callable[[ExportRequest], Answer]:
    if kind.startswith("gguf"):
        return _gguf_file
    return _peft_on_its_base if kind == "peft" else _plain_mlx_lm


def _plain_mlx_lm(request: ExportRequest) -> Answer:
    """As anybody does who downloads it."""
    from mlx_lm import load

    model, tokenizer = load(request.staging)
    return _ask(model, tokenizer, request.prompt)


def _peft_on_its_base(request: ExportRequest) -> Answer:
    """The files as PEFT reads them, put back onto the base."""
    from backend.engines.export.peft_reading import peft_adapter
    from backend.engines.inference.adapter_swap import attach
    from backend.engines.weights.base import load

    model, tokenizer = load(request.model)
    attach(model, peft_adapter(Path(request.staging)))
    return _ask(model, tokenizer, request.prompt)


def _gguf_file(request: ExportRequest) -> Answer:
    """Read back whole; answered by llama.cpp where its Python wheel is installed."""
    from backend.engines.export.gguf_reading import answer_of, read_back

    (path,) = Path(request.staging).glob("*.gguf")
    program = read_back(path)
    return answer_of(path, request.prompt, TOKENS) or (program, None, 0)


def _ask(model: Any, tokenizer: Any, prompt: str) -> Answer:
    from mlx_lm import stream_generate

    text = prompt
    if tokenizer.has_chat_template:
        message = [{"role": "user", "content": prompt}]
        text = tokenizer.apply_chat_template(message, add_generation_prompt=True, tokenize=False)
    parts = [part.text for part in stream_generate(model, tokenizer, text, max_tokens=TOKENS)]
    return f"mlx_lm {version('mlx-lm')}", "".join(parts), len(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
