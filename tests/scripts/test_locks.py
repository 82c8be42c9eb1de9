from __future__ import annotations

from scripts.check.locks import lock_problems

GOOD = """\
mlx==0.32.4 ; sys_platform == 'linux' \\
    --hash=sha256:aa
pyyaml==6.0.3 \\
    --hash=sha256:bb
"""


def test_a_lock_that_holds_what_is_asked_for_is_good() -> None:
    assert not list(
        lock_problems(GOOD, ["mlx[cpu]==0.32.4; sys_platform == 'linux'", "PyYAML==6.0.3"])
    )


def test_a_version_that_was_not_locked_again_is_found() -> None:
    assert list(lock_problems(GOOD, ["mlx==0.33.0"])) == ["mlx==0.33.0 is asked for and not locked"]


def test_a_package_that_was_never_locked_is_found() -> None:
    assert list(lock_problems(GOOD, ["rich==15.0.0"]))


def test_an_open_range_is_no_pin() -> None:
    assert list(lock_problems(GOOD, ["mlx>=0.32"])) == ["mlx>=0.32 is not pinned with =="]


def test_an_address_is_found() -> None:
    assert "holds an address" in list(lock_problems(f"--index-url https://mirror\n{GOOD}", []))


def test_a_package_without_a_hash_is_found() -> None:
    assert "some packages have no hash" in list(lock_problems("mlx==0.32.4\n", []))
