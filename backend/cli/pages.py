"""`open` and `serve`: the page in the browser, and the service in the foreground."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import webbrowser
from contextlib import suppress
from types import FrameType

from backend.cli import exits
from backend.cli.client import Client, Refused, quoted
from backend.cli.context import Commands, Context, find_run
from backend.cli.follow import ACTIVE
from backend.cli.service import Started, find_service, start_service

_TICK = 0.2
_ENDED_WITHIN = 20.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Ended(Exception):
    """A signal asked this command to end."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("open", parents=[common], help="open the page in the browser",
        description="Open the page of the service in the browser.")  # fmt: skip
    parser.add_argument("session", nargs="?", metavar="RUN", help="open this run")
    parser.set_defaults(run=open_page)
    parser = commands.add_parser(
        "serve", parents=[common], help="run the service here until Ctrl-C (the default)",
        description="Run the service in this terminal until Ctrl-C, and open its page. A training "
        "run goes on by itself. The other commands start a service in the background instead.",
    )  # fmt: skip
    parser.add_argument("--no-open", action="store_true", help="open no browser")
    parser.set_defaults(run=serve)


def open_page(context: Context) -> int:
    client = context.client
    run = context.args.session
    place = "" if run is None else f"#/results/{find_run(client, run)}"
    context.out.value({"url": f"{client.url}/{place}"})
    _open(context, client, place)
    return exits.OK


def _open(context: Context, client: Client, place: str = "") -> None:
    """The token goes into the browser's address, where it becomes a cookie; not to the terminal."""
    token = context.settings.token
    query = "" if token is None else f"?token={quoted(token)}"
    address = f"{client.url}/{place}"
    if has_display() and _open_browser(f"{client.url}/{query}{place}"):
        context.out.text(f"Opened {address} in the browser.")
        return
    then = "" if token is None else ", with ?token= and the token before any #"
    context.out.text(f"Open {address} in a browser{then}.")


def _open_browser(url: str) -> bool:
    with suppress(webbrowser.Error):
        return webbrowser.open(url)
    return False


def has_display() -> bool:
    """Whether a browser has a screen; without one, a browser for the terminal would be started."""
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def serve(context: Context) -> int:
    settings, out = context.settings, context.out
    if context.url is not None:
        raise Refused("--url and DROID_URL name a service that runs elsewhere: use `open`.")
    running = find_service(settings)
    if running is not None:
        out.value({"url": running.url, "started": False})
        out.text(f"Droid FineTuning is already running at {running.url}")
        if context.args.port and not running.url.endswith(f":{context.args.port}"):
            out.text(f"  It does not move to port {context.args.port}: end it first, "
                     "with `droid-finetuning stop service`.")  # fmt: skip
        if not context.args.no_open:
            _open(context, running)
        return exits.OK
    for number in _SIGNALS:
        signal.signal(number, _end)
    service: Started | None = None
    try:
        service = start_service(settings, port_chosen=context.port_chosen)
        out.value({"url": service.client.url, "started": True})
        out.text(f"Droid FineTuning is running at {service.client.url}")
        out.text(f"  Data: {settings.data_dir}")
        if not context.args.no_open:
            _open(context, service.client)
        out.text("  Ctrl-C ends it.")
        while service.child.alive():
            time.sleep(_TICK)
        out.note(f"The service ended with {service.child.exit_code()}.")
        return exits.FAILED if service.child.exit_code() else exits.OK
    except _Ended:
        return exits.OK if service else exits.INTERRUPTED
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if service is not None:
            _close(context, service)


def _end(number: int, frame: FrameType | None) -> None:
    raise _Ended


def _close(context: Context, service: Started) -> None:
    if not service.child.alive():
        return
    with suppress(OSError, Refused, KeyError, TypeError):
        if service.client.get("/training/status", timeout=5)["state"] in ACTIVE:
            context.out.note("A training run goes on by itself; the next start finds it again.")
    service.child.signal(signal.SIGTERM)
    deadline = time.monotonic() + _ENDED_WITHIN
    while service.child.alive() and time.monotonic() < deadline:
        time.sleep(_TICK)
    context.out.note("The service has ended.")
