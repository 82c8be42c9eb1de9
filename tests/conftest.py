from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from backend.settings import Settings, read_settings
from tests.fakes.python import fake_python

# No property may fail because the machine was busy: neither an example nor their making is timed.
hypothesis.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.load_profile("steady")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data root of their own and the scripted engine as DROID_PYTHON."""
    root = tmp_path / "data root"
    root.mkdir()
    engine = fake_python(tmp_path)
    return read_settings(
        {
            "DROID_PYTHON": str(engine),
            "DROID_MODELS_DIR": str(root / "models"),
            "DROID_SPARE_MINUTES": "0",
        },
        data_dir=str(root),
        port=8000,
    )
