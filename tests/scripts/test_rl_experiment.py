"""The RL experiment says "learned" when the numbers do, and makes runs that the app would make."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from scripts.experiments import course
from scripts.experiments.rl_grid import METHODS, SUMS, RlCell, cells
from scripts.experiments.rl_report import PAIRS_IMAGE, REWARD_IMAGE, learned, report
from scripts.experiments.rl_runs import make_method_run


def result(method: str, seed: int, start: float, end: float) -> dict[str, Any]:
    def point(step: int, value: float) -> dict[str, Any]:
        rewards = dict.fromkeys(SUMS.rewards, value / 2)
        return {"step": step, "val_reward": value, "val_accuracy": value,
                "val_rewards": rewards, "val_completion_length": 20.0}  # fmt: skip

    return {
        "method": method, "seed": seed, "seconds": 9.0, "cpu_seconds": 4.0,
        "clipped": [0.0, 0.5],
        "curve": [point(0, start), point(20, end)],
    }  # fmt: skip


def results(method: str, *ends: float, start: float = 0.5) -> dict[str, Any]:
    return {str(seed): result(method, seed, start, end) for seed, end in enumerate(ends)}


def test_a_rise_of_more_than_three_standard_errors_is_called_one() -> None:
    text, _ = report(results("grpo", 0.8, 0.82, 0.84), "a machine")
    found = learned(results("grpo", 0.8, 0.82, 0.84), "grpo", "val_reward")
    assert found is not None
    assert found.error == pytest.approx(0.02 / 3**0.5)
    assert found.errors == pytest.approx(0.32 / (0.02 / 3**0.5))
    assert "- GRPO: rises by more than 3 standard errors, in every seed." in text


def test_a_rise_within_chance_or_not_in_every_seed_is_denied() -> None:
    assert "- GRPO: does not rise by" in report(results("grpo", 0.5, 0.9, 0.6), "a machine")[0]
    assert "- GRPO: does not rise by" in report(results("grpo", 0.3, 0.3, 0.3), "a machine")[0]


def test_one_seed_claims_nothing() -> None:
    text, _ = report(results("dr_grpo", 0.9), "a machine")
    assert "Dr. GRPO: one seed says nothing about chance." in text


def test_seeds_that_all_end_alike_have_no_standard_error_to_divide_by() -> None:
    text, _ = report(results("dpo", 1.0, 1.0, 1.0), "a machine")
    assert "| all seeds equal |" in text
    assert "- DPO: rises by" in text


def test_there_is_a_picture_of_either_task_with_a_curve_for_each_method_that_ran() -> None:
    _, images = report(results("orpo", 0.9, 0.8), "a machine")
    for name, count in ((REWARD_IMAGE, 0), (PAIRS_IMAGE, 1)):
        tree = ElementTree.fromstring(images[name])  # noqa: S314 - our own
        assert len(tree.findall("{http://www.w3.org/2000/svg}polyline")) == count


def test_every_cell_makes_a_run_of_its_own_method(tmp_path: Path) -> None:
    assert len({cell.name for cell in cells()}) == 3 * len(METHODS)
    for method, (task, _) in METHODS.items():
        cell = RlCell(method, 1)
        run = make_method_run(tmp_path / method, cell.task.data, cell.fields, cell.task.rewards)
        config = yaml.safe_load((run / "config.yaml").read_text())
        assert (config["method"], config["seed"], config["val_batches"]) == (method, 1, -1)
        assert config["reward_functions"] == list(task.rewards)
        assert (run / "data" / "valid.jsonl").exists()


def test_what_is_finished_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DROID_DATA_DIR", str(tmp_path))
    ran: list[str] = []

    def run(cell: RlCell) -> dict[str, Any]:
        ran.append(cell.name)
        return {"seed": cell.seed, "fields": cell.fields}

    given = course.options("rl", [])
    first, second = RlCell("grpo", 0), RlCell("dpo", 0)
    course.finish("rl", [first], given, run=run, say=str)
    kept = course.finish("rl", [first, second], given, run=run, say=str)
    assert ran == ["grpo-s0", "dpo-s0"]
    assert list(kept) == ["grpo-s0", "dpo-s0"]
    monkeypatch.setitem(METHODS, "grpo", (SUMS, {"learning_rate": 1.0}))
    course.finish("rl", [first, second], given, run=run, say=str)
    assert ran[2:] == ["grpo-s0"]  # Made with other settings than those of now.
    course.finish("rl", [first], course.options("rl", ["--fresh"]), run=run, say=str)
    assert ran[3:] == ["grpo-s0"]
    late = course.options("rl", ["--minutes", "-1"])
    assert course.finish("rl", [RlCell("gspo", 2)], late, run=run, say=str) == {}
