from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.settings import read_settings
from tests.api.live import Live, serving
from tests.fakes.python import fake_python
from tests.jobs.conftest import end_runs_under


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for a module; its tests leave it without a run."""
    folder = tmp_path_factory.mktemp("server")
    root = folder / "data root"
    root.mkdir()
    made = read_settings(
        {
            "DROID_PYTHON": str(fake_python(folder)),
            "DROID_MODELS_DIR": str(root / "models"),
            "DROID_SPARE_MINUTES": "0",
        },
        data_dir=str(root),
    )
    with serving(made) as server:
        yield server
    end_runs_under(Path(made.sessions_dir))
