"""What a method needs of a machine, from a model's own sizes and the settings, without data."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from backend.core.disk.files import format_bytes
from backend.core.limits import Count
from backend.models.schemas import LoraTargets, ModelInfo
from backend.training.estimate.memory import GB, estimate_memory
from backend.training.estimate.method_duration import past_steps, relative_cost, seconds_for
from backend.training.estimate.method_memory import (
    estimate_method_memory,
    has_judge_model,
    needs_reference_copy,
)
from backend.training.plan.context import PlanContext
from backend.training.plan.defaults import as_standard, fit_to_context
from backend.training.plan.planner import coverage, iterations_of, read_model_config
from backend.training.request.coercion import known_method
from backend.training.request.common_fields import FineTuneType, Optimizer, Preset
from backend.training.request.method import FAST_ROWS
from backend.training.request.method_answers import EstimateAnswer, Estimation
from backend.training.request.method_fields import EnhancedStart, KlEstimator
from backend.training.request.methods_table import METHODS
from backend.training.run_data.data_plan import held_out_rows
from backend.training.schemas import MemoryEstimate


def _of(name: str, **changes: Any) -> Any:
    """The start request's own field; left out, it has that request's default for the method."""
    field = copy.copy(EnhancedStart.model_fields[name])
    for key, value in changes.items():
        setattr(field, key, value)
    return field


class EstimateRequest(BaseModel):
    """POST /api/training/estimate-resources: a method, a model, and what else is decided."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    method: Annotated[str, BeforeValidator(known_method)] = Field(
        json_schema_extra={"enum": list(METHODS)}
    )
    model_path: str = _of("model_path")
    dataset_size: Count | None = Field(None, description="Training rows, if known.")
    batch_size: int = _of("batch_size")
    grad_accumulation_steps: int = _of("grad_accumulation_steps")
    grad_checkpoint: bool = _of("grad_checkpoint")
    group_size: int = _of("group_size")
    max_completion_length: int = _of("max_completion_length")
    max_seq_length: int = _of("max_seq_length")
    iterations: int = _of("iterations")
    epochs: float | None = _of("epochs")
    steps_per_eval: int = _of("steps_per_eval")
    val_batches: int = _of("val_batches")
    updates_per_rollout: int = _of("updates_per_rollout")
    beta: float = _of("beta")
    klpo_kl_estimator: KlEstimator = _of("klpo_kl_estimator")
    klpo_mc_samples: int = _of("klpo_mc_samples")
    fine_tune_type: FineTuneType = _of("fine_tune_type")
    lora_rank: int = _of("lora_rank")
    lora_num_layers: int = _of("lora_num_layers")
    lora_keys: Preset | list[str] = _of("lora_keys")
    optimizer: Optimizer = _of("optimizer")
    quantize_base: Literal[4, 8] | None = _of("quantize_base")
    reference_model_path: str = _of("reference_model_path")
    reward_functions: str = _of("reward_functions")

    def as_start(self) -> EnhancedStart:
        """The start request of these settings, with a data file that is never read."""
        fields = self.model_dump(include=self.model_fields_set - {"method", "dataset_size"})
        needed = {"training_method": self.method, "train_data_path": "-"}
        return EnhancedStart.model_validate(needed | fields)


class Resources:
    """Answers from the catalog, the module tree and past sessions. Nothing is loaded."""

    def __init__(self, context: PlanContext) -> None:
        self._context = context

    async def estimate(self, estimate_request: EstimateRequest) -> EstimateAnswer:
        """Raises NotFound, BadContent or Invalid naming the field."""
        context = self._context
        model = await asyncio.to_thread(
            context.planner.usable_model, estimate_request.model_path, "model_path"
        )
        request, _ = fit_to_context(estimate_request.as_start(), model)
        targets = await context.inspector.targets(model)
        config = await asyncio.to_thread(read_model_config, model)
        memory = _memory(
            request, model, targets, config=config, available=await context.available()
        )
        method = request.method
        past = await asyncio.to_thread(past_steps, context.sessions)
        fingerprint = await asyncio.to_thread(context.planner.fingerprint, model)
        seconds = seconds_for(
            past,
            request,
            fingerprint,
            _steps(request, estimate_request.dataset_size),
            valid_rows=held_out_rows(estimate_request.dataset_size, request)
            if estimate_request.dataset_size
            else None,
        )
        return EstimateAnswer(
            success=True,
            estimation=Estimation(
                method=method.id,
                estimated_memory_gb=memory.estimate_gb if memory else None,
                parts=memory.parts if memory else {},
                available_gb=memory.available_gb if memory else None,
                verdict=memory.verdict if memory else None,
                estimated_time_hours=round(seconds / 3600, 4) if seconds else None,
                relative_cost=relative_cost(past, request, fingerprint),
                generations_per_step=_generations(request),
                resource_intensity=method.resource_intensity,
                recommendations=list(
                    _recommendations(request, memory, estimate_request.dataset_size)
                ),
            ),
        )


