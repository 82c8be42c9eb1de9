"""config.yaml over the defaults of an engine."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from backend.contract.run.config import SftConfig
from backend.engines.process.endings import Unusable
from backend.engines.trainer.run import config_of, read_values
from tests.contract.run.test_config import built


def test_the_file_goes_before_the_engine_s_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(built(batch_size=3)), encoding="utf-8")

    values = read_values(tmp_path / "config.yaml", {"batch_size": 4, "clear_cache_threshold": 0})

    assert (values["batch_size"], values["clear_cache_threshold"]) == (3, 0)
    assert config_of(SftConfig, values).values == values


def test_a_key_that_can_t_be_used_is_named_before_anything_is_loaded() -> None:
    with pytest.raises(Unusable, match=r"config\.yaml can't be used: SftConfig\.iters is str"):
        config_of(SftConfig, built() | {"iters": "many"})
