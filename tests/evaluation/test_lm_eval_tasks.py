from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.errors import AppError, BadContent, EngineMissing, NotFound
from backend.evaluation import lm_eval_tasks
from backend.evaluation.lm_eval_tasks import LmEvalTasks
from backend.settings import Settings

LOCAL = {
    "task": "mine", "dataset_path": "json", "output_type": "generate_until",
    "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
}  # fmt: skip


@pytest.fixture
def here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> LmEvalTasks:
    """With lm-eval installed, and one task of the user's own."""
    monkeypatch.setattr(
        lm_eval_tasks, "engine_versions", lambda settings: ("3.11", {"lm-eval": "0.4.13"})
    )
    folder = settings.data_dir / "tasks"
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text('{"prompt": "a", "answer": "b"}\n')
    write(folder / "mine.yaml", LOCAL)
    return LmEvalTasks(settings)


def write(path: Path, config: Any) -> Path:
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    return path


def test_a_task_is_kept_whole_with_the_whole_path_of_its_rows(
    here: LmEvalTasks, settings: Settings
) -> None:
    (found,) = here.chosen(["mine"])

    rows = settings.data_dir / "tasks" / "rows.jsonl"
    assert found.name == "mine"
    assert found.config["dataset_kwargs"] == {"data_files": {"test": [str(rows.resolve())]}}
    assert found.config["output_type"] == "generate_until"
    assert here.chosen(["tasks/mine.yaml"]) == [found]


def test_the_shipped_tasks_can_be_asked_for_by_name(here: LmEvalTasks) -> None:
    assert here.names() == ["captain_style", "mine", "sums"]
    assert [task.name for task in here.chosen(here.names())] == here.names()


def test_without_lm_eval_the_command_that_installs_it_is_given(
    here: LmEvalTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        lm_eval_tasks, "engine_versions", lambda settings: ("3.11", {"lm-eval": None})
    )
    assert here.chosen([]) == []
    with pytest.raises(EngineMissing, match="lm-eval, which is not installed") as told:
        here.chosen(["sums"])
    assert "uv pip install" in (told.value.hint or "")


@pytest.mark.parametrize(
    ("config", "kind", "words"),
    [
        (LOCAL | {"dataset_path": "allenai/arc"}, BadContent, "'allenai/arc' of the Hugging Face"),
        (LOCAL | {"dataset_kwargs": {}}, BadContent, "works offline"),
        (LOCAL | {"dataset_kwargs": {"data_files": "gone.jsonl"}}, NotFound, "'gone.jsonl'"),
        (LOCAL | {"include": "other.yaml"}, BadContent, "its include needs code"),
        (
            LOCAL | {"metric_list": [{"metric": "x", "hf_evaluate": True}]},
            BadContent,
            "its hf_evaluate needs code",
        ),
        ("task: mine\ndoc_to_text: !function evil.run\n", BadContent, "!function"),
        ("task: [", BadContent, "can't be read"),
        ("- mine", BadContent, "no mapping"),
        ({"dataset_path": "json"}, BadContent, "has no `task`"),
    ],
)
def test_what_needs_the_net_or_code_from_elsewhere_is_refused(
    here: LmEvalTasks, settings: Settings, config: Any, kind: type[AppError], words: str
) -> None:
    path = write(settings.data_dir / "tasks" / "other.yaml", config)

    with pytest.raises(kind) as told:
        here.chosen([str(path)])

    assert words in f"{told.value.detail} {told.value.hint}"


def test_a_task_of_the_hub_or_one_named_twice_is_refused(here: LmEvalTasks) -> None:
    with pytest.raises(NotFound, match="no task 'arc_easy' on this machine") as told:
        here.chosen(["arc_easy"])
    assert "captain_style, mine, sums" in (told.value.hint or "")
    with pytest.raises(BadContent, match="mine is asked for twice"):
        here.chosen(["mine", "tasks/mine.yaml"])
