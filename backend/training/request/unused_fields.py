"""Fields that were asked for and do nothing beside the others, by the marks of the form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend.jobs.run.recipe import StartWarning
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.start_request import StartRequest

_TOLD_APART = {
    "optimizer",
    "relative_step",
}  # `training/plan/checks.py` refuses these or has better words.


def unmet(request: StartRequest, name: str) -> str | None:
    """The field whose value leaves `name` without an effect; None where it has one."""
    when = _marks(request, name)
    return next((other for other, ok in when.items() if getattr(request, other) not in ok), None)


def unused_beside(request: StartRequest) -> Iterator[StartWarning]:
    """One sentence for each value that leaves other fields unused which were named and changed."""
    fields: dict[str, list[str]] = {}
    for name, field in type(request).model_fields.items():
        changed = name in request.model_fields_set and getattr(request, name) != field.default
        if not changed or not _of_the_method(request, name):
            continue
        other = unmet(request, name)
        if other is not None and not _TOLD_APART & _marks(request, name).keys():
            fields.setdefault(other, []).append(name)
    for other, names in fields.items():
        listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        does = "does" if len(names) == 1 else "do"
        text = f"{other} is {_word(getattr(request, other))}, so {listed} {does} nothing."
        yield StartWarning(text, code="unused_field")


def _marks(request: StartRequest, name: str) -> dict[str, list[Any]]:
    extra = type(request).model_fields[name].json_schema_extra
    when = extra.get("when") if isinstance(extra, dict) else None
    return dict(when) if isinstance(when, dict) else {}  # type: ignore[arg-type]  # JsonDict


def _of_the_method(request: StartRequest, name: str) -> bool:
    """What no method of its kind takes is told by `training/plan/method_checks.py`."""
    if not isinstance(request, EnhancedStart) or name in StartRequest.model_fields:
        return True
    return name in request.method.params


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "empty" if value in (None, "") else str(value)
