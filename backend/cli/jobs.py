"""`evaluate`, `fuse` and `export`: jobs on adapters, started and followed to their results."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from backend.cli import exits
from backend.cli.context import Commands, Context, local_path
from backend.cli.follow import JobState, follow_job
from backend.cli.output import number, size, word


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "evaluate", parents=[common], help="measure an adapter on held-out rows",
        description="Measure an adapter, beside its base unless --no-base, on rows that it was not "
        "trained on.",
    )  # fmt: skip
    parser.add_argument("adapter", metavar="ADAPTER")
    parser.add_argument("--data", metavar="FILE", help="other rows than those held out of training")
    parser.add_argument("--questions", type=int, default=20, metavar="N", help="how many rows (20)")
    parser.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="NAME",
        help="exact_match, token_f1, rouge_l, …; repeatable; default: what fits",
    )
    parser.add_argument("--checkpoint", type=checkpoint, metavar="C", help="best, latest or a step")
    parser.add_argument("--no-base", action="store_true", help="leave the base model out")
    parser.add_argument("--judge", action="store_true", help="let the judge score the answers too")
    parser.add_argument("--detach", action="store_true", help="return at once; see `status`")
    parser.set_defaults(run=evaluate)

    parser = commands.add_parser(
        "fuse", parents=[common], help="merge adapters into one",
        description="Merge two to five adapters of one base into a new one, and measure it.",
    )  # fmt: skip
    parser.add_argument("adapters", nargs="+", metavar="ADAPTER")
    parser.add_argument("--method", default="weighted", help="weighted, slerp, ties or dare")
    parser.add_argument(
        "--weights", metavar="W,W,…", type=_weights, help="one for each adapter; equal"
    )
    parser.add_argument("--name", metavar="NAME", help="name of the new adapter")
    parser.add_argument("--data", metavar="FILE", help="rows to measure with")
    parser.add_argument("--detach", action="store_true", help="return at once; see `status`")
    parser.set_defaults(run=fuse)

    parser = commands.add_parser(
        "export", parents=[common], help="write a model that other programs can load",
        description="Write an adapter's model for other programs, and try it. Without FORMAT: "
        "which formats there are, and how large each would be.",
    )  # fmt: skip
    parser.add_argument("adapter", metavar="ADAPTER")
    parser.add_argument(
        "format", nargs="?", metavar="FORMAT", help="merged, merged_q4, peft, gguf_q8, …"
    )
    parser.add_argument("--name", metavar="NAME", help="name of the folder under exports/")
    parser.add_argument("--ollama", metavar="NAME", help="import it into Ollama under this name")
    parser.add_argument("--lm-studio", action="store_true", help="copy it to LM Studio's models")
    parser.add_argument("--latest", action="store_true", help="the latest weights, not the best")
    parser.add_argument("--detach", action="store_true", help="return at once; see `status`")
    parser.set_defaults(run=export)


def checkpoint(text: str) -> str | int:
    """`best`, `latest` or a step's number."""
    if text in {"best", "latest"}:
        return text
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither best, latest nor a step's number")


