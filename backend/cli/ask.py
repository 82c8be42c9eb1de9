"""`ask`: one question to a base model or an adapter, its answer as it is written."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from backend.cli import exits
from backend.cli.client import Client, Refused
from backend.cli.context import Commands, Context, name_or_path
from backend.cli.jobs import checkpoint
from backend.cli.output import number


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "ask", parents=[common], help="ask a model or an adapter something",
        description="Ask a model something. Without --adapter or --model, the newest adapter "
        "answers. The question is read from standard input where none is given.",
    )  # fmt: skip
    parser.add_argument("prompt", nargs="?", metavar="QUESTION")
    parser.add_argument("--adapter", metavar="NAME", help="the adapter that answers")
    parser.add_argument("--model", metavar="NAME", help="the base model; an adapter knows its own")
    parser.add_argument("--both", action="store_true", help="ask the base beside the adapter")
    parser.add_argument("--checkpoint", type=checkpoint, metavar="C", help="best, latest or a step")
    parser.add_argument("--system", metavar="TEXT", help="the system message")
    parser.add_argument(
        "--max-tokens", type=int, default=512, metavar="N", help="of the answer (512)"
    )
    parser.add_argument(
        "--temperature", type=float, metavar="X", help="0 always answers the same (0.7)"
    )
    parser.add_argument("--seed", type=int, metavar="N")
    parser.set_defaults(run=ask, parser=parser)


def ask(context: Context) -> int:
    args, client, out = context.args, context.client, context.out
    if args.both and args.checkpoint is not None and args.adapter is None and args.model:
        args.parser.error("--both asks an adapter beside its base: name one with --adapter")
    prompt = args.prompt if args.prompt is not None else _read_prompt(context)
    target = _target(client, args)
    body: dict[str, Any] = {"prompt": prompt, "max_tokens": args.max_tokens}
    optional = {"system": args.system, "temperature": args.temperature, "seed": args.seed}
    body |= {name: value for name, value in optional.items() if value is not None}
    if args.both:
        return _ask_both(context, target, body)
    if out.as_json:
        out.value(client.ask("/models/inference", {**target, **body}))
        return exits.OK
    return _stream(context, {**target, **body, "stream": True})


def _read_prompt(context: Context) -> str:
    if sys.stdin.isatty():
        context.args.parser.error('a question is missing: droid-finetuning ask "Who are you?"')
    text = sys.stdin.read().strip()
    if not text:
        context.args.parser.error("standard input holds no question")
    return text


def _target(client: Client, args: argparse.Namespace) -> dict[str, Any]:
    if args.adapter is None and args.model is not None:
        return {"model_name": name_or_path(args.model)}
    adapter = args.adapter or _newest_adapter(client)
    model = args.model and name_or_path(args.model)
    target = {"model_name": model or _base_of(client, adapter), "adapter_name": adapter}
    return target if args.checkpoint is None else {**target, "checkpoint": args.checkpoint}


def _newest_adapter(client: Client) -> str:
    usable = [one for one in client.get("/adapters")["adapters"] if not one["problem"]]
    if not usable:
        raise Refused(
            "There is no adapter yet.\nTrain one with `droid-finetuning train --demo`, "
            "or ask a base model with --model (see `droid-finetuning list models`)."
        )
    return str(max(usable, key=lambda one: one["created"] or "")["name"])


def _base_of(client: Client, adapter: str) -> str:
    listed = client.get("/models/available")
    for model in listed["models"]:
        if any(one["name"] == adapter for one in model["adapters"]):
            return str(model["name"])
    for one in listed["unassigned"]:
        if one["name"] == adapter:
            raise Refused(
                f"The base model of {adapter} ({one['recorded_base'] or 'not recorded'}) is not "
                "here.\nName one that fits with --model."
            )
    names = [one["name"] for model in listed["models"] for one in model["adapters"]]
    choices = f"There are: {', '.join(sorted(names)[:8])}." if names else "There are none yet."
    raise Refused(f"There is no adapter {adapter!r}.\n{choices}")


def _stream(context: Context, body: dict[str, Any]) -> int:
    out = context.out
    written = False
    for kind, data in context.client.events("/models/inference", body):
        if kind == "progress" and out.live and not written:
            out.note(f"  {data['phase']} …")
        elif kind == "token":
            written = True
            out.piece(data["text"])
        elif kind == "error":
            out.piece("\n" if written else "")
            raise Refused("\n".join(filter(None, (data["detail"], data.get("hint")))), data)
        elif kind == "done":
            out.piece("\n")
            stats, who = data["stats"], data["model_info"]
            name = who["base_model"] if who["adapter_type"] == "none" else who["adapter"]
            if out.live:
                speed = number(stats["tokens_per_second"], 0)
                out.note(f"  {name} · {stats['completion_tokens']} tokens · {speed} tok/s")
    return exits.OK


def _ask_both(context: Context, target: dict[str, Any], body: dict[str, Any]) -> int:
    if "adapter_name" not in target:
        context.args.parser.error("--both asks an adapter beside its base: name one with --adapter")
    base = {"model_name": target["model_name"]}
    answer = context.client.ask(
        "/models/compare", {**body, "targets": [base, target], "stream": False}
    )
    context.out.value(answer)
    for name, one in zip(("Base", target["adapter_name"]), answer["answers"], strict=True):
        refused = one["error"]
        text = refused["detail"] if refused else one["answer"]["response"]
        context.out.text(f"{name}:\n{text.strip()}\n")
    failed = any(one["error"] for one in answer["answers"])
    return exits.FAILED if failed else exits.OK
