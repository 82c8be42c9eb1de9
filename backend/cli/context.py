"""What every command is given: its arguments, its output, and the service once it asks for it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from backend import __version__
from backend.cli.client import Client, Refused
from backend.cli.output import Output
from backend.cli.service import connect
from backend.settings import Settings

Command = Callable[["Context"], int]
Commands = Any  # argparse does not publish the type of `add_subparsers`.


@dataclass(frozen=True)
class Context:
    """`settings` are those of the data root that the options name."""

    args: argparse.Namespace
    out: Output
    settings: Settings
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def url(self) -> str | None:
        """The one service that is to be asked, where one is named."""
        return self.args.url or self.environ.get("DROID_URL") or None

    @cached_property
    def client(self) -> Client:
        """The service of the data root, started if none runs."""
        client, process_started = connect(self.settings, url=self.url, port_chosen=self.port_chosen)
        if process_started:
            self.out.note(
                f"Started the service at {client.url}; `droid-finetuning stop service` ends it."
            )
        elif (running := client.version()) != __version__:
            self.out.note(
                f"The service at {client.url} is version {running}, this command {__version__}. "
                "`droid-finetuning stop service` ends the old one; runs go on by themselves."
            )
        return client

    @property
    def port_chosen(self) -> bool:
        return self.args.port is not None or bool(self.environ.get("DROID_PORT"))


def local_path(text: str) -> str:
    """A file's or folder's path as the service can use it: it works in another folder."""
    return os.path.abspath(Path(text).expanduser())  # noqa: PTH100 - links keep their names


def name_or_path(text: str) -> str:
    """A name the service knows; an absolute path where the text is one of a file that is here."""
    looks_like_one = text.startswith(("/", "~", "./", "../")) or text in {".", ".."}
    return local_path(text) if looks_like_one or Path(text).exists() else text


def find_run(client: Client, text: str | None) -> str:
    """The id of the run that is meant: by its id, the beginning of it, or its adapter's name (then
    its newest); without a word, the current or last one. Raises Refused.
    """
    if text is None:
        current = client.get("/training/status")["session_id"]
        if current is None:
            raise Refused(
                "There is no run yet.\nStart one: droid-finetuning train --demo",
            )
        return str(current)
    sessions = client.get("/sessions", limit=1000)["sessions"]
    queue = client.get("/training/status")["queue"]
    runs = [*queue, *sessions]
    ids = sorted({run["session_id"] for run in runs if run["session_id"].startswith(text)})
    if len(ids) == 1:
        return str(ids[0])
    if len(ids) > 1:
        examples = ", ".join(one[:13] for one in ids[:5])
        raise Refused(
            f"{text!r} is the beginning of {len(ids)} runs: {examples}.\nGive more of it."
        )
    for run in runs:  # Newest first.
        if run["adapter_name"] == text:
            return str(run["session_id"])
    raise Refused(f"There is no run {text!r}.\n`droid-finetuning list` shows those there are.")
