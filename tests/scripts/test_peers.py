from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.bench.memory.steps import Sample, growth, windows
from scripts.bench.peers import bench
from scripts.bench.peers.bench import TORCH_PYTHON, Result, bench_peers, why_not
from scripts.bench.peers.notes import Note, Notes, read_notes


def note(step: int, *, cpu: float, loss: float = 1.0, mlx: int | None = 9) -> Note:
    return Note(step, loss, step * 100, cpu, 50_000_000, mlx)


def test_the_speed_is_that_of_the_steps_after_the_first_fifth() -> None:
    notes = [note(1, cpu=5.0, loss=9.0), *(note(n, cpu=4.0 + n, loss=n) for n in range(2, 11))]

    result = Result.of(notes)

    assert result.speed == pytest.approx(700 / 7)  # From step 3 to step 10.
    assert (result.first, result.loss) == (5.0, 9.5)


def test_notes_are_read_as_they_were_written(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes")
    notes.add(1, 2.5, 300, 7)
    notes.add(2, 2.0, 600)

    first, second = read_notes(tmp_path / "notes")

    assert (first.step, first.loss, first.tokens, first.mlx) == (1, 2.5, 300, 7)
    assert second.mlx is None
    assert 0 < first.cpu <= second.cpu
    assert second.resident >= first.resident > 1_000_000


def test_who_can_not_be_run_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(TORCH_PYTHON, raising=False)
    monkeypatch.delenv(bench.UNSLOTH_PATH, raising=False)
    speeds = {"app": 2.0, "mlx_lm": 1.0}

    def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        peer, folder = argv[-2], Path(argv[-1])
        if peer not in speeds:
            return subprocess.CompletedProcess(argv, 1, "", "Traceback\nKeyError: 'wired'\n")
        lines = Notes(folder / f"notes-{peer}.jsonl")
        for step in range(1, 6):
            lines.add(step, 1.0, int(1e9 * speeds[peer]) * step, 10)
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(bench, "_make_model", lambda folder, shape: folder)

    bench_peers(rounds=1, write=False, small=True)

    said = capsys.readouterr().out
    assert "| `mlx_lm_lora` SFT | not run: it ended with 1 on " in said
    assert "KeyError: 'wired'" in said
    assert "| Unsloth's MLX trainer | not run: unsloth_zoo is not installed" in said
    assert f"| transformers + PEFT, CPU PyTorch | not run: {TORCH_PYTHON} names no Python" in said
    assert why_not("app") is None


def test_growth_is_against_what_the_second_two_hundred_steps_have() -> None:
    sizes = {0: 50, 200: 100, 400: 101, 600: 100}
    samples = [Sample(at + step, sizes[at]) for at in sizes for step in range(0, 200, 10)]

    found = windows([*samples, Sample(800, 400)])

    assert found == [(200, 50), (400, 100), (600, 101), (800, 100)]
    assert growth(found) == pytest.approx(1.01)
