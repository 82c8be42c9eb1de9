"""Everything that is worked out about a request before a run may start. Writes nothing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from backend.core.disk.stored_files import DamagedFile, read_object
from backend.core.limits import MOST_STEPS
from backend.errors import AppError, BadContent, FieldProblem, Invalid
from backend.jobs.run.recipe import StartWarning
from backend.jobs.run.schemas import LoraSummary, ModelRef
from backend.models.catalog import ModelCatalog
from backend.models.checks import JSON_CAP
from backend.models.schemas import LoraTargets, ModelInfo
from backend.training.estimate.optimizer_state import state_copies
from backend.training.lora.counts import count_lora, resolve_keys
from backend.training.lora.groups import seed_warnings
from backend.training.lora.inspector import ModelInspector
from backend.training.plan.checks import refuse_impossible, warnings_for
from backend.training.plan.resume import Continuation
from backend.training.plan.run_config import NOT_JUDGED, AnswerJudges
from backend.training.request.start_request import StartRequest
from backend.training.run_data.data_plan import DataPlan, leave_out
from backend.training.run_data.files import DataFiles
from backend.training.run_data.prepare import plan_data
from backend.training.run_data.rendered_files import Rendering
from backend.training.run_data.token_counts import TokenCounter, TokenCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A request that has passed every check, and what it comes to. `counts` is None while a long
    file is rendered, by the job `rendering`. `going_on` is the session it continues,
    `judgement` what decides about sampled answers.
    """

    request: StartRequest
    model: ModelInfo
    fingerprint: str | None
    model_config: dict[str, Any]
    targets: LoraTargets
    keys: tuple[str, ...]
    lora: LoraSummary | None
    data: DataPlan
    counts: TokenCounts | None
    rendering: Rendering | None
    iterations: int
    steps_per_epoch: int
    trainable: int
    checkpoint_bytes: int
    checkpoints: int
    warnings: tuple[StartWarning, ...]
    judgement: AnswerJudges = NOT_JUDGED
    going_on: Continuation | None = None

    @property
    def model_ref(self) -> ModelRef:
        return ModelRef(path=self.model.path, fingerprint=self.fingerprint)

    @property
    def before(self) -> StartRequest | None:
        """What the session that is continued had been asked."""
        return self.going_on.asked if self.going_on else None

    def replaces(self, adapter: Path) -> bool:
        """Whether it may take the place of what is there. Blocking."""
        return self.going_on.replaces(adapter) if self.going_on else self.request.overwrite


class Planner:
    """Asks the catalog, the model's tree and the data; refuses with a sentence."""

    def __init__(
        self, models: ModelCatalog, inspector: ModelInspector, tokens: TokenCounter
    ) -> None:
        self._models = models
        self._inspector = inspector
        self._tokens = tokens
        self._files = DataFiles()

    async def plan(self, request: StartRequest, *, patience: float | None = None) -> Plan:
        """Raises NotFound, BadContent or Invalid; `errors` name the fields. Of long files that are
        not rendered after `patience` seconds nothing is counted.
        """
        model = await asyncio.to_thread(self.usable_model, request.model_path, "model_path")
        data = await self._files.during(
            partial(plan_data, request, self._files, chat_template=model.chat_template)
        )
        targets, (data, counts) = await asyncio.gather(
            self._inspector.targets(model),
            self._count_tokens(request, model, data, patience),
        )
        config = await asyncio.to_thread(read_model_config, model)
        fingerprint = await asyncio.to_thread(self._models.fingerprint, model.path)
        steps = math.ceil(data.train_rows / request.batch_size)
        iterations = iterations_of(request, steps)
        refuse_impossible(request, model, targets, iterations)
        keys, lora, trainable = coverage(request, targets)
        checkpoint_bytes = _checkpoint_bytes(request, model, trainable)
        checkpoints = iterations // request.save_every
        if request.keep_checkpoints:
            checkpoints = min(checkpoints, request.keep_checkpoints)
        return Plan(
            request=request,
            model=model,
            fingerprint=fingerprint,
            model_config=config,
            targets=targets,
            keys=tuple(keys),
            lora=lora,
            data=data,
            counts=None if isinstance(counts, Rendering) else counts,
            rendering=counts if isinstance(counts, Rendering) else None,
            iterations=iterations,
            steps_per_epoch=steps,
            trainable=trainable,
            checkpoint_bytes=checkpoint_bytes,
            checkpoints=checkpoints,
            warnings=(
                *data.warnings,
                *(
                    [_still_rendered(counts.share)]
                    if isinstance(counts, Rendering)
                    else (*counts.warnings, *_facts_of(model, counts))
                ),
                *_target_warnings(request, targets),
                *warnings_for(
                    request,
                    iterations=iterations,
                    checkpoint_bytes=checkpoint_bytes,
                    checkpoints=checkpoints,
                    suggested=model.defaults or {},
                ),
            ),
        )

    async def _count_tokens(
        self,
        request: StartRequest,
        model: ModelInfo,
        data: DataPlan,
        patience: float | None,
    ) -> tuple[DataPlan, TokenCounts | Rendering]:
        """The rows of the plan that the model's template takes, counted."""

        method = request.method

        async def count(data: DataPlan) -> TokenCounts | Rendering:
            return await self._tokens.count(
                model,
                data,
                mask=request.mask_prompt or data.train.needs != "sft",
                skip=request.on_bad_rows == "skip",
                train_mode=None if method.engine == "sft" else method.train_mode,
                patience=patience,
            )

        counts = await count(data)
        if isinstance(counts, Rendering) or not counts.bad:
            return data, counts
        data = leave_out(data, request, counts.bad)
        return data, await count(data)

    def usable_model(self, name: str, field: str) -> ModelInfo:
        """A model by folder or name; a refusal names `field`. Blocking."""
        model = _model_finder(field, self._models.find)(name)
        if model.problem is not None:
            text = f"{model.name} can't be used. {model.problem}"
            raise BadContent(text, errors=[FieldProblem(field, text)])
        return model

    def fingerprint(self, model: ModelInfo) -> str | None:
        return self._models.fingerprint(model.path)


