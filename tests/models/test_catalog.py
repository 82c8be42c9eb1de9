from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.errors import NotFound
from backend.models.catalog import ModelCatalog
from backend.models.fingerprint import same_model, same_shape
from tests.models.folders import CONFIG, model_folder, settings_for, write_weights


def catalog(tmp_path: Path) -> ModelCatalog:
    return ModelCatalog(settings_for(tmp_path, tmp_path / "models"))


def problem_of(tmp_path: Path) -> str | None:
    (model,) = catalog(tmp_path).scan()
    return model.problem


def test_a_model_is_described_from_its_config_and_headers(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")

    (model,) = catalog(tmp_path).scan()

    assert model.problem is None
    assert (model.name, model.path) == ("tiny", str(folder))
    assert (model.model_type, model.num_layers, model.hidden_size) == ("qwen2", 2, 4)
    assert (model.vocab_size, model.parameters, model.dtype) == (10, 5, "float32")
    assert (model.context_length, model.chat_template) == (128, True)


def test_lm_studio_and_hugging_face_layouts_are_found(tmp_path: Path) -> None:
    models = tmp_path / "models"
    model_folder(models / "publisher" / "Alpha")
    hub = models / "models--org--Beta"
    model_folder(hub / "snapshots" / "old")
    current = model_folder(hub / "snapshots" / "abc123")
    (hub / "refs").mkdir()
    (hub / "refs" / "main").write_text("abc123")
    os.utime(current, (1, 1))

    found = {model.name: model.path for model in catalog(tmp_path).scan()}

    assert found == {"Alpha": str(models / "publisher" / "Alpha"), "Beta": str(current)}


def test_two_models_of_one_name_keep_two_names(tmp_path: Path) -> None:
    model_folder(tmp_path / "models" / "a" / "Same")
    model_folder(tmp_path / "models" / "b" / "Same")

    assert [model.name for model in catalog(tmp_path).scan()] == ["b--Same", "Same"]


def test_a_searched_folder_may_itself_be_the_model(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "one")

    (model,) = ModelCatalog(settings_for(tmp_path, folder)).scan()

    assert model.name == "one"


PROBLEMS: list[tuple[str, Any, str]] = [
    ("an architecture that the engine does not know", {**CONFIG, "model_type": "foo"}, "'foo'"),
    ("no model_type", {"hidden_size": 4}, "model_type"),
    ("broken JSON", '{"model_type": ', "not valid JSON"),
    ("a list for a config", "[]", "no JSON object"),
    (
        "a quantisation the engine has not",
        {**CONFIG, "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
        "quantised by bitsandbytes",
    ),
    ("another one", {**CONFIG, "quantization_config": {"quant_method": "aqlm"}}, "aqlm"),
    ("a model file to run", {**CONFIG, "model_file": "evil.py"}, "model_file"),
    ("a name that is a path", {**CONFIG, "model_type": "../../evil"}, "evil"),
]


@pytest.mark.parametrize(
    ("config", "named"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS]
)
def test_an_unusable_folder_is_listed_with_its_reason(
    tmp_path: Path, config: Any, named: str
) -> None:
    model_folder(tmp_path / "models" / "tiny", config)

    problem = problem_of(tmp_path)

    assert problem is not None
    assert named in problem


def test_code_in_the_tokenizer_settings_is_refused_too(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    (folder / "tokenizer_config.json").write_text('{"auto_map": {"AutoTokenizer": ["x.Y", null]}}')

    assert "tokenizer_config.json" in (problem_of(tmp_path) or "")


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny", weights="")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")

    assert "pytorch_model.bin" in (problem_of(tmp_path) or "")


def test_an_adapter_is_no_base_model(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "adapter"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    write_weights(folder / "adapters.safetensors")

    assert "adapter" in (problem_of(tmp_path) or "")


def test_a_download_that_did_not_finish_is_named(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny", weights="model-00001-of-00002.safetensors")
    parts = {f"w{part}": f"model-0000{part}-of-00002.safetensors" for part in (1, 2)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))

    assert "1 of 2 weight files are missing" in (problem_of(tmp_path) or "")


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    (folder / "tokenizer.json").unlink()

    assert "tokenizer" in (problem_of(tmp_path) or "")


def test_an_empty_folder_has_no_config(tmp_path: Path) -> None:
    (tmp_path / "models" / "empty").mkdir(parents=True)

    assert "config.json" in (problem_of(tmp_path) or "")


def test_a_folder_that_cannot_be_read_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that belongs to somebody else: what is in it can neither be listed nor looked at."""
    models, hub = tmp_path / "models", tmp_path / "huggingface" / "hub"
    model_folder(models / "open")
    closed = [model_folder(models / "closed")]
    closed.append(model_folder(hub / "models--ours--Beta" / "snapshots" / "aaaa"))
    closed.append(model_folder(tmp_path / "alone"))
    for name in ("stat", "scandir", "listdir"):
        forbid(monkeypatch, name, closed)

    found = ModelCatalog(settings_for(tmp_path, models, hub, closed[2])).scan()

    assert [model.name for model in found if model.problem is None] == ["open"]
    problems = {model.name: model.problem or "" for model in found if model.problem}
    assert set(problems) == {"closed", "Beta", "alone"}
    assert all("can't be read: Permission denied" in problem for problem in problems.values())


def forbid(monkeypatch: pytest.MonkeyPatch, name: str, folders: list[Path]) -> None:
    """As root may read everything, permissions alone can't show it."""
    real = getattr(os, name)

    def refusing(path: Any, *args: Any, **named: Any) -> Any:
        inside = any(folder in (Path(path), *Path(path).parents) for folder in folders)
        if inside and (name != "stat" or Path(path) not in folders):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *args, **named)

    monkeypatch.setattr(os, name, refusing)


def test_usable_models_come_first(tmp_path: Path) -> None:
    model_folder(tmp_path / "models" / "zebra")
    model_folder(tmp_path / "models" / "ape", {"model_type": "foo"})

    assert [model.name for model in catalog(tmp_path).scan()] == ["zebra", "ape"]


def test_a_model_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    elsewhere = model_folder(tmp_path / "elsewhere" / "other")
    models = catalog(tmp_path)

    assert models.find("tiny").path == str(folder)
    assert models.find(str(folder)).name == "tiny"
    assert models.find(str(elsewhere)).name == "other"


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    model_folder(tmp_path / "models" / "Qwen2.5-0.5B")

    with pytest.raises(NotFound) as refusal:
        catalog(tmp_path).find("qwen2.5-05b")

    assert "qwen2.5-05b" in refusal.value.detail
    assert "Qwen2.5-0.5B" in (refusal.value.hint or "")


def test_a_changed_folder_is_read_again(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    models = catalog(tmp_path)
    before = models.fingerprint("tiny")

    (folder / "config.json").write_text(json.dumps({**CONFIG, "vocab_size": 4321}))

    assert models.find("tiny").vocab_size == 4321
    assert models.fingerprint("tiny") != before


def test_other_weights_of_the_same_shape_change_the_fingerprint(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    models = catalog(tmp_path)
    before = models.fingerprint("tiny")
    weights = folder / "model.safetensors"

    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")

    after = models.fingerprint("tiny")
    assert before is not None and after is not None and after != before
    assert not same_model(before, after) and same_shape(before, after)


def test_a_copied_model_keeps_its_fingerprint(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    copy = tmp_path / "models" / "copy"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    os.utime(copy / "model.safetensors", (0, 0))
    models = catalog(tmp_path)

    assert models.fingerprint("copy") == models.fingerprint("tiny")


def test_suggested_data_paths_are_relative_to_the_model(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    suggested = {"train_data_path": "../../data/train.jsonl", "iterations": 7, "odd": 1}
    (folder / "droid_defaults.json").write_text(json.dumps(suggested))
    settings = settings_for(tmp_path, tmp_path / "models")

    models = ModelCatalog(settings, lambda values: {k: v for k, v in values.items() if k != "odd"})

    assert models.find("tiny").defaults == {
        "train_data_path": str(tmp_path / "data" / "train.jsonl"),
        "iterations": 7,
    }


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"model_type": "bert", "architectures": ["BertModel"]}, "an encoder (bert)"),
        ({"model_type": "gemma", "architectures": ["GemmaForMaskedLM"]}, "an encoder (gemma)"),
        ({"model_type": "t5", "is_encoder_decoder": True}, "an encoder-decoder model (t5)"),
    ],
)
def test_a_model_that_writes_no_text_says_that_decoders_only_are_trained(
    tmp_path: Path, config: dict[str, Any], kind: str
) -> None:
    model_folder(tmp_path / "models" / "encoder", CONFIG | config, weights="pytorch_model.bin")

    problem = problem_of(tmp_path)

    assert problem is not None
    assert kind in problem
    assert "MLX's engine trains decoders only" in problem


def test_where_a_fetched_model_comes_from_is_told(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "models" / "tiny")
    (folder / "droid_source.json").write_text('{"repo_id": "a/tiny", "revision": "main"}')

    (model,) = catalog(tmp_path).scan()

    assert model.source is not None
    assert (model.source.repo_id, model.source.converted_from) == ("a/tiny", None)
