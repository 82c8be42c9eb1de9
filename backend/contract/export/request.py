"""An export: what the server asks its process for, and what that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.contract.jobs.proof import ProofSet

ExportFormat = Literal[
    "merged", "merged_q4", "merged_q8", "peft", "gguf_f16", "gguf_q8", "gguf_q5", "gguf_q4"
]
Recipe = Literal["uniform", "mixed_4_6"]  # As mlx_lm.convert names the mixed one.

RECIPES: Mapping[ExportFormat, tuple[Recipe, ...]] = {"merged_q4": ("uniform", "mixed_4_6")}
BITS: Mapping[ExportFormat, int] = {"merged_q4": 4, "merged_q8": 8}
STAGING = r"\.exporting-.+"  # The name of a folder that an export is written in.


@dataclass(frozen=True, slots=True, kw_only=True)
class CardScore:
    """A row of the model card: a measured number of one of the compared models."""

    name: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """`request.json` of an export. Rows for the proof stand in `proof/`, if there are any.

    `output` is the folder to be made. It is written as `staging` beside it (named as STAGING says)
    and renamed at the end, so it is there whole or not at all. `adapter` is what an engine loads an
    adapter by, null to export the model alone. `base` is `base_model` of the lineage, `lineage` the
    adapter's own `droid.json`. `data`, `settings` and `scores` are for the model card. `sets` are
    the rows of the proof; without any, `unproven` says why. `ollama` is the name to register it by,
    `lm_studio` the folder there to copy it to.
    """

    model: str
    format: ExportFormat
    output: str
    staging: str
    adapter: Mapping[str, Any] | None = None
    adapter_name: str | None = None
    checkpoint: str | None = None
    recipe: Recipe = "uniform"
    base: Mapping[str, Any] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    scores: tuple[CardScore, ...] = ()
    prompt: str = "Hello"
    proof: bool = False
    sets: tuple[ProofSet, ...] = ()
    unproven: str | None = None
    ollama: str | None = None
    lm_studio: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantisationFacts:
    """How the weights were quantised, and by which program.

    `kept_change` is how much of the adapter's change ΔW the quantised matrices still have:
    ⟨Q(W+ΔW) − W, ΔW⟩ / ‖ΔW‖², 1 when nothing is lost, null where it is unknown.
    """

    type: str
    program: str
    bits_per_weight: float
    group_size: int | None = None
    recipe: str | None = None
    whole: tuple[str, ...] = ()  # Matrices that stayed as they were.
    kept_change: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeAnswer:
    """What a fresh process got from the finished files. `text` is null where none can be asked."""

    program: str
    prompt: str | None
    text: str | None
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    name: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """`result.json` of an export. The peak is that of writing, without the proof."""

    name: str
    path: str
    format: ExportFormat
    files: tuple[ExportedFile, ...]
    bytes: int
    seconds: float
    peak_memory_bytes: int
    merged_modules: int
    quantisation: QuantisationFacts | None
    smoke: SmokeAnswer
    warnings: tuple[str, ...] = ()
    ollama: str | None = None
    lm_studio: str | None = None
