"""Records that cross the border between server and engines: dataclasses, to and from JSON values.

The engines' Python may be another than the server's, so only the standard library is used. Fields
that the reader does not know are passed over, and fields with a default may be missing: a newer
writer and an older reader, or the other way round, understand each other.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]


class BadRecord(ValueError):
    """A value that does not have the shape of its record; the text names the field."""


class _Misfit(Exception):
    """What does not fit: (the way to it, what it is instead), the way growing on the way out."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        self.problems = problems

    def below(self, place: str) -> _Misfit:
        return _Misfit(*((place + way, text) for way, text in self.problems))


def write_record(record: Any) -> dict[str, Any]:
    """The JSON value of a record, every field of it, also of records within."""
    return asdict(record, dict_factory=_written)


def read_record(kind: type[T], value: object) -> T:
    """The record of a JSON value. Raises BadRecord, naming the field, when a value does not fit."""
    try:
        return cast("T", _reader(cast("Any", kind))(value))
    except _Misfit as misfit:
        problems = (f"{kind.__name__}{way} {text}" for way, text in misfit.problems)
        raise BadRecord("; ".join(problems)) from None


def _written(fields_: list[tuple[str, Any]]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields_
    }


@cache
def _reader(kind: Any) -> Reader:
    """What reads values of a type: made once, because events come by the ten thousand."""
    if is_dataclass(kind):
        return _record_reader(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union_reader(inner)
    if origin is Literal:
        return _literal_reader(inner)
    if origin is tuple and inner[-1] is not Ellipsis:
        return _pair_reader(inner)
    if origin in (tuple, list, Sequence):
        return _list_reader(inner[0], tuple if origin is tuple else list)
    if origin in (dict, Mapping):
        return _mapping_reader(inner[1])
    if kind in (Any, object):
        return lambda value: value
    return _number if kind is float else _time if kind is datetime else _plain_reader(kind)


def _record_reader(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    needed = [
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    ]
    numbers = {name for name, reader in readers.items() if reader in (_number, _number_or_null)}
    make = getattr(kind, "from_fields", None) or (lambda values: kind(**values))

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Misfit(("", f"is {type(value).__name__}, not an object"))
        values: dict[str, Any] = {}
        name = ""
        try:
            for name, one in value.items():
                if type(one) is float and name in numbers:  # Most are: no call for them.
                    values[name] = one
                elif name in readers:
                    values[name] = readers[name](one)
        except _Misfit as misfit:
            raise misfit.below(f".{name}") from None
        for name in needed:
            if name not in values:
                raise _Misfit((f".{name}", "is missing"))
        return make(values)

    return read


def _union_reader(kinds: tuple[Any, ...]) -> Reader:
    optional = type(None) in kinds
    readers = [_reader(kind) for kind in kinds if kind is not type(None)]
    if optional and len(readers) == 1:
        return _number_or_null if readers[0] is _number else _optional_reader(readers[0])

    def read(value: Any) -> Any:
        if value is None and optional:
            return None
        problems: list[tuple[str, str]] = []
        for reader in readers:
            try:
                return reader(value)
            except _Misfit as misfit:
                problems += misfit.problems
        raise _Misfit(*problems)

    return read


def _optional_reader(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def _literal_reader(choices: tuple[Any, ...]) -> Reader:
    def read(value: Any) -> Any:
        if value not in choices:
            raise _Misfit(("", f"is {value!r}, not one of {', '.join(map(repr, choices))}"))
        return value

    return read


def _list_reader(kind: Any, into: type[Any]) -> Reader:
    reader = _reader(kind)

    def read(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise _Misfit(("", f"is {type(value).__name__}, not a list"))
        return into([_item(reader, at, one) for at, one in enumerate(value)])

    return read


def _pair_reader(kinds: tuple[Any, ...]) -> Reader:
    """Of a tuple whose places have types of their own."""
    readers = [_reader(kind) for kind in kinds]

    def read(value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(readers):
            raise _Misfit(("", f"is {value!r}, not a list of {len(readers)}"))
        return tuple(
            _item(reader, at, one)
            for at, (reader, one) in enumerate(zip(readers, value, strict=True))
        )

    return read


def _item(reader: Reader, at: int, value: Any) -> Any:
    try:
        return reader(value)
    except _Misfit as misfit:
        raise misfit.below(f"[{at}]") from None


def _mapping_reader(kind: Any) -> Reader:
    reader = _reader(kind)

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Misfit(("", f"is {type(value).__name__}, not an object"))
        result, name = {}, ""
        try:
            for name, one in value.items():
                result[name] = reader(one)
        except _Misfit as misfit:
            raise misfit.below(f".{name}") from None
        return result

    return read


def _number(value: Any) -> float:
    if type(value) is float:
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Misfit(("", f"is {type(value).__name__}, not float"))
    return float(value)


def _number_or_null(value: Any) -> float | None:
    return value if type(value) is float or value is None else _number(value)


def _time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Misfit(("", f"is {value!r}, not a time")) from None


def _plain_reader(kind: type[Any]) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _Misfit(("", f"is {type(value).__name__}, not {kind.__name__}"))
        return value

    return read
