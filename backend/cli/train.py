"""`train`: the request of a run from the command line's words, its start, and its progress."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from backend.cli import exits
from backend.cli.client import Client, Refused
from backend.cli.context import Commands, Context, find_run, local_path, name_or_path
from backend.cli.follow import follow_run
from backend.cli.output import number, seconds, word
from backend.core.disk.stored_files import DamagedFile, read_yaml

DEMO = "droid-demo"
# Option, the API's field, its type, and what it is.
_FIELDS: tuple[tuple[str, str, type, str], ...] = (
    ("--iterations", "iterations", int, "steps to train"),
    ("--epochs", "epochs", float, "or: how often all rows are seen (SFT; default 3)"),
    ("--learning-rate", "learning_rate", float, "1e-4 for SFT, 1e-5 else"),
    ("--batch-size", "batch_size", int, "rows a step (1)"),
    ("--max-seq-length", "max_seq_length", int, "tokens of the longest row (1024, 2048)"),
    ("--rank", "lora_rank", int, "LoRA rank (32)"),
    ("--alpha", "lora_alpha", float, "LoRA alpha (32)"),
    ("--rewards", "reward_functions", str, "reward functions, separated by commas"),
    ("--rewards-file", "reward_functions_file", str, "a Python file with more of them"),
)
_PATHS = ("val_data_path", "reward_functions_file")


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "train", parents=[common], help="start a training run and show its progress",
        description="Start a training run and show its progress until it ends. The run belongs to "
        "no terminal: Ctrl-C leaves it running, `watch` shows it again, `stop` ends it.",
        epilog="Any field of the API can be given: --set lora_keys=attention --set seed=7. "
        "The service checks them all, and names what it does not know.",
    )  # fmt: skip
    parser.add_argument(
        "model", nargs="?", help="name of a model (see `list models`), or its folder"
    )
    parser.add_argument(
        "data", nargs="?", help="training data: a JSONL, CSV or Parquet file, or a folder"
    )
    parser.add_argument(
        "--demo", action="store_true", help="train the bundled model on its own data"
    )
    parser.add_argument("--method", default="sft", help="sft, grpo, dpo, … (see `list methods`)")
    parser.add_argument("--valid", metavar="FILE", help="validation data; else a part is held out")
    parser.add_argument("--name", metavar="NAME", help="name of the adapter (run_<date>_<time>)")
    for option, field, kind, about in _FIELDS:
        metavar = {int: "N", float: "X", str: "TEXT"}[kind]
        parser.add_argument(option, dest=field, type=kind, metavar=metavar, help=about)
    parser.add_argument(
        "--set",
        dest="fields",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        type=_field,
        help="any other field of a start request; repeatable",
    )
    parser.add_argument("--config", metavar="FILE", help="fields from a YAML or JSON file")
    parser.add_argument(
        "--resume", metavar="RUN", help="continue that run; --iterations is the new total"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an adapter of that name")
    parser.add_argument("--queue", action="store_true", help="wait behind the active run")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be trained")
    parser.add_argument("--detach", action="store_true", help="return at once; see `watch`")
    parser.set_defaults(run=train, parser=parser)


def _field(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def train(context: Context) -> int:
    args, out = context.args, context.out
    if args.resume is not None:
        _refuse_beside_resume(args)
        session = find_run(context.client, args.resume)
        answer = context.client.post(f"/sessions/{session}/resume", _resume_body(args))
    else:
        request = _request(context)
        enhanced = request.get("training_method") not in {None, "sft"}
        if args.dry_run:
            route = "/api/training/preview-enhanced" if enhanced else "/training/preview"
            return _show_preview(context, context.client.ask(route, request))
        route = "/api/training/start-enhanced" if enhanced else "/training/start"
        # Rows are checked and tokens counted before it begins.
        answer = context.client.ask(route, request)
    out.value({"type": "start", **answer})
    for warning in answer["warnings"]:
        out.note(f"Note: {warning}")
    out.note(answer["message"])
    if args.detach:
        out.text(answer["session_id"])
        return exits.OK
    return watch_run(context, answer["session_id"])


def watch_run(context: Context, session: str) -> int:
    try:
        return follow_run(context.client, context.out, session)
    except KeyboardInterrupt:
        context.out.note(
            "\nThe run goes on. `droid-finetuning watch` shows it again, "
            "`droid-finetuning stop` saves and ends it."
        )
        return exits.INTERRUPTED


def _refuse_beside_resume(args: argparse.Namespace) -> None:
    options = [option for option, name, _, _ in _FIELDS if getattr(args, name) is not None]
    options += [f"--{name}" for name in ("demo", "valid", "config", "queue", "dry_run")
              if getattr(args, name)]  # fmt: skip
    options += ["--set"] if args.fields else []
    options += [word for word in (args.model, args.data) if word]
    for option in options:
        if option != "--iterations":
            args.parser.error(
                f"{option.replace('_', '-')} has no place beside --resume: a run is continued "
                "with its own settings. Only --iterations, --name and --overwrite are taken."
            )


def _resume_body(args: argparse.Namespace) -> dict[str, Any]:
    body = {"iterations": args.iterations, "adapter_name": args.name}
    return {name: value for name, value in body.items() if value is not None} | (
        {"overwrite": True} if args.overwrite else {}
    )


def _request(context: Context) -> dict[str, Any]:
    """A start request; each option has precedence over the file and the demo's defaults."""
    args = context.args
    request: dict[str, Any] = {}
    if args.demo:
        if args.model or args.data:
            args.parser.error("--demo brings its own model and data: leave MODEL and DATA out")
        request |= demo_request(context.client)
    if args.config is not None:
        request |= _read_config(args.config)
    if args.model:
        request["model_path"] = name_or_path(args.model)
    if args.data:
        request["train_data_path"] = local_path(args.data)
    for field, value in (("val_data_path", args.valid), ("adapter_name", args.name)):
        if value is not None:
            request[field] = value
    request |= {
        field: getattr(args, field)
        for _, field, _, _ in _FIELDS
        if getattr(args, field) is not None
    }
    request |= {name: True for name in ("queue", "overwrite") if getattr(args, name)}
    request |= dict(args.fields)
    for field in _PATHS:
        if request.get(field):
            request[field] = local_path(request[field])
    missing = [
        name for name, field in (("MODEL", "model_path"), ("DATA", "train_data_path"))
        if not request.get(field)
    ]  # fmt: skip
    if missing:
        args.parser.error(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing. "
            "For a first try: droid-finetuning train --demo"
        )
    if args.method != "sft":
        request["training_method"] = args.method
    elif "training_method" not in request and not {"iterations", "epochs"} & set(request):
        request["epochs"] = 3
    request.setdefault("adapter_name", time.strftime("run_%Y%m%d_%H%M%S"))
    return request


