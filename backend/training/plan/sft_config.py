"""A standard start request as the engine's configuration: every key explicit. Pure."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.contract.run.folder import CONFIG, DATA, STATE
from backend.training.plan.effective_scale import SMALLEST_SCALE
from backend.training.request.common_fields import CommonStart
from backend.training.request.sft_fields import DistributedTraining, StandardStart


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaths:
    """Where one run reads and writes; all absolute.

    `model` is what is trained on: with `quantize_base` a copy of `quantize_from`.
    """

    model: Path
    run: Path
    adapter: Path
    quantize_from: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePoint:
    """Where a run goes on that continues another: `weights` is a file name in its `state/`."""

    session_id: str
    checkpoint: int
    weights: str


def build_config(
    request: StandardStart,
    *,
    session_id: str,
    paths: RunPaths,
    keys: Sequence[str],
    iterations: int,
    model_fingerprint: str | None,
    resume: ResumePoint | None = None,
) -> dict[str, Any]:
    """`config.yaml`: the engine's own keys, then this app's, which plain mlx_lm ignores."""
    full = request.fine_tune_type == "full"
    lora = {
        "rank": request.lora_rank,
        "scale": request.effective_scale,
        "dropout": request.lora_dropout,
        "keys": list(keys),
    }
    return {
        "model": str(paths.model),
        "train": True,
        "data": str(paths.run / DATA),
        "fine_tune_type": request.fine_tune_type,
        "optimizer": request.optimizer,
        "optimizer_config": {request.optimizer: optimizer_options(request)},
        "seed": request.seed,
        "num_layers": request.lora_num_layers,
        "batch_size": request.batch_size,
        "iters": iterations,
        "val_batches": request.val_batches,
        "learning_rate": request.learning_rate,
        "lr_schedule": lr_schedule(request, iterations),
        "steps_per_report": request.steps_per_report,
        "steps_per_eval": request.steps_per_eval,
        "save_every": request.save_every,
        "grad_accumulation_steps": request.grad_accumulation_steps,
        "grad_checkpoint": request.grad_checkpoint,
        "max_seq_length": request.max_seq_length,
        "mask_prompt": request.mask_prompt,
        "resume_adapter_file": str(paths.run / STATE / resume.weights) if resume else None,
        "adapter_path": str(paths.adapter),
        "test": request.test,
        "test_batches": -1,
        "report_to": request.report_to,
        "project_name": request.project_name or None,
        "lora_parameters": None if full else lora,
        "lora_rank": request.lora_rank,
        "lora_alpha": request.lora_alpha,
        "lora_dropout": request.lora_dropout,
        "lora_scaling": request.lora_scaling,
        "enable_early_stop": request.early_stop,
        "no_improve_patience_evals": request.patience,
        "early_stop_min_delta": request.min_delta,
        "keep_checkpoints": request.keep_checkpoints,
        "adapter_name": request.adapter_name,
        "session_id": session_id,
        "method": "sft",
        "model_fingerprint": model_fingerprint,
        "quantize_base": request.quantize_base,
        "quantize_from": str(paths.quantize_from) if paths.quantize_from else None,
        "resume_from": resume.session_id if resume else None,
        "resume_checkpoint": resume.checkpoint if resume else None,
        **_distributed(request),
    }


def command_for(run: Path, distributed: DistributedTraining | None = None) -> str:
    """What repeats the run in a terminal, with the engine's own batches."""
    command = f"python -m mlx_lm lora --config {shlex.quote(str(run / CONFIG))}"
    if distributed is None:
        return command
    if distributed.hostfile is None:
        return f"mlx.launch --backend ring -n {distributed.processes} -- {command}"
    hosts = shlex.quote(distributed.hostfile)
    return f"mlx.launch --backend {distributed.backend} --hostfile {hosts} -- {command}"


def _distributed(request: StandardStart) -> dict[str, Any]:
    """No key for a run of one process."""
    return {"distributed": request.distributed.model_dump()} if request.distributed else {}


def optimizer_options(request: CommonStart) -> dict[str, Any]:
    """The engine's options of the chosen optimizer; those left open keep the engine's defaults."""
    decay = {} if request.optimizer == "adam" else {"weight_decay": request.weight_decay}
    match request.optimizer:
        case "adam" | "adamw":
            options: dict[str, Any] = {
                "eps": request.epsilon if isinstance(request, StandardStart) else None,
                "bias_correction": request.bias_correction,
            }
            if request.beta1 is not None or request.beta2 is not None:
                options["betas"] = [_or(request.beta1, 0.9), _or(request.beta2, 0.999)]
        case "muon" | "sgd":
            nesterov = None if request.nesterov is None else request.nesterov == "on"
            options = {"momentum": request.momentum, "nesterov": nesterov}
            own = "ns_steps" if request.optimizer == "muon" else "dampening"
            options[own] = getattr(request, own)
        case "adafactor":
            # By the engine's own defaults it would ignore the learning rate.
            options = {
                "relative_step": request.relative_step,
                "scale_parameter": request.scale_parameter,
                "warmup_init": request.warmup_init,
                "beta_1": request.beta1,
                "clip_threshold": request.clip_threshold,
                "decay_rate": request.decay_rate,
                "eps": _adafactor_eps(request),
            }
    return decay | {name: value for name, value in options.items() if value is not None}


def _adafactor_eps(request: CommonStart) -> list[float] | None:
    """The engine takes both or none."""
    if not isinstance(request, StandardStart):
        return None
    squares, scale = request.epsilon_squares, request.epsilon_scale
    if squares is None and scale is None:
        return None
    return [_or(squares, 1e-30), _or(scale, SMALLEST_SCALE)]


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def lr_schedule(request: CommonStart, iterations: int) -> dict[str, Any] | None:
    """The engine's schedule, counted in weight updates as the engine counts; None is constant."""
    updates = max(1, iterations // request.grad_accumulation_steps)
    warmup = math.ceil(request.warmup_steps / request.grad_accumulation_steps)
    if request.lr_schedule == "constant" and warmup == 0:
        return None
    rate = request.learning_rate
    decay = max(1, updates - warmup)
    shape: dict[str, Any] = {
        "constant": {"name": "linear_schedule", "arguments": [rate, rate, decay]},
        "cosine": {"name": "cosine_decay", "arguments": [rate, decay, 0.0]},
        "linear": {"name": "linear_schedule", "arguments": [rate, 0.0, decay]},
    }[request.lr_schedule]
    return {**shape, "warmup": warmup, "warmup_init": 0.0} if warmup else shape
