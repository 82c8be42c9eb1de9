"""The catalogue of bases: exact sizes, the app's own estimate, and what fits first."""

from __future__ import annotations

import pytest

from backend.contract.model_source import ModelSource
from backend.models.known_bases import KNOWN_BASES
from backend.training.plan.base_catalog import BaseCatalog, base_catalog
from tests.training.requests import model

GB = 10**9

# As the models' cards and the frameworks that list them say.
PUBLISHED = {
    "HuggingFaceTB/SmolLM2-135M-Instruct": 134_515_008,
    "HuggingFaceTB/SmolLM2-360M-Instruct": 361_821_120,
    "HuggingFaceTB/SmolLM2-1.7B-Instruct": 1_711_376_384,
    "Qwen/Qwen2.5-0.5B-Instruct": 494_032_768,
    "Qwen/Qwen2.5-1.5B-Instruct": 1_543_714_304,
    "Qwen/Qwen2.5-3B-Instruct": 3_085_938_688,
    "Qwen/Qwen2.5-7B-Instruct": 7_615_616_512,
    "Qwen/Qwen3-0.6B": 596_049_920,
    "Qwen/Qwen3-1.7B": 1_720_574_976,
    "Qwen/Qwen3-4B": 4_022_468_096,
    "Qwen/Qwen3-8B": 8_190_735_360,
    "google/gemma-3-1b-it": 999_885_952,
    "meta-llama/Llama-3.2-1B-Instruct": 1_235_814_400,
    "meta-llama/Llama-3.2-3B-Instruct": 3_212_749_824,
    "microsoft/Phi-4-mini-instruct": 3_836_021_760,
    "mistralai/Mistral-7B-Instruct-v0.3": 7_248_023_552,
}


@pytest.mark.parametrize("base", KNOWN_BASES, ids=lambda base: base.repo_id)
def test_the_written_down_configuration_has_the_published_parameters(base: object) -> None:
    assert base.config.parameters == PUBLISHED[base.repo_id]  # type: ignore[attr-defined]


def verdicts(catalog: BaseCatalog) -> list[str | None]:
    return [base.lora_4bit.verdict for base in catalog.bases]


def test_what_fits_comes_first_the_largest_of_it_on_top() -> None:
    catalog = base_catalog([], 5 * GB)

    assert catalog.available_gb == 5.0
    order = ["ok", "tight", "too_large"]
    assert verdicts(catalog) == sorted(verdicts(catalog), key=lambda one: order.index(str(one)))
    assert set(verdicts(catalog)) >= {"ok", "too_large"}
    fitting = [base.parameters for base in catalog.bases if base.lora_4bit.verdict == "ok"]
    assert fitting == sorted(fitting, reverse=True)
    assert catalog.bases[-1].repo_id == "Qwen/Qwen3-8B"


def test_all_weights_need_more_than_an_adapter_on_four_bits_and_both_more_than_they_weigh() -> None:
    for base in base_catalog([], None).bases:
        weights = base.size_bytes / GB
        assert base.full.estimate_gb > base.lora_4bit.estimate_gb
        assert base.full.estimate_gb > 2 * weights
        assert base.lora_4bit.estimate_gb > weights * 4.5 / 16
        assert base.full.verdict is base.lora_4bit.verdict is None, "an unknown memory judges none"


def test_a_base_that_is_here_is_named() -> None:
    repo_id = "Qwen/Qwen3-0.6B"
    here = model(name="my-qwen", source=ModelSource(repo_id=repo_id))
    found = {base.repo_id: base.here for base in base_catalog([here], None).bases}
    assert found.pop(repo_id) == "my-qwen"
    assert set(found.values()) == {None}
