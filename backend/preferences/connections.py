"""Every connection that this app makes to another machine, and when: shown under Privacy.

A test looks through the code for hosts and fails on one that is not named here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from backend.downloads.hub_environment import hub_endpoint
from backend.notifications.channels import channels_of
from backend.settings import Settings


class Connection(BaseModel):
    """`host` as it is set now; null where you name it at the time. `sends` is all that leaves."""

    name: str
    host: str | None
    when: str
    sends: str


def list_connections(settings: Settings) -> Iterator[Connection]:
    yield Connection(
        name="Model hub",
        host=hub_endpoint(settings),
        when="You download a model or a data set, or look at a data set before that.",
        sends="The name of what you asked for, and your hub token if there is one.",
    )
    yield Connection(
        name="Upload to the hub",
        host=hub_endpoint(settings),
        when="You upload an export with Models › Exports › Upload.",
        sends="The files of that export and your hub token.",
    )
    yield Connection(
        name="Judge",
        host=settings.judge_url,
        when="You start an evaluation whose answers this judge scores.",
        sends="The questions, the answers and the expected answers that are judged; your key.",
    )
    yield Connection(
        name="Messages at an end",
        host=", ".join(each.host for each in channels_of(settings.saved.secrets)) or None,
        when="A run or a job has ended, and you gave a webhook or a topic of ntfy.",
        sends="Its name, its model, its method, how it ended and its message.",
    )
    yield Connection(
        name="Run reports",
        host=None,
        when="You choose Weights & Biases or SwanLab under Report to when you start a run.",
        sends="The numbers and the configuration of that run.",
    )
    yield Connection(
        name="Other computers of a run",
        host=None,
        when="You give a hostfile for training on several machines.",
        sends="The run: its configuration, its rows and its weights, to the machines you name.",
    )
    yield Connection(
        name="Package index",
        host=None,
        when="You install, update or repair the app: pip, or the first start of ./startmlxnew or "
        "of the desktop app, which fetches a Python too if this computer has none.",
        sends="The names of the packages.",
    )
