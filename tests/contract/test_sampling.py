"""Sampling goes from server to engine whole, and old requests are read too."""

from __future__ import annotations

import json

from backend.contract.record import read_record, write_record
from backend.contract.sampling import Sampling, untruncated


def test_sampling_survives_json() -> None:
    sampling = Sampling(max_tokens=7, temperature=1, top_k=3, seed=5, stop=("\n", "END"))

    assert read_record(Sampling, json.loads(json.dumps(write_record(sampling)))) == sampling


def test_an_evaluation_request_of_before_has_no_stop() -> None:
    old = {
        "max_tokens": 300, "temperature": 0.0, "top_p": 1.0, "min_p": 0.0, "top_k": 0,
        "repetition_penalty": None, "seed": 3,
    }  # fmt: skip

    assert read_record(Sampling, old) == untruncated(300, seed=3)
