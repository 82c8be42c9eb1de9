"""`train` and `watch`: the request that is sent, and what is told of the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.fake_service import IDLE, RUN, FakeService, Refusal

MODEL = {"name": "droid-demo", "path": "/models/droid-demo", "problem": None,
         "defaults": {"iterations": 200, "train_data_path": "/demo/train.jsonl",
                      "adapter_name": "demo"}}  # fmt: skip
STARTED = {"status": "started", "session_id": RUN, "warnings": ["Few rows."],
           "message": "Training mine."}  # fmt: skip


def training(service: FakeService, state: str, **error: str) -> None:
    """A run of two steps that ends in `state`."""
    metrics = {"current_step": 2, "total_steps": 2, "elapsed_seconds": 61, "best_value": 0.5,
               "best_model_step": 2}  # fmt: skip
    at_work = {**IDLE, "session_id": RUN, "state": "running", "phase": "training"}
    over = {**IDLE, "session_id": RUN, "state": state, "metrics": metrics, "error": error or None}
    first = {"train": {"step": [1], "train_loss": [2.5], "tokens_per_second": [90.0]}}
    both = {"train": {"step": [1, 2], "train_loss": [2.5, 1.25], "tokens_per_second": [90.0, 91.0]}}
    series = [{**one, "validation": {"step": [2], "val_loss": [0.5]}} for one in (first, both)]
    series[0]["validation"] = {}
    service.answers |= {
        "GET /models": {"models": [MODEL]},
        "GET /adapters": {"adapters": [{"name": "demo"}]},
        "GET /training/status": [at_work, at_work, over],
        "POST /training/start": STARTED,
        "POST /api/training/start-enhanced": STARTED,
        f"GET /sessions/{RUN}/metrics": [{"series": one} for one in series],
        f"GET /sessions/{RUN}": {"training_state": state, "config": {"adapter_name": "mine"}},
    }


def sent(service: FakeService, path: str = "/training/start") -> dict[str, Any]:
    (body,) = service.bodies(f"POST {path}")
    return dict(body)


def test_the_demo_trains_under_a_free_name_and_its_numbers_are_told(
    service: FakeService, run: Run
) -> None:
    training(service, "completed")

    said = run("train", "--demo", "--rank", "8", "--set", "seed=7", "--set", "lora_keys=qv")

    assert said.code == 0
    assert sent(service) == {
        "model_path": "/models/droid-demo", "train_data_path": "/demo/train.jsonl",
        "iterations": 200, "adapter_name": "demo-2", "lora_rank": 8, "seed": 7, "lora_keys": "qv",
    }  # fmt: skip
    assert said.out.splitlines()[:2] == [
        "mine: completed after 1 min 1 s.", "  Best: 0.500 at step 2."
    ]  # fmt: skip
    assert "Note: Few rows." in said.err
    lines = [line.strip() for line in said.err.splitlines()]
    assert "step 1 of None  loss 2.500  90 tok/s" in lines
    assert lines.count("step 2  validation loss 0.500") == 1


def test_what_is_relative_is_meant_from_here(
    service: FakeService, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training(service, "completed")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").mkdir()

    run("train", "base", "rows.jsonl", "--valid", "v.jsonl", "--name", "mine", "--detach")

    assert sent(service) == {
        "model_path": str(tmp_path / "base"), "train_data_path": str(tmp_path / "rows.jsonl"),
        "val_data_path": str(tmp_path / "v.jsonl"), "adapter_name": "mine", "epochs": 3,
    }  # fmt: skip


def test_a_file_of_fields_yields_to_the_options(
    service: FakeService, run: Run, tmp_path: Path
) -> None:
    training(service, "completed")
    config = tmp_path / "run.yaml"
    config.write_text("batch_size: 2\niterations: 9\nadapter_name: filed\n")

    run("train", "droid-demo", "/rows", "--config", str(config), "--iterations", "5", "--detach")

    assert sent(service)["iterations"] == 5
    assert sent(service)["batch_size"] == 2
    assert sent(service)["adapter_name"] == "filed"


def test_another_method_goes_to_its_own_route(service: FakeService, run: Run) -> None:
    training(service, "completed")

    said = run("train", "droid-demo", "/rows", "--method", "grpo", "--detach")

    assert said.out == f"{RUN}\n"
    request = sent(service, "/api/training/start-enhanced")
    assert request["training_method"] == "grpo"
    assert "epochs" not in request


@pytest.mark.parametrize(
    ("state", "code"), [("completed", 0), ("error", 1), ("stopped", 4), ("interrupted", 4)]
)
def test_the_exit_code_tells_how_the_run_ended(
    service: FakeService, run: Run, state: str, code: int
) -> None:
    training(service, state, message="It ran out of memory.", hint="Use a smaller batch.")

    said = run("train", "--demo")

    assert said.code == code
    assert "It ran out of memory.\n  Use a smaller batch." in said.out


def test_as_json_every_line_is_a_value_and_the_last_is_the_end(
    service: FakeService, run: Run
) -> None:
    training(service, "completed")

    said = run("--json", "train", "--demo")

    values = [json.loads(line) for line in said.out.splitlines()]
    kinds = [value["type"] for value in values]
    assert kinds == ["start", "phase", "metrics", "metrics", "validation", "end"]
    assert values[2]["train_loss"] == 2.5
    assert values[-1]["state"] == "completed"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["droid-demo"], "DATA is missing"),
        ([], "MODEL and DATA are missing"),
        (["--demo", "droid-demo"], "leave MODEL and DATA out"),
        (["a", "b", "--set", "seed"], "'seed' is not FIELD=VALUE"),
        (["--resume", "x", "--rank", "8"], "--rank has no place beside --resume"),
    ],
)
def test_a_wrong_use_is_told_and_starts_nothing(
    service: FakeService, run: Run, argv: list[str], told: str
) -> None:
    said = run("train", *argv)

    assert said.code == 2
    assert told in said.err
    assert not [asked for asked, _ in service.requests if asked.startswith("POST")]


def test_a_refusal_names_value_and_remedy(service: FakeService, run: Run) -> None:
    training(service, "completed")
    service.answers["POST /training/start"] = Refusal(404, "There is no file '/rows'.", "Check it.")

    said = run("train", "droid-demo", "/rows")

    assert (said.code, said.out) == (1, "")
    assert said.err == "There is no file '/rows'.\nCheck it.\n"


def test_ctrl_c_leaves_the_run_and_says_so(
    service: FakeService, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    training(service, "completed")

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("backend.cli.follow.time.sleep", interrupt)

    said = run("train", "--demo")

    assert said.code == 130
    assert "The run goes on." in said.err
    assert not service.bodies("POST /training/stop")


def test_a_run_that_waits_is_watched_through_the_queue(service: FakeService, run: Run) -> None:
    training(service, "completed")
    waits = {**IDLE, "queue": [{"session_id": RUN, "adapter_name": "mine"}]}
    service.answers["GET /sessions"] = {"sessions": []}
    service.answers["GET /training/status"] = [
        waits, waits, *service.answers["GET /training/status"],
    ]  # fmt: skip

    said = run("watch", "mine")

    assert said.code == 0
    assert "waiting in the queue, at place 1" in said.err


def test_a_run_is_known_by_the_beginning_of_its_id(service: FakeService, run: Run) -> None:
    training(service, "completed")
    other = RUN.replace("81cee4a0", "81cf0000")
    runs = [{"session_id": one, "adapter_name": "mine"} for one in (RUN, other)]
    service.answers["GET /sessions"] = {"sessions": runs}

    assert run("watch", "81ce").code == 0
    assert "is the beginning of 2 runs" in run("watch", "81c").err
    assert run("watch", "nobody").err.startswith("There is no run 'nobody'.\n")


def test_a_resumed_run_keeps_its_own_settings(service: FakeService, run: Run) -> None:
    training(service, "completed")
    service.answers["GET /sessions"] = {"sessions": [{"session_id": RUN, "adapter_name": "mine"}]}
    service.answers[f"POST /sessions/{RUN}/resume"] = STARTED

    assert run("train", "--resume", "mine", "--iterations", "400", "--detach").code == 0

    assert sent(service, f"/sessions/{RUN}/resume") == {"iterations": 400}
