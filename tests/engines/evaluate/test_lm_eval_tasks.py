"""Tasks of lm-eval on the model that an evaluation holds, with a stand-in for its package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engines.evaluate.test_evaluate import adapter, events, prepare, result_of, start
from tests.engines.running import DEADLINE, environment

pytestmark = pytest.mark.engine

# What mlx_lm's adapter to it and ours use of the real package, asked as it asks: the likelier of
# two continuations, and a text to a stop.
PACKAGE = {
    "api/__init__.py": "",
    "api/model.py": "class LM:\n    def __init__(self):\n        pass\n",
    "api/registry.py": "def register_model(name):\n    return lambda made: made\n",
    "tasks.py": """
class TaskManager:
    def __init__(self, include_defaults):
        assert include_defaults is False
""",
    "__init__.py": """
import json
from types import SimpleNamespace

def simple_evaluate(*, model, tasks, limit, **options):
    (config,) = tasks
    name = config["task"]
    if name == "broken":
        raise KeyError("answer")
    with open(config["dataset_kwargs"]["data_files"]["test"][0]) as file:
        rows = [json.loads(line) for line in file][:limit]
    pairs = [
        SimpleNamespace(args=(row["prompt"], row[side])) for row in rows for side in ("good", "bad")
    ]
    scores = [score for score, greedy in model.loglikelihood(pairs)]
    gaps = [good - bad for good, bad in zip(scores[::2], scores[1::2])]
    stop = {"until": ["\\n"], "max_gen_toks": 4}
    texts = model.generate_until([SimpleNamespace(args=(row["prompt"], stop)) for row in rows])
    return {
        "results": {name: {
            "alias": name,
            "gap,none": sum(gaps) / len(gaps), "gap_stderr,none": 0.5,
            "said,none": sum(map(len, texts)), "said_stderr,none": "N/A",
        }},
        "higher_is_better": {name: {"gap": True}},
        "n-samples": {name: {"original": 9, "effective": len(rows)}},
        "versions": {name: 1.0},
    }
""",
}


@pytest.fixture
def with_package(tmp_path: Path) -> dict[str, str]:
    for name, text in PACKAGE.items():
        path = tmp_path / "packages" / "lm_eval" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    env = environment()
    return env | {"PYTHONPATH": f"{env['PYTHONPATH']}:{tmp_path / 'packages'}"}


def task(tmp_path: Path, name: str = "which") -> dict[str, Any]:
    rows = tmp_path / "rows.jsonl"
    row = {"prompt": "one", "good": " two", "bad": " three"}
    rows.write_text((json.dumps(row) + "\n") * 30)
    config = {"task": name, "dataset_kwargs": {"data_files": {"test": [str(rows)]}}}
    return {"name": name, "config": config}


def test_every_side_is_asked_the_tasks_with_its_adapter_on(
    tmp_path: Path, tiny_model: Path, with_package: dict[str, str]
) -> None:
    targets: list[dict[str, Any]] = [
        {"label": "base", "adapter": None},
        {"label": "loud", "adapter_name": "loud", "adapter": adapter(tmp_path)},
    ]
    folder = prepare(
        tmp_path / "run", tiny_model, targets, metrics=["loss"], tasks=[task(tmp_path)],
        task_limit=20,
    )  # fmt: skip

    assert start(folder, with_package).wait(DEADLINE) == 0, events(folder)[-1]

    gap, said = result_of(folder)["tasks"]
    assert (gap["task"], gap["metric"], gap["filter"], gap["better"]) == (
        "which", "gap", "none", "higher",
    )  # fmt: skip
    assert gap["values"][0] != gap["values"][1]  # The adapter was on for the second side.
    assert (gap["stderrs"], gap["rows"]) == ([0.5, 0.5], 20)
    assert (said["better"], said["stderrs"]) == ("neither", [None, None])
    told = [event for event in events(folder) if event["type"] == "progress"]
    assert told[-1]["done"] == told[-1]["total"]
    report = (folder / "report.md").read_text("utf-8")
    assert f"| which: gap ↑ | none | {gap['values'][0]:.3g} ± 0.5 |" in report


def test_a_task_that_can_not_be_asked_is_named(
    tmp_path: Path, tiny_model: Path, with_package: dict[str, str]
) -> None:
    targets = [{"label": "base", "adapter": None}]
    folder = prepare(
        tmp_path / "run", tiny_model, targets, metrics=["loss"], tasks=[task(tmp_path, "broken")]
    )

    assert start(folder, with_package).wait(DEADLINE) == 1

    assert "could not ask the task broken: 'answer'" in events(folder)[-1]["message"]


def test_without_the_package_the_end_says_what_is_missing(
    tmp_path: Path, tiny_model: Path, with_package: dict[str, str]
) -> None:
    package = tmp_path / "packages" / "lm_eval" / "__init__.py"
    package.write_text("raise ImportError('No module named lm_eval')")
    targets = [{"label": "base", "adapter": None}]
    folder = prepare(
        tmp_path / "run", tiny_model, targets, metrics=["loss"], tasks=[task(tmp_path)]
    )

    assert start(folder, with_package).wait(DEADLINE) == 1

    assert "lm-eval, which can't be loaded" in events(folder)[-1]["message"]
