"""Requests to the worker and its frames survive the way, and say no more than they should."""

from __future__ import annotations

import json
from typing import TypeVar

import pytest

from backend.contract.answers import AnswerEnd, AnswerStats
from backend.contract.inference_frames import (
    AnswerFrame,
    BatchItem,
    BatchRequest,
    GenerateRequest,
    ModelInput,
    RowScore,
    Scores,
    TogetherRequest,
    Token,
    WorkerStatus,
)
from backend.contract.record import BadRecord, read_record, write_record
from backend.contract.sampling import Sampling

T = TypeVar("T")

STATS = AnswerStats(
    prompt_tokens=3, completion_tokens=2, cached_tokens=1, first_token_seconds=0.5,
    tokens_per_second=None, model_load_seconds=0.0, swap_seconds=0.25, finish_reason="stop",
)  # fmt: skip
END = AnswerEnd(stats=STATS, thought_marks=(("<a>", "</a>"),), thoughts_opened="<a>")
HELLO = ModelInput(messages=({"role": "user", "content": "Hello"},))
SPEC = {"key": "k", "name": "tuned", "scales": {"layer": 2.0}, "names": None}


def sent(record: T) -> T:
    line = json.dumps({"id": 1, "type": "x", "op": "y", **write_record(record)})
    return read_record(type(record), json.loads(line))


@pytest.mark.parametrize(
    "record",
    [
        GenerateRequest(model="/m", adapter=SPEC, question=HELLO, sampling=Sampling(stop=("x",))),
        TogetherRequest(model="/m", adapters=(None, SPEC), question=HELLO, sampling=Sampling()),
        BatchRequest(model="/m", prompts=(BatchItem(question=HELLO, sampling=Sampling()),)),
        Token("Hi", 2),
        AnswerFrame(index=1, text="Hi", end=END),
        Scores(rows=(RowScore(problem="no"), RowScore(loss=1.0)), loss=1.0, tokens=0, correct=0),
        WorkerStatus(base="/m", adapters_known=("one", "two")),
    ],
)
def test_what_is_sent_is_what_is_read(record: object) -> None:
    assert sent(record) == record


def test_a_request_without_its_model_is_told_by_name() -> None:
    with pytest.raises(BadRecord, match=r"BatchRequest\.model is missing"):
        read_record(BatchRequest, {"prompts": []})
