"""The fields that the start requests of both tabs share; each is defined here and nowhere else.

OpenAPI, defaults, ranges, help and validation come from here, the form's marks from `form_marks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from backend.core.disk.paths import PastedPath
from backend.core.limits import MOST, MOST_STEPS, Count, Steps, Whole
from backend.training.request.form_hints import ADAPTERS, only
from backend.training.request.form_hints import form as form

ADAPTER_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
MAX_RANK = 512
MOST_ALPHA = 1e6  # Times the rank it is still a number.

FineTuneType = Literal["lora", "dora", "full"]
Scaling = Literal["mlx", "alpha_over_rank", "rslora"]
Optimizer = Literal["adam", "adamw", "muon", "sgd", "adafactor"]
Schedule = Literal["constant", "cosine", "linear"]
BadRows = Literal["error", "skip"]
Preset = Literal["full", "full_experts", "attention", "mlp", "qv"]


def _zero_is_all(value: Any) -> Any:
    return -1 if value == 0 and not isinstance(value, bool) else value


class CommonFields(BaseModel):
    """What every run is asked. Unknown fields are refused; numbers are never coerced or clamped."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    model_path: str = Field(
        min_length=1,
        title="Model",
        description="Folder of the base model, or its name in the model list.",
        json_schema_extra=form("model"),
    )
    train_data_path: PastedPath = Field(
        min_length=1,
        title="Training data",
        description="A JSONL file, or a folder with train.jsonl.",
        json_schema_extra=form("data"),
    )
    val_data_path: PastedPath = Field(
        "",
        title="Validation data",
        description="Optional. Empty: a seeded part of the training rows is held out.",
        json_schema_extra=form("data"),
    )
    val_split: float = Field(
        0.1,
        ge=0,
        lt=1,
        title="Validation split",
        description="Share held out without a validation file; 0: no validation, no best adapter.",
        json_schema_extra=form("data", level="advanced", when={"val_data_path": [""]}),
    )
    on_bad_rows: BadRows = Field(
        "error",
        title="Rows the template can't take",
        description="error: such rows are named and nothing starts. skip: they are left out.",
        json_schema_extra=form("data", level="advanced"),
    )
    learning_rate: float = Field(
        1e-4,
        gt=0,
        title="Learning rate",
        description="LoRA works best at about ten times the full fine-tuning rate.",
        json_schema_extra=form("parameters"),
    )
    batch_size: Count = Field(
        1,
        title="Batch size",
        description="Rows per iteration. More is steadier and needs more memory.",
        json_schema_extra=form("parameters", unit="rows"),
    )
    max_seq_length: int = Field(
        1024,
        ge=16,
        le=MOST,
        title="Max sequence length",
        description="Longer rows are cut here.",
        json_schema_extra=form("parameters", unit="tokens"),
    )
    iterations: Steps = Field(
        7329,
        title="Iterations",
        description="Batches to train on. Three epochs are a good start.",
        json_schema_extra=form("parameters"),
    )
    epochs: float | None = Field(
        None,
        gt=0,
        le=MOST_STEPS,
        title="Epochs",
        description="Passes over the data; may be given instead of iterations.",
        json_schema_extra=form("parameters"),
    )
    steps_per_report: Steps = Field(
        25,
        title="Steps per report",
        description="Iterations between two points of the training curve.",
        json_schema_extra=form("parameters", level="advanced"),
    )
    steps_per_eval: Steps = Field(
        200,
        title="Steps per evaluation",
        description="Iterations between two validations.",
        json_schema_extra=form("parameters", level="advanced"),
    )
    save_every: Steps = Field(
        25,
        title="Save every",
        description="Iterations between two numbered checkpoints.",
        json_schema_extra=form("parameters", level="advanced"),
    )
    early_stop: bool = Field(
        True,
        title="Early stopping",
        description="End the run when validation stops improving.",
        json_schema_extra=form("parameters"),
    )
    patience: Count = Field(
        3,
        title="Patience",
        description="Evaluations without improvement before the run ends.",
        json_schema_extra=form("parameters", unit="evaluations", when={"early_stop": [True]}),
    )
    min_delta: float = Field(
        0.0,
        ge=0,
        title="Minimum improvement",
        description="How much lower the validation loss must be to count.",
        json_schema_extra=form("parameters", level="advanced", when={"early_stop": [True]}),
    )
    adapter_name: str = Field(
        "mlx_finetune",
        pattern=ADAPTER_NAME,
        title="Adapter name",
        description="Letters, digits, dot, dash and underscore; the folder's name.",
        json_schema_extra=form("parameters"),
    )
    overwrite: bool = Field(
        False,
        title="Overwrite adapter",
        description="Replace an adapter of the same name.",
        json_schema_extra=form("parameters", level="advanced"),
    )
    fine_tune_type: FineTuneType = Field(
        "lora",
        title="Fine-tuning type",
        description="LoRA trains small matrices beside frozen weights; DoRA adds a learned "
        "magnitude; full trains every weight of the covered layers, and nothing outside them.",
        json_schema_extra=form("lora", level="advanced"),
    )
    lora_rank: int = Field(
        32,
        ge=1,
        le=MAX_RANK,
        title="Rank",
        description="16 under 100 examples, 32 for 100–1000, 64 and more above.",
        json_schema_extra=form("lora", when=ADAPTERS),
    )
    lora_alpha: float = Field(
        32.0,
        gt=0,
        le=MOST_ALPHA,
        title="Alpha (scale)",
        description="Strength of the adapter.",
        json_schema_extra=form("lora", when=ADAPTERS),
    )
    lora_scaling: Scaling = Field(
        "mlx",
        title="Scaling rule",
        description="mlx: multiplier = alpha. alpha_over_rank: alpha / rank, as PEFT. "
        "rslora: alpha / √rank.",
        json_schema_extra=form("lora", level="advanced", when=ADAPTERS),
    )
    confirm_high_scale: bool | None = Field(
        None,
        title="Confirm strong scaling",
        description="Where multiplier × learning rate is above 0.01: null starts with a warning, "
        "false refuses, true starts without the warning.",
        json_schema_extra=form("run"),
    )
    lora_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="Dropout",
        description="Share of adapter inputs dropped while training; 0 for small data sets.",
        json_schema_extra=form("lora", when=ADAPTERS),
    )
    lora_num_layers: Annotated[int, BeforeValidator(_zero_is_all)] = Field(
        -1,
        ge=-1,
        le=MOST,
        title="Layer coverage",
        description="The last N blocks; -1 is all of them.",
        json_schema_extra=form("lora"),
    )
    lora_keys: Preset | list[str] = Field(
        "full",
        title="Matrices",
        description="A preset, or a list of module names of this architecture.",
        json_schema_extra=form("lora", when=ADAPTERS),
    )
    optimizer: Optimizer = Field(
        "adamw", title="Optimizer", json_schema_extra=form("parameters", level="advanced")
    )
    weight_decay: float = Field(
        0.01,
        ge=0,
        title="Weight decay",
        description="Used by adamw, muon, sgd and adafactor.",
        json_schema_extra=only("adamw", "muon", "sgd", "adafactor"),
    )
    beta1: float | None = Field(
        None,
        ge=0,
        lt=1,
        title="Beta 1",
        description="adam, adamw and adafactor: how slowly the mean gradient changes.",
        json_schema_extra=only("adam", "adamw", "adafactor"),
    )
    beta2: float | None = Field(
        None,
        ge=0,
        lt=1,
        title="Beta 2",
        description="adam and adamw: how slowly the mean square changes.",
        json_schema_extra=only("adam", "adamw"),
    )
    bias_correction: bool = Field(
        False,
        title="Bias correction",
        description="adam and adamw: full steps from the first one on, as in the papers.",
        json_schema_extra=only("adam", "adamw"),
    )
    momentum: float | None = Field(
        None,
        ge=0,
        lt=1,
        title="Momentum",
        description="muon and sgd: share of the last step that is taken again.",
        json_schema_extra=only("muon", "sgd"),
    )
    nesterov: Literal["on", "off"] | None = Field(
        None,
        title="Nesterov momentum",
        description="muon and sgd: look ahead along the momentum. On for muon by default.",
        json_schema_extra=only("muon", "sgd"),
    )
    clip_threshold: float | None = Field(
        None,
        gt=0,
        title="Clip threshold",
        description="adafactor: the largest update.",
        json_schema_extra=only("adafactor"),
    )
    dampening: float | None = Field(
        None,
        ge=0,
        lt=1,
        title="Dampening",
        description="sgd: share of each gradient that is kept out of the momentum.",
        json_schema_extra=only("sgd"),
    )
    ns_steps: int | None = Field(
        None,
        ge=1,
        le=20,
        title="Newton–Schulz steps",
        description="muon: how exactly the update is made orthogonal. 5 by default.",
        json_schema_extra=only("muon"),
    )
    decay_rate: float | None = Field(
        None,
        gt=-1,
        lt=0,
        title="Decay rate",
        description="adafactor: how the memory of squares grows with the step; -0.8 by default.",
        json_schema_extra=only("adafactor"),
    )
    relative_step: bool = Field(
        False,
        title="Relative step",
        description="adafactor: pick the rate by the step, and ignore learning rate and schedule.",
        json_schema_extra=only("adafactor"),
    )
    scale_parameter: bool = Field(
        False,
        title="Scale by weights",
        description="adafactor: multiply the rate by the size of the weights it moves.",
        json_schema_extra=only("adafactor"),
    )
    warmup_init: bool = Field(
        False,
        title="Warm up the relative step",
        description="adafactor: let the relative step rise from zero over 10,000 updates.",
        json_schema_extra=only("adafactor", relative_step=[True]),
    )
    lr_schedule: Schedule = Field(
        "constant",
        title="Schedule",
        description="How the learning rate changes over the run.",
        json_schema_extra=form("parameters", level="advanced", when={"relative_step": [False]}),
    )
    warmup_steps: Whole = Field(
        0,
        title="Warm-up",
        description="Iterations over which the rate rises from zero.",
        json_schema_extra=form(
            "parameters", level="advanced", unit="iterations", when={"relative_step": [False]}
        ),
    )
    grad_accumulation_steps: Count = Field(
        1,
        title="Gradient accumulation",
        description="Iterations per weight update; the effective batch is this times batch size.",
        json_schema_extra=form("parameters", level="advanced"),
    )
    max_grad_norm: float | None = Field(
        None,
        gt=0,
        le=1e6,
        title="Gradient norm limit",
        description="Clip gradients to this global norm; empty: no limit. 1 is usual.",
        json_schema_extra=form("parameters", level="advanced"),
    )
    grad_checkpoint: bool = Field(
        True,
        title="Gradient checkpointing",
        description="Recompute activations: less memory, somewhat slower.",
        json_schema_extra=form("parameters", level="advanced"),
    )
    mask_prompt: bool = Field(
        False,
        title="Train on answers only",
        description="Leave the prompt out of the loss.",
        json_schema_extra=form("data", level="advanced"),
    )
    seed: int = Field(
        0, ge=0, lt=2**32, title="Seed", json_schema_extra=form("parameters", level="advanced")
    )
    val_batches: int = Field(
        -1,
        ge=-1,
        le=MOST,
        title="Validation batches",
        description="-1 uses the whole validation set.",
        json_schema_extra=form("parameters", level="advanced"),
    )
    keep_checkpoints: Whole = Field(
        5,
        title="Checkpoints kept",
        description="Numbered checkpoints kept besides best and latest; 0 keeps all.",
        json_schema_extra=form("parameters", level="advanced"),
    )
    quantize_base: Literal[4, 8] | None = Field(
        None,
        title="Quantise base",
        description="QLoRA: train on a 4- or 8-bit copy of the base model.",
        json_schema_extra=form("lora", level="advanced", when=ADAPTERS),
    )
    resume_from: str | None = Field(
        None,
        title="Resume from",
        description="Session to continue.",
        json_schema_extra=form("run"),
    )
    resume_checkpoint: Steps | None = Field(
        None,
        title="Resume at checkpoint",
        description="Which kept checkpoint of that session; empty is the newest.",
        json_schema_extra=form("run"),
    )
    queue: bool = Field(
        False,
        title="Queue",
        description="Wait behind the active run instead of being refused.",
        json_schema_extra=form("run"),
    )
    notes: str = Field("", max_length=20_000, title="Notes", json_schema_extra=form("run"))
    tags: list[str] = Field([], max_length=50, title="Tags", json_schema_extra=form("run"))
