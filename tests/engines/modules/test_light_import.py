"""The model classes alone give the same trees, and what they lack can still be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engines.running import environment

pytestmark = pytest.mark.engine

QWEN = Path(__file__).parents[2] / "training" / "lora" / "configs" / "qwen2.5-0.5b.json"

BARE = """
import json, sys
from pathlib import Path
from backend.engines.modules import light_import as bare
from backend.engines.modules.__main__ import tree_of
folder = Path(sys.argv[1])
bare.without_tokenizers()
quick = tree_of(folder)
light = "transformers" not in sys.modules and "tokenizers" not in sys.modules
bare.whole_mlx_lm()
whole = tree_of(folder)
import mlx_lm
print(json.dumps([light, quick == whole, callable(mlx_lm.load), whole["num_layers"]]))
"""

# An architecture that needs what was left out, as a later one might.
MISSED = """
import json, sys
from pathlib import Path
import backend.engines.modules.__main__ as inspect_model
from backend.engines.modules import light_import as bare
left_out = bare.without_tokenizers
def and_the_architecture():
    left_out()
    sys.modules["mlx_lm.models.qwen2"] = None
bare.without_tokenizers = inspect_model.without_tokenizers = and_the_architecture
sys.exit(inspect_model.main())
"""


def ran(code: str, *argv: str, stdin: str = "") -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code, *argv], env=environment(), input=stdin,
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_bytes(QWEN.read_bytes())
    return tmp_path


def test_the_tree_needs_no_tokenizers_and_is_the_same_with_them(folder: Path) -> None:
    assert ran(BARE, str(folder)) == [True, True, True, 24]


def test_a_tree_that_can_not_be_built_so_is_built_with_the_whole_engine(folder: Path) -> None:
    answer = ran(MISSED, stdin=json.dumps({"model": str(folder)}))

    assert (answer.get("error"), answer.get("num_layers")) == (None, 24)
