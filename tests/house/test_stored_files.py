"""Files that were written earlier are read by one module, which bounds what is in them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.sources import name_of, under

READER = "backend/core/disk/stored_files.py"
CALLS = {
    "json.load", "json.loads", "yaml.load", "yaml.safe_load", "yaml.full_load", "*.read_text",
    "*.read_bytes", "*.model_validate_json",
}  # fmt: skip
# Each has what it reads; none of them is JSON, YAML or text from a file of the data root.
ALLOWED: dict[str, dict[str, str]] = {
    "backend/api/errors.py": {"*.model_validate_json": "an answer that this process has made"},
    "backend/api/stream.py": {"json.loads": "what a client sends; the guard bounds it"},
    "backend/notifications/messages.py": {"json.loads": "a frame that this server wrote"},
    "backend/cli/client.py": {"json.loads": "what the service answers"},
    "backend/cli/train.py": {"json.loads": "a word of the command line"},
    "backend/data/tasks/client.py": {
        "json.loads": "the output of a child of ours",
        "*.read_text": "a number that a child of ours writes in a fresh folder",
    },
    "backend/data/readers/json_document.py": {"json.loads": "rows of the user's data, in a child"},
    "backend/data/readers/data_file.py": {
        "json.loads": "a row of the user's data, by a reader of its own"
    },
    "backend/data/rows/turns.py": {"json.loads": "a text within a row of the user's data"},
    "backend/data/readers/parquet.py": {"json.loads": "the output of a child of ours"},
    "backend/jobs/run/session_index.py": {
        "*.model_validate_json": "bytes that the reader bounds; what does not fit is made anew"
    },
    "backend/models/architectures.py": {"*.read_text": "the installed engine's own source"},
    "backend/data/readers/csv_table.py": {
        "json.loads": "a cell of the user's data, of a bounded line"
    },
    "backend/models/safetensors_headers.py": {
        "json.loads": "a safetensors header, whose reader bounds it"
    },
    "backend/contract/export/size.py": {
        "json.loads": "a safetensors header, which is bounded, and a model's configuration",
        "*.read_bytes": "a model's configuration",
    },
    "backend/contract/export/gguf.py": {
        "json.loads": "a model's configuration and tokenizer",
        "*.read_bytes": "a model's configuration and tokenizer",
    },
    "backend/downloads/hub_listing.py": {"json.loads": "the output of a child of ours"},
    "backend/data/tasks/child.py": {"json.load": "the input of a child, from its parent"},
    "backend/core/machine/hardware.py": {"*.read_text": "the kernel's own files"},
    "backend/core/disk/removal.py": {"*.read_text": "the kernel's own files"},
    "backend/core/machine/system.py": {"*.read_text": "the kernel's own files"},
    "backend/core/machine/versions.py": {"json.loads": "the output of a child of ours"},
    "backend/comparisons/blind_votes.py": {"*.model_validate_json": "a line that the reader gave"},
    "backend/evaluation/lm_eval_tasks.py": {
        "json.loads": "a value that the reader gave, made plain JSON"
    },
    "backend/evaluation/weight_changes.py": {"json.loads": "the output of a child of ours"},
    "backend/inference/openai/requests.py": {"json.loads": "a field of a request"},
    "backend/inference/worker_process.py": {"json.loads": "a line of the worker's output"},
    "backend/training/request/coercion.py": {"json.loads": "a field of a request"},
    "backend/training/lora/inspector.py": {"json.loads": "the output of a child of ours"},
    "backend/training/request/reward_names.py": {"json.loads": "a field of a request"},
    "backend/training/rewards/service.py": {"json.loads": "the output of a child of ours"},
}
SERVER = [
    path
    for path in under("backend", ".py")
    if not name_of(path).startswith("backend/engines/") and name_of(path) != READER
]


def calls(path: Path) -> set[str]:
    """Which of the calls a file makes, imported by name or not."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module in {"json", "yaml"}:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found |= {f"{ast.unparse(node.func.value)}.{node.func.attr}", f"*.{node.func.attr}"}
    return found & CALLS


@pytest.mark.parametrize("path", SERVER, ids=name_of)
def test_stored_files_are_read_by_the_one_reader(path: Path) -> None:
    allowed = ALLOWED.get(name_of(path), {})

    assert calls(path) <= set(allowed), f"read it with {READER}, or say here what it reads"
    assert set(allowed) <= calls(path), "a reason is given for what is not done any more"


def test_every_exception_is_of_a_file_that_is_there() -> None:
    assert set(ALLOWED) <= {name_of(path) for path in SERVER}
