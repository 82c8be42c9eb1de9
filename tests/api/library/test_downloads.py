"""The routes of model downloads; the downloads themselves are tested in tests/catalog."""

from __future__ import annotations

import httpx
import pytest

from tests.api.live import Live


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"repo_id": "https://169.254.169.254/latest"},
        {"repo_id": "../../etc"},
        {"repo_id": "a/b", "revision": "../x"},
        {"repo_id": "a/b", "token": "x"},
    ],
)
def test_only_a_repository_name_is_taken(live: Live, body: dict[str, str]) -> None:
    answer = httpx.post(f"{live.url}/models/download", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_there_is_nothing_to_stop_before_something_began(live: Live) -> None:
    assert httpx.get(f"{live.url}/models/downloads").json() == {"downloads": []}

    answer = httpx.delete(f"{live.url}/models/downloads/none")

    assert answer.status_code == 404
