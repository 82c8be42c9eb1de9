from __future__ import annotations

from pathlib import Path

import pytest

from backend.settings import Settings, read_settings
from tests.fakes.python import fake_python


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data root of their own and the scripted engine as DROID_PYTHON."""
    root = tmp_path / "data root"
    root.mkdir()
    engine = fake_python(tmp_path)
    return read_settings(
        {"DROID_PYTHON": str(engine), "DROID_MODELS_DIR": str(root / "models")},
        data_dir=str(root),
        port=8000,
    )