def _still_rendered(share: float) -> StartWarning:
    return StartWarning(
        f"The rows are still being rendered with the model's chat template ({share:.0%} are done); "
        "a start waits until all of them are.",
        code="rendering",
        level="info",
    )


def _facts_of(model: ModelInfo, counts: TokenCounts) -> list[StartWarning]:
    """Which tokens of the base have no embedding, where rows use one."""
    if not any(warning.code == "template_beyond_embedding" for warning in counts.warnings):
        return []
    facts = [fact for fact in model.facts if "beyond the embedding" in fact]
    return [StartWarning(fact, code="model") for fact in facts]


def iterations_of(request: StartRequest, steps_per_epoch: int) -> int:
    """How long to train: the iterations, or what the epochs come to. Raises Invalid."""
    if request.epochs is None:
        return request.iterations
    iterations = request.epochs * steps_per_epoch
    if iterations > MOST_STEPS:
        text = (
            f"{request.epochs:g} epochs of {steps_per_epoch} iterations are more than the "
            f"{MOST_STEPS:,} that a run may have; use at most {MOST_STEPS // steps_per_epoch}."
        )
        raise Invalid(text, errors=[FieldProblem("epochs", text)])
    return max(1, round(iterations))


def _target_warnings(request: StartRequest, targets: LoraTargets) -> list[StartWarning]:
    """What the model's tree has to say that a run should be warned of."""
    if not targets.keys:
        return [StartWarning(note, code="unread_modules") for note in targets.notes]
    if request.fine_tune_type == "full" or not isinstance(request.lora_keys, str):
        return []
    return seed_warnings(targets.architecture, targets.unmatched_seed_keys)


def coverage(
    request: StartRequest, targets: LoraTargets
) -> tuple[list[str], LoraSummary | None, int]:
    """Keys, what they cover, and the number of trained weights (0 where it can't be known)."""
    depth = targets.num_layers
    layers = depth if request.lora_num_layers < 1 else request.lora_num_layers
    total = targets.total_parameters or 0
    if request.fine_tune_type == "full":
        trainable = sum(targets.block_parameters[depth - layers :])
        return [], _summary(request, [], 0, trainable, total, layers), trainable
    dora = request.fine_tune_type == "dora"
    keys = resolve_keys(targets, request.lora_keys, dora=dora)
    if not targets.keys:
        return keys, None, 0
    count = count_lora(targets, keys, num_layers=request.lora_num_layers, dora=dora)
    if count.modules == 0:
        raise _no_module(request, keys)
    trainable = count.trainable(request.lora_rank)
    return keys, _summary(request, keys, count.modules, trainable, total, layers), trainable


def _summary(
    request: StartRequest, keys: list[str], modules: int, trainable: int, total: int, layers: int
) -> LoraSummary:
    full = request.fine_tune_type == "full"
    return LoraSummary(
        keys=keys,
        matched_modules=modules,
        trainable_parameters=trainable,
        total_parameters=total,
        percent=round(100 * trainable / total, 4) if total else 0.0,
        effective_scale=1.0 if full else request.effective_scale,
        peft_alpha=None if full else request.peft_alpha,
        layers=layers,
    )


def _no_module(request: StartRequest, keys: list[str]) -> AppError:
    text = (
        f"None of the last {request.lora_num_layers} layers has {', '.join(keys)}, so nothing "
        "would be trained."
    )
    return BadContent(text, errors=[FieldProblem("lora_num_layers", text)])


def _model_finder(field: str, call: Callable[[str], ModelInfo]) -> Callable[[str], ModelInfo]:
    """Let a refusal of `call` name the form's field."""

    def named(value: str) -> ModelInfo:
        try:
            return call(value)
        except AppError as refusal:
            refusal.errors = refusal.errors or (FieldProblem(field, refusal.detail),)
            raise

    return named


def read_model_config(model: ModelInfo) -> dict[str, Any]:
    try:
        return read_object(Path(model.path) / "config.json", most=JSON_CAP)
    except (OSError, DamagedFile) as problem:
        raise BadContent(f"The config.json of {model.name} can't be read: {problem}.") from problem


def _checkpoint_bytes(request: StartRequest, model: ModelInfo, trainable: int) -> int:
    """The weights, and the optimizer's state that a resume needs, which is as wide as they are."""
    width = _width(model) if request.fine_tune_type == "full" else 4
    return round(trainable * width * (1 + state_copies(request)))


def _width(model: ModelInfo) -> int:
    return 4 if model.dtype == "float32" else 2
