"""A start request as the engine's configuration, `config.yaml`: every key explicit. Pure.

A key is the request's field of that name, or of the name that `_FIELDS` gives, or one of the values
that are worked out. The engine's own keys come first (those of mlx_lm, or of
`mlx_lm_lora.train.CONFIG_DEFAULTS`), then this app's, which our engine translates.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.contract.run.folder import CONFIG, DATA, STATE
from backend.training.plan.effective_scale import SMALLEST_SCALE
from backend.training.request.method import SelectBy
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.sft_fields import StandardStart
from backend.training.request.start_request import StartRequest

_SFT_KEYS = """
    model train data fine_tune_type optimizer optimizer_config seed num_layers batch_size iters
    val_batches learning_rate lr_schedule steps_per_report steps_per_eval save_every
    grad_accumulation_steps grad_checkpoint max_seq_length mask_prompt resume_adapter_file
    adapter_path test test_batches report_to project_name lora_parameters
    lora_rank lora_alpha lora_dropout lora_scaling
    enable_early_stop no_improve_patience_evals early_stop_min_delta keep_checkpoints adapter_name
    session_id method model_fingerprint quantize_base quantize_from resume_from resume_checkpoint
    distributed max_grad_norm sample_prompts sample_max_tokens
"""
_RL_KEYS = """
    model train data train_mode train_type optimizer optimizer_config seed num_layers batch_size
    iters gradient_accumulation_steps grad_checkpoint val_batches learning_rate lr_schedule
    steps_per_report steps_per_eval save_every adapter_path max_seq_length
    beta epsilon epsilon_high group_size temperature max_completion_length decode_concurrency
    grpo_loss_type importance_sampling_level dpo_cpo_loss_type delta reward_scaling alpha
    dsla_loss latent_weight latent_margin latent_gamma latent_variant latent_pooling latent_layer
    klpo_route klpo_kl_estimator klpo_mc_samples klpo_top_k klpo_tail_floor
    clip_epsilon_logits lambda_mse lambda_mse_target tau_mse_target
    judge judge_config reference_model_path mask_prompt test resume_adapter_file fuse
    method updates_per_rollout top_p top_k min_p lora_parameters
    lora_rank lora_alpha lora_dropout lora_scaling
    reward_functions reward_weights reward_functions_file reward_functions_sha256 success_function
    sample_completions select_by
    enable_early_stop no_improve_patience_evals early_stop_min_delta keep_checkpoints adapter_name
    session_id model_fingerprint quantize_base quantize_from resume_from resume_checkpoint
    max_grad_norm sample_prompts sample_max_tokens
"""
_KEYS = {"sft": tuple(_SFT_KEYS.split()), "rl": tuple(_RL_KEYS.split())}
_FIELDS = {
    "num_layers": "lora_num_layers",
    "train_type": "fine_tune_type",
    "gradient_accumulation_steps": "grad_accumulation_steps",
    "enable_early_stop": "early_stop",
    "no_improve_patience_evals": "patience",
    "early_stop_min_delta": "min_delta",
    "dpo_cpo_loss_type": "preference_loss",
    "clip_epsilon_logits": "ftpo_margin",
    "lambda_mse": "ftpo_rest_weight",
    "lambda_mse_target": "ftpo_target_weight",
    "tau_mse_target": "ftpo_target_slack",
}
_ONLY_IF_SET = ("distributed", "max_grad_norm", "sample_prompts", "sample_max_tokens")


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
class ResumeFiles:
    """Where a run goes on that continues another: `weights` is a file name in its `state/`."""

    session_id: str
    checkpoint: int
    weights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerJudges:
    """What decides about answers: reward functions by name, or a judge; a trusted file's sha256."""

    rewards: tuple[str, ...] = ()
    weights: tuple[float, ...] | None = None
    file: Path | None = None
    sha256: str | None = None
    success: str | None = None
    judge: Path | None = None
    reference: Path | None = None


NOT_JUDGED = AnswerJudges()