def demo_request(client: Client) -> dict[str, Any]:
    """The start request of the demo model with its own defaults, under a name that is free."""
    models = client.get("/models")["models"]
    model = next((one for one in models if one["name"] == DEMO), None)
    if model is None or model["problem"] or not model["defaults"]:
        why = (model or {}).get("problem") or "it is not in the list of models with its defaults"
        raise Refused(f"The demo model {DEMO} can't be used: {why}.")
    request: dict[str, Any] = {"model_path": model["path"], **model["defaults"]}
    taken = {adapter["name"] for adapter in client.get("/adapters")["adapters"]}
    first_name = name = str(request.get("adapter_name") or "demo")
    number = 2
    while name in taken:
        name, number = f"{first_name}-{number}", number + 1
    request["adapter_name"] = name
    return request


def _read_config(path: str) -> dict[str, Any]:
    try:
        config = read_yaml(Path(path).expanduser())  # JSON is YAML too.
    except OSError as problem:
        raise Refused(f"{path} can't be read: {problem.strerror}.") from problem
    except DamagedFile as problem:
        raise Refused(f"{path} can't be read: {problem}") from problem
    if not isinstance(config, dict):
        raise Refused(f"{path} does not hold fields: one `name: value` a line is expected.")
    return config


def _show_preview(context: Context, preview: dict[str, Any]) -> int:
    out = context.out
    out.value(preview)
    lora, memory, data = preview["lora"] or {}, preview["memory"] or {}, preview["data"]
    out.text(f"Iterations   {preview['iterations']} ({number(preview['epochs'], 1)} epochs)")
    out.text(
        f"Rows         {word(data.get('rows'))}, longest {word(data.get('max_tokens'))} tokens"
    )
    if lora:
        trained = f"{lora['trainable_parameters']:,}"
        out.text(f"Trained      {trained} parameters, {number(lora.get('percent'), 2)} %")
    out.text(
        f"Memory       {number(memory.get('estimate_gb'), 2)} GB of "
        f"{number(memory.get('available_gb'), 1)} GB: {word(memory.get('verdict'))}"
    )
    out.text(f"Takes about  {seconds(preview['estimated_seconds'])}")
    out.text(f"The command  {preview['command']}")
    for warning in preview["warnings"]:
        out.note(f"Note: {warning}")
    return exits.OK
