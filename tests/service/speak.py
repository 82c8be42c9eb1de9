"""Answer prompts greedily with plain mlx-lm; run as a child, since it imports the engine."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mlx_lm import generate, load


def main(model: str, prompts: str, adapter: str | None = None) -> None:
    loaded = load(model, adapter_path=adapter)
    answers = []
    for prompt in json.loads(Path(prompts).read_text(encoding="utf-8")):
        ids = loaded[1].apply_chat_template(
            [{"role": "user", "content": prompt}], add_generation_prompt=True
        )
        answers.append(generate(loaded[0], loaded[1], ids, max_tokens=60))
    sys.stdout.write("\n" + json.dumps(answers))


main(*sys.argv[1:])