def build_config(
    request: StartRequest,
    *,
    session_id: str,
    paths: RunPaths,
    keys: Sequence[str],
    iterations: int,
    model_fingerprint: str | None,
    judgement: AnswerJudges = NOT_JUDGED,
    resume: ResumeFiles | None = None,
) -> dict[str, Any]:
    """`config.yaml`, in the order of its keys. `keys` are the modules that get an adapter."""
    method = request.method
    lora = {
        "rank": request.lora_rank,
        "scale": request.effective_scale,
        "dropout": request.lora_dropout,
        "keys": list(keys),
    }
    values = request.model_dump() | {
        "model": str(paths.model),
        "train": True,
        "data": str(paths.run / DATA),
        "optimizer_config": {request.optimizer: optimizer_options(request)},
        "iters": iterations,
        "lr_schedule": lr_schedule(request, iterations),
        "resume_adapter_file": str(paths.run / STATE / resume.weights) if resume else None,
        "adapter_path": str(paths.adapter),
        "lora_parameters": None if request.fine_tune_type == "full" else lora,
        "session_id": session_id,
        "method": method.id,
        "model_fingerprint": model_fingerprint,
        "quantize_from": _text(paths.quantize_from),
        "resume_from": resume.session_id if resume else None,
        "resume_checkpoint": resume.checkpoint if resume else None,
        "sample_prompts": request.sample_prompts or None,
        "sample_max_tokens": request.sample_max_tokens if request.sample_prompts else None,
    }
    if isinstance(request, StandardStart):
        values |= {"test_batches": -1, "project_name": request.project_name or None}
    if isinstance(request, EnhancedStart):
        values |= _of_the_method(request, judgement)
    return {
        key: values[_FIELDS.get(key, key)]
        for key in _KEYS[method.engine]
        if key not in _ONLY_IF_SET or values[key] is not None
    }


def _of_the_method(request: EnhancedStart, judgement: AnswerJudges) -> Mapping[str, Any]:
    """What a method's engine is told besides the request's own fields."""
    system = request.judge_system_prompt
    return {
        "train_mode": request.method.train_mode,
        "decode_concurrency": request.decoded_at_once,
        "grpo_loss_type": own_choice(request, "grpo_loss_type") or "grpo",
        "importance_sampling_level": own_choice(request, "importance_sampling_level") or "token",
        "reward_scaling": 1.0,  # The engine reads it and does nothing with it.
        "alpha": [request.xpo_alpha],
        "judge": _text(judgement.judge),
        "judge_config": {"system_prompt": system} if system else {},
        "reference_model_path": _text(judgement.reference),
        "mask_prompt": False,
        "test": False,
        "fuse": False,
        "reward_functions": list(judgement.rewards),
        "reward_weights": list(judgement.weights) if judgement.weights is not None else None,
        "reward_functions_file": _text(judgement.file),
        "reward_functions_sha256": judgement.sha256,
        "success_function": judgement.success,
        "select_by": select_by(request),
    }


def select_by(request: EnhancedStart) -> SelectBy:
    """What best adapter and early stopping go by."""
    judged_by_rewards = request.method.family == "online" and request.reward_functions
    return "val_reward" if judged_by_rewards else request.method.select_by


def own_choice(request: EnhancedStart, name: str) -> Any:
    """The field as asked, or what makes the method: the first of its choices."""
    value = getattr(request, name)
    return value if value is not None else request.method.choices.get(name, (None,))[0]


def command_for(run: Path, request: StartRequest) -> str:
    """What repeats the run in a terminal: of fine-tuning with the engine's own batches, of a method
    from this app's folder.
    """
    if request.method.engine == "rl":
        return f"python -m backend.engines.rl {shlex.quote(str(run))}"
    command = f"python -m mlx_lm lora --config {shlex.quote(str(run / CONFIG))}"
    ranks = request.distributed if isinstance(request, StandardStart) else None
    if ranks is None:
        return command
    if ranks.hostfile is None:
        return f"mlx.launch --backend ring -n {ranks.processes} -- {command}"
    hosts = shlex.quote(ranks.hostfile)
    return f"mlx.launch --backend {ranks.backend} --hostfile {hosts} -- {command}"


def _text(path: Path | None) -> str | None:
    return str(path) if path else None


def optimizer_options(request: StartRequest) -> dict[str, Any]:
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


def _adafactor_eps(request: StartRequest) -> list[float] | None:
    """The engine takes both or none."""
    if not isinstance(request, StandardStart):
        return None
    squares, scale = request.epsilon_squares, request.epsilon_scale
    if squares is None and scale is None:
        return None
    return [_or(squares, 1e-30), _or(scale, SMALLEST_SCALE)]


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def lr_schedule(request: StartRequest, iterations: int) -> dict[str, Any] | None:
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
