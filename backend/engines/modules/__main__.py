"""`python -m backend.engines.modules`: the module tree of a model, without its weights.

Reads `{"model": folder}` on stdin; answers JSON on stdout, as `tree.inspect` says. Somebody
waits for it, so of mlx_lm it imports the model classes alone: its tokenizers, with transformers
behind them, take most of the time and are not needed.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import mlx.core as mx

from backend.engines.modules.light_import import whole_mlx_lm, without_tokenizers


def main() -> int:
    """0 with the tree, or with `{"error": sentence}` when the model can't be built."""
    folder = Path(json.load(sys.stdin)["model"])
    with redirect_stdout(sys.stderr):  # Some architectures print what they lack.
        without_tokenizers()
        answer = tree_of(folder)
        if "error" in answer:  # It may be what was left out that is missed.
            whole_mlx_lm()
            answer = tree_of(folder)
    sys.stdout.write(json.dumps(answer))
    return 0


def tree_of(folder: Path) -> dict[str, Any]:
    try:
        from backend.engines.modules.tree import inspect

        return inspect(folder)
    except SystemExit as ended:  # mlx_lm.models.olmo calls exit when its extra is missing.
        return {"error": f"The architecture needs a package that is not installed ({ended})."}
    except Exception as error:  # noqa: BLE001 - the top: any architecture may fail in its own way
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}


if __name__ == "__main__":
    mx.set_default_device(mx.cpu)
    sys.exit(main())
