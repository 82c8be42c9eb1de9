from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.contract.jobs.evaluation import (
    Estimate,
    EvaluationMeasurements,
    EvaluationTarget,
    GivenAnswer,
    MetricResult,
    QuestionResult,
    TargetInfo,
)
from backend.contract.jobs.proof import ProofSet
from backend.errors import NotFound
from backend.evaluation.proof import (
    FOLDER,
    loss_difference,
    plan_proof,
    read_proof,
    summarise_proof,
    write_proof,
)


def data_folder(root: Path, name: str, rows: int) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    lines = [
        json.dumps({"prompt": f"{name} {n}?", "completion": f"{name} {n}"}) for n in range(rows)
    ]
    (folder / "valid.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_every_adapters_own_held_out_rows_have_their_share(tmp_path: Path) -> None:
    data = {"a": data_folder(tmp_path, "a", 30), "b": data_folder(tmp_path, "b", 3), "c": None}

    plan = plan_proof(None, data, rows=12)

    assert [(one.name, one.rows) for one in plan.sets] == [("a", 4), ("b", 3)]
    assert plan.rows is not None
    assert [row.row["prompt"][0] for row in plan.rows.rows] == ["a"] * 4 + ["b"] * 3
    assert [warning.split(":")[0] for warning in plan.warnings] == ["Not scored on rows of c"]


def test_rows_that_two_adapters_hold_out_are_scored_once(tmp_path: Path) -> None:
    rows = data_folder(tmp_path, "a", 9)
    copy = tmp_path / "b"
    copy.mkdir()
    (copy / "valid.jsonl").write_bytes((rows / "valid.jsonl").read_bytes())

    plan = plan_proof(None, {"a": rows, "b": copy}, rows=8)

    assert [(one.name, one.shared, one.rows) for one in plan.sets] == [("a", ("b",), 4)]
    assert plan.rows is not None and len(plan.rows.rows) == 4


def test_without_held_out_rows_the_reason_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    plan = plan_proof(None, {"a": None, "b": None})

    assert plan.rows is None
    assert "no held-out rows" in (plan.unproven or "")
    write_proof(tmp_path, plan, name="both", model="/m", targets=[EvaluationTarget(label="base")])
    assert list(tmp_path.iterdir()) == []
    assert read_proof(tmp_path, ()) is None


def test_a_named_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        plan_proof(str(tmp_path / "nothing.jsonl"), {})


def test_the_rows_and_sides_are_written_for_the_engine(tmp_path: Path) -> None:
    plan = plan_proof(str(data_folder(tmp_path, "a", 5)), {})
    sides = [EvaluationTarget(label="base"), EvaluationTarget(label="both")]

    write_proof(tmp_path, plan, name="both", model="/m", targets=sides)

    request = json.loads((tmp_path / FOLDER / "request.json").read_text())
    assert [target["label"] for target in request["targets"]] == ["base", "both"]
    assert len((tmp_path / FOLDER / "rows.jsonl").read_text().splitlines()) == 5


def answer(text: str | None, loss: float | None, tokens: int | None) -> GivenAnswer:
    return GivenAnswer(
        text=text, finish_reason=None, completion_tokens=None, loss=loss, tokens=tokens,
        problem=None, metrics={},
    )  # fmt: skip


def test_each_set_has_its_own_loss_and_changed_answers_are_counted() -> None:
    loss = MetricResult(
        id="loss", name="", help="", source="", better="lower", difference=None, ratio=None,
        values=(Estimate(mean=2.0, low=1.5, high=2.5, rows=3), None),
    )  # fmt: skip
    rows = [
        (answer("x", 4.0, 2), answer("x", 2.0, 2)),
        (answer("x", None, None), answer("y", None, None)),
        (answer("x", 3.0, 1), answer(None, 1.0, 1)),
    ]
    measured = EvaluationMeasurements(
        targets=tuple(
            TargetInfo(label=label, adapter_name=None, checkpoint=None) for label in ("base", "new")
        ),
        metrics=(loss,),
        rows=3,
        batched=True,
        questions=tuple(
            QuestionResult(line=1, seen=False, messages=None, expected=None, answers=pair)
            for pair in rows
        ),
        seconds=0.0,
    )
    sets = (
        ProofSet(name="a", path="a", rows=2, seen=0),
        ProofSet(name="b", path="b", rows=1, seen=None),
    )

    proof = summarise_proof([measured], sets)

    base, new = proof.targets
    assert base.loss is not None
    assert (base.loss.mean, new.loss) == (2.0, None)
    assert [one.loss for one in base.sets] == [2.0, 3.0]
    assert [one.loss for one in new.sets] == [1.0, 1.0]
    assert (new.answers, new.changed) == (2, 1)
    assert base.sets[1].difference == Estimate(mean=-2.0, low=None, high=None, rows=1)


def test_a_difference_on_an_adapters_own_rows_has_a_paired_interval() -> None:
    source = [answer("x", loss, 10) for loss in (10.0, 20.0, 12.0, 31.0)]
    more_each = (2, 3, 2, 3)
    worse = [
        answer("x", (one.loss or 0) + more, 10) for one, more in zip(source, more_each, strict=True)
    ]

    found = loss_difference(source, worse)

    assert found is not None and found.low is not None and found.high is not None
    assert found.mean == pytest.approx(0.25)
    # A paired t test on 0.2, 0.3, 0.2, 0.3: 3.182 · 0.0577 / 2 on each side.
    assert (found.low, found.high) == pytest.approx((0.1581, 0.3419), abs=2e-3)
    assert loss_difference(source, source) == Estimate(mean=0.0, low=0.0, high=0.0, rows=4)
    assert loss_difference([answer("x", None, None)], [answer("x", 1.0, 2)]) is None
