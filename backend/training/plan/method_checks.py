"""What a request of the enhanced tab may not ask for, and what it should be warned of. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from backend.data.checks.method_rows import Need
from backend.data.rows.solutions import WHOLE, advice
from backend.errors import FieldProblem, Invalid
from backend.jobs.run.recipe import StartFix, StartWarning
from backend.models.schemas import ModelInfo
from backend.training.plan.sft_checks import whole_rows
from backend.training.request.inactive_fields import idle_fields
from backend.training.request.method import Method
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.methods_table import METHODS
from backend.training.request.start_request import StartRequest
from backend.training.run_data.data_plan import DataPlan
from backend.training.run_data.token_counts import TokenCounts

ENGINE_OPTIMIZERS = ("adam", "adamw", "muon")
# A shared field that only some methods take; it is then among the parameters of their rows.
_BY_METHOD = ("mask_prompt",)
OWN = tuple(
    name
    for name in EnhancedStart.model_fields
    if name not in StartRequest.model_fields and name != "training_method"
)


def refuse_contradictions(request: EnhancedStart) -> None:
    """Fields that don't go with the method or each other. Raises Invalid with all of them."""
    problems = list(_contradictions(request))
    if problems:
        raise Invalid(problems[0].message, errors=problems)


def refuse_lengths(
    request: EnhancedStart, model: ModelInfo, data: DataPlan, counts: TokenCounts | None
) -> None:
    """Prompts for which no room is left. Raises Invalid; says nothing where none were counted."""
    if counts is None:
        return
    limit, shortest, longest = request.max_seq_length, min(counts.starts), max(counts.starts)
    name = data.train.path.name
    if shortest >= limit:
        text = (
            f"No prompt of {name} fits max_seq_length {limit}: the shortest has {shortest} tokens "
            "with the chat template, so nothing is left to train on."
        )
        raise Invalid(
            text,
            hint=f"Raise max_seq_length above {longest} for all of them.",
            errors=[FieldProblem("max_seq_length", text)],
        )
    longest = max(start for start in counts.starts if start < limit)
    room = model.context_length
    if room and request.method.generates and longest + request.max_completion_length > room:
        text = (
            f"The longest prompt of {name} ({longest} tokens) and an answer of up to "
            f"max_completion_length {request.max_completion_length} are more than the {room} "
            f"tokens that {model.name} was made for."
        )
        raise Invalid(
            text,
            hint=f"Use a max_completion_length of at most {max(1, room - longest)}.",
            errors=[FieldProblem("max_completion_length", text)],
        )


def reward_warnings(rewards: Mapping[str, Sequence[Need]], data: DataPlan) -> list[StartWarning]:
    """Which rows reward functions don't apply to, for want of an answer or a type; `rewards` says
    what each needs. Raises Invalid where that is every row: the function would judge nothing.
    """
    warnings = []
    files = {"train_data_path": data.train, "val_data_path": data.valid}
    for name, needs in rewards.items():
        for need, (field, file) in product(needs, files.items()):
            if file is None or not (lacking := file.without[need]):
                continue
            if lacking == file.rows:
                text = f"{name} needs a row's {need}, and no row of {file.path.name} has one."
                raise Invalid(
                    text,
                    hint=f"Choose other reward functions, or data whose rows have {need!r}.",
                    errors=[FieldProblem("reward_functions", text), FieldProblem(field, text)],
                )
            text = (
                f"{lacking} of {file.rows} rows of {file.path.name} have no {need}; {name} does "
                "not apply to them."
            )
            warnings.append(StartWarning(text, code="reward_does_not_apply"))
    if any(name in WHOLE for name in rewards):
        warnings += [
            StartWarning(
                f"{count} of {file.rows} answers of {file.path.name} are solutions with “{mark}” "
                f"before the bare answer: {advice(mark)}",
                code="solution_as_answer",
            )
            for file in {each.path: each for each in files.values() if each is not None}.values()
            for mark, count in file.solutions.items()
        ]
    return warnings


def unused_fields(request: EnhancedStart) -> list[StartWarning]:
    """What was asked for and the method does not use, as one sentence or none."""
    method = request.method
    unused = [
        name
        for name in (*OWN, *_BY_METHOD)
        if name not in method.params
        and name in request.model_fields_set
        and getattr(request, name) != EnhancedStart.model_fields[name].default
    ]
    if not unused:
        return []
    text = f"{method.display_name} does not use {_listed(unused)}."
    return [StartWarning(text, code="unused_field")]


