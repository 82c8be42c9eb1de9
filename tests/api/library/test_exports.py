"""The routes of finished exports; the upload itself is tested in tests/jobs/kinds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.live import Live

LINEAGE = {
    "method": "export",
    "base_model": {"path": "/models/tiny"},
    "adapter": {"name": "law"},
    "export": {"format": "merged_q4"},
    "created": "2026-12-01T00:00:00+00:00",
}


@pytest.fixture
def folder(live: Live) -> Iterator[Path]:
    path = live.settings.exports_dir / "law-merged_q4"
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(b"w" * 500)
    (path / "droid.json").write_text(json.dumps(LINEAGE))
    yield path


def listed(live: Live) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{live.url}/api/exports").json()
    return answer


def test_exports_are_listed_uploaded_only_with_a_token_and_deleted(
    live: Live, folder: Path
) -> None:
    (folder.parent / "somebody else's").mkdir()
    (folder.parent / "torn").mkdir()
    (folder.parent / "torn" / "droid.json").write_text("{")

    answer = listed(live)
    [found] = answer["exports"]
    assert [item["name"] for item in answer["damaged"]] == ["torn"]
    assert (found["name"], found["format"], found["adapter"], found["base"]) == (
        "law-merged_q4", "merged_q4", "law", "tiny",
    )  # fmt: skip
    assert found["size_bytes"] == 500 + len(json.dumps(LINEAGE))
    assert found["loss"] is None
    assert found["uploadable"] is False
    assert "HF_TOKEN" in found["reason"]

    route = f"{live.url}/api/exports/law-merged_q4"
    refused = httpx.post(f"{route}/upload", json={"repo_id": "ada/law"})
    assert refused.status_code == 403
    assert refused.json()["detail"] == "There is no token for the hub."
    assert "HF_TOKEN" in refused.json()["hint"]
    assert httpx.get(f"{live.url}/api/exports/upload").json()["state"] is None

    assert httpx.delete(f"{live.url}/api/exports/torn").status_code == 404
    assert httpx.delete(route).status_code == 200
    assert not folder.exists()
    assert listed(live)["exports"] == []


@pytest.mark.parametrize(
    "repo_id",
    [
        "law",
        "ada/",
        "ada/law/more",
        "ada/-law",
        "ada/l--w",
        "ada/law.git",
        "ada/" + "x" * 96,
        "é/l",
    ],
)
def test_a_wrong_repository_name_is_refused_with_what_is_right(
    live: Live, folder: Path, repo_id: str
) -> None:
    route = f"{live.url}/api/exports/{folder.name}/upload"
    answer = httpx.post(route, json={"repo_id": repo_id})

    assert answer.status_code == 422
    assert answer.json()["hint"]
    httpx.delete(f"{live.url}/api/exports/{folder.name}")


def test_there_is_nothing_to_stop_or_delete_before_something_began(live: Live) -> None:
    assert httpx.post(f"{live.url}/api/exports/upload/stop").status_code == 409
    assert httpx.delete(f"{live.url}/api/exports/none").status_code == 404
    assert httpx.post(
        f"{live.url}/api/exports/none/upload", json={"repo_id": "ada/law"}
    ).status_code == 404  # fmt: skip
