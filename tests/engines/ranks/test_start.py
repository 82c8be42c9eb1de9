"""Why a run of several processes ended, and how they are started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.contract.run.config import Distributed
from backend.engines.process.endings import Ending
from backend.engines.ranks.start import ending_of, launcher_arguments
from backend.engines.ranks.words import RankEnding, take_endings, write_ending
from tests.house.sources import CHECKOUT

DONE = RankEnding(state="completed", message="Trained 9 iterations.")
LOST = RankEnding(state="error", message="[ring] connection to a peer was lost", lost=True)
FULL = RankEnding(state="error", message="The disk is full.", hint="Free some space.")


def test_a_run_ends_as_its_first_rank_does() -> None:
    ending = ending_of({0: DONE, 1: DONE}, {}, "")

    assert (ending.state, ending.message) == ("completed", "Trained 9 iterations.")


def test_the_first_rank_says_why_it_failed_itself() -> None:
    assert ending_of({0: FULL, 1: LOST}, {0: 1, 1: 1}, "").message == "The disk is full."


def test_another_rank_that_failed_is_named_with_its_reason() -> None:
    ending = ending_of({0: LOST, 1: FULL}, {1: 1, 0: 1}, "")

    assert ending.message == "Rank 1 failed: The disk is full."
    assert ending.hint == "Free some space."


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (-9, "was killed (SIGKILL)"),
        (137, "was killed (SIGKILL)"),
        (3, "ended with exit code 3"),
        (255, "ended with exit code 255"),  # What ssh says of a machine that it can't reach.
    ],
)
def test_a_rank_that_said_nothing_is_named_with_its_exit_code(code: int, how: str) -> None:
    # The others notice it at once, and may be reported before it.
    ending = ending_of({0: LOST}, {0: 1, 2: None, 1: code}, "")

    assert (ending.state, ending.code) == ("error", 1)
    assert ending.message == f"Rank 1 {how}, so the run ended."


def test_ranks_that_only_lost_each_other_say_so() -> None:
    message = ending_of({0: LOST}, {0: 1}, "").message

    assert message == "Rank 0 lost the others: [ring] connection to a peer was lost"


def test_a_launcher_that_started_nothing_is_quoted() -> None:
    assert "no such host" in ending_of({}, {}, "no such host").message


def test_the_endings_of_ranks_are_taken_once_and_leave_nothing(tmp_path: Path) -> None:
    write_ending(tmp_path, 0, Ending("stopped", "Stopped at step 4.", saved=True))
    write_ending(tmp_path, 1, Ending("error", "[ring] gone"), lost=True)
    (tmp_path / "rank-2.json").write_text('{"state": "err')

    found = take_endings(tmp_path)

    assert found[0].ending == Ending("stopped", "Stopped at step 4.", saved=True)
    assert found[1].lost and 2 not in found
    assert not list(tmp_path.iterdir())


def test_a_rank_without_the_runs_folder_leaves_no_ending(tmp_path: Path) -> None:
    write_ending(tmp_path / "elsewhere", 1, Ending("completed", "Done."))

    assert not (tmp_path / "elsewhere").exists()


def test_processes_of_this_machine_meet_on_free_ports() -> None:
    given = launcher_arguments(Distributed(processes=3), {})

    assert given[:5] == ["--backend", "ring", "-n", "3", "-p"]
    assert 1024 <= int(given[5]) <= 65533


def test_a_host_file_goes_to_the_launcher_with_what_its_ranks_need() -> None:
    distributed = Distributed(hostfile="/hosts.json", backend="jaccl")

    given = launcher_arguments(distributed, {"HF_HUB_OFFLINE": "1", "HOME": "/home/me"})

    assert given[:4] == ["--backend", "jaccl", "--hostfile", "/hosts.json"]
    assert "HF_HUB_OFFLINE=1" in given
    assert not any("HOME=" in each for each in given)


def test_the_process_that_only_starts_the_ranks_does_not_import_the_engine() -> None:
    """It would hold its memory, and begin a second or two later."""
    code = (
        "import sys; import backend.engines.sft.start; "
        "print({'mlx_lm', 'mlx.core', 'transformers'} & set(sys.modules))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "set()"
