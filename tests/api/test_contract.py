"""Every operation, asked by Schemathesis with what its schema allows and with what it does not:
each answer has a documented status and shape, and none is a bug.

`npm test` asks a few times; `npm run fuzz` asks much more (FUZZ_EXAMPLES).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from backend.app import create_app
from backend.settings import read_settings
from tests.api.live import Live

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
HELD = [status_code_conformance, content_type_conformance, response_schema_conformance]
_PHASES = {"examples": False, "coverage": EXAMPLES > 50, "fuzzing": True, "stateful": False}
schema = schemathesis.openapi.from_dict(
    create_app(read_settings({}, data_dir="/nowhere")).openapi(),
    config=schemathesis.Config.from_dict(
        {"phases": {name: {"enabled": on} for name, on in _PHASES.items()}}
    ),
)


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where a relative path of a request leads to, if any does."""
    patch = pytest.MonkeyPatch()
    patch.chdir(tmp_path_factory.mktemp("elsewhere"))
    yield
    patch.undo()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 50,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_an_answer_is_one_of_the_documented(live: Live, case: schemathesis.Case[Any]) -> None:
    answer = case.call_and_validate(base_url=live.url, checks=HELD)

    assert answer.status_code != 500, answer.text
