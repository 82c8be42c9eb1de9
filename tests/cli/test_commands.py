"""The other commands, and what all of them have in common."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.cli.output import printable, seconds
from backend.settings import CHECKOUT
from tests.cli.conftest import Run
from tests.cli.fake_service import IDLE, RUN, FakeService, Refusal

COMMANDS = (
    "train", "status", "watch", "stop", "list", "compare", "ask", "evaluate", "fuse", "export",
    "download", "convert", "doctor", "open",
)  # fmt: skip
IDLE_JOBS = {
    "GET /api/evaluation/status": {"running": False, "progress": 0.0, "state": None},
    "GET /api/fusion/status": {"is_running": False, "progress": 0.0, "status": "idle"},
    "GET /api/fusion/export-status": {"is_running": True, "progress": 40.0, "message": "merging"},
    "GET /models/convert": {"state": None, "progress": None},
    "GET /models/downloads": {"downloads": []},
    "GET /api/datasets/downloads": {"downloads": []},
}


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["tarin"], "did you mean train?"),
        (["list", "modles"], "did you mean models?"),
        (["status", "--nope"], "unrecognized arguments: --nope"),
        (["fuse"], "ADAPTER"),
        (["ask", "hi", "--checkpoint", "worst"], "neither best, latest nor a step's number"),
        (["download", "a/b", "--split", "x"], "--split is for data sets"),
        (["--port", "high", "status"], "invalid int value"),
    ],
)
def test_a_wrong_word_ends_with_2_and_says_where_help_is(
    service: FakeService, run: Run, argv: list[str], told: str
) -> None:
    said = run(*argv)

    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert said.err.splitlines()[-1].startswith("See droid-finetuning")


def test_help_lists_every_command_and_the_exit_codes(run: Run) -> None:
    said = run("--help")

    assert said.code == 0
    for name in COMMANDS:
        assert f"    {name} " in said.out
        assert run(name, "--help").code == 0
    assert "exit codes: 0 done" in said.out


def test_the_references_scripts_are_words_of_it(
    service: FakeService, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    service.answers["POST /api/datasets/convert"] = {
        "rows": 2, "format": "grpo", "path": "/out", "notes": [], "skipped": [], "skipped_count": 0,
    }  # fmt: skip
    service.answers[f"GET /sessions/{RUN}/logs"] = {"logs": ["Traceback"]}
    service.answers["GET /training/status"] = {**IDLE, "session_id": RUN}
    service.answers[f"GET /sessions/{RUN}"] = {
        "training_state": "error", "exit": {"message": "Out of memory.", "hint": "Smaller batch."},
    }  # fmt: skip

    assert run("convert_to_grpo", "sums.jsonl", "--answer-after", "####").code == 0
    assert service.bodies("POST /api/datasets/convert") == [
        {"path": str(tmp_path / "sums.jsonl"), "output_path": str(tmp_path / "sums_grpo.jsonl"),
         "to": "grpo", "answer_after": "####"}
    ]  # fmt: skip
    said = run("check_training_error")
    assert said.code == 1
    assert said.out.splitlines()[1:] == ["  Out of memory.", "  Smaller batch.", "  | Traceback"]


def test_nobody_at_the_address_ends_with_3(run: Run) -> None:
    said = run("--url", "http://127.0.0.1:9", "status", "--json")

    assert said.code == 3
    assert json.loads(said.out)["detail"].startswith("No service answers at http://127.0.0.1:9.")


def test_a_service_that_is_gone_in_the_middle_ends_with_3(service: FakeService, run: Run) -> None:
    class Gone(Exception):
        pass

    def leave(_: object) -> None:
        raise Gone

    service.answers["GET /sessions"] = leave

    said = run("list")

    assert said.code == 3
    assert "does not answer any more" in said.err


def test_a_token_is_sent_and_its_lack_is_told(service: FakeService, run: Run) -> None:
    service.answers["GET /sessions"] = {"sessions": []}
    token = "a-token-of-22-or-more-signs"

    assert run("list", "--token", token).code == 0
    assert service.headers[-1]["Authorization"] == f"Bearer {token}"
    service.answers["GET /health"] = Refusal(401, "This server needs its token.", "Send it.")
    said = run("list")
    assert said.code == 3
    assert "needs its token" in said.err


def test_status_tells_run_queue_and_jobs(service: FakeService, run: Run) -> None:
    waiting = {"session_id": RUN, "adapter_name": "second"}
    service.answers |= IDLE_JOBS | {
        "GET /training/status": {
            **IDLE, "session_id": RUN, "state": "running", "phase": "training",
            "config": {"adapter_name": "mine"}, "queue": [waiting],
            "metrics": {"current_step": 5, "total_steps": 9, "train_loss": 1.5,
                        "estimated_time_remaining": 125.0},
        }
    }  # fmt: skip

    said = run("status")

    assert [line.strip() for line in said.out.splitlines()[1:]] == [
        "Run      mine (81cee4a0): running, step 5 of 9",
        "training, loss 1.500, 2 min 5 s left",
        "Queue    1. second (81cee4a0)",
        "Export     40 % merging",
    ]


def test_stop_saves_and_holds_the_queue(service: FakeService, run: Run) -> None:
    service.answers["POST /training/stop"] = {"status": "stopped", "message": "Saving."}

    assert run("stop").out == "Saving.\n"
    run("stop", "--no-save", "--next")

    assert service.bodies("POST /training/stop") == [
        {"save": True, "hold_queue": True}, {"save": False, "hold_queue": False},
    ]  # fmt: skip


def test_compare_shows_results_and_only_the_settings_that_differ(
    service: FakeService, run: Run
) -> None:
    ids = [RUN, RUN.replace("8", "9")]
    names = ("first", "second")
    service.answers["GET /sessions"] = {
        "sessions": [{"session_id": one, "adapter_name": name}
                     for one, name in zip(ids, names, strict=True)]
    }  # fmt: skip
    service.answers["GET /sessions/compare"] = {
        "runs": [{"session_id": one, "name": name, "state": "completed",
                  "final": {"best_value": best}}
                 for one, name, best in zip(ids, names, (0.5, 0.25), strict=True)],
        "differences": [{"field": "lora_rank", "values": [8, 32]}],
        "held_out": {"message": "The held-out rows differ."},
    }  # fmt: skip

    table = {line.split()[0]: line.split()[1:] for line in run("compare", *names).out.splitlines()}

    assert table["best"] == ["0.500", "0.250"]
    assert table["lora_rank"] == ["8", "32"]
    assert table["The"] == ["held-out", "rows", "differ."]
    assert run("compare", "first", "first").code == 1


def test_the_newest_adapter_answers_as_it_writes(service: FakeService, run: Run) -> None:
    service.answers |= {
        "GET /adapters": {"adapters": [
            {"name": "old", "problem": None, "created": "2026-01-01"},
            {"name": "new", "problem": None, "created": "2026-01-02"},
            {"name": "broken", "problem": "no weights", "created": "2026-01-03"}]},
        "GET /models/available": {"models": [{"name": "base", "adapters": [{"name": "new"}]}],
                                  "unassigned": []},
        "POST /models/inference":
            'event: token\ndata: {"text": "Ahoy\\u001b[2J"}\n\n'
            'event: token\ndata: {"text": "!"}\n\n'
            'event: done\ndata: {"stats": {"tokens_per_second": 9.0, "completion_tokens": 2},'
            ' "model_info": {"adapter_type": "best", "adapter": "new", "base_model": "base"}}\n\n',
    }  # fmt: skip

    said = run("ask", "Who are you?", "--temperature", "0")

    assert (said.code, said.out) == (0, "Ahoy[2J!\n"), "without what steers a terminal"
    assert service.bodies("POST /models/inference") == [
        {"model_name": "base", "adapter_name": "new", "prompt": "Who are you?", "max_tokens": 512,
         "temperature": 0.0, "stream": True}
    ]  # fmt: skip


def test_an_unknown_adapter_is_told_with_those_there_are(service: FakeService, run: Run) -> None:
    service.answers["GET /models/available"] = {
        "models": [{"name": "base", "adapters": [{"name": "mine"}]}], "unassigned": [],
    }  # fmt: skip

    said = run("ask", "Hi", "--adapter", "nope")

    assert said.code == 1
    assert said.err == "There is no adapter 'nope'.\nThere are: mine.\n"


def test_an_export_is_followed_to_its_folder(service: FakeService, run: Run) -> None:
    at_work = {"status": "running", "progress": 40.0, "message": "merging", "current_step": None,
               "error": None, "hint": None}  # fmt: skip
    result = {"output_name": "mine-gguf", "bytes": 2_900_000, "merged_dir": "/exports/mine-gguf",
              "proof": None, "unproven": "no held-out rows"}  # fmt: skip
    service.answers |= {
        "POST /api/fusion/export-model": {"job_id": "1", "output_name": "mine-gguf",
                                          "message": "Exporting mine.", "warnings": []},
        "GET /api/fusion/export-status": [at_work, {**at_work, "status": "completed"}],
        "GET /api/fusion/export-result": {"success": True, "result": result},
    }  # fmt: skip

    said = run("export", "mine", "gguf_q8")

    assert said.code == 0
    assert said.out == "mine-gguf: 2.9 MB in /exports/mine-gguf\n"
    assert said.err.splitlines() == [
        "Exporting mine.", "  merging", "Note: not measured. no held-out rows",
    ]  # fmt: skip
    service.answers["GET /api/fusion/export-status"] = {
        **at_work, "status": "error", "error": "The disk is full.", "hint": "Free some space.",
    }  # fmt: skip
    assert run("export", "mine", "gguf_q8").code == 1
    service.answers["GET /api/fusion/export-status"] = {**at_work, "status": "stopped"}
    assert run("export", "mine", "gguf_q8").code == 4


def test_an_evaluation_shows_each_metric_with_its_interval(service: FakeService, run: Run) -> None:
    at_work = {
        "running": False, "state": "completed", "phase": None, "progress": 100.0,
        "current_question": 4, "total_questions": 4, "error": None, "hint": None,
    }  # fmt: skip
    base, tuned = (
        {"mean": mean, "low": mean - 1, "high": mean + 1, "rows": 4} for mean in (4.5, 2.5)
    )
    metric = {"name": "Loss", "values": [base, tuned], "better": "lower"}
    service.answers |= {
        "POST /api/evaluation/compare": {"evaluation_id": "e1", "adapter_name": "mine",
                                       "message": "Evaluating mine.", "warnings": []},
        "GET /api/evaluation/status": at_work,
        "GET /api/evaluation/e1": {
            "targets": [{"label": "Base"}, {"label": "mine"}],
            "metrics": [metric, {**metric, "name": "Token F1", "values": [None, None]}],
            "seen_rows": 0, "num_questions": 4, "report_files": {"markdown": "/e1/report.md"}},
    }  # fmt: skip

    said = run("evaluate", "mine", "--questions", "4")

    assert said.code == 0
    assert service.bodies("POST /api/evaluation/compare") == [
        {"adapter_name": "mine", "num_questions": 4, "metrics": [], "judge": False}
    ]  # fmt: skip
    lines = [line.split("  ") for line in said.out.splitlines()]
    assert [cell for cell in lines[1] if cell.strip()][1:3] == [
        "4.500 (3.500 – 5.500)", "2.500 (1.500 – 3.500)"
    ]  # fmt: skip
    assert lines[-1] == ["Report: /e1/report.md"]


def test_nothing_is_told_to_a_closed_pipe(service: FakeService) -> None:
    """As `droid-finetuning list | head -0` does it: no traceback, and the shell's code."""
    service.answers["GET /sessions"] = {"sessions": []}
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "backend.cli", "list", "--url", service.url],
            cwd=CHECKOUT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (141, "")


def test_a_terminal_is_not_steered_by_what_is_shown() -> None:
    assert printable("a\x1b[31mb\x9b\x07\n\tc é 🙂") == "a[31mb\n\tc é 🙂"


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "—"), (12.4, "12 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")]
)
def test_a_duration_is_told_in_two_units(value: float | None, shown: str) -> None:
    assert seconds(value) == shown
