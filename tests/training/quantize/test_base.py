"""QLoRA before the run: where the copy lies, what it needs, what is refused and said."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.errors import Invalid, NoDiskSpace
from backend.models.schemas import LoraTargets, ModelInfo
from backend.training.estimate.memory import estimate_memory
from backend.training.plan.checks import refuse_impossible
from backend.training.quantize.base import (
    group_size,
    quantized_bytes,
    quantized_path,
    unpacked_layers,
)
from backend.training.run_data.token_counts import TokenCounter, TokenCounts
from tests.training.plan.test_resume import make_source, resumed
from tests.training.requests import model, qwen_tree, request, targets
from tests.training.test_manager import House

WIDE = {"hidden": 64, "inner": 128, "kv": 32}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    async def count(*_: Any, **__: Any) -> TokenCounts:
        return TokenCounts(lengths=(10,) * 18, starts=(5,) * 18)

    async def wide(*_: Any) -> LoraTargets:
        return targets(qwen_tree(**WIDE))

    monkeypatch.setattr(TokenCounter, "count", count)
    monkeypatch.setattr("tests.training.test_manager.FakeInspector.targets", wide)
    return House(tmp_path)


def test_the_path_is_of_the_weights_and_the_bits() -> None:
    path = quantized_path(Path("/d"), "org/Some model", "0123456789abcdef", 4)

    assert path == Path("/d/.cache/quantized/org-Some-model-0123456789ab-q4")
    assert (
        quantized_path(Path("/d"), "../..", "0123456789abcdef", 8).name == "model-0123456789ab-q8"
    )


@pytest.mark.parametrize(
    ("sizes", "group"),
    [
        (WIDE, 64),
        ({"hidden": 32, "inner": 48, "kv": 16}, 32),
        ({"hidden": 64, "inner": 48, "kv": 16}, 64),
        ({"hidden": 8, "inner": 16, "kv": 4}, None),
    ],
    ids=str,
)
def test_groups_are_of_64_unless_32_quantises_more(sizes: dict[str, int], group: int) -> None:
    assert group_size(targets(qwen_tree(**sizes)), sizes["hidden"]) == group


def test_layers_that_no_group_divides_are_named() -> None:
    tree = targets(qwen_tree(hidden=64, inner=48, kv=16))

    said = unpacked_layers(model(hidden_size=64), tree)

    assert said is not None and "groups of 64" in said and "mlp.down_proj (48)" in said
    assert "q_proj" not in said
    assert unpacked_layers(model(hidden_size=64), targets(qwen_tree(**WIDE))) is None


REFUSED: list[tuple[dict[str, Any], dict[str, Any], dict[str, int], str]] = [
    ({}, {"quantization": "4-bit"}, WIDE, "already (4-bit)"),
    ({"fine_tune_type": "full"}, {}, WIDE, "packed into 4 bits"),
    ({}, {"hidden_size": 8}, {}, "a multiple of 32"),
]


@pytest.mark.parametrize(("fields", "facts", "sizes", "words"), REFUSED, ids=lambda row: str(row))
def test_what_cant_be_quantised_is_refused_beside_the_field(
    fields: dict[str, Any], facts: dict[str, Any], sizes: dict[str, int], words: str
) -> None:
    asked = request(quantize_base=4, max_seq_length=64, **fields)

    with pytest.raises(Invalid) as refusal:
        refuse_impossible(asked, model(**facts), targets(qwen_tree(**sizes)), 100)

    (problem,) = refusal.value.errors
    assert problem.field == "quantize_base"
    assert words in problem.message


async def test_the_run_trains_on_the_copy_and_the_record_names_the_base(house: House) -> None:
    await house.start(quantize_base=4)

    (recipe,) = house.supervisor.started
    assert recipe.model is not None and recipe.model.fingerprint is not None
    assert recipe.model.path == str(house.folder)
    copy = quantized_path(house.settings.data_dir, "tiny", recipe.model.fingerprint, 4)
    assert recipe.config["model"] == str(copy)
    assert recipe.config["quantize_from"] == str(house.folder)
    assert recipe.config["quantize_base"] == recipe.request["quantize_base"] == 4
    assert recipe.config["model_fingerprint"] == recipe.model.fingerprint


def pretend_it_is_made(copy: Path) -> None:
    copy.mkdir(parents=True)  # Which a preview has not done.
    (copy / "config.json").write_text("{}")


async def test_the_preview_says_what_is_made_or_used_again(house: House) -> None:
    preview = await house.manager.preview(house.request(quantize_base=4))

    said = " ".join(preview.warnings)
    assert "quantised to 4 bits once, about" in said and "in .cache" in said
    pretend_it_is_made(Path(yaml.safe_load(preview.config_yaml)["model"]))
    again = await house.manager.preview(house.request(quantize_base=4))
    assert "(2 B in .cache) exists already and is reused" in " ".join(again.warnings)


@pytest.mark.parametrize("on_cpu", [True, False])
async def test_a_cpu_is_warned_of_because_it_is_slow(house: House, on_cpu: bool) -> None:
    house.context._on_cpu = lambda: on_cpu  # type: ignore[assignment]

    said = " ".join((await house.manager.preview(house.request(quantize_base=8))).warnings)

    assert ("times slower" in said) is on_cpu


async def test_the_copy_needs_room_on_the_disk(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(house.settings.data_dir)._replace(free=10)
    monkeypatch.setattr("backend.core.disk.disk_errors.shutil.disk_usage", lambda _: usage)

    with pytest.raises(NoDiskSpace, match="and the quantised base need"):
        await house.start(quantize_base=4)


async def test_a_continued_run_keeps_its_copy(house: House) -> None:
    session_id = await make_source(house, quantize_base=4)

    recipe = await resumed(house, session_id)
    assert recipe.config["model"].endswith("-q4")

    with pytest.raises(Invalid, match="keeps quantize_base 4"):
        await house.start(resume_from=session_id, quantize_base=8)


def weighed(bits: int | None, facts: ModelInfo, tree: dict[str, Any]) -> float:
    found = estimate_memory(
        request(quantize_base=bits, max_seq_length=64), facts, targets(tree), trainable=1000,
        config={}, loads=None, available=None,
    )  # fmt: skip
    assert found is not None
    return found.parts["weights"]


def test_the_weights_shrink_to_the_bits_and_their_scales() -> None:
    tree = qwen_tree(layers=24, hidden=896, inner=4864, kv=128)
    blocks = 24 * (2 * 896 * 896 + 2 * 896 * 128 + 3 * 896 * 4864)
    whole = blocks + 151_936 * 896
    facts = model(
        hidden_size=896, vocab_size=151_936, parameters=whole, dtype="bfloat16",
        size_bytes=2 * whole,
    )  # fmt: skip

    # 4 bits, and 32 for each group of 64: 4.5 of 16.
    assert quantized_bytes(facts, targets(tree), 4) == pytest.approx(2 * whole * 4.5 / 16)
    assert quantized_bytes(facts, targets(tree), 8) == pytest.approx(2 * whole * 8.5 / 16)
    assert weighed(4, facts, tree) == pytest.approx(weighed(None, facts, tree) * 4.5 / 16, rel=1e-3)


def test_an_output_layer_of_its_own_is_packed_too() -> None:
    tree = qwen_tree(**WIDE) | {"parameters": 60_000 + 2 * 100 * 64}
    tree["block_parameters"] = [30_000, 30_000]
    facts = model(hidden_size=64, vocab_size=100, size_bytes=400_000, parameters=None)

    tied = tree | {"parameters": 60_000 + 100 * 64}
    one, two = (quantized_bytes(facts, targets(each), 4) for each in (tied, tree))
    assert one is not None and two is not None
    assert one - two == pytest.approx(100 * 64 * (4 - 5 / 8))
