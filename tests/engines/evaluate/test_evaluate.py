"""The evaluation's own process on a tiny model: what it leaves behind, and how it ends."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest

from backend.settings import CHECKOUT
from tests.engines.running import DEADLINE, environment

pytestmark = pytest.mark.engine

SAMPLING = {"max_tokens": 6, "temperature": 0.0, "top_p": 1.0, "min_p": 0.0, "top_k": 0, "seed": 0}
METRICS = ["loss", "perplexity", "exact_match", "length"]
HIDDEN = 32


def ask(said: str, answer: str) -> dict[str, Any]:
    return {"prompt": said, "completion": answer}


ROWS = [ask("one", "two"), {"text": "No question here."}, ask("three", "four"), ask("x" * 400, "y")]


def adapter(folder: Path) -> dict[str, Any]:
    mx.random.seed(2)
    name = "model.layers.1.self_attn.q_proj"
    tensors = {
        f"{name}.lora_a": mx.random.normal((HIDDEN, 2)),
        f"{name}.lora_b": mx.random.normal((2, HIDDEN)),
    }
    path = folder / "adapters.safetensors"
    mx.save_safetensors(str(path), tensors)
    return {
        "key": str(path), "name": "loud", "file": str(path), "kind": "lora", "scale": 4.0,
        "scales": {}, "names": None,
    }  # fmt: skip


def prepare(
    folder: Path,
    model: Path,
    targets: Sequence[dict[str, Any]],
    rows: Any = ROWS,
    judge: dict[str, str] | None = None,
    **changed: Any,
) -> Path:
    folder.mkdir(parents=True)
    request = {
        "model": str(model), "targets": list(targets), "metrics": METRICS, "sampling": SAMPLING,
        "adapter_name": "loud", "training_data_path": "rows.jsonl", "started": "today",
        "num_questions": len(rows), "rows_available": len(rows),
        "compared": True, "warnings": ["A remark."], "judge": judge, **changed,
    }  # fmt: skip
    (folder / "request.json").write_text(json.dumps(request))
    entries = [{"line": at + 1, "seen": at == 2, "row": row} for at, row in enumerate(rows)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return folder


def start(folder: Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "backend.engines.evaluate", str(folder)],
        cwd=CHECKOUT, env=env or environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def evaluated(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evaluation")
    targets: list[dict[str, Any]] = [
        {"label": "base", "adapter": None},
        {"label": "loud", "adapter_name": "loud", "checkpoint": "latest", "adapter": adapter(root)},
    ]
    folder = prepare(root / "run", tiny_model, targets)
    assert start(folder).wait(DEADLINE) == 0, events(folder)[-1]
    return folder


def result_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return found


def test_both_sides_answer_the_same_questions(evaluated: Path) -> None:
    result = result_of(evaluated)
    assert [target["label"] for target in result["targets"]] == ["base", "loud"]
    assert (result["rows"], result["questions_asked"]) == (4, 3)
    first = result["questions"][0]
    assert first["expected"] == "two"
    assert [answer["completion_tokens"] <= 6 for answer in first["answers"]] == [True, True]
    assert [question["seen"] for question in result["questions"]] == [False, False, True, False]


def test_an_adapter_changes_the_loss_and_the_same_rows_are_counted(evaluated: Path) -> None:
    found = {metric["id"]: metric for metric in result_of(evaluated)["metrics"]}
    base, loud = found["loss"]["values"]
    # Nobody trained this model: it is about as unsure as a choice among all tokens.
    assert base["mean"] == pytest.approx(math.log(259), rel=0.1)
    assert loud["mean"] != base["mean"]
    assert base["rows"] == loud["rows"] == found["loss"]["difference"]["rows"]


def test_text_without_a_question_counts_for_the_loss_only(evaluated: Path) -> None:
    plain = result_of(evaluated)["questions"][1]
    assert plain["expected"] is None
    for answer in plain["answers"]:
        assert answer["text"] is None
        assert answer["loss"] > 0


def test_a_question_longer_than_the_context_is_told_and_ends_nothing(evaluated: Path) -> None:
    answer = result_of(evaluated)["questions"][3]["answers"][0]
    assert answer["text"] is None
    assert "context is 256" in answer["problem"]


def test_progress_counts_up_to_all_of_the_work(evaluated: Path) -> None:
    told = [event for event in events(evaluated) if event["type"] == "progress"]
    assert [event["done"] for event in told] == sorted(event["done"] for event in told)
    assert told[-1]["done"] == told[-1]["total"] == 2 * (4 + 3)
    assert events(evaluated)[-1]["state"] == "completed"


def test_the_report_names_rows_scores_and_remarks(evaluated: Path) -> None:
    report = (evaluated / "report.md").read_text("utf-8")
    assert "1 of them were trained on, and are marked" in report
    assert "- A remark." in report
    assert "| Loss per token ↓ |" in report


def test_a_model_of_this_machine_judges_in_the_room_of_the_one_it_judges(
    tiny_model: Path, tmp_path: Path
) -> None:
    judge = {"path": str(tiny_model)}
    targets = [{"label": "base", "adapter": None}]
    folder = prepare(tmp_path / "run", tiny_model, targets, ROWS[:1], judge=judge)
    assert start(folder).wait(DEADLINE) == 0, events(folder)[-1]
    result = result_of(folder)
    # A random model says nothing that could be read as a score, so there is none.
    assert (result["judge"]["asked"], result["judge"]["failed"]) == (1, 1)
    assert set(result["scores"].values()) == {None}
    assert "1 of 1 calls failed" in (folder / "report.md").read_text("utf-8")


def test_where_only_the_loss_is_wanted_no_question_is_answered(
    tiny_model: Path, tmp_path: Path
) -> None:
    targets = [{"label": "base", "adapter": None}]
    folder = prepare(tmp_path / "run", tiny_model, targets, metrics=["loss", "perplexity"])
    assert start(folder).wait(DEADLINE) == 0, events(folder)[-1]
    result = result_of(folder)
    assert result["questions_asked"] == 0
    assert [question["answers"][0]["text"] for question in result["questions"]] == [None] * 4
    assert [metric["id"] for metric in result["metrics"]] == ["loss", "perplexity"]
    assert "answering" not in [event.get("name") for event in events(folder)]


def test_a_prompt_set_is_answered_without_expected_answers(
    tiny_model: Path, tmp_path: Path
) -> None:
    targets = [{"label": "base", "adapter": None}]
    prompts = [{"prompt": "one", "system": "Be brief."}, {"prompt": "two"}]
    folder = prepare(
        tmp_path / "run", tiny_model, targets, prompts,
        metrics=["length", "repetition"], prompt_set="counting", compared=False, warnings=[],
    )  # fmt: skip
    assert start(folder).wait(DEADLINE) == 0, events(folder)[-1]
    result = result_of(folder)
    assert [question["expected"] for question in result["questions"]] == [None, None]
    assert [question["answers"][0]["text"] is None for question in result["questions"]] == [
        False, False,
    ]  # fmt: skip
    assert [metric["id"] for metric in result["metrics"]] == ["length", "repetition"]
    report = (folder / "report.md").read_text("utf-8")
    assert "- Prompts: 2 of “counting”, without expected answers" in report
    assert "### Prompt 2" in report and "Expected:" not in report


def test_a_damaged_adapter_is_told_in_a_sentence(tiny_model: Path, tmp_path: Path) -> None:
    spec = adapter(tmp_path)
    Path(spec["file"]).write_bytes(b"half of a file")
    folder = prepare(tmp_path / "run", tiny_model, [{"label": "loud", "adapter": spec}])
    assert start(folder).wait(DEADLINE) == 1
    assert "loud can't be read" in events(folder)[-1]["message"]
    assert not (folder / "result.json").exists()


def test_a_cancel_ends_it_without_a_result(tiny_model: Path, tmp_path: Path) -> None:
    rows = [ask("one", "two")] * 4000
    folder = prepare(tmp_path / "run", tiny_model, [{"label": "base", "adapter": None}], rows)
    child = start(folder)
    log = folder / "events.jsonl"
    while child.poll() is None and (not log.exists() or b'"progress"' not in log.read_bytes()):
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.05)
    child.send_signal(signal.SIGTERM)
    assert child.wait(DEADLINE) == 0
    assert events(folder)[-1]["state"] == "stopped"
    assert not (folder / "result.json").exists()
