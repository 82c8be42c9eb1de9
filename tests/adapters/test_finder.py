from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.adapters.finder import Adapters
from backend.errors import BadContent, NotFound
from backend.inference.available import available
from backend.inference.model_names import served_names
from backend.models.catalog import ModelCatalog
from backend.models.schemas import ModelInfo
from backend.settings import Settings
from tests.adapters.folders import adapter, base, lora_shapes, write_safetensors

BOTH = ("best_adapters.safetensors", "adapters.safetensors", "0000010_adapters.safetensors")


@pytest.fixture
def models(settings: Settings) -> ModelCatalog:
    base(settings.models_dirs[0] / "small")
    return ModelCatalog(settings)


@pytest.fixture
def small(models: ModelCatalog) -> ModelInfo:
    return models.find("small")


@pytest.fixture
def adapters(settings: Settings, models: ModelCatalog) -> Adapters:
    settings.adapters_dir.mkdir(parents=True)
    return Adapters(settings, models)


def test_the_best_weights_are_preferred_and_every_checkpoint_can_be_chosen(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    folder = adapter(settings.adapters_dir / "tuned", small.path, files=BOTH)

    chosen = adapters.ready("tuned", small)
    assert (chosen.checkpoint, chosen.type, chosen.scale) == ("best", "best", 20.0)
    assert adapters.ready("tuned", small, "latest").spec["file"] == str(
        folder / "adapters.safetensors"
    )
    assert adapters.ready("tuned", small, 10).type == "checkpoint"
    with pytest.raises(NotFound, match="no checkpoint 11") as missing:
        adapters.ready("tuned", small, 11)
    assert missing.value.hint == "It has: best, latest, 10."


def test_without_a_best_file_the_latest_weights_answer(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    adapter(settings.adapters_dir / "tuned", small.path)

    assert adapters.ready("tuned", small).checkpoint == "latest"
    with pytest.raises(NotFound, match="no checkpoint 'best'"):
        adapters.ready("tuned", small, "best")


def test_an_unknown_adapter_is_told_with_the_nearest_name(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    adapter(settings.adapters_dir / "tuned", small.path)

    with pytest.raises(NotFound, match="no adapter 'tuned2'") as missing:
        adapters.ready("tuned2", small)
    assert missing.value.hint == "Did you mean tuned?"
    for strange in ("../sessions", "..", "/nowhere/at/all"):
        with pytest.raises(NotFound):
            adapters.ready(strange, small)


def test_an_adapter_in_any_folder_is_taken_by_its_path(
    adapters: Adapters, tmp_path: Path, small: ModelInfo
) -> None:
    folder = adapter(tmp_path / "elsewhere" / "mine", small.path)

    assert adapters.ready(str(folder), small).name == "mine"


def test_an_adapter_of_another_base_is_refused_with_both_names(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    other = base(settings.models_dirs[0] / "other", vocab_size=11)
    adapter(settings.adapters_dir / "tuned", other)

    with pytest.raises(BadContent) as refused:
        adapters.ready("tuned", small)

    assert refused.value.detail == (
        f"The adapter tuned was trained on {other}, and not on {small.path}."
    )


def test_a_base_that_was_moved_is_known_by_its_fingerprint(
    adapters: Adapters, settings: Settings, small: ModelInfo, models: ModelCatalog
) -> None:
    recorded = {"path": "/gone/another-name", "fingerprint": models.fingerprint("small")}
    adapter(settings.adapters_dir / "moved", "/gone/another-name", lineage={"base_model": recorded})
    copied = base(settings.models_dirs[0] / "copy")  # The same weights in another folder.
    adapter(settings.adapters_dir / "plain", copied)

    assert adapters.ready("moved", small).warnings == ()
    assert adapters.ready("plain", small).warnings == ()


def test_a_base_that_has_changed_in_its_place_is_warned_of(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    recorded = {"path": small.path, "fingerprint": "0" * 64}
    adapter(settings.adapters_dir / "tuned", small.path, lineage={"base_model": recorded})

    (warning,) = adapters.ready("tuned", small).warnings

    assert "has changed since tuned was trained" in warning
    assert "000000000000" in warning


def test_a_name_alone_is_believed_only_where_nothing_better_is_known(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    adapter(settings.adapters_dir / "hub", "publisher/small")
    adapter(settings.adapters_dir / "unsaid", None)

    (named,) = adapters.ready("hub", small).warnings
    (unsaid,) = adapters.ready("unsaid", small).warnings

    assert "publisher/small, is not there; this model has the same name" in named
    assert "does not say which base" in unsaid


def test_an_adapter_of_a_quantised_copy_works_on_the_base_and_says_so(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    recorded = {"path": small.path, "quantize_base": 4}
    adapter(settings.adapters_dir / "q", "/cache/small-q4", lineage={"base_model": recorded})

    (warning,) = adapters.ready("q", small).warnings

    assert "4-bit copy" in warning


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        (lora_shapes(layers=3), "weights for layer 2, and the model's last is 1"),
        (lora_shapes(hidden=8), "lora_a takes 8 inputs, and the model's matrix has 4"),
        ({"model.norm.weight": (5,), **lora_shapes()}, "model.norm.weight, which is no LoRA"),
        (lora_shapes(rank=3), "says rank 2, and model.layers.0.self_attn.q_proj.lora_a has rank 3"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_both_values(
    adapters: Adapters, settings: Settings, small: ModelInfo, shapes: dict[str, tuple[int, ...]],
    sentence: str,
) -> None:  # fmt: skip
    adapter(settings.adapters_dir / "odd", small.path, shapes=shapes)

    with pytest.raises(BadContent, match=sentence):
        adapters.ready("odd", small)


def test_an_adapter_of_some_matrices_says_how_many_it_covers(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    some = {name: shape for name, shape in lora_shapes().items() if ".mlp." in name}
    adapter(settings.adapters_dir / "some", small.path, shapes=some)
    adapter(settings.adapters_dir / "all", small.path)

    [said] = adapters.ready("some", small).warnings
    assert said == "Adapter covers 1 of the model's 2 kinds of matrices: up_proj."
    assert adapters.ready("all", small).warnings == ()


def test_gaps_between_configuration_and_file_are_warned_of(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    parameters = {"rank": 2, "scale": 1.0, "dropout": 0.0, "keys": ["mlp.up_proj", "mlp.gate_proj"]}
    last = {name: shape for name, shape in lora_shapes().items() if ".layers.1." in name}
    adapter(settings.adapters_dir / "gaps", small.path, shapes=last, lora_parameters=parameters)

    keys, covers, layers = adapters.ready("gaps", small).warnings

    assert covers == "Adapter covers 1 layer; model has 2."
    assert keys == ("Its configuration lists mlp.gate_proj, and the file has no weights for it.")
    assert layers == (
        "Its configuration covers 2 of 2 layers, and the file has no weights for layer 0."
    )


def test_a_half_written_file_is_refused_and_a_whole_checkpoint_still_works(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    folder = adapter(settings.adapters_dir / "tuned", small.path, files=BOTH)
    best = folder / "best_adapters.safetensors"
    best.write_bytes(best.read_bytes()[:-10])

    with pytest.raises(BadContent, match=r"best_adapters\.safetensors holds \d+ bytes of weights"):
        adapters.ready("tuned", small)
    assert adapters.ready("tuned", small, "latest").checkpoint == "latest"


def test_what_lacks_a_scale_or_a_configuration_is_refused(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    adapter(settings.adapters_dir / "no-scale", small.path, lora_parameters={"rank": 2})
    bare = adapter(settings.adapters_dir / "no-config", small.path)
    (bare / "adapter_config.json").unlink()
    torn = adapter(settings.adapters_dir / "torn", small.path)
    (torn / "adapter_config.json").write_text('{"model": ')

    with pytest.raises(BadContent, match=r"lora_parameters\.scale is missing"):
        adapters.ready("no-scale", small)
    with pytest.raises(BadContent, match=r"no adapter_config\.json"):
        adapters.ready("no-config", small)
    with pytest.raises(BadContent, match=r"adapter_config\.json is not valid JSON"):
        adapters.ready("torn", small)


def test_a_full_fine_tune_says_what_it_costs(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    shapes = {"model.layers.1.mlp.up_proj.weight": (6, 4)}
    adapter(settings.adapters_dir / "full", small.path, shapes=shapes, fine_tune_type="full")

    ready = adapters.ready("full", small)

    assert (ready.fine_tune_type, ready.spec["kind"]) == ("full", "full")
    assert "loaded again" in ready.warnings[0]


def test_an_adapter_of_mlx_lm_lora_without_model_or_type_is_taken(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    folder = settings.adapters_dir / "rl"
    adapter(folder, None)
    parameters = {"rank": 2, "scale": 10.0, "dropout": 0.0, "use_dora": False, "num_layers": -1}
    config = {"lora_parameters": parameters, "num_layers": -1}
    (folder / "adapter_config.json").write_text(json.dumps(config))

    assert adapters.ready("rl", small).scale == 10.0


def test_a_peft_adapter_is_read_as_the_engine_would_have_written_it(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    folder = settings.adapters_dir / "imported"
    folder.mkdir()
    stem = "base_model.model.model.layers.0.self_attn.q_proj"
    write_safetensors(
        folder / "adapter_model.safetensors",
        {f"{stem}.lora_A.weight": (2, 4), f"{stem}.lora_B.weight": (4, 2)},
    )
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 16, "base_model_name_or_path": "x/small"}
    (folder / "adapter_config.json").write_text(json.dumps(config))

    ready = adapters.ready("imported", small)

    assert ready.scale == 8.0
    assert ready.spec["names"] == {
        f"{stem}.lora_A.weight": ["model.layers.0.self_attn.q_proj.lora_a", True],
        f"{stem}.lora_B.weight": ["model.layers.0.self_attn.q_proj.lora_b", True],
    }


def test_the_key_of_an_adapter_changes_with_its_file(
    adapters: Adapters, settings: Settings, small: ModelInfo
) -> None:
    folder = adapter(settings.adapters_dir / "tuned", small.path)
    before = adapters.ready("tuned", small).spec["key"]
    write_safetensors(folder / "new", lora_shapes()).replace(folder / "adapters.safetensors")

    assert adapters.ready("tuned", small).spec["key"] != before


def test_an_adapter_stands_only_under_the_base_it_was_trained_on(
    adapters: Adapters, settings: Settings, small: ModelInfo, models: ModelCatalog
) -> None:
    other = base(settings.models_dirs[0] / "other", vocab_size=11)
    adapter(settings.adapters_dir / "of-small", small.path, files=BOTH)
    adapter(settings.adapters_dir / "of-other", other, files=())
    adapter(settings.adapters_dir / "of-none", None)
    (settings.adapters_dir / "notes").mkdir()

    answer = available(models, adapters)

    listed = {model.name: [one.name for one in model.adapters] for model in answer.models}
    assert listed == {"small": ["of-small"], "other": ["of-other"]}
    (first,) = answer.models[[m.name for m in answer.models].index("small")].adapters
    assert (first.has_best, first.has_latest, first.checkpoints) == (True, True, [10])
    assert answer.models[[m.name for m in answer.models].index("other")].adapters[0].problem
    assert [one.name for one in answer.unassigned] == ["of-none"]


def test_an_adapter_that_names_no_base_answers_on_those_it_fits(
    adapters: Adapters, settings: Settings, models: ModelCatalog
) -> None:
    other = base(settings.models_dirs[0] / "wide")
    write_safetensors(
        other / "model.safetensors", {"model.layers.0.self_attn.q_proj.weight": (8, 8)}
    )
    adapter(settings.adapters_dir / "plain", None)

    listed = available(models, adapters)

    (shown,) = listed.unassigned
    assert (shown.base_known, shown.recorded_base, shown.fits) == (False, None, ["small"])
    assert list(served_names(listed)) == ["small", "small+plain", "wide"]


def test_another_base_is_a_warning_where_the_request_asks_for_it_and_all_shapes_fit(
    adapters: Adapters, settings: Settings, small: ModelInfo, models: ModelCatalog
) -> None:
    adapter(settings.adapters_dir / "tuned", "Org/X", lineage=None)
    adapter(settings.adapters_dir / "wide", "Org/X", shapes=lora_shapes(hidden=8))

    with pytest.raises(BadContent, match="trained on Org/X, and not on") as refused:
        adapters.ready("tuned", small)
    assert "allow_other_base" in (refused.value.hint or "")
    (warning,) = adapters.ready("tuned", small, allow_other_base=True).warnings
    assert "Org/X" in warning
    assert small.path in warning
    with pytest.raises(BadContent, match="does not fit small"):
        adapters.ready("wide", small, allow_other_base=True)

    shown = {one.name: one for one in available(models, adapters).unassigned}
    assert (shown["tuned"].recorded_base, shown["tuned"].fits) == ("Org/X", ["small"])
    assert shown["wide"].fits == []
    assert list(served_names(available(models, adapters))) == ["small"]


@pytest.mark.parametrize("kept", [0, 3, 40, -1])
def test_weights_that_are_half_written_are_told_in_the_list_and_not_served(
    adapters: Adapters, settings: Settings, small: ModelInfo, models: ModelCatalog, kept: int
) -> None:
    folder = adapter(settings.adapters_dir / "half", small.path, files=BOTH)
    whole = (folder / BOTH[0]).read_bytes()
    assert "small+half" in served_names(available(models, adapters))
    (folder / BOTH[0]).write_bytes(whole[:kept])

    listed = available(models, adapters)

    (shown,) = listed.models[0].adapters
    assert "best_adapters.safetensors" in (shown.problem or "")
    assert list(served_names(listed)) == ["small"]
    assert adapters.ready("half", small, "latest").checkpoint == "latest"  # That one is whole.
    (folder / BOTH[0]).write_bytes(whole)
    assert "small+half" in served_names(available(models, adapters))
