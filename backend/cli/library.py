"""`download` and `convert`: models and data from the hub, and into the form that training takes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from backend.cli import exits
from backend.cli.context import Commands, Context, local_path, name_or_path
from backend.cli.follow import JobState, follow_job
from backend.cli.output import seconds, size, word

_FORMS = ("text", "chat", "completions", "grpo", "preference", "alpaca", "sharegpt")
# What the reference's script fetched for GSPO: problems with one right answer.
_GSPO = ("openai/gsm8k",)
_STATES = {"waiting": "starting", "removed": "error", "damaged": "error"}
_FETCHING = frozenset({"preparing", "downloading", "retrying", "converting"})


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "download", parents=[common], help="fetch a model or a data set from Hugging Face",
        description="Fetch a model from Hugging Face, or with --dataset the rows of a data set. A "
        "download that was broken off goes on where it stopped.",
    )  # fmt: skip
    parser.add_argument("repo", metavar="OWNER/NAME")
    parser.add_argument("--revision", metavar="REV", help="a branch, tag or commit")
    parser.add_argument("--dataset", action="store_true", help="it is a data set")
    parser.add_argument("--config", metavar="NAME", help="part of a data set")
    parser.add_argument("--split", metavar="NAME", help="split of a data set")
    parser.add_argument("--to", choices=_FORMS, help="the form its rows are written in")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many rows")
    parser.add_argument("--detach", action="store_true", help="return at once; see `status`")
    parser.set_defaults(run=download, parser=parser)

    parser = commands.add_parser(
        "download_gspo_datasets", parents=[common],
        description="Fetch problems with one right answer, in the form of GRPO and GSPO: "
        f"{', '.join(_GSPO)}. Short for `download --dataset --to grpo`.",
    )  # fmt: skip
    parser.add_argument("repos", nargs="*", metavar="OWNER/NAME", help="other data sets")
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many rows")
    parser.set_defaults(run=download_gspo)

    parser = commands.add_parser(
        "convert", parents=[common], help="rows into another form, or a model to MLX",
        description="With --to: write the rows of SOURCE to the file OUTPUT in another form. "
        "Without: write the model SOURCE (a folder, or a name on Hugging Face) for MLX, as OUTPUT "
        "among the models.",
    )  # fmt: skip
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("output", metavar="OUTPUT")
    parser.add_argument("--to", choices=_FORMS, help="the form of the rows")
    _add_row_options(parser)
    parser.add_argument("--quantize", type=int, choices=(4, 8), help="bits of the model's weights")
    parser.add_argument(
        "--dtype", choices=("float16", "bfloat16", "float32"), help="of a model's weights"
    )
    parser.set_defaults(run=convert, parser=parser)

    parser = commands.add_parser(
        "convert_to_grpo", parents=[common],
        description="Write rows in the form of GRPO: a prompt and its answer. Short for "
        "`convert --to grpo`.",
    )  # fmt: skip
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("output", metavar="OUTPUT", nargs="?", help="<source>_grpo.jsonl")
    _add_row_options(parser)
    parser.set_defaults(run=convert_to_grpo)


def _add_row_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", type=_pair,
                        help="which column a field is read from; repeatable")  # fmt: skip
    parser.add_argument("--system", metavar="TEXT", help="a system message for every row")
    parser.add_argument(
        "--answer-after", metavar="MARK", help="the answer is what follows this: '####'"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file of that name")


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not (field and equals and column):
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=COLUMN")
    return field, column


def download(context: Context) -> int:
    args = context.args
    of_rows = {"config": args.config, "split": args.split, "to": args.to, "limit": args.limit}
    fields = {name: value for name, value in of_rows.items() if value is not None}
    if fields and not args.dataset:
        args.parser.error(f"--{next(iter(fields))} is for data sets: give --dataset too")
    body = {"repo_id": args.repo, **fields}
    if args.revision:
        body["revision"] = args.revision
    path = "/api/datasets/downloads" if args.dataset else "/models/downloads"
    return _fetch(context, path, body, detach=args.detach)


def download_gspo(context: Context) -> int:
    catalog = {
        one["repo_id"]: one for one in context.client.get("/api/datasets/catalog")["datasets"]
    }
    worst = exits.OK
    for repo in context.args.repos or _GSPO:
        entry = catalog.get(repo, {"config": None, "split": None, "forms": []})
        forms = [form for form in entry["forms"] if form["to"] == "grpo"]
        form: dict[str, Any] = forms[0] if forms else {}
        body = {
            "repo_id": repo,
            "to": "grpo",
            "limit": context.args.limit,
            "config": entry["config"],
            "split": entry["split"],
            "mapping": form.get("mapping"),
            "answer_after": form.get("answer_after"),
        }
        fields = {name: value for name, value in body.items() if value is not None}
        worst = max(worst, _fetch(context, "/api/datasets/downloads", fields, detach=False))
    return worst


def _fetch(context: Context, path: str, body: dict[str, Any], *, detach: bool) -> int:
    client, out = context.client, context.out
    # The data set's own description is asked for first, which takes a moment.
    answer = client.ask(path.removesuffix("s"), body)
    out.value({"type": "start", **answer})
    if detach:
        out.text(answer["id"])
        return exits.OK

    last = dict(answer)

    def look() -> JobState:
        results = [one for one in client.get(path)["downloads"] if one["id"] == answer["id"]]
        if not results:
            return JobState("cancelled", None, "removed", None, None)
        last.update(results[0])
        total, done = last["bytes_total"], last["bytes_done"]
        state = last["state"]
        text = f"{state} {size(done)} of {size(total)}, {seconds(last['eta_seconds'])} left"
        plain = state if not out.live or not total else text
        label = "running" if state in _FETCHING else _STATES.get(state, state)
        return JobState(label, done / total if total else None, plain, last["error"], last["hint"])

    job = follow_job(out, f"Downloading {body['repo_id']}", "download", look)
    if job is None:
        return exits.INTERRUPTED
    out.value({"type": "end", **last})
    job.refuse_error()
    if job.state == "completed":
        out.text(f"{last['repo_id']}: {size(last['bytes_done'])} in {word(last['path'])}")
        _show_written(context, last["written"])
    else:
        out.text(f"{last['repo_id']}: {last['state']}.")
    return exits.of_state(job.state)


def convert(context: Context) -> int:
    args = context.args
    if args.to is not None:
        return _convert_rows(context, args.output, args.to)
    if args.map or args.system or args.answer_after or args.overwrite:
        args.parser.error("rows are converted with --to; a model takes --quantize and --dtype")
    client, out = context.client, context.out
    body = {"source": name_or_path(args.source), "output_name": args.output}
    optional = {"quantize": args.quantize, "dtype": args.dtype}
    body |= {name: value for name, value in optional.items() if value is not None}
    answer = client.ask("/models/convert", body)
    out.value({"type": "start", **answer})

    def look() -> JobState:
        job = client.get("/models/convert")
        text = job["message"] or job["phase"] or word(job["state"])
        return JobState(job["state"], job["progress"], text, job["error"], job["hint"])

    job = follow_job(out, f"Converting {args.source}", "conversion", look)
    if job is None:
        return exits.INTERRUPTED
    result = client.get("/models/convert")["result"] if job.state == "completed" else None
    out.value({"type": "end", "state": job.state, "result": result, "error": job.error})
    job.refuse_error()
    if result is not None:
        out.text(f"{result['name']}: {size(result['size_bytes'])} in {result['path']}")
    return exits.of_state(job.state)


def convert_to_grpo(context: Context) -> int:
    source = Path(context.args.source)
    output = context.args.output or str(source.with_name(f"{source.stem}_grpo.jsonl"))
    return _convert_rows(context, output, "grpo")


def _convert_rows(context: Context, output: str, to: str) -> int:
    args = context.args
    body: dict[str, Any] = {
        "path": local_path(args.source),
        "output_path": local_path(output),
        "to": to,
    }
    optional = {
        "mapping": dict(args.map) or None,
        "system": args.system,
        "answer_after": args.answer_after,
        "overwrite": args.overwrite or None,
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    answer = context.client.ask("/api/datasets/convert", body)
    context.out.value(answer)
    _show_written(context, answer)
    return exits.OK


def _show_written(context: Context, written: dict[str, Any] | None) -> None:
    if written is None:
        return
    out = context.out
    out.text(f"{written['rows']} rows as {written['format']} in {written['path']}")
    for note in written["notes"]:
        out.note(f"Note: {note}")
    if written["skipped_count"]:
        first = written["skipped"][0]
        out.note(f"Note: {written['skipped_count']} rows were left out; the first, line "
                 f"{first['line']}: {first['message']}")  # fmt: skip
