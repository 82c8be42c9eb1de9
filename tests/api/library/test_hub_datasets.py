"""The routes of data sets of the hub; the downloads themselves are tested in tests/downloads."""

from __future__ import annotations

import httpx
import pytest

from tests.api.live import Live


def test_the_catalog_needs_no_hub(live: Live) -> None:
    answer = httpx.get(f"{live.url}/api/datasets/catalog")

    named = {each["repo_id"]: each for each in answer.json()["datasets"]}
    assert named["openai/gsm8k"]["license"] == "mit"
    assert {each["topic"] for each in named.values()} == {
        "mathematics", "reasoning", "finance", "preference",
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"repo_id": "https://169.254.169.254/latest"},
        {"repo_id": "a/b", "name": "../x"},
        {"repo_id": "a/b", "limit": 0},
        {"repo_id": "a/b", "system": "Be brief."},
        {"repo_id": "a/b", "to": "speech"},
    ],
)
def test_a_wrong_request_is_refused_by_its_field(live: Live, body: dict[str, str]) -> None:
    answer = httpx.post(f"{live.url}/api/datasets/download", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_only_a_repository_name_is_described(live: Live) -> None:
    answer = httpx.get(f"{live.url}/api/datasets/hub", params={"repo_id": "../../etc"})

    assert answer.status_code == 422


def test_there_is_nothing_to_stop_before_something_began(live: Live) -> None:
    assert httpx.get(f"{live.url}/api/datasets/downloads").json() == {"downloads": []}

    answer = httpx.delete(f"{live.url}/api/datasets/downloads/none")

    assert answer.status_code == 404
