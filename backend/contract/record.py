"""Records that cross the border between server and engines: dataclasses, to and from JSON values.

The engines' Python may be another than the server's, so only the standard library is used. Fields
that the reader does not know are passed over, and fields with a default may be missing: a newer
writer and an older reader, or the other way round, understand each other.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


class BadRecord(ValueError):
    """A value that does not have the shape of its record; the text names the field."""


def write_record(record: Any) -> dict[str, Any]:
    """The JSON value of a record, every field of it, also of records within."""
    return asdict(record)


def read_record(kind: type[T], value: object) -> T:
    """The record of a JSON value. Raises BadRecord, naming the field, when a value does not fit."""
    return cast("T", _read(kind, value, kind.__name__))


def _read(kind: Any, value: object, where: str) -> Any:
    if is_dataclass(kind):
        return _record(kind, value, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(inner, value, where)
    if origin is Literal:
        if value not in inner:
            raise BadRecord(f"{where} is {value!r}, not one of {', '.join(map(repr, inner))}")
        return value
    if origin in (tuple, list, Sequence):
        if not isinstance(value, list | tuple):
            raise BadRecord(f"{where} is {type(value).__name__}, not a list")
        items = [_read(inner[0], one, f"{where}[{at}]") for at, one in enumerate(value)]
        return tuple(items) if origin is tuple else items
    if origin in (dict, Mapping):
        if not isinstance(value, dict):
            raise BadRecord(f"{where} is {type(value).__name__}, not an object")
        return {name: _read(inner[1], one, f"{where}.{name}") for name, one in value.items()}
    return _plain(kind, value, where)


def _record(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise BadRecord(f"{where} is {type(value).__name__}, not an object")
    hints = _hints(kind)
    found: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in value:
            found[field.name] = _read(hints[field.name], value[field.name], f"{where}.{field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise BadRecord(f"{where}.{field.name} is missing")
    return kind(**found)


def _one_of(kinds: tuple[Any, ...], value: object, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    problems = []
    for kind in kinds:
        if kind is type(None):
            continue
        try:
            return _read(kind, value, where)
        except BadRecord as problem:
            problems.append(str(problem))
    raise BadRecord("; ".join(problems) or f"{where} is null")


def _plain(kind: Any, value: object, where: str) -> Any:
    if kind in (Any, object):
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadRecord(f"{where} is {type(value).__name__}, not {kind.__name__}")
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
