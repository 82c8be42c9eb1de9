"""The configuration of a training run: `config.yaml`, as far as our own code reads it.

The server writes every key (`training/plan/run_config.py`); the engine reads it
over the defaults of mlx_lm or mlx_lm_lora, which take their own keys from `values`. A default here
is for a key that run folders of earlier versions do not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from backend.contract.record import read_record
from backend.contract.run.numbers import Metric

FineTuneType = Literal["lora", "dora", "full"]
Backend = Literal["ring", "mpi", "jaccl"]


@dataclass(frozen=True, kw_only=True)
class LoraParameters:
    """Rank, multiplier on the branch, dropout, and the modules by their paths inside a block.

    Without `keys` the engine takes every module that can have a branch.
    """

    rank: int
    scale: float
    dropout: float
    keys: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Adaptation:
    """What of a model is trained: blocks counted from the last, −1 for all, and how."""

    seed: int
    num_layers: int
    fine_tune_type: FineTuneType
    lora_parameters: LoraParameters | None
    lora_alpha: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """The folder that is trained on: with `quantize_base` bits a copy of `quantize_from`."""

    model: str
    model_fingerprint: str | None = None
    quantize_base: int | None = None
    quantize_from: str | None = None


@dataclass(frozen=True, kw_only=True)
class Optimization:
    """Optimizer, its own options by its name, the learning rate or its schedule, and the norm that
    a gradient is limited to.
    """

    optimizer: str
    optimizer_config: Mapping[str, Mapping[str, Any]]
    learning_rate: float
    lr_schedule: Mapping[str, Any] | None
    max_grad_norm: float | None = None


@dataclass(frozen=True, kw_only=True)
class RunConfig(TrainedModel, Adaptation, Optimization):
    """What every training run has. `values` are all keys, those of the engine too."""

    data: str
    adapter_path: str
    batch_size: int
    iters: int
    max_seq_length: int
    grad_checkpoint: bool
    val_batches: int
    steps_per_report: int
    steps_per_eval: int
    save_every: int
    test: bool = False
    enable_early_stop: bool = False
    no_improve_patience_evals: int = 3
    early_stop_min_delta: float = 0.0
    keep_checkpoints: int = 0
    session_id: str | None = None
    method: str = "sft"
    resume_checkpoint: int | None = None
    sample_prompts: Sequence[str] = ()
    sample_max_tokens: int = 128
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Distributed:
    """Training in several processes at once, through MLX's launcher: so many on this machine, or
    one for each entry of a host file.
    """

    processes: int | None = None
    hostfile: str | None = None
    backend: Backend = "ring"


@dataclass(frozen=True, kw_only=True)
class SftConfig(RunConfig):
    """Of supervised fine-tuning, through mlx_lm."""

    grad_accumulation_steps: int
    mask_prompt: bool
    report_to: str | None = None
    project_name: str | None = None
    distributed: Distributed | None = None


@dataclass(frozen=True, kw_only=True)
class MethodConfig(RunConfig):
    """Of reinforcement and preference learning, through mlx_lm_lora."""

    train_mode: str
    gradient_accumulation_steps: int
    beta: float
    group_size: int
    max_completion_length: int
    grpo_loss_type: str
    dsla_loss: str
    judge: str | None
    judge_config: Mapping[str, Any]
    reference_model_path: str | None
    reward_functions: Sequence[str] | None
    reward_weights: Sequence[float] | None
    reward_functions_file: str | None = None
    reward_functions_sha256: str | None = None
    success_function: str | None = None
    sample_completions: int = 2
    select_by: Metric = "val_loss"
    updates_per_rollout: int = 1
    decode_concurrency: int | None = None


C = TypeVar("C", bound=RunConfig)


def read_run_config(kind: type[C], values: Mapping[str, Any]) -> C:
    """The configuration of all keys. Raises BadRecord, naming the key, when a value does not fit.

    Full fine-tuning has no LoRA parameters, whatever the engine's defaults say.
    """
    fields_given = dict(values)
    if fields_given.get("fine_tune_type") == "full":
        fields_given["lora_parameters"] = None
    return read_record(kind, fields_given | {"values": fields_given})
