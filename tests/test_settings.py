from __future__ import annotations

from pathlib import Path

from backend.settings import read_settings


def test_the_file_env_is_read_as_a_shell_would(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# a comment\nexport DROID_PORT=8123\nDROID_HOST='localhost'\nDROID_JUDGE_MODEL = \"a=b\"\n"
    )

    settings = read_settings({}, data_dir=str(tmp_path))

    assert (settings.port, settings.host, settings.judge_model) == (8123, "localhost", "a=b")


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("export DROID_PORT=8123\n")

    assert read_settings({"DROID_PORT": "9000"}, data_dir=str(tmp_path)).port == 9000
