from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

from backend.core.machine.hardware import apple_working_set, linux_chip
from backend.core.machine.system import (
    Accelerator,
    describe_apple,
    describe_nvidia,
    describe_system,
    read_pmset,
)
from backend.core.machine.versions import ENGINES, engine_versions
from backend.settings import read_settings

GB = 2**30


class Programs:
    """System programs with recorded answers; an unknown one does not exist."""

    def __init__(self, **answers: str) -> None:
        self._answers = answers

    def __call__(self, argv: Sequence[str]) -> str | None:
        last = argv[-1].replace(".", "_")
        return self._answers.get(last, self._answers.get(Path(argv[0]).name.replace("-", "_")))


def test_this_machine_is_described_with_nothing_made_up(tmp_path: Path) -> None:
    info = describe_system(read_settings({}, data_dir=str(tmp_path / "not there yet")))

    assert info.engines["mlx"]
    assert info.engines["mlx-lm"]
    assert info.python == ".".join(map(str, sys.version_info[:3]))
    assert info.cores is not None
    assert info.cores >= 1
    assert info.memory_total is not None
    assert info.recommended_working_set is not None
    assert info.recommended_working_set < info.memory_total
    assert info.disk_free is not None
    assert info.disk_free > 0


def test_an_apple_chip_with_the_systems_own_limit() -> None:
    programs = Programs(
        machdep_cpu_brand_string="Apple M3 Pro\n",
        iogpu_wired_limit_mb="0\n",
        IOAccelerator='    "PerformanceStatistics" = {"Device Utilization %"=37,"x"=1}\n',
        therm="Note: No thermal warning level has been recorded\n",
    )

    found = describe_apple(programs, 18 * GB)

    assert found == Accelerator("Apple M3 Pro", 12 * GB, 37.0, "nominal")


def test_a_wired_limit_that_the_user_set_is_the_working_set() -> None:
    found = describe_apple(Programs(iogpu_wired_limit_mb="28672\n"), 32 * GB)

    assert found.working_set == 28 * GB


def test_a_mac_that_answers_nothing_is_described_with_nulls() -> None:
    found = describe_apple(Programs(), 16 * GB)

    assert found.chip is None
    assert found.gpu_percent is None
    assert found.thermal is None


def test_large_macs_may_use_three_quarters_of_their_memory() -> None:
    assert apple_working_set(64 * GB, 0) == 48 * GB


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, None),
        ("CPU_Scheduler_Limit = 100\nCPU_Speed_Limit = 63\n", "slowed to 63 %"),
        ("CPU_Speed_Limit = 100\n", "nominal"),
        ("thermal warning level set to 2\n", "warning level 2"),
    ],
)
def test_the_thermal_state_is_told_in_words(text: str | None, said: str | None) -> None:
    assert read_pmset(text) == said


def test_an_nvidia_card_is_read_from_its_own_program() -> None:
    found = describe_nvidia(Programs(nvidia_smi="NVIDIA L4, 23034, 12, 48\n"))

    assert found.chip == "NVIDIA L4"
    assert found.working_set == int(23034 * 2**20 * 0.9)
    assert found.gpu_percent == 12
    assert found.thermal == "48 °C"


def test_a_card_that_keeps_its_load_to_itself_has_null_there() -> None:
    found = describe_nvidia(Programs(nvidia_smi="NVIDIA H200, 143771, [N/A], [N/A]\n"))

    assert found.gpu_percent is None
    assert found.thermal is None


def test_no_nvidia_program_means_nothing_is_known() -> None:
    assert describe_nvidia(Programs()) == Accelerator(None, None, None, None)


@pytest.mark.parametrize(
    ("cpuinfo", "chip"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC 7763\n", "AMD EPYC 7763"),
        ("processor\t: 0\nBogoMIPS\t: 50.0\n", None),
    ],
)
def test_a_processor_is_named_where_the_system_names_it(cpuinfo: str, chip: str | None) -> None:
    assert linux_chip(cpuinfo) == chip


def test_another_python_for_the_engines_is_asked_what_it_has(tmp_path: Path) -> None:
    answer = json.dumps(["3.12.9", {"mlx": "9.9.9", "mlx-lm": None}])
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\necho '{answer}'\n")
    other.chmod(0o755)
    settings = read_settings({"DROID_PYTHON": str(other)}, data_dir=str(tmp_path))

    info = describe_system(settings)

    assert info.python == "3.12.9"
    assert info.engines["mlx"] == "9.9.9"
    assert info.engines["transformers"] is None


def test_a_python_that_does_not_start_leaves_its_versions_unknown(tmp_path: Path) -> None:
    settings = read_settings({"DROID_PYTHON": "/nonexistent/python"}, data_dir=str(tmp_path))

    info = describe_system(settings)

    assert set(info.engines.values()) == {None}


def test_a_python_that_did_not_answer_is_asked_again(tmp_path: Path) -> None:
    ready, python = tmp_path / "ready", tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ -e "{ready}" ] || exit 1\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    settings = read_settings({"DROID_PYTHON": str(python)}, data_dir=str(tmp_path))
    assert engine_versions(settings) == ("", dict.fromkeys(ENGINES))

    ready.touch()

    number, versions = engine_versions(settings)
    assert number == platform.python_version()
    assert versions["mlx-lm"] == version("mlx-lm")
