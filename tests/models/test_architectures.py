from __future__ import annotations

import pytest

from backend.models.architectures import is_supported


@pytest.mark.parametrize("model_type", ["qwen2", "llama", "mistral", "mixtral", "solar_open"])
def test_architectures_of_the_engine_are_known(model_type: str) -> None:
    assert is_supported(model_type)


@pytest.mark.parametrize("model_type", ["foo", "cache", "switch_layers", "../utils", "", "a\nb"])
def test_other_files_and_made_up_names_are_not(model_type: str) -> None:
    assert not is_supported(model_type)
