"""What a request may not ask for, and what it should be warned of. Pure, apart from sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, cast

from backend.core.disk.files import format_bytes
from backend.errors import FieldProblem, Invalid
from backend.jobs.run.recipe import StartFix, StartWarning
from backend.models.schemas import LoraTargets, ModelInfo
from backend.training.plan.effective_scale import strength_warning
from backend.training.plan.hosts import distributed_problems
from backend.training.quantize.base import quantize_problems
from backend.training.request.sft_fields import StandardStart
from backend.training.request.start_request import StartRequest
from backend.training.request.unused_fields import unused_beside

HIGHEST_RATE = 1.0
FULL_RATE = 5e-5  # Above it, full fine-tuning is warned of.
MANY_CHECKPOINT_BYTES = 5e9


def refuse_impossible(
    request: StartRequest, model: ModelInfo, targets: LoraTargets, iterations: int
) -> None:
    """Values that the engine would fail on, or train nothing with. Raises Invalid with all."""
    problems = list(_impossible(request, model, targets, iterations))
    if problems:
        raise Invalid(problems[0].message, errors=problems)


def warnings_for(
    request: StartRequest,
    *,
    iterations: int,
    checkpoint_bytes: int,
    checkpoints: int,
    suggested: Mapping[str, Any] | None = None,
) -> list[StartWarning]:
    """Sentences about what is allowed but may not be meant. `suggested` are the model's own
    defaults: what only defaults cause is a fact, not a doubt.
    """
    found = list(_warnings(request, iterations, checkpoint_bytes, checkpoints))
    too_strong = None if request.confirm_high_scale else strength_warning(request, suggested or {})
    return [too_strong, *found] if too_strong else found


def _misplaced(request: StartRequest) -> Iterator[FieldProblem]:
    for name, optimizers in options_of(type(request)).items():
        if getattr(request, name) not in (None, False) and request.optimizer not in optimizers:
            yield FieldProblem(
                name,
                f"{name} is an option of {' and '.join(optimizers)}; {request.optimizer} has none.",
            )
    if request.optimizer == "sgd" and request.nesterov == "on" and not request.momentum:
        yield FieldProblem("nesterov", "Nesterov momentum needs a momentum above 0 with sgd.")
    if request.optimizer == "sgd" and request.dampening:
        if request.nesterov == "on":
            yield FieldProblem(
                "dampening", "Nesterov momentum allows no dampening; leave it empty."
            )
        elif not request.momentum:
            yield FieldProblem("dampening", "Dampening is of the momentum, which is 0.")
    if request.optimizer == "adafactor" and request.warmup_init and not request.relative_step:
        yield FieldProblem(
            "warmup_init", "warmup_init is of the relative step; turn on relative_step as well."
        )
    if isinstance(request, StandardStart):
        if request.epsilon_scale is not None and not request.scale_parameter:
            yield FieldProblem(
                "epsilon_scale",
                "epsilon_scale is of the scale by weights; turn on scale_parameter as well.",
            )
        yield from _missing_reporters(request)
        yield from distributed_problems(request)


def options_of(request: type[StartRequest]) -> dict[str, list[str]]:
    """Options that only some optimizers have, by the marks of the fields: anywhere else they would
    be ignored. Those with a default that is not "none" are warned of instead.
    """
    options: dict[str, list[str]] = {}
    for name, field in request.model_fields.items():
        marks = field.json_schema_extra
        when = marks.get("when") if isinstance(marks, dict) else None
        if isinstance(when, dict) and "optimizer" in when and field.default in (None, False):
            options[name] = cast(list[str], when["optimizer"])
    return options


def _missing_reporters(request: StandardStart) -> Iterator[FieldProblem]:
    for package in (request.report_to or "").split(","):
        if package and find_spec(package) is None:
            yield FieldProblem(
                "report_to",
                f"Reporting to {package} needs its package, which is not installed. Install it "
                f"beside the app (pip install {package}), or turn reporting off.",
            )


def _impossible(
    request: StartRequest, model: ModelInfo, targets: LoraTargets, iterations: int
) -> Iterator[FieldProblem]:
    yield from _misplaced(request)
    both = request.epochs is not None and "iterations" in request.model_fields_set
    if both and request.iterations != iterations:
        yield FieldProblem(
            "iterations",
            f"iterations {request.iterations} and epochs {request.epochs:g} don't agree: on this "
            f"data the epochs come to {iterations} iterations. Give one of the two.",
        )
    yield from quantize_problems(request, model, targets)
    context = model.context_length
    if context and request.max_seq_length > context:
        yield FieldProblem(
            "max_seq_length",
            f"max_seq_length {request.max_seq_length} is more than the {context} tokens that "
            f"{model.name} was made for.",
        )
    depth = targets.num_layers
    if depth and request.lora_num_layers > depth:
        yield FieldProblem(
            "lora_num_layers",
            f"{request.lora_num_layers} layers were asked for, but {model.name} has {depth}; "
            "-1 means all.",
        )
    if request.fine_tune_type == "full" and model.quantization:
        yield FieldProblem(
            "fine_tune_type",
            f"{model.name} is quantised ({model.quantization}), and packed weights can't be "
            "trained; use lora or dora, or an unquantised copy.",
        )
    if request.learning_rate > HIGHEST_RATE:
        yield FieldProblem(
            "learning_rate",
            f"A learning rate of {request.learning_rate:g} ruins any model; 1e-5 to 1e-3 is usual.",
        )
    updates = iterations // request.grad_accumulation_steps
    if updates == 0:
        yield FieldProblem(
            "grad_accumulation_steps",
            f"{iterations} iterations are fewer than the {request.grad_accumulation_steps} that "
            "one weight update takes, so nothing would be learned.",
        )
    elif request.warmup_steps >= iterations:
        yield FieldProblem(
            "warmup_steps",
            f"The warm-up of {request.warmup_steps} iterations does not end within the run of "
            f"{iterations}.",
        )


def _warnings(
    request: StartRequest, iterations: int, checkpoint_bytes: int, checkpoints: int
) -> Iterator[StartWarning]:
    if request.fine_tune_type == "full" and request.learning_rate > FULL_RATE:
        yield StartWarning(
            f"Full fine-tuning usually needs about a tenth of LoRA's rate; "
            f"{request.learning_rate:g} may be too high.",
            code="rate_of_full",
            fix=StartFix(
                f"Use {request.learning_rate / 10:g}", "learning_rate", request.learning_rate / 10
            ),
        )
    yield from unused_beside(request)
    left = iterations % request.grad_accumulation_steps
    if left:
        whole = iterations - left
        yield StartWarning(
            f"The last {left} iterations do not fill a weight update of "
            f"{request.grad_accumulation_steps} and are not learned from.",
            code="partial_update",
            fix=StartFix(f"Train {whole:,} iterations", "iterations", whole) if whole else None,
        )
    if request.val_batches == 0:
        yield StartWarning(
            "val_batches is 0: nothing is validated, so there is no best adapter and no early "
            "stop.",
            code="no_validation",
            fix=StartFix("Validate all rows", "val_batches", -1),
        )
    if request.optimizer == "adam" and "weight_decay" in request.model_fields_set:
        yield StartWarning(
            "The adam optimizer has no weight decay; adamw has.",
            code="no_weight_decay",
            fix=StartFix("Use AdamW", "optimizer", "adamw"),
        )
    if request.relative_step:
        yield StartWarning(
            "With relative_step, adafactor picks its own rate: learning_rate, lr_schedule and "
            "warmup_steps are not used.",
            code="relative_step",
            level="info",
        )
    total = checkpoint_bytes * checkpoints
    if total > MANY_CHECKPOINT_BYTES:
        fewer = max(1, int(MANY_CHECKPOINT_BYTES // checkpoint_bytes))
        yield StartWarning(
            f"{checkpoints} checkpoints of {format_bytes(checkpoint_bytes)} are kept: "
            f"{format_bytes(total)}. Save less often or keep fewer.",
            code="checkpoint_space",
            fix=StartFix(f"Keep {fewer}", "keep_checkpoints", fewer)
            if fewer < checkpoints
            else None,
        )
