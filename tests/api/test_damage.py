"""Whatever the files of a data root hold: the server starts, and no list is a 500."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.routing import Route

from backend.app import ROUTERS, create_app
from backend.settings import read_settings
from tests.api.damaged_root import DAMAGES, EVALUATION, RUN, SESSION, plant
from tests.api.privileges import without_privileges
from tests.fakes.python import fake_python

# These read nothing, or ask a child process that knows nothing of these files.
NO_MATTER_OF_FILES = {
    "/api/training/reward-functions", "/api/evaluation/offers", "/api/training/methods",
}  # fmt: skip


def lists() -> list[str]:
    """The address of every GET route that needs nothing to be given."""
    return sorted(
        {
            route.path
            for router in ROUTERS
            for route in router.routes
            if isinstance(route, Route)
            and "GET" in (route.methods or ())
            and "{" not in route.path
            and route.path not in NO_MATTER_OF_FILES
        }
    )


def details() -> Iterator[str]:
    for at in [*range(len(RUN)), 50]:
        for what in ("", "/metrics", "/logs", "/samples", "/alerts", "/resume"):
            yield f"/sessions/{SESSION.format(at)}{what}"
    for at in range(len(EVALUATION)):
        for what in ("", "/report"):
            yield f"/api/evaluation/20260101_00000{at}_00{what}"


@contextmanager
def serving(folder: Path, root: Path) -> Iterator[TestClient]:
    made = read_settings(
        {"DROID_PYTHON": str(fake_python(folder)), "DROID_MODELS_DIR": str(root / "models")},
        data_dir=str(root),
    )
    with TestClient(
        create_app(made), base_url="http://127.0.0.1:8000", raise_server_exceptions=False
    ) as client:
        yield client


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_root_starts_and_is_listed(damage: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    plant(root, DAMAGES[damage])

    with without_privileges(), serving(tmp_path, root) as client:
        failed = {path: client.get(path) for path in lists()}
        failed = {path: answer for path, answer in failed.items() if answer.status_code != 200}
        assert set(failed) <= MAY_BE_REFUSED, {p: a.text for p, a in failed.items()}
        assert not [p for p, a in failed.items() if a.status_code >= 500]
        for path in details():
            answer = client.get(path)
            assert answer.status_code < 500, (path, answer.text)


# No list: what they name (a row, the newest result) can be missing.
MAY_BE_REFUSED = {
    "/api/datasets/hub", "/api/datasets/hub/rows",
    "/api/evaluation/result", "/api/fusion/result", "/api/fusion/export-result", "/models/describe",
    "/models/convert/estimate",
}  # fmt: skip