def _steps(request: EnhancedStart, rows: int | None) -> int:
    return request.iterations if rows is None else iterations_of(request, _per_epoch(request, rows))


def _per_epoch(request: EnhancedStart, rows: int) -> int:
    return -(-rows // request.batch_size)


def _memory(
    request: EnhancedStart,
    model: ModelInfo,
    targets: LoraTargets,
    *,
    config: dict[str, Any],
    available: int | None,
) -> MemoryEstimate | None:
    _, _, trainable = coverage(request, targets)
    if request.method.engine == "sft":
        return estimate_memory(
            as_standard(request), model, targets,
            trainable=trainable, config=config, loads=None, available=available,
        )  # fmt: skip
    return estimate_method_memory(
        request, model, targets,
        trainable=trainable, config=config, counts=None, available=available,
    )  # fmt: skip


def _generations(request: EnhancedStart) -> int | None:
    """Answers sampled in each step; None for methods that sample none."""
    method = request.method
    if not method.generates:
        return None
    return method.answers(request.batch_size, request.group_size)


def _recommendations(
    request: EnhancedStart, memory: MemoryEstimate | None, rows: int | None
) -> Iterator[str]:
    method = request.method
    if memory is not None and memory.verdict in {"tight", "too_large"}:
        yield from _smaller(request, memory)
    if method.generates and (at_once := request.decoded_at_once) < FAST_ROWS // 2:
        yield (
            f"Only {at_once} answers are decoded at a time: a larger batch is the faster shape "
            "where memory allows."
        )
    if needs_reference_copy(request) and not request.reference_model_path:
        yield (
            "Full fine-tuning loads the weights a second time to compare with; LoRA compares with "
            "its adapters turned off and needs no copy."
        )
    if has_judge_model(request):
        yield "A judge model is loaded beside the run; reward functions as the judge need none."
    if "updates_per_rollout" in method.params and request.updates_per_rollout == 1:
        yield (
            "Sampling takes most of a step: 2 to 4 updates per rollout learn more from each, with "
            "epsilon 0.2."
        )
    steps = _per_epoch(request, rows) if rows else None
    if steps and request.epochs is None and request.iterations < steps:
        yield (
            f"{request.iterations} iterations see {request.iterations * request.batch_size} of the "
            f"{rows} rows; one pass takes {steps}."
        )


def _smaller(request: EnhancedStart, memory: MemoryEstimate) -> Iterator[str]:
    largest = max(memory.parts, key=lambda name: memory.parts[name])
    available = memory.available_gb or 0
    need, have, part = (
        format_bytes(gigabytes * GB)
        for gigabytes in (memory.estimate_gb, available, memory.parts[largest])
    )
    yield f"About {need} of {have}; the largest part is {largest} with {part}."
    if largest == "draws":
        yield "Use klpo_kl_estimator binary, which draws nothing, or fewer klpo_mc_samples."
    if request.batch_size > 1:
        yield f"Halve the batch size of {request.batch_size} and double gradient accumulation."
    if request.method.generates and request.max_completion_length > 128:
        yield f"Shorten max_completion_length {request.max_completion_length}."
    if not request.grad_checkpoint:
        yield "Turn on gradient checkpointing."
    if request.quantize_base is None and request.fine_tune_type != "full":
        yield "Train on a 4-bit copy of the base (quantize_base 4)."
