"""Numbers of the service for Prometheus: the run, the queue, memory and the inference worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Literal

import psutil
from fastapi import APIRouter
from fastapi.responses import Response

from backend import __version__
from backend.api.services import Services, Wired
from backend.core.exposition import CONTENT_TYPE, Measurement, exposition, single
from backend.core.machine.system import disk_free
from backend.inference.schemas import WorkerState
from backend.jobs.run.schemas import RunMetrics, TrainingStatus
from backend.jobs.run.state import RunState

router = APIRouter(tags=["system"])

_WORKER: tuple[Literal["none", "idle", "busy"], ...] = ("none", "idle", "busy")
# By the name of the metric: the number of the run, and what it is.
_RUN: tuple[tuple[str, str, str], ...] = (
    ("step", "current_step", "Iterations done."),
    ("steps_planned", "total_steps", "Iterations that the run was asked for."),
    ("epoch", "epoch", "Passes over the training rows."),
    ("train_loss", "train_loss", "Mean loss per token of the last report, in nats."),
    ("val_loss", "val_loss", "Loss of the last validation, in nats."),
    ("best_value", "best_value", "Best value of the metric that the run goes by."),
    ("best_step", "best_model_step", "Iteration of the best adapter."),
    ("learning_rate", "learning_rate", "Learning rate of the last report."),
    ("gradient_norm", "grad_norm", "Norm of the last gradient."),
    ("iterations_per_second", "iterations_per_second", "Iterations per second."),
    ("tokens_per_second", "tokens_per_second", "Tokens trained on per second."),
    ("trained_tokens", "trained_tokens", "Tokens trained on so far."),
    ("elapsed_seconds", "elapsed_seconds", "Seconds since the run began."),
    ("remaining_seconds", "estimated_time_remaining", "Seconds that the run still needs."),
    ("reward", "avg_reward", "Mean reward of the last report."),
    ("accuracy", "accuracy", "Share of preference pairs told apart in the last report."),
    ("kl", "kl", "Divergence from the reference, in nats."),
)


class MetricsText(Response):
    media_type = CONTENT_TYPE


@router.get("/metrics", response_class=MetricsText)
async def prometheus_metrics(services: Wired) -> MetricsText:
    """In Prometheus' text format. A number that is not known is left out."""
    worker = await services.inference.state()
    status = services.supervisor.status()
    machine = await asyncio.to_thread(lambda: list(_machine(services)))
    return MetricsText(exposition([*machine, *_run(status), *_worker(worker)]))


def _machine(services: Services) -> Iterator[Measurement]:
    memory, swap, own = psutil.virtual_memory(), psutil.swap_memory(), psutil.Process()
    yield Measurement("droid_info", "The service.", (({"version": __version__}, 1.0),))
    yield single("droid_memory_total_bytes", "Memory of the machine.", memory.total)
    yield single("droid_memory_available_bytes", "Memory free for use.", memory.available)
    yield single("droid_swap_used_bytes", "Memory that was moved to disk.", swap.used)
    yield single(
        "droid_load_average", "Processes at work, mean of a minute.", psutil.getloadavg()[0]
    )
    yield single("droid_server_resident_bytes", "Memory of this service.", own.memory_info().rss)
    free = disk_free(services.settings.data_dir)
    yield single("droid_disk_free_bytes", "Free disk of the data root.", free)


def _run(status: TrainingStatus) -> Iterator[Measurement]:
    states = (({"state": state.value}, float(state is status.state)) for state in RunState)
    yield Measurement("droid_run_state", "1 for the state that the run is in.", tuple(states))
    yield single("droid_queue_length", "Runs that wait.", len(status.queue))
    if status.session_id is not None:
        method = status.metrics.method or "sft"
        labels = {"session_id": status.session_id, "method": method}
        yield Measurement("droid_run_info", "The run that the numbers are of.", ((labels, 1.0),))
    yield single("droid_run_process_resident_bytes", "Memory of the run.", _resident(status.pid))
    yield from _numbers(status.metrics)


def _numbers(metrics: RunMetrics) -> Iterator[Measurement]:
    for name, field, text in _RUN:
        yield single(f"droid_run_{name}", text, getattr(metrics, field))
    peak = metrics.peak_memory_gb
    yield single(
        "droid_run_peak_memory_bytes",
        "Most memory that MLX held in the run.",
        None if peak is None else peak * 1e9,
    )


def _worker(worker: WorkerState) -> Iterator[Measurement]:
    states = tuple(({"state": state}, float(state == worker.state)) for state in _WORKER)
    yield Measurement("droid_worker_state", "1 for the state of the inference worker.", states)
    yield single("droid_worker_waiting", "Questions that wait.", worker.waiting)
    yield Measurement(
        "droid_worker_answered_total", "Answers given.", (({}, worker.answered),), kind="counter"
    )
    yield single("droid_worker_resident_bytes", "Memory of the worker.", worker.resident_bytes)
    yield single("droid_worker_active_bytes", "Memory that MLX holds in it.", worker.active_bytes)


def _resident(pid: int | None) -> int | None:
    try:
        return psutil.Process(pid).memory_info().rss if pid is not None else None
    except psutil.Error:
        return None
