"""The short program on weights and the server read each other's lines."""

from __future__ import annotations

import json

from backend.contract.record import read_record, write_record
from backend.contract.weights import MatrixChange, WeightsAnswer, WeightsRequest


def test_request_and_answer_survive_json() -> None:
    request = WeightsRequest(file="/a", scale=2.0, names={"old": ("new", True)}, scales={"q": 1.0})
    change = MatrixChange(
        name="q", shape=(4, 2), rank=1, norm=1.0, spectral=None, effective_rank=1.0,
        base_norm=None, relative=None,
    )  # fmt: skip
    answer = WeightsAnswer(matrices=(change,))

    assert read_record(WeightsRequest, json.loads(json.dumps(write_record(request)))) == request
    assert read_record(WeightsAnswer, json.loads(json.dumps(write_record(answer)))) == answer


def test_a_problem_stands_alone() -> None:
    assert read_record(WeightsAnswer, {"problem": "No LoRA."}).matrices == ()
