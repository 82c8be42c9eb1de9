"""Which status codes an operation can refuse with, as `/openapi.json` says them.

A route names its own with `refuses`; those that the door, the body and the parameters of a request
bring with them are the same everywhere, and `declare` adds them.
"""

from __future__ import annotations

from typing import Any

from backend.core.schemas import ErrorAnswer

_MEANING = {
    400: "The body can't be read, or a file says something that can't be used.",
    401: "This server needs its token.",
    403: "The host or the origin is not this server's.",
    404: "Not found.",
    408: "The request was not sent to its end.",
    409: "It exists, but not in a state that allows this.",
    413: "The body or the file is too large.",
    422: "A field is not valid.",
    500: "A bug, with the number that it has in the log.",
    503: "The engine or the hub can't be reached, or too much is asked at once.",
    504: "The engine did not answer in time.",
    507: "There is not enough space on the disk.",
}
_ALWAYS = (401, 403, 500, 503)
_WITH_BODY = (400, 408, 413, 422)
_AS_BODY_422 = 400  # OpenAI's API has no 422: there a field that is not valid is a 400.

Responses = dict[int | str, dict[str, Any]]


def refuses(*statuses: int) -> Responses:
    """For a route's `responses`: the codes that are its own."""
    return {status: {"model": ErrorAnswer, "description": _MEANING[status]} for status in statuses}


def declare(schema: dict[str, Any]) -> None:
    """Give each operation of an OpenAPI document all its codes, every one with its shape."""
    shared = dict[str, Any]()
    for path, operations in schema["paths"].items():
        openai = path.startswith("/v1/")
        for operation in operations.values():
            answers = operation["responses"]
            own = {int(code) for code in answers if _is_own(code, answers[code])}
            codes = own | {*_ALWAYS, *(_WITH_BODY if "requestBody" in operation else ())}
            if any(map(_can_be_invalid, operation.get("parameters", ()))):
                codes.add(422)
            if openai and 422 in codes:
                codes = (codes - {422}) | {_AS_BODY_422}
            for code in answers.keys() - {"200"}:
                del answers[code]
            for code in sorted(codes):
                name = f"OpenAI{code}" if openai else f"Refused{code}"
                answers[str(code)] = {"$ref": f"#/components/responses/{name}"}
                shape = "OpenAIError" if openai else "ErrorAnswer"
                shared.setdefault(name, _answer(code, shape))
    schema["components"]["responses"] = dict(sorted(shared.items()))
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which is not sent.
        schema["components"]["schemas"].pop(unused, None)


def _is_own(code: str, answer: dict[str, Any]) -> bool:
    """Whether the route named it; a 422 with FastAPI's shape comes from FastAPI."""
    return code != "200" and "HTTPValidationError" not in str(answer)


def _can_be_invalid(parameter: dict[str, Any]) -> bool:
    """Whether it has more rules than to be a text, which everything in an address is."""
    branches = parameter["schema"].get("anyOf", [parameter["schema"]])
    plain = {"type", "title", "description"}
    rules = [set(branch) - plain or branch.get("type") not in {"string", "null"}
             for branch in branches]  # fmt: skip
    return any(rules) or (parameter["in"] == "query" and parameter.get("required", False))


def _answer(code: int, model: str) -> dict[str, Any]:
    shape = {"$ref": f"#/components/schemas/{model}"}
    return {
        "description": _MEANING[code],
        "content": {"application/json": {"schema": shape}},
    }
