"""The list of outside connections is complete: the code is searched for hosts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backend.core.machine.blas import engine_environment
from backend.downloads.hub_environment import hub_environment
from backend.preferences.connections import list_connections
from backend.settings import read_settings
from tests.house.sources import CHECKOUT, committed, name_of

ADDRESS = re.compile(r"\b(?:https?|wss?|ftp)://([A-Za-z0-9.-]+\.[A-Za-z]{2,})")
CODE = {".py", ".ts", ".tsx", ".mjs", ".css", ".html", ".sh", ".toml"}
# Hosts that the code names and does not call, with the reason.
NOT_CALLED = {
    "www.w3.org": "the name of a format",
    "docs.ntfy.sh": "where ntfy's form is described",
    "ntfy.sh": "an example of a topic's address, called by who names it",
}
REPORTERS = {"wandb": "Weights & Biases", "swanlab": "SwanLab"}


def sources() -> list[Path]:
    inside = ("backend/", "frontend/src/", "frontend/index.html", "electron/src/", "scripts/")
    return [
        path
        for path in committed()
        if path.suffix in CODE and name_of(path).startswith(inside) and ".test." not in path.name
    ]


def shown(tmp_path: Path, **environ: str) -> str:
    settings = read_settings(environ, data_dir=str(tmp_path))
    return " ".join(entry.model_dump_json() for entry in list_connections(settings))


def test_every_host_in_the_code_is_in_the_list(tmp_path: Path) -> None:
    named = shown(tmp_path)
    unknown = {
        f"{name_of(path)}: {host}"
        for path in sources()
        for host in ADDRESS.findall(path.read_text(encoding="utf-8"))
        if host not in NOT_CALLED and host not in named
    }

    assert not unknown, "name these in backend/preferences/connections.py"


@pytest.mark.parametrize("name", sorted(REPORTERS))
def test_the_services_that_runs_report_to_are_in_the_list(name: str, tmp_path: Path) -> None:
    fields = (CHECKOUT / "backend/training/request/sft_fields.py").read_text(encoding="utf-8")

    assert name in fields
    assert REPORTERS[name] in shown(tmp_path)


def test_the_list_says_where_the_settings_lead(tmp_path: Path) -> None:
    changed = shown(
        tmp_path, HF_ENDPOINT="https://mirror.example", DROID_JUDGE_URL="https://judge.example/v1"
    )

    assert "mirror.example" in changed and "judge.example" in changed
    assert "huggingface.co" not in changed


def test_engines_are_kept_off_the_network(tmp_path: Path) -> None:
    env = engine_environment(read_settings({}, data_dir=str(tmp_path)))

    assert (env["HF_HUB_OFFLINE"], env["HF_HUB_DISABLE_TELEMETRY"]) == ("1", "1")
    assert (
        hub_environment(read_settings({}, data_dir=str(tmp_path)))["HF_HUB_DISABLE_TELEMETRY"]
        == "1"
    )