def _weights(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not numbers separated by commas") from None


def evaluate(context: Context) -> int:
    args, client = context.args, context.client
    body: dict[str, Any] = {
        "adapter_name": args.adapter,
        "num_questions": args.questions,
        "metrics": args.metric,
        "judge": args.judge,
    }
    if args.checkpoint is not None:
        body["checkpoint"] = args.checkpoint
    if args.data is not None:
        body["training_data_path"] = local_path(args.data)
    answer = client.ask(f"/api/evaluation/{'start' if args.no_base else 'compare'}", body)

    def look() -> JobState:
        job = client.get("/api/evaluation/status")
        text = f"{word(job['phase'])} · {job['current_question']}/{job['total_questions']}"
        state = job["state"] if not job["running"] else "running"
        return JobState(state, job["progress"] / 100, text, job["error"], job["hint"])

    return _finish(
        context, "Evaluating", "evaluation", answer, look,
        lambda: client.get(f"/api/evaluation/{answer['evaluation_id']}"), _show_evaluation,
    )  # fmt: skip


def _show_evaluation(context: Context, result: dict[str, Any]) -> None:
    out = context.out
    targets = [target["label"] for target in result["targets"]]
    rows = [
        (metric["name"], *(_estimate(value) for value in metric["values"]), metric["better"])
        for metric in result["metrics"]
    ]
    out.table(("Metric", *targets, "Better is"), rows, empty="No metric could be computed.")
    rows_seen = result["seen_rows"]
    if rows_seen:
        out.note(f"Note: {rows_seen} of the {result['num_questions']} rows were seen in training.")
    files = result.get("report_files") or {}
    if files.get("markdown"):
        out.text(f"Report: {files['markdown']}")


def _estimate(value: dict[str, Any] | None) -> str:
    if value is None:
        return number(None)
    low, high = value.get("low"), value.get("high")
    between = "" if low is None or high is None else f" ({number(low)} – {number(high)})"
    return f"{number(value['mean'])}{between}"


def fuse(context: Context) -> int:
    args, client = context.args, context.client
    body: dict[str, Any] = {"adapter_names": args.adapters, "method": args.method}
    optional = {"weights": args.weights, "output_name": args.name}
    body |= {name: value for name, value in optional.items() if value is not None}
    if args.data is not None:
        body["evaluation_dataset"] = local_path(args.data)
    answer = client.ask("/api/fusion/fuse", body)
    return _finish(
        context, "Fusing", "fusion", answer, _looker(context, "/api/fusion/status"),
        lambda: client.get("/api/fusion/result"), _show_fusion,
    )  # fmt: skip


def _show_fusion(context: Context, result: dict[str, Any]) -> None:
    info, out = result["fusion_info"], context.out
    out.text(f"{info['output_name']}: rank {info['output_rank']}, {info['output_path']}")
    out.text(f'  Ask it: droid-finetuning ask "Who are you?" --adapter {info["output_name"]}')
    _show_proof(context, result)


def export(context: Context) -> int:
    args, client, out = context.args, context.client, context.out
    if args.format is None:
        formats = client.get("/api/fusion/export-formats", adapter_name=args.adapter)
        out.value(formats)
        rows = [
            (one["id"], one["name"], size(one["size"]),
             "yes" if one["available"] else word(one["reason"]))
            for one in formats
        ]  # fmt: skip
        out.table(("Format", "Name", "Size", "Possible"), rows, empty="No formats.")
        return exits.OK
    body: dict[str, Any] = {
        "adapter_name": args.adapter,
        "format": args.format,
        "use_best": not args.latest,
        "copy_to_lm_studio": args.lm_studio,
    }
    if args.name is not None:
        body["output_name"] = args.name
    if args.ollama is not None:
        body |= {"import_to_ollama": True, "ollama_model_name": args.ollama}
    answer = client.ask("/api/fusion/export-model", body)
    return _finish(
        context, "Exporting", "export", answer, _looker(context, "/api/fusion/export-status"),
        lambda: client.get("/api/fusion/export-result"), _show_export,
    )  # fmt: skip


def _show_export(context: Context, result: dict[str, Any]) -> None:
    out = context.out
    out.text(f"{result['output_name']}: {size(result['bytes'])} in {result['merged_dir']}")
    _show_proof(context, result)


def _show_proof(context: Context, result: dict[str, Any]) -> None:
    proof, out = result["proof"], context.out
    if proof is None:
        out.note(f"Note: not measured. {result['unproven'] or ''}".rstrip())
        return
    rows = [
        (target["label"], _estimate(target["loss"]), _estimate(target["exact_match"]))
        for target in proof["targets"]
    ]
    out.table((f"On {proof['rows']} rows", "Loss", "Exact match"), rows, empty="")


def _looker(context: Context, path: str) -> Callable[[], JobState]:
    def look() -> JobState:
        job = context.client.get(path)
        text = job["message"] or job["current_step"] or job["status"]
        return JobState(job["status"], job["progress"] / 100, text, job["error"], job["hint"])

    return look


def _finish(
    context: Context,
    title: str,
    kind: str,
    answer_to_start: dict[str, Any],
    look: Callable[[], JobState],
    result: Callable[[], dict[str, Any]],
    show: Callable[[Context, dict[str, Any]], None],
) -> int:
    """Follow a job that was started, and show its result; the exit code of its ending."""
    out = context.out
    out.value({"type": "start", **answer_to_start})
    out.note(answer_to_start["message"])
    for warning in answer_to_start["warnings"]:
        out.note(f"Note: {warning}")
    if context.args.detach:
        return exits.OK
    job = follow_job(out, title, kind, look)
    if job is None:
        return exits.INTERRUPTED
    if job.state == "completed":
        answer = result()
        result_value = answer.get("result", answer)
        out.value({"type": "end", "state": job.state, "result": result_value})
        show(context, result_value)
    else:
        out.value({"type": "end", "state": job.state, "error": job.error, "hint": job.hint})
        job.refuse_error()
        out.text(f"The {kind} was {job.state}.")
    return exits.of_state(job.state)
