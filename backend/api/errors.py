"""Every refusal in one shape: what happened, what to do, and which field."""

from __future__ import annotations

import difflib
import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, get_args

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from backend.api.aliases import short_routes
from backend.core.disk.disk_errors import disk_refusal
from backend.core.guard import Refusal, Words, plain_words
from backend.core.schemas import ErrorAnswer, FieldError
from backend.errors import AppError
from backend.inference.openai import answers

TELLS_SUCCESS = "enhanced"  # Routers with this tag say `success` in answers and refusals.

_logger = logging.getLogger(__name__)

_NAMES = {404: "NotFound", 405: "MethodNotAllowed", 400: "BadContent", 413: "TooLarge"}
# Pydantic's error type → what the field must be; `{…}` comes from the error's own context.
_MUST: Mapping[str, str] = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number with fewer digits",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_attributes_type": "must be an object",
    "too_long": "must have at most {max_length} entries",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
}
_NAME_RULE = "must be 1 to 100 letters, digits, dots, dashes or underscores, not starting with {_}"


def render_errors(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Give the app its handlers: refusals, validation, unknown addresses, disks, and bugs."""
    app.state.methods_at = lambda path: methods_at(routers, path)
    app.add_exception_handler(AppError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(OSError, _disk)
    app.add_exception_handler(Exception, _bug)


def methods_at(routers: Iterable[APIRouter], path: str) -> list[str]:
    """Every method that some route has at an address, or at the one that it is an alias of."""
    methods = set[str]()
    for router in routers:
        aliased = path.startswith("/api/") and not router.prefix.startswith("/api")
        place = path.removeprefix("/api") if aliased else path
        for route in router.routes:
            if isinstance(route, APIRoute) and route.path_regex.match(place):
                methods |= route.methods or set()
    return sorted(methods)


def words_of_the_door(routers: Iterable[APIRouter]) -> Words:
    """How a request is refused before any route is called: as its route would do it."""
    all_routers = list(routers)
    routes = (
        route for router in all_routers for route in (*router.routes, *short_routes([router]))
    )
    tagged = (route for route in routes if TELLS_SUCCESS in getattr(route, "tags", ()))
    tells = frozenset(str(getattr(route, "path", "")) for route in tagged)

    def words(path: str, refusal: Refusal) -> Mapping[str, Any]:
        plain = plain_words(path, refusal)
        if _is_openai(path):
            return _openai(refusal.status, ErrorAnswer(**plain))
        return {"success": False, **plain} if path in tells else plain

    return words


async def refusal_of(request: Request, error: Exception) -> tuple[int, ErrorAnswer]:
    """Status and words of a refusal, for routes that answer in another shape."""
    render = _refused if isinstance(error, AppError) else _invalid
    answer = await render(request, error)
    return answer.status_code, ErrorAnswer.model_validate_json(bytes(answer.body))


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)  # noqa: S101 - what it was registered for
    problems = [FieldError(field=p.field, message=p.message) for p in error.errors]
    return _answer(
        error.status,
        type(error).__name__,
        error.detail,
        hint=error.hint,
        errors=problems,
        with_success=_tells_success(request),
    )


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    items = error.errors()
    broken = next((item for item in items if item["type"] == "json_invalid"), None)
    if broken is not None:
        reason = broken.get("ctx", {}).get("error", "it can't be read")
        return _answer(
            400,
            "BadContent",
            f"The body is not JSON: {reason} (character {broken['loc'][-1]}).",
            hint="Send one JSON object, without NaN or Infinity.",
            with_success=_tells_success(request),
        )
    names = _known_fields(request)
    problems = _without_repeats([_problem(item, names) for item in items])
    rest = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    return _answer(
        422,
        "Invalid",
        problems[0].message + rest,
        hint="Correct the named fields; GET /openapi.json lists them all.",
        errors=problems,
        with_success=_tells_success(request),
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    path = request.url.path[:200]
    detail = {
        404: f"There is nothing at {path}.",
        405: f"{request.method} is not possible at {path}.",
        400: "The body can't be read.",
    }.get(error.status_code, str(error.detail) or HTTPStatus(error.status_code).phrase)
    name = _NAMES.get(error.status_code, "Refused")
    hint = "GET /openapi.json lists every address."
    if error.status_code == 400:  # What Python's own reader gives up on.
        hint = "Send one JSON object in UTF-8; no number may have thousands of digits, nor may it "
        hint += "be nested thousands deep."
    answer = _answer(
        error.status_code,
        name,
        detail,
        hint=hint,
        with_success=_tells_success(request),
    )
    if _is_openai(path):
        name = "unknown_url" if error.status_code == 404 else name
        http_error = ErrorAnswer(error=name, detail=detail)
        answer = openai_answer(error.status_code, http_error)
    answer.headers.update(error.headers or {})
    if error.status_code == 405:  # Starlette names the methods of the first route alone.
        answer.headers["allow"] = ", ".join(request.app.state.methods_at(request.url.path))
    return answer


async def _gone(request: Request, error: Exception) -> JSONResponse:
    """The client left before it was answered: no bug, and nobody reads this."""
    _logger.info("The client of %s %s went away.", request.method, request.url.path)
    return _answer(499, "ClientGone", "The client went away before it was answered.")


async def _disk(request: Request, error: Exception) -> JSONResponse:
    """A file that can't be read or written, wherever a route meets it: 507 or 409 with its path."""
    assert isinstance(error, OSError)  # noqa: S101
    services = getattr(request.app.state, "services", None)
    refusal = disk_refusal(error, services.settings.data_dir if services is not None else None)
    if refusal is None:
        return await _bug(request, error)
    _logger.warning("%s %s: %s", request.method, request.url.path, refusal, exc_info=error)
    answer = await _refused(request, refusal)
    if _is_openai(request.url.path):
        return openai_answer(refusal.status, ErrorAnswer.model_validate_json(bytes(answer.body)))
    return answer


async def _bug(request: Request, error: Exception) -> JSONResponse:
    number = secrets.token_hex(4)
    _logger.error("Bug %s in %s %s", number, request.method, request.url.path, exc_info=error)
    detail = f"Something went wrong inside the server. It is noted in its log as bug {number}."
    hint = "logs/backend.log has the details under that number."
    if _is_openai(request.url.path):
        answer = ErrorAnswer(error="InternalError", detail=detail, hint=hint)
        return openai_answer(500, answer)
    return _answer(500, "InternalError", detail, hint=hint, with_success=_tells_success(request))


def openai_answer(status: int, answer: ErrorAnswer) -> JSONResponse:
    """A refusal in the shape that clients of the OpenAI API read."""
    return JSONResponse(_openai(status, answer), status_code=status)


def _openai(status: int, answer: ErrorAnswer) -> dict[str, Any]:
    message = f"{answer.detail} {answer.hint}" if answer.hint else answer.detail
    param = answer.errors[0].field if answer.errors else None
    return answers.problem(status, answer.error, message, param=param).model_dump()


def _is_openai(path: str) -> bool:
    return path.startswith(("/v1/", "/api/v1/"))


def _answer(
    status: int,
    error: str,
    detail: str,
    *,
    hint: str | None = None,
    errors: Sequence[FieldError] = (),
    with_success: bool = False,
) -> JSONResponse:
    answer = ErrorAnswer(
        success=False if with_success else None,
        error=error,
        detail=detail,
        hint=hint,
        errors=list(errors) or None,
    )
    absent = {name for name, there in (("errors", errors), ("success", with_success)) if not there}
    return JSONResponse(answer.model_dump(mode="json", exclude=absent), status_code=status)


def _tells_success(request: Request) -> bool:
    """Whether the route is one whose answers say `success`."""
    return TELLS_SUCCESS in getattr(request.scope.get("route"), "tags", ())


def _problem(item: Mapping[str, Any], names: Sequence[str]) -> FieldError:
    field = ".".join(_field_path(item["loc"])) or "body"
    if item["type"] == "of_field":
        context = item["ctx"]
        return FieldError(field=str(context["field"]), message=f"{context['reason']}.")
    return FieldError(field=field, message=_sentence(field, item, names))


def _field_path(loc: Sequence[int | str]) -> list[str]:
    """The field as the request spells it: without where it was, and which branch of a union."""
    parts = list(loc)
    if parts and parts[0] in {"body", "query", "path", "header"}:
        parts = parts[1:]
    return [
        str(part)
        for index, part in enumerate(parts)
        if isinstance(part, int) or index == 0 or (part.isidentifier() and part not in _BRANCHES)
    ]


_BRANCHES = frozenset({"str", "int", "float", "bool", "literal", "list", "dict"})


def _sentence(field: str, item: Mapping[str, Any], names: Sequence[str]) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "missing":
        return f"{field} is required."
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(field, names, n=1, cutoff=0.5)
        meant = f" Did you mean {near[0]}?" if near else ""
        return f"There is no field {field}.{meant}"
    input_text = _given(item.get("input"))
    if kind == "string_pattern_mismatch" and str(context.get("pattern", "")).startswith("^[A-Za"):
        return f"{field} {_NAME_RULE.format(_='a sign')}; {input_text}."
    rule = _MUST.get(kind)
    if rule is not None:
        return f"{field} {rule.format_map(_Plain(context))}; {input_text}."
    reason = str(item.get("msg", "is not valid")).removeprefix("Value error, ")
    if field == "body":  # Of several fields together, so no single value is at fault.
        return f"{field}: {reason[:300]}."
    return f"{field}: {reason[:300]}; {input_text}."


class _Plain(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def _given(value: Any) -> str:
    text = repr(value) if not isinstance(value, dict | list) else f"a {type(value).__name__}"
    return f"got {text if len(text) <= 80 else text[:79] + '…'}"


def _without_repeats(problems: list[FieldError]) -> list[FieldError]:
    """One problem per field: a union reports each of its branches."""
    first: dict[str, FieldError] = {}
    for problem in problems:
        first.setdefault(problem.field, problem)
    return list(first.values())


def _known_fields(request: Request) -> list[str]:
    """The body's field names of the route that was called."""
    body = getattr(request.scope.get("route"), "body_field", None)
    annotation = getattr(getattr(body, "field_info", None), "annotation", None)
    for model in (annotation, *get_args(annotation)):
        if isinstance(model, type) and issubclass(model, BaseModel):
            return list(model.model_fields)
    return []