def method_warnings(
    request: EnhancedStart, model: ModelInfo, data: DataPlan, counts: TokenCounts | None
) -> list[StartWarning]:
    """Sentences about what is allowed but may not be meant."""
    return list(_warnings(request, model, data, counts))


def _contradictions(request: EnhancedStart) -> Iterator[FieldProblem]:
    method = request.method
    yield from _not_the_method(request, method)
    if method.engine == "rl" and request.optimizer not in ENGINE_OPTIMIZERS:
        yield FieldProblem(
            "optimizer",
            f"{method.display_name} trains with {_listed(ENGINE_OPTIMIZERS)}; {request.optimizer} "
            "is not among them.",
        )
    if request.batch_size < method.least_batch:
        yield FieldProblem(
            "batch_size",
            f"{method.display_name} needs a batch size of at least {method.least_batch}; "
            f"{request.batch_size} was asked for.",
        )
    high = request.epsilon_high
    if "epsilon_high" in method.params and high is not None and high < request.epsilon:
        yield FieldProblem(
            "epsilon_high",
            f"epsilon_high {high:g} is below epsilon {request.epsilon:g}; it widens the upper "
            "side, so it must be at least as large.",
        )
    if method.id == "klpo" and request.temperature == 0:
        yield FieldProblem("temperature", "KLPO samples its answers: temperature must be above 0.")


def _not_the_method(request: EnhancedStart, method: Method) -> Iterator[FieldProblem]:
    for name, allowed in method.choices.items():
        value = getattr(request, name)
        if value is None or value in allowed:
            continue
        others = [other for other in METHODS.values() if value in other.choices.get(name, ())]
        best = min(others, key=lambda other: len(other.choices[name]), default=None)
        instead = f" Choose {best.display_name} for {value}." if best else ""
        yield FieldProblem(
            name,
            f"{method.display_name} has {name} {_listed(allowed)}; {value} would make it another "
            f"method.{instead}",
        )


def _warnings(
    request: EnhancedStart, model: ModelInfo, data: DataPlan, counts: TokenCounts | None
) -> Iterator[StartWarning]:
    method = request.method
    yield from idle_fields(request)
    if "updates_per_rollout" in method.params and request.updates_per_rollout == 1:
        text = "At one update per rollout nothing is clipped: Epsilon and Epsilon high do nothing"
        text += ", and GSPO trains as GRPO does." if method.id == "gspo" else "."
        clips = StartFix("Use 2 updates per rollout", "updates_per_rollout", 2)
        changed = {"epsilon", "epsilon_high"} & request.model_fields_set
        differs = any(
            getattr(request, name) != EnhancedStart.model_fields[name].default for name in changed
        )
        yield StartWarning(
            text, code="no_clipping", level="caution" if differs else "info", fix=clips
        )
    if "group_size" in method.params and request.temperature == 0:
        usual = EnhancedStart.model_fields["temperature"].default
        yield StartWarning(
            "At temperature 0 all answers to a prompt are the same, so their rewards are equal "
            "and nothing is learned.",
            code="same_answers",
            fix=StartFix(f"Use temperature {usual:g}", "temperature", usual),
        )
    if model.chat_template is False:
        yield StartWarning(
            f"{model.name} has no chat template; a plain one is used, which it may never have "
            "seen.",
            code="no_chat_template",
        )
    if data.train.without_system:
        yield StartWarning(
            f"{data.train.without_system} of {data.train.rows} rows have no system prompt and get "
            "the engine's own, which asks for <think> and <answer>.",
            code="engine_system_prompt",
            level="info",
        )
    if counts is not None and (late := counts.without_target(request.max_seq_length)):
        yield StartWarning(
            f"{late} of {data.train_rows} rows are left out: their prompts have "
            f"{request.max_seq_length} tokens or more; the longest has {max(counts.starts)}.",
            code="long_prompts",
            fix=whole_rows(model, counts.longest),
        )
    if counts is not None and not method.generates and (cut := counts.over(request.max_seq_length)):
        yield StartWarning(
            f"{cut} of {data.train_rows} rows are longer than {request.max_seq_length} tokens and "
            f"are cut; the longest has {counts.longest}.",
            code="truncated",
            fix=whole_rows(model, counts.longest),
        )
    if method.family == "online" and not (request.judge or request.reward_functions):
        yield StartWarning(
            "Neither rewards nor a judge are named: the untouched base model judges its answers.",
            code="base_judges",
            level="info",
        )


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(str(value) for value in values)
