"""A service that was asked for hears the run's losses, under the steps of the whole run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engines import running
from tests.engines.running import prepare_run, train

pytestmark = pytest.mark.engine

# What the real package offers to the engine, written to a file in place of the net.
PACKAGE = """
import json
from pathlib import Path

def init(**options):
    global folder
    folder = Path(options["dir"])
    keep({"project": options["project"], "rank": options["config"]["lora_rank"]})

def log(values, step):
    keep({"step": step} | values)

def keep(value):
    with (folder / "reports.jsonl").open("a") as file:
        file.write(json.dumps(value) + "\\n")
"""


@pytest.mark.parametrize("service", ["wandb", "swanlab"])
def test_the_service_hears_every_report(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    package = PACKAGE.replace('"dir"', '"logdir"') if service == "swanlab" else PACKAGE
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / f"{service}.py").write_text(package)
    env = running.environment()
    env["PYTHONPATH"] += f":{tmp_path / 'packages'}"
    monkeypatch.setattr(running, "environment", lambda: env)
    run = prepare_run(tmp_path, tiny_model, iterations=2, report_to=service, project_name="mine")
    (run / "swanlog").mkdir()

    ended = train(run)

    assert ended.exit["state"] == "completed", ended.log
    (found,) = run.rglob("reports.jsonl")
    told = [json.loads(line) for line in found.read_text().splitlines()]
    assert told[0] == {"project": "mine", "rank": 4}
    losses = [line["train_loss"] for line in told if "train_loss" in line]
    assert losses == pytest.approx(ended.losses)
    assert [line["step"] for line in told if "train_loss" in line] == [1, 2]
