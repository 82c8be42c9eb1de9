"""The settings over HTTP: the token takes effect at once, and nothing secret comes back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.settings import read_settings
from tests.api.live import Live, serving
from tests.fakes.python import fake_python


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Live]:
    """A server of its own: these tests change who may use it."""
    root = tmp_path / "data"
    root.mkdir()
    environ = {"DROID_PYTHON": str(fake_python(tmp_path)), "DROID_MODELS_DIR": str(root / "models")}
    with serving(read_settings(environ, data_dir=str(root))) as server:
        yield server


def plain(live: Live, **headers: str) -> httpx.Client:
    """A client that keeps no cookie of the others."""
    return httpx.Client(base_url=live.url, headers=headers, trust_env=False)


def test_a_new_token_is_needed_at_once_and_the_page_that_made_it_keeps_its_access(
    own: Live,
) -> None:
    assert own.client.get("/settings").json()["api"] == {
        "url": own.url, "token": "none", "local_only": True,
    }  # fmt: skip
    made = own.client.post("/settings/token")
    token = made.json()["token"]

    assert "httponly" in made.headers["set-cookie"].lower()
    assert own.client.get("/settings").json()["api"]["token"] == "saved"
    with plain(own) as stranger:
        assert stranger.get("/settings").status_code == 401
    with plain(own, Authorization=f"Bearer {token}") as script:
        answer = script.get("/settings")
        assert answer.status_code == 200
        assert token not in answer.text

    newer = own.client.post("/settings/token").json()["token"]
    with plain(own, Authorization=f"Bearer {token}") as script:
        assert script.get("/health").status_code == 401
    with plain(own, Authorization=f"Bearer {newer}") as script:
        assert script.delete("/settings/token").json()["api"]["token"] == "none"
    with plain(own) as anyone:
        assert anyone.get("/settings").status_code == 200


def test_a_change_is_answered_with_the_settings_and_is_there_after_it(own: Live) -> None:
    answer = own.client.patch("/settings", json={"theme": "dark", "judge_key": "key-MARK-1"})

    assert answer.status_code == 200
    assert answer.json() == own.client.get("/api/settings").json()
    assert answer.json()["judge"]["key_saved"]
    assert "key-MARK-1" not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"thema": "dark"}, 422, "theme"),
        ({"theme": "blue"}, 422, "theme"),
        ({"models_dirs": ["/nowhere"]}, 409, "DROID_MODELS_DIR"),
        ({"judge_url": "nothing"}, 422, "https://host/v1"),
        ({"run_defaults": {"lora_rank": 9999}}, 422, "lora_rank"),
    ],
)
def test_a_refused_change_says_what_to_do(
    live: Live, body: dict[str, object], status: int, words: str
) -> None:
    answer = live.client.patch("/settings", json=body)

    assert answer.status_code == status
    assert words in answer.text


def test_the_bundle_comes_as_a_file_to_save(live: Live) -> None:
    answer = live.client.get("/diagnostics")

    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="droid-diagnostics-' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert {"README.txt", "about.json", "settings.json"} <= set(bundle.namelist())
