"""`status`, `watch`, `stop`, `list`, `compare` and `log`: looking after runs and what is there."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

from backend.cli import exits
from backend.cli.client import Refused, quoted
from backend.cli.context import Commands, Context, find_run
from backend.cli.follow import ACTIVE
from backend.cli.output import UNKNOWN, moment, number, seconds, size, word
from backend.cli.service import end_service
from backend.cli.train import watch_run

# A kind of job: where its state is, and where it is stopped.
_JOBS = {
    "evaluation": ("/api/evaluation/status", "/api/evaluation/stop"),
    "fusion": ("/api/fusion/status", "/api/fusion/stop"),
    "export": ("/api/fusion/export-status", "/api/fusion/export-stop"),
    "conversion": ("/models/convert", "/models/convert/stop"),
}
_DOWNLOADS = ("/models/downloads", "/api/datasets/downloads")
_FETCHING = frozenset({"waiting", "preparing", "downloading", "retrying", "converting"})
_RUN_HELP = (
    "a run: the beginning of its id, or its adapter's name; default: the current or last one"
)


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "status",
        parents=[common],
        help="what runs now, and what waits",
        description="What the service does now: the current or last run, jobs, the queue.",
    )
    parser.set_defaults(run=status)
    parser = commands.add_parser(
        "watch", parents=[common], help="show a run's progress until it ends",
        description="Show a run's progress until it ends. Ctrl-C leaves the run alone.",
    )  # fmt: skip
    parser.add_argument("session", nargs="?", metavar="RUN", help=_RUN_HELP)
    parser.set_defaults(run=watch)
    parser = commands.add_parser(
        "stop", parents=[common], help="stop a run, a job or the service",
        description="Stop what runs. A run keeps its weights as its newest adapter; the runs in "
        "the queue are held until one is started.",
    )  # fmt: skip
    parser.add_argument(
        "what",
        nargs="?",
        default="run",
        choices=["run", *_JOBS, "download", "service"],
        help="default: run",
    )
    parser.add_argument("--no-save", action="store_true", help="give up a run's current weights")
    parser.add_argument("--next", action="store_true", help="let the queue's next run begin")
    parser.set_defaults(run=stop)
    parser = commands.add_parser("list", parents=[common], help="runs, models, adapters, …",
                                 description="What there is, newest first.")  # fmt: skip
    parser.add_argument(
        "kind", nargs="?", default="runs", choices=list(_LISTS), help="default: runs"
    )
    parser.set_defaults(run=list_things)
    parser = commands.add_parser(
        "compare", parents=[common], help="two or more runs beside each other",
        description="The results of runs beside each other, and the settings in which they differ.",
    )  # fmt: skip
    parser.add_argument(
        "sessions", nargs="+", metavar="RUN", help="a run's id (or its beginning), or its adapter"
    )
    parser.set_defaults(run=compare, parser=parser)
    parser = commands.add_parser(
        "log", aliases=["check_training_error"], parents=[common],
        help="why a run ended, and the end of its log",
        description="Why a run ended and what to do about it, then the last lines of its log.",
    )  # fmt: skip
    parser.add_argument("session", nargs="?", metavar="RUN", help=_RUN_HELP)
    parser.add_argument("--lines", type=int, default=20, metavar="N", help="lines of the log (20)")
    parser.set_defaults(run=log)


def status(context: Context) -> int:
    client, out = context.client, context.out
    run = client.get("/training/status")
    jobs = {kind: client.get(path) for kind, (path, _) in _JOBS.items()}
    downloads = [one for path in _DOWNLOADS for one in client.get(path)["downloads"]]
    out.value({"url": client.url, "run": run, "jobs": jobs, "downloads": downloads})
    out.text(f"Service  {client.url}")
    config, metrics = run["config"] or {}, run["metrics"]
    if run["session_id"] is None:
        out.text("Run      none yet; start one: droid-finetuning train --demo")
    else:
        step = f"step {word(metrics['current_step'])} of {word(metrics['total_steps'])}"
        out.text(f"Run      {word(config.get('adapter_name'))} ({run['session_id'][:8]}): "
                 f"{run['state']}, {step}")  # fmt: skip
        if run["state"] in ACTIVE:
            out.text(f"         {word(run['phase'])}, loss {number(metrics['train_loss'])}, "
                     f"{seconds(metrics['estimated_time_remaining'])} left")  # fmt: skip
    error = run["error"] or {}
    for line in (error.get("message"), error.get("hint")):
        if line:
            out.text(f"         {line}")
    for place, waiting in enumerate(run["queue"], 1):
        out.text(f"Queue    {place}. {waiting['adapter_name']} ({waiting['session_id'][:8]})")
    for kind, job in jobs.items():
        if _is_active(job):
            out.text(
                f"{kind.capitalize():<11}{_share(job)} "
                f"{job.get('message') or job.get('phase') or ''}"
            )
    for download in downloads:
        if download["state"] in _FETCHING:
            done, total = size(download["bytes_done"]), size(download["bytes_total"])
            out.text(f"Download {download['repo_id']}: {download['state']}, {done} of {total}")
    return exits.OK


def _is_active(job: dict[str, Any]) -> bool:
    return bool(job.get("running") or job.get("is_running") or job.get("state") in ACTIVE)


def _share(job: dict[str, Any]) -> str:
    share = job.get("progress")
    if share is None:
        return UNKNOWN
    percent = share if "running" in job or "is_running" in job else 100 * share
    return f"{percent:.0f} %"


def watch(context: Context) -> int:
    return watch_run(context, find_run(context.client, context.args.session))


def stop(context: Context) -> int:
    args, out = context.args, context.out
    if args.what == "service":
        url = end_service(context.settings)
        out.value({"status": "idle" if url is None else "stopped", "url": url})
        out.text("No service runs." if url is None else f"Ended the service at {url}.")
        return exits.OK
    if args.what == "download":
        return _cancel_downloads(context)
    if args.what == "run":
        body = {"save": not args.no_save, "hold_queue": not args.next}
        answer = context.client.post("/training/stop", body)
    else:
        answer = context.client.post(_JOBS[args.what][1])
    out.value(answer)
    out.text(answer.get("message") or f"The {args.what}: {word(answer.get('state'))}.")
    return exits.OK


def _cancel_downloads(context: Context) -> int:
    cancelled = []
    for path in _DOWNLOADS:
        for download in context.client.get(path)["downloads"]:
            if download["state"] in _FETCHING:
                cancelled.append(context.client.delete(f"{path}/{quoted(download['id'])}"))
    context.out.value({"cancelled": cancelled})
    for download in cancelled:
        context.out.text(
            f"Cancelled {download['repo_id']}; what was fetched is kept for the next try."
        )
    if not cancelled:
        context.out.text("Nothing is being downloaded.")
    return exits.OK


Rows = Iterator[tuple[str, ...]]


def list_things(context: Context) -> int:
    path, key, columns, rows, empty = _LISTS[context.args.kind]
    answer = context.client.get(path)
    if context.args.kind == "downloads":
        answer = {
            "downloads": [
                one for each in _DOWNLOADS for one in context.client.get(each)["downloads"]
            ]
        }
    context.out.value(answer)
    context.out.table(columns, list(rows(answer[key])), empty=empty)
    return exits.OK


def _runs(items: Any) -> Rows:
    for run in items:
        if run["problem"]:
            yield run["session_id"][:8], UNKNOWN, "damaged", "", "", "", "", run["problem"]
            continue
        steps = f"{word(run['steps_completed'])}/{word(run['total_steps'])}"
        yield (
            run["session_id"][:8], word(run["adapter_name"]), word(run["training_state"]),
            word(run["method"]), word(run["model_name"]), steps,
            number(run["best_value"]), moment(run["timestamp"]),
        )  # fmt: skip


def _models(items: Any) -> Rows:
    for model in items:
        yield (
            model["name"], word(model["model_type"]), size(model["size_bytes"]),
            word(model["quantization"] or model["dtype"]), word(model["context_length"]),
            model["problem"] or "",
        )  # fmt: skip


def _adapters(items: Any) -> Rows:
    for one in items:
        rank = word(one["lora_rank"])
        yield (
            one["name"], word(one["base_name"]), word(one["method"]), rank,
            size(one["size_bytes"]), moment(one["created"]),
            one["problem"] or "",
        )  # fmt: skip


def _data(items: Any) -> Rows:
    for one in items:
        yield (
            one["name"], one["source"], word(one["format"]), word(one["rows"]),
            size(one["size_bytes"]), one["path"], one["problem"] or "",
        )  # fmt: skip


def _methods(items: Any) -> Rows:
    for name, method in items.items():
        yield name, method["display_name"], method["data_format"], method["description"]


def _fetched(items: Any) -> Rows:
    for one in items:
        yield (
            one["repo_id"],
            one["state"],
            size(one["bytes_done"]),
            word(one["path"]),
            word(one["error"]),
        )


_LISTS: dict[str, tuple[str, str, tuple[str, ...], Callable[[Any], Rows], str]] = {
    "runs": ("/sessions", "sessions",
             ("Run", "Adapter", "State", "Method", "Model", "Steps", "Best", "Started"), _runs,
             "No runs yet. Start one: droid-finetuning train --demo"),
    "models": ("/models", "models",
               ("Name", "Type", "Size", "Weights", "Context", "Problem"), _models,
               "No models. Fetch one: droid-finetuning download <owner/name>"),
    "adapters": ("/adapters", "adapters",
                 ("Name", "Base", "Method", "Rank", "Size", "Made", "Problem"), _adapters,
                 "No adapters yet. A run makes one: droid-finetuning train --demo"),
    "data": ("/api/datasets", "datasets",
             ("Name", "Source", "Format", "Rows", "Size", "Path", "Problem"), _data, "No data."),
    "downloads": ("/models/downloads", "downloads",
                  ("Repository", "State", "Fetched", "Path", "Error"), _fetched, "No downloads."),
    "methods": ("/api/training/methods", "methods",
                ("Method", "Name", "Data", "What it is"), _methods, "No methods."),
}  # fmt: skip


def compare(context: Context) -> int:
    client, out = context.client, context.out
    ids = [find_run(client, run) for run in context.args.sessions]
    if len(set(ids)) < 2:
        raise Refused(f"Two different runs are needed; {len(set(ids))} was named.")
    answer = client.get("/sessions/compare", ids=",".join(ids), max_points=10)
    runs = answer["runs"]
    out.value({
        "runs": [{"session_id": run["session_id"], "state": run["state"], "metrics": run["final"]}
                 for run in runs],
        "differences": answer["differences"],
    })  # fmt: skip
    rows = [(title, *(show(run["final"]) for run in runs)) for title, show in _RESULTS]
    rows.insert(0, ("state", *(word(run["state"]) for run in runs)))
    rows += [(one["field"], *map(word, one["values"])) for one in answer["differences"]]
    out.table(("", *(run["name"] for run in runs)), rows, empty="")
    out.text(answer["held_out"]["message"])
    return exits.OK


_RESULTS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("steps", lambda of: f"{word(of.get('current_step'))}/{word(of.get('total_steps'))}"),
    ("best", lambda of: number(of.get("best_value"))),
    ("at step", lambda of: word(of.get("best_model_step"))),
    ("final loss", lambda of: number(of.get("train_loss"))),
    ("validation loss", lambda of: number(of.get("val_loss"))),
    ("took", lambda of: seconds(of.get("elapsed_seconds"))),
    ("tokens/s", lambda of: number(of.get("tokens_per_second"), 0)),
    ("peak memory GB", lambda of: number(of.get("peak_memory_gb"), 2)),
)


def log(context: Context) -> int:
    client, out = context.client, context.out
    session = find_run(client, context.args.session)
    record = client.get(f"/sessions/{session}")
    ending = record.get("exit") or {}
    lines = client.get(f"/sessions/{session}/logs", limit=max(1, context.args.lines))["logs"]
    state = record.get("training_state")
    out.value({"session_id": session, "state": state, "exit": record.get("exit"), "logs": lines})
    name = (record.get("config") or {}).get("adapter_name")
    out.text(f"{word(name)} ({session[:8]}): {word(state)}")
    for line in (ending.get("message"), ending.get("hint")):
        if line:
            out.text(f"  {line}")
    for line in lines:
        out.text(f"  | {line}")
    return exits.FAILED if state == "error" else exits.OK
