"""The table of methods as the API shows it: each parameter from the field of that name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from backend.training.request.inactive_fields import inactive_of
from backend.training.request.method import DATA_EXAMPLES, Method
from backend.training.request.method_answers import (
    MethodInfo,
    MethodParameter,
    MethodsAnswer,
    ParameterType,
)
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.methods_table import METHODS


@cache
def methods_answer() -> MethodsAnswer:
    return MethodsAnswer(success=True, methods={name: _info(row) for name, row in METHODS.items()})


def parameters_of(method: Method) -> list[MethodParameter]:
    """What the method takes besides the fields of every run, in the order of its row."""
    schema = EnhancedStart.model_json_schema()["properties"]
    return [_parameter(name, schema[name], method) for name in method.params]


def _info(method: Method) -> MethodInfo:
    return MethodInfo(
        display_name=method.display_name,
        description=method.description,
        complexity="⭐" * method.stars,
        stars=method.stars,
        use_case=method.use_case,
        badge=method.badge,
        resource_intensity=method.resource_intensity,
        estimated_speedup=method.estimated_speedup,
        data_format=method.data_form,
        data_example=DATA_EXAMPLES[method.data_form],
        requires_reasoning_chains=method.requires_reasoning_chains,
        family=method.family,
        generates=method.generates,
        select_by=method.select_by,
        resumable=method.resumable,
        least_batch=method.least_batch,
        defaults=dict(method.defaults),
        suggested=dict(method.suggested),
        notes=list(method.notes),
        source=method.source,
        additional_params=parameters_of(method),
    )


def _parameter(name: str, schema: Mapping[str, Any], method: Method) -> MethodParameter:
    variants = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    nullable = len(variants) < len(schema.get("anyOf", [schema]))
    limits = {**variants[0], **schema}
    choices = method.choices.get(name)
    default = method.defaults.get(name, schema.get("default"))
    options = list(choices) if choices else variants[0].get("enum")
    return MethodParameter(
        name=name,
        title=schema["title"],
        help=schema.get("description", ""),
        type=_type(variants),
        default=choices[0] if choices else default,
        nullable=nullable and not choices,
        minimum=limits.get("minimum"),
        maximum=limits.get("maximum"),
        above=limits.get("exclusiveMinimum"),
        below=limits.get("exclusiveMaximum"),
        range=_range(limits, options),
        options=options,
        unit=schema.get("unit"),
        group=schema["group"],
        level=schema["level"],
        inactive=inactive_of(method).get(name),
    )


def _range(limits: Mapping[str, Any], options: list[Any] | None) -> str | None:
    """The allowed values in words, such as "2 to 16" or "above 0, below 1"."""
    if options:
        return ", ".join(str(option) for option in options)
    low, high = limits.get("minimum"), limits.get("maximum")
    if low is not None and high is not None:
        return f"{_written(low)} to {_written(high)}"
    bounds = {
        "at least": low,
        "above": limits.get("exclusiveMinimum"),
        "at most": high,
        "below": limits.get("exclusiveMaximum"),
    }
    phrases = [f"{word} {_written(end)}" for word, end in bounds.items() if end is not None]
    return ", ".join(phrases) or None


def _written(number: float) -> str:
    return f"{int(number):_}".replace("_", " ") if number == int(number) else f"{number:g}"


def _type(variants: list[dict[str, Any]]) -> ParameterType:
    first = variants[0]
    if "enum" in first:
        return "keys" if len(variants) > 1 else "choice"
    kinds: dict[str, ParameterType] = {
        "string": "text", "number": "number", "integer": "integer", "boolean": "boolean",
        "array": "list",
    }  # fmt: skip
    return kinds[first["type"]]
