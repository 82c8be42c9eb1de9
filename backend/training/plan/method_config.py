"""A request of the enhanced tab as the configuration of its run: every key explicit. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.contract.run.folder import DATA, STATE
from backend.training.plan.sft_config import ResumePoint, RunPaths, lr_schedule, optimizer_options
from backend.training.request.decoding import decoded_at_once
from backend.training.request.method import SelectBy
from backend.training.request.method_fields import EnhancedStart


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What decides about answers: reward functions by name, or a judge; a trusted file's sha256."""

    rewards: tuple[str, ...] = ()
    weights: tuple[float, ...] | None = None
    file: Path | None = None
    sha256: str | None = None
    success: str | None = None
    judge: Path | None = None
    reference: Path | None = None


def build_method_config(
    request: EnhancedStart,
    *,
    session_id: str,
    paths: RunPaths,
    keys: Sequence[str],
    iterations: int,
    model_fingerprint: str | None,
    judgement: Judgement,
    resume: ResumePoint | None = None,
) -> dict[str, Any]:
    """`config.yaml`: the keys of `mlx_lm_lora.train.CONFIG_DEFAULTS` by their own names, typed;
    then this app's, which its engine translates.
    """
    method = request.method
    return {
        "model": str(paths.model),
        "train": True,
        "data": str(paths.run / DATA),
        "train_mode": method.train_mode,
        "train_type": request.fine_tune_type,
        "optimizer": request.optimizer,
        "optimizer_config": {request.optimizer: optimizer_options(request)},
        "seed": request.seed,
        "num_layers": request.lora_num_layers,
        "batch_size": request.batch_size,
        "iters": iterations,
        "gradient_accumulation_steps": request.grad_accumulation_steps,
        "grad_checkpoint": request.grad_checkpoint,
        "val_batches": request.val_batches,
        "learning_rate": request.learning_rate,
        "lr_schedule": lr_schedule(request, iterations),
        "steps_per_report": request.steps_per_report,
        "steps_per_eval": request.steps_per_eval,
        "save_every": request.save_every,
        "adapter_path": str(paths.adapter),
        "max_seq_length": request.max_seq_length,
        "beta": request.beta,
        "epsilon": request.epsilon,
        "epsilon_high": request.epsilon_high,
        "group_size": request.group_size,
        "temperature": request.temperature,
        "max_completion_length": request.max_completion_length,
        "decode_concurrency": decoded_at_once(request),
        "grpo_loss_type": own_choice(request, "grpo_loss_type") or "grpo",
        "importance_sampling_level": own_choice(request, "importance_sampling_level") or "token",
        "dpo_cpo_loss_type": request.preference_loss,
        "delta": request.delta,
        "reward_scaling": 1.0,  # The engine reads it and does nothing with it.
        "alpha": [request.xpo_alpha],
        "dsla_loss": request.dsla_loss,
        "latent_weight": request.latent_weight,
        "latent_margin": request.latent_margin,
        "latent_gamma": request.latent_gamma,
        "latent_variant": request.latent_variant,
        "latent_pooling": request.latent_pooling,
        "latent_layer": request.latent_layer,
        "klpo_route": request.klpo_route,
        "klpo_kl_estimator": request.klpo_kl_estimator,
        "klpo_mc_samples": request.klpo_mc_samples,
        "klpo_top_k": request.klpo_top_k,
        "klpo_tail_floor": request.klpo_tail_floor,
        "clip_epsilon_logits": request.ftpo_margin,
        "lambda_mse": request.ftpo_rest_weight,
        "lambda_mse_target": request.ftpo_target_weight,
        "tau_mse_target": request.ftpo_target_slack,
        "judge": _text(judgement.judge),
        "judge_config": {"system_prompt": request.judge_system_prompt}
        if request.judge_system_prompt
        else {},
        "reference_model_path": _text(judgement.reference),
        "mask_prompt": False,
        "test": False,
        "resume_adapter_file": str(paths.run / STATE / resume.weights) if resume else None,
        "fuse": False,
        "method": method.id,
        "updates_per_rollout": request.updates_per_rollout,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "min_p": request.min_p,
        "lora_parameters": None
        if request.fine_tune_type == "full"
        else {
            "rank": request.lora_rank,
            "scale": request.effective_scale,
            "dropout": request.lora_dropout,
            "keys": list(keys),
        },
        "lora_rank": request.lora_rank,
        "lora_alpha": request.lora_alpha,
        "lora_dropout": request.lora_dropout,
        "lora_scaling": request.lora_scaling,
        "reward_functions": list(judgement.rewards),
        "reward_weights": list(judgement.weights) if judgement.weights is not None else None,
        "reward_functions_file": _text(judgement.file),
        "reward_functions_sha256": judgement.sha256,
        "success_function": judgement.success,
        "sample_completions": request.sample_completions,
        "select_by": select_by(request),
        "enable_early_stop": request.early_stop,
        "no_improve_patience_evals": request.patience,
        "early_stop_min_delta": request.min_delta,
        "keep_checkpoints": request.keep_checkpoints,
        "adapter_name": request.adapter_name,
        "session_id": session_id,
        "model_fingerprint": model_fingerprint,
        "quantize_base": request.quantize_base,
        "quantize_from": _text(paths.quantize_from),
        "resume_from": resume.session_id if resume else None,
        "resume_checkpoint": resume.checkpoint if resume else None,
    }


def select_by(request: EnhancedStart) -> SelectBy:
    """What best adapter and early stopping go by."""
    judged_by_rewards = request.method.family == "online" and request.reward_functions
    return "val_reward" if judged_by_rewards else request.method.select_by


def method_command(run: Path) -> str:
    """What repeats the run in a terminal, from this app's folder."""
    return f"python -m backend.engines.rl {shlex.quote(str(run))}"


def own_choice(request: EnhancedStart, name: str) -> Any:
    """The field as asked, or what makes the method: the first of its choices."""
    asked = getattr(request, name)
    return asked if asked is not None else request.method.choices.get(name, (None,))[0]


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
