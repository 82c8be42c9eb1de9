"""The files of an evaluation keep their keys, and those of older versions are read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from backend.contract.jobs.evaluation import (
    EvaluationMeasurements,
    EvaluationRequest,
    EvaluationTarget,
    JudgeModel,
    JudgeReport,
    JudgeScores,
    JudgeService,
    LmEvalTask,
    write_measurements,
    write_request,
)
from backend.contract.record import read_record
from backend.contract.sampling import untruncated

REQUEST = EvaluationRequest(
    adapter_name="tuned",
    model="/m",
    targets=(
        EvaluationTarget(label="base"),
        EvaluationTarget(label="tuned", adapter={"key": "k"}, adapter_name="tuned", checkpoint=20),
    ),
    metrics=("loss", "token_f1"),
    sampling=untruncated(300, seed=3),
    training_data_path="/rows.jsonl",
    num_questions=4,
    rows_available=9,
    tasks=(LmEvalTask(name="mine", config={"task": "mine"}),),
)
MEASURED: dict[str, Any] = {
    "targets": [{"label": "base", "adapter_name": None, "checkpoint": None}],
    "metrics": [
        {
            "id": "loss", "name": "Loss", "help": "", "source": "", "better": "lower",
            "values": [{"mean": 1, "low": None, "high": None, "rows": 1}, None],
            "difference": None, "ratio": None,
        }
    ],
    "rows": 1,
    "batched": True,
    "questions": [
        {
            "line": 1, "seen": False, "messages": None, "expected": None,
            "answers": [
                {
                    "text": "Hi", "finish_reason": "stop", "completion_tokens": 2, "loss": None,
                    "tokens": None, "problem": None, "metrics": {"length": 0.5, "rouge_l": None},
                }
            ],
        }
    ],
    "seconds": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("judge", "written"),
    [
        (None, None),
        (JudgeModel(path="/j"), {"path": "/j"}),
        (JudgeService(url="https://j/v1", model="big"), {"url": "https://j/v1", "model": "big"}),
    ],
)
def test_a_request_survives_json_whoever_judges(
    judge: JudgeModel | JudgeService | None, written: dict[str, str] | None
) -> None:
    request = replace(REQUEST, judge=judge)

    value = json.loads(json.dumps(write_request(request)))

    assert value["judge"] == written
    assert read_record(EvaluationRequest, value) == request


def test_the_sampling_of_a_request_has_the_keys_it_always_had() -> None:
    assert write_request(REQUEST)["sampling"] == {
        "max_tokens": 300, "temperature": 0.0, "top_p": 1.0, "min_p": 0.0, "top_k": 0,
        "repetition_penalty": None, "seed": 3,
    }  # fmt: skip


def test_a_result_of_before_has_no_thoughts_tasks_or_judge() -> None:
    found = read_record(EvaluationMeasurements, MEASURED)

    assert (found.tasks, found.judge, found.scores) == ((), None, None)
    assert found.questions[0].answers[0].thoughts is None
    assert found.metrics[0].values[0] is not None


def test_a_result_says_nothing_of_a_judge_that_was_not_asked() -> None:
    found = read_record(EvaluationMeasurements, MEASURED)
    judge = JudgeReport(model="big", asked=1, failed=1, problems=("no",), swaps=None)

    assert not {"judge", "scores", "base_model_scores"} & write_measurements(found).keys()
    judged = write_measurements(replace(found, judge=judge, scores=JudgeScores()))
    assert judged["scores"]["overall"] is None
    assert judged["base_model_scores"] is None
