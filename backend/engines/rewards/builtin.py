"""The reward functions that come with the app: scores of one completion, each from 0 to 1.

They are for tasks with a known answer, a wanted form or a wanted length, and import no engine.
A function is built from the parameters in its name, `length_window(20;80)`, so that one is
written, listed, recorded with the session and shown under the same name.
"""

from __future__ import annotations

import json
import math
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from backend.engines.rewards.answer_text import (
    answer_part,
    count_words,
    has_phrase,
    last_number,
    parse_json,
    same_answer,
    token_f1,
)

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

Need = Literal["answer", "type"]
# (completion, the row's answer, the row's type) → score, or None where it does not apply.
Score = Callable[[str, str, Any], float | None]

SCHEMA_CAP = 1024 * 1024
_TOLERANCE = 1e-6
_NEAR = 1e-12  # So that 0 equals -0 and 1e-15; a tolerance relative to 0 would be 0.


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value in the brackets after a function's name."""

    name: str
    help: str
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """One function: its name, what it scores, and how it is built from its parameters.

    `build` gets the text in the brackets (None without) and raises ValueError with a sentence.
    `needs` is what a row must have; `needs_given` is that once parameters are given.
    """

    name: str
    doc: str
    build: Callable[[str | None], Score]
    needs: tuple[Need, ...] = ("answer",)
    needs_given: tuple[Need, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    example: str


def _no_parameters(name: str, score: Score) -> Callable[[str | None], Score]:
    def build(argument: str | None) -> Score:
        if argument is not None:
            raise ValueError(f"{name} takes no parameters; write it without brackets.")
        return score

    return build


def _f1(completion: str, answer: str, _kind: Any) -> float:
    return token_f1(answer_part(completion), answer_part(answer))


def _exact(completion: str, answer: str, _kind: Any) -> float:
    return float(same_answer(answer_part(completion), answer_part(answer)))


def _length_window(argument: str | None) -> Score:
    if argument is None:
        return _near_the_answers_length
    parts = [part.strip() for part in argument.split(";")]
    unit = parts[2] if len(parts) == 3 else "words"
    if len(parts) not in (2, 3) or unit not in ("words", "characters"):
        raise ValueError(
            f"length_window({argument}) is not a window; write the shortest and the longest length "
            "in words, as in length_window(20;80), or length_window(100;400;characters)."
        )
    shortest, longest = _whole(parts[0], argument), _whole(parts[1], argument)
    if shortest > longest or longest < 1:
        raise ValueError(
            f"length_window({argument}) goes from {shortest} to {longest}; the first number must "
            "not be above the second, and the second at least 1."
        )
    measure: Callable[[str], int] = count_words if unit == "words" else len
    return lambda completion, _answer, _kind: _in_window(
        measure(answer_part(completion)), shortest, longest
    )


def _whole(text: str, argument: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(f"length_window({argument}) needs whole numbers; {text!r} is none.")
    return int(text)


def _near_the_answers_length(completion: str, answer: str, _kind: Any) -> float:
    length = count_words(answer_part(answer))
    longest = max(1, math.floor(1.5 * length))
    return _in_window(count_words(answer_part(completion)), math.ceil(0.5 * length), longest)


def _in_window(length: int, shortest: int, longest: int) -> float:
    """1 inside; outside it falls in a line to 0 at no length and at twice the longest."""
    if length < shortest:
        return length / shortest
    return max(0.0, 1 - max(0, length - longest) / longest)


def _keyword_coverage(argument: str | None) -> Score:
    phrases = _phrases(argument) if argument is not None else None
    if phrases == []:
        raise ValueError(
            "keyword_coverage() has empty brackets; name the words, as in "
            "keyword_coverage(harbour;anchor), or leave the brackets out."
        )

    def score(completion: str, answer: str, _kind: Any) -> float | None:
        target = phrases or _phrases(answer_part(answer))
        if not target:
            return None
        text = answer_part(completion)
        return sum(has_phrase(text, phrase) for phrase in target) / len(target)

    return score


def _phrases(text: str) -> list[str]:
    return list(dict.fromkeys(p.strip() for p in re.split(r"[;,\n]", text) if p.strip()))


def _number_match(argument: str | None) -> Score:
    tolerance = _TOLERANCE if argument is None else _fraction(argument)

    def score(completion: str, answer: str, _kind: Any) -> float | None:
        target, text = last_number(answer_part(answer)), last_number(answer_part(completion))
        if target is None:
            return None
        return float(
            text is not None and math.isclose(text, target, rel_tol=tolerance, abs_tol=_NEAR)
        )

    return score


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise ValueError(
            f"number_match({text}) needs a tolerance from 0 to below 1; 0.01 allows one percent."
        )
    return value


def _regex_match(argument: str | None) -> Score:
    if not argument:
        raise ValueError(r"regex_match needs a pattern in brackets, as in regex_match(^\d+$).")
    try:
        pattern = re.compile(argument)
    except (re.error, RecursionError, OverflowError) as problem:
        raise ValueError(f"regex_match({argument}) is no valid pattern: {problem}.") from problem
    return lambda completion, _answer, _kind: float(bool(pattern.search(answer_part(completion))))


def _valid_json(argument: str | None) -> Score:
    kinds: Mapping[str | None, tuple[type, ...]] = {
        None: (object,), "object": (dict,), "array": (list,),
    }  # fmt: skip
    if argument not in kinds:
        raise ValueError(f"valid_json({argument}) is unknown; write valid_json, "
                         "valid_json(object) or valid_json(array).")  # fmt: skip
    kind = kinds[argument]

    def score(completion: str, _answer: str, _kind: Any) -> float:
        try:
            return float(isinstance(parse_json(answer_part(completion)), kind))
        except ValueError:
            return 0.0

    return score


def _json_schema(argument: str | None) -> Score:
    fixed = _validator(_schema_of(argument)) if argument is not None else None
    validators: dict[str, Validator] = {}

    def of_row(kind: Any) -> Validator | None:
        text = json.dumps(kind, sort_keys=True) if isinstance(kind, dict) else str(kind or "")
        if not text.strip():
            return None
        if text not in validators:
            if len(validators) > 1000:
                validators.clear()
            validators[text] = _validator(_schema_of(text))
        return validators[text]

    def score(completion: str, _answer: str, kind: Any) -> float | None:
        validator = fixed or of_row(kind)
        if validator is None:
            return None
        try:
            return float(validator.is_valid(parse_json(answer_part(completion))))
        except ValueError:
            return 0.0
        except Exception as problem:
            if type(problem).__name__ not in _BAD_REFERENCE:
                raise
            raise ValueError(
                f"The JSON schema refers to something that it does not hold: {problem}. "
                "Nothing is fetched; put the definition into the schema itself."
            ) from problem

    return score


_BAD_REFERENCE = {"_WrappedReferencingError", "Unresolvable", "PointerToNowhere", "NoSuchResource"}


def _schema_of(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[", "true", "false")):
        text = _schema_file(text.strip())
    try:
        return parse_json(text)
    except ValueError as problem:
        raise ValueError(f"The JSON schema {text[:120]!r} is not JSON: {problem}.") from problem


def _schema_file(name: str) -> str:
    path = Path(name).expanduser()
    if not path.is_absolute():
        raise ValueError(
            f"json_schema needs a schema or the full path of a file that has one; got {name!r}."
        )
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > SCHEMA_CAP:
            raise ValueError(f"The schema {path} is no file of at most {SCHEMA_CAP // 1024} KiB.")
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise ValueError(f"The schema {path} can't be read: {problem.strerror}.") from problem
    except UnicodeDecodeError as problem:
        raise ValueError(f"The schema {path} is not UTF-8 text.") from problem


def _validator(schema: Any) -> Validator:
    import jsonschema  # Here: it takes longer to load than everything else together.
    from referencing import Registry

    validator = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        validator.check_schema(schema)
    except jsonschema.SchemaError as problem:
        raise ValueError(f"The JSON schema is not valid: {problem.message}.") from problem
    # An empty registry: a reference to the internet must not become a request.
    return validator(schema, registry=Registry())


_WITHOUT_TAGS = (
    "Scored is the text between <answer> and </answer>, or all of it where there are no such tags."
)
SHIPPED: tuple[Shipped, ...] = (
    Shipped(
        name="token_f1",
        doc="How many words the completion shares with the row's answer: the F1 of SQuAD, 1 when "
        f"they are the same words, 0 when none is shared. {_WITHOUT_TAGS}",
        build=_no_parameters("token_f1", _f1),
        example="token_f1",
    ),
    Shipped(
        name="exact_match",
        doc="1 when the completion is the row's answer, apart from case, punctuation, articles and "
        f"spaces; else 0. {_WITHOUT_TAGS}",
        build=_no_parameters("exact_match", _exact),
        example="exact_match",
    ),
    Shipped(
        name="number_match",
        doc="1 when the last number in the completion is the last number in the row's answer; "
        f"rows whose answer has no number are left out. {_WITHOUT_TAGS}",
        build=_number_match,
        needs_given=("answer",),
        parameters=(Parameter("tolerance", "Allowed relative difference", "1e-06"),),
        example="number_match(0.01)",
    ),
    Shipped(
        name="keyword_coverage",
        doc="The share of keywords that the completion has as whole words, in whichever case. "
        "Without brackets the keywords are the parts of the row's answer between commas, "
        f"semicolons and line ends. {_WITHOUT_TAGS}",
        build=_keyword_coverage,
        parameters=(Parameter("keywords", "Words or phrases between semicolons"),),
        example="keyword_coverage(harbour;anchor)",
    ),
    Shipped(
        name="length_window",
        doc="1 while the length is inside the window, falling evenly to 0 at no words and at twice "
        "the longest. Without brackets the window is from half to one and a half times the words "
        f"of the row's answer. {_WITHOUT_TAGS}",
        build=_length_window,
        parameters=(
            Parameter("shortest", "Shortest full-score length"),
            Parameter("longest", "Longest full-score length"),
            Parameter("unit", "words or characters", "words"),
        ),
        example="length_window(20;80)",
    ),
    Shipped(
        name="regex_match",
        doc="1 when the pattern (of Python's re) is found in the completion, else 0; ^ and $ tie "
        f"it to the ends. Brackets in it come in pairs or after a backslash. {_WITHOUT_TAGS}",
        build=_regex_match,
        needs=(),
        parameters=(Parameter("pattern", "A regular expression"),),
        example=r"regex_match(^\d+$)",
    ),
    Shipped(
        name="valid_json",
        doc="1 when the completion is one JSON value, with or without a code fence; else 0. "
        f"{_WITHOUT_TAGS}",
        build=_valid_json,
        needs=(),
        parameters=(Parameter("kind", "object or array; without, any value", "any"),),
        example="valid_json(object)",
    ),
    Shipped(
        name="json_schema",
        doc="1 when the completion is JSON that fits the schema, else 0. The schema is in the "
        "brackets, in a file named there, or in the row's type; rows without one are left out. "
        f"{_WITHOUT_TAGS}",
        build=_json_schema,
        needs=("type",),
        parameters=(Parameter("schema", "A JSON schema, or the full path of a file with one"),),
        example='json_schema({"type":"object","required":["name"]})',
    ),
)
