"""The smoke test of an export, in a process of its own: load the finished files and ask them.

`python -m backend.engines.export.smoke <export folder> <answer file> <format> <prompt>`
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from backend.contract.export import SmokeAnswer
from backend.contract.record import write_record
from backend.core.disk.files import write_json

TOKENS = 8


def main(argv: Sequence[str]) -> int:
    """Write the answer; raises what the loading program raised."""
    folder, answer, kind, prompt = argv
    started = time.monotonic()
    program, text, tokens = _asker(kind)(Path(folder), prompt)
    found = SmokeAnswer(
        program=program,
        prompt=prompt if text is not None else None,
        text=text,
        tokens=tokens,
        seconds=time.monotonic() - started,
    )
    write_json(Path(answer), write_record(found))
    return 0


def _asker(kind: str) -> Callable[[Path, str], tuple[str, str | None, int]]:
    return _plain_mlx_lm


def _plain_mlx_lm(folder: Path, prompt: str) -> tuple[str, str | None, int]:
    """As anybody does who downloads it."""
    from mlx_lm import load, stream_generate

    model, tokenizer = load(str(folder))
    text = prompt
    if tokenizer.has_chat_template:
        message = [{"role": "user", "content": prompt}]
        text = tokenizer.apply_chat_template(message, add_generation_prompt=True, tokenize=False)
    parts = [part.text for part in stream_generate(model, tokenizer, text, max_tokens=TOKENS)]
    return f"mlx_lm {version('mlx-lm')}", "".join(parts), len(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
