from __future__ import annotations

from pathlib import Path

import pytest

from backend.settings import CHECKOUT, default_data_dir, read_settings


def test_the_file_env_is_read_as_a_shell_would(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# a comment\nexport DROID_PORT=8123\nDROID_HOST='localhost'\nDROID_JUDGE_MODEL = \"a=b\"\n"
    )

    settings = read_settings({}, data_dir=str(tmp_path))

    assert (settings.port, settings.host, settings.judge_model) == (8123, "localhost", "a=b")


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("export DROID_PORT=8123\n")

    assert read_settings({"DROID_PORT": "9000"}, data_dir=str(tmp_path)).port == 9000


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("darwin", {}, "Library/Application Support/droid-finetuning"),
        ("linux", {}, ".local/share/droid-finetuning"),
        ("linux", {"XDG_DATA_HOME": "not/absolute"}, ".local/share/droid-finetuning"),
    ],
)
def test_an_installed_package_writes_where_the_platform_keeps_data(
    platform: str, environ: dict[str, str], folder: str
) -> None:
    found = default_data_dir(environ, installed=True, platform=platform)

    assert found == Path.home() / folder
    chosen = {"XDG_DATA_HOME": "/data"}
    assert default_data_dir(chosen, installed=True, platform="linux") == Path(
        "/data/droid-finetuning"
    )
    assert default_data_dir(chosen, installed=False) == CHECKOUT
