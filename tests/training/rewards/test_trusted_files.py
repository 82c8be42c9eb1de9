"""Own reward files: shown, parsed and never run by the server; trusted by what is in them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.errors import AppError, BadContent, Invalid, NotFound, NotTrusted, TooLarge, WrongState
from backend.settings import Settings
from backend.training.rewards.trusted_files import NAME, TrustedFiles

CANARY = '''
"""Rewards."""
import pathlib, os.path
from mlx_lm_lora.trainer.grpo_reward_functions import register_reward_function

pathlib.Path(__file__ + ".ran").touch()

@register_reward_function("shouting")
def loud(prompts, completions, answer, types=None):
    """Loud
    words."""

@register_reward_function()
def plainly_registered(a):
    pass

def own(prompts, completions, answer, types=None):
    pass

def _hidden(prompts, completions, answer, types=None):
    pass

def unrelated(text):
    pass
'''


@pytest.fixture
def trusted(settings: Settings) -> TrustedFiles:
    return TrustedFiles(settings)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "my_rewards.py"
    path.write_text(CANARY, encoding="utf-8")
    return path


def trust(files: TrustedFiles, path: Path) -> None:
    files.trust(str(path), files.inspect(str(path)).sha256)


def test_a_file_is_shown_with_its_functions_and_nothing_of_it_runs(
    trusted: TrustedFiles, canary: Path
) -> None:
    code = trusted.inspect(str(canary))

    assert code.code == CANARY
    assert [(f.name, f.doc) for f in code.functions] == [
        ("shouting", "Loud words."),
        ("plainly_registered", ""),
        ("own", ""),
    ]
    assert code.imports == ["mlx_lm_lora.trainer.grpo_reward_functions", "os.path", "pathlib"]
    assert (code.trusted, code.warnings) == (False, [])
    assert not list(canary.parent.glob("*.ran"))


def test_a_trusted_file_may_run_until_it_changes(
    trusted: TrustedFiles, canary: Path, settings: Settings
) -> None:
    with pytest.raises(NotTrusted, match="has not been trusted"):
        trusted.require(str(canary))

    trust(trusted, canary)

    assert trusted.require(str(canary)) == trusted.inspect(str(canary)).sha256
    assert trusted.inspect(str(canary)).trusted
    canary.write_text(CANARY + "# changed", encoding="utf-8")
    assert not trusted.inspect(str(canary)).trusted
    with pytest.raises(NotTrusted, match="has changed since") as refused:
        TrustedFiles(settings).require(str(canary))
    assert (refused.value.status, refused.value.errors[0].field) == (409, "reward_functions_file")
    trust(trusted, canary)
    assert TrustedFiles(settings).require(str(canary)), "another object reads the same record"


def test_what_was_changed_after_it_was_shown_is_not_trusted(
    trusted: TrustedFiles, canary: Path
) -> None:
    shown = trusted.inspect(str(canary)).sha256
    canary.write_text(CANARY + "# changed", encoding="utf-8")

    with pytest.raises(WrongState, match="changed since it was shown"):
        trusted.trust(str(canary), shown)

    assert trusted.known() == []


def test_a_link_is_trusted_as_the_file_it_leads_to(
    trusted: TrustedFiles, canary: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.py"
    link.symlink_to(canary)
    trust(trusted, link)

    assert trusted.require(str(canary))
    assert [file.path for file in trusted.known()] == [str(canary)]


def test_the_record_is_private_and_says_what_became_of_each_file(
    trusted: TrustedFiles, canary: Path, settings: Settings, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.py"
    gone.write_text("x = 1", encoding="utf-8")
    trust(trusted, gone)
    trust(trusted, canary)
    gone.unlink()
    canary.write_text(CANARY + "# changed", encoding="utf-8")

    record = settings.data_dir / NAME

    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert [(Path(f.path).name, f.state) for f in trusted.known()] == [
        ("my_rewards.py", "changed"),
        ("gone.py", "missing"),
    ]
    assert [Path(f.path).name for f in trusted.untrust(str(gone))] == ["my_rewards.py"]
    with pytest.raises(NotFound):
        trusted.untrust(str(canary.with_name("other.py")))


@pytest.mark.parametrize("content", ["{", "[]", '{"files": {"x": 1}}'])
def test_a_damaged_record_trusts_nothing_and_asks_again(
    trusted: TrustedFiles, canary: Path, settings: Settings, content: str
) -> None:
    (settings.data_dir / NAME).write_text(content, encoding="utf-8")

    with pytest.raises(NotTrusted):
        trusted.require(str(canary))
    trust(trusted, canary)

    assert json.loads((settings.data_dir / NAME).read_text(encoding="utf-8"))["version"] == 1
    assert trusted.require(str(canary))


def _write(content: bytes, name: str = "bad.py") -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        (folder / name).write_bytes(content)
        return str(folder / name)

    return make


def _pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe.py")
    return str(folder / "pipe.py")


@pytest.mark.parametrize(
    ("make", "kind", "sentence"),
    [
        (_write(b"def broken(:"), BadContent, "in line 1"),
        (_write(b"x = '\xff'"), BadContent, "not UTF-8"),
        (_write(b"x = 1\0"), BadContent, "bad.py"),
        (_write(b"(" * 30_000), BadContent, "bad.py"),
        (_write(b"-" * 60_000 + b"1"), BadContent, "can't be parsed"),
        (_write(b"#" * 70_000), TooLarge, "64 KiB"),
        (_write(b"x = 1", "rewards.txt"), BadContent, "not a Python file"),
        (_pipe, BadContent, "not a Python file"),
        (lambda folder: str(folder / "none.py"), NotFound, "There is no file"),
        (lambda _: "rewards.py", Invalid, "full path"),
        (lambda _: "", Invalid, "full path"),
    ],
)
def test_what_can_not_be_looked_through_is_refused(
    trusted: TrustedFiles,
    tmp_path: Path,
    make: Callable[[Path], str],
    kind: type[AppError],
    sentence: str,
) -> None:
    given = make(tmp_path)

    with pytest.raises(kind) as refused:
        trusted.inspect(given)

    assert sentence in refused.value.detail
    assert refused.value.errors[0].field == "reward_functions_file"


def test_code_that_may_not_be_what_it_looks_like_is_pointed_out(
    trusted: TrustedFiles, tmp_path: Path
) -> None:
    path = tmp_path / "tricky.py"
    path.write_bytes("x = 1\r# \u202e hidden\r\ny = 2\n".encode())

    code = trusted.inspect(str(path))

    assert code.code == "x = 1\n# \u202e hidden\ny = 2\n", "line ends are those that Python sees"
    assert code.warnings[0].startswith("Line 2 has characters that can't be seen")
