"""`droid-finetuning`: one command read, done, and told as an exit code."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, NoReturn, cast

from backend import __version__
from backend.cli import ask, doctor, exits, jobs, library, pages, runs, train
from backend.cli.client import Refused
from backend.cli.context import Command, Context
from backend.cli.output import Output
from backend.cli.service import NoService
from backend.errors import AppError
from backend.settings import read_settings

_EXAMPLES = """examples:
  droid-finetuning                        run the service and open its page
  droid-finetuning train --demo           train the bundled model
  droid-finetuning ask "Who are you?"     ask the newest adapter
  droid-finetuning train mistral-7b rows.jsonl --epochs 2 --name mine
  droid-finetuning doctor                 check this machine

exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no service, 4 stopped or
interrupted before its end, 130 Ctrl-C, 141 the output's reader has gone
"""


class Parser(argparse.ArgumentParser):
    """Says which command is near to one that it does not know, and refuses in two lines."""

    def error(self, message: str) -> NoReturn:
        hint = f"See {self.prog} --help"
        self.exit(exits.USAGE, f"{self.prog}: {message}.\n{hint}\n".replace("..\n", ".\n", 1))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = [str(choice) for choice in action.choices or ()]
        if not choices or value in choices or value in (action.choices or ()):
            return
        near = difflib.get_close_matches(str(value), choices, 1)
        meant = f"; did you mean {near[0]}?" if near else f". There are: {', '.join(choices)}"
        raise argparse.ArgumentError(action, f"{value!r} is not known{meant}")


def make_parser() -> Parser:
    common = _common(argparse.SUPPRESS)
    parser = Parser(
        prog="droid-finetuning",
        parents=[_common(None)],
        description="Fine-tune language models on this machine. Every command talks to the local "
        "service, and starts one in the background where none runs.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"droid-finetuning {__version__}")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", parser_class=Parser
    )
    for module in (train, runs, ask, jobs, library, doctor, pages):
        module.add(commands, common)
    parser.set_defaults(run=pages.serve, no_open=False)
    return parser


def _common(default: Any) -> argparse.ArgumentParser:
    """The options of every command, given before its name or behind it."""
    options = argparse.ArgumentParser(add_help=False, argument_default=default)
    group = options.add_argument_group("options of every command")
    false = {"default": False} if default is None else {"default": default}
    group.add_argument("--json", action="store_true", help="print JSON, one value a line", **false)
    group.add_argument(
        "--data-dir", metavar="DIR", help="root of everything that is written (DROID_DATA_DIR)"
    )
    group.add_argument("--port", type=int, help="port of a service that is started (8000; 0: any)")
    group.add_argument("--url", help="ask the service at this address, and start none (DROID_URL)")
    group.add_argument("--token", help="the service's token (DROID_TOKEN)")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says. Answers the exit code; argparse ends the process itself for
    a wrong word, with 2.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # A terminal without UTF-8 gets what it can show.
            stream.reconfigure(errors="backslashreplace")
    try:
        args = make_parser().parse_args(argv)
    except SystemExit:
        try:
            sys.stdout.flush()
        except BrokenPipeError:  # `droid-finetuning --help | head -1`
            return _close_pipe()
        raise
    out = Output(as_json=args.json)
    try:
        settings = read_settings(data_dir=args.data_dir, port=args.port, token=args.token)
    except ValueError as problem:
        return _fail(out, exits.USAGE, str(problem))
    context = Context(args, out, settings)
    try:
        return cast(Command, args.run)(context)
    except Refused as refusal:
        return _fail(out, exits.FAILED, str(refusal), refusal.answer)
    except AppError as refusal:
        return _fail(out, exits.FAILED, "\n".join(filter(None, (refusal.detail, refusal.hint))))
    except NoService as problem:
        return _fail(out, exits.NO_SERVICE, str(problem))
    except BrokenPipeError:
        return _close_pipe()
    except OSError as problem:
        reason = getattr(problem, "reason", problem)
        text = f"The service does not answer any more: {reason}. A run goes on by itself."
        return _fail(out, exits.NO_SERVICE, text)
    except KeyboardInterrupt:
        return exits.INTERRUPTED


def _fail(out: Output, code: int, text: str, answer: dict[str, object] | None = None) -> int:
    try:
        out.value({"type": "error", **(answer or {"error": "Failed", "detail": text})})
        out.note(text)
    except BrokenPipeError:
        return _close_pipe()
    return code


def _close_pipe() -> int:
    """Whoever read the output has gone: nothing more is said, also not at the end of Python."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    return exits.CLOSED_PIPE
