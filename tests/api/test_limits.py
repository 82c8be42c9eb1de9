"""A whole number without end is refused wherever one can be sent, and nothing comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backend.app import create_app
from backend.core.limits import MOST_STEPS
from backend.settings import read_settings
from tests.api.live import Live

HUGE = int("9" * 400)
Schema = dict[str, Any]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    root = str(tmp_path_factory.mktemp("schema"))
    found: Schema = create_app(read_settings({}, data_dir=root)).openapi()
    return found


def bodies(schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Method, address and schema of every JSON body."""
    for path, methods in schema["paths"].items():
        for method, route in methods.items():
            content = route.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                yield method, path, content["schema"]


def whole_numbers(schema: Schema, part: Schema, path: tuple[str, ...] = ()) -> Iterator[Any]:
    """Where a body takes a whole number, and what the schema says of it."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        if name not in path:
            named = schema["components"]["schemas"][name]
            yield from whole_numbers(schema, named, (*path, name))
        return
    if part.get("type") == "integer":
        yield path, part
    for name, field in part.get("properties", {}).items():
        yield from whole_numbers(schema, field, (*path, name))
    for branch in (*part.get("anyOf", ()), *part.get("oneOf", ()), *part.get("allOf", ())):
        yield from whole_numbers(schema, branch, path)
    for inner in (part.get("items"), part.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from whole_numbers(schema, inner, path)


def test_every_whole_number_of_a_body_has_a_largest_value(schema: Schema) -> None:
    endless = {
        f"{method} {path} {'.'.join(where)}"
        for method, path, body in bodies(schema)
        for where, number in whole_numbers(schema, body)
        if not {"maximum", "exclusiveMaximum", "enum", "const"} & number.keys()
    }
    assert endless == set()


@pytest.mark.parametrize(
    "address",
    [
        "/training/start",
        "/training/preview",
        "/api/training/start-enhanced",
        "/api/training/preview-enhanced",
        "/api/training/estimate-resources",
        "/sessions/some-session/resume",
    ],
)
def test_four_hundred_digits_are_refused_with_a_sentence(
    live: Live, schema: Schema, address: str
) -> None:
    template = "/sessions/{session_id}/resume" if "resume" in address.split("/")[-1] else address
    body = schema["paths"][template]["post"]["requestBody"]["content"]["application/json"]
    fields = {where[1] for where, _ in whole_numbers(schema, body["schema"])}
    assert fields
    for field in sorted(fields):
        answer = live.client.post(address, json={field: HUGE})

        assert answer.status_code == 422, (field, answer.text)
        told = {item["field"]: item["message"] for item in answer.json()["errors"]}
        assert told[field].startswith(f"{field} must be "), told[field]
        assert len(told[field]) < 200
    assert live.client.get("/training/status").json()["state"] == "idle"
    assert live.client.get("/sessions").json()["sessions"] == []


def test_the_bound_is_named(live: Live) -> None:
    answer = live.client.post("/training/start", json={"iterations": MOST_STEPS + 1})

    assert f"iterations must be at most {MOST_STEPS}; got {MOST_STEPS + 1}." in answer.text


@pytest.mark.parametrize("place", ["since", "before"])
def test_so_are_those_of_an_address(live: Live, place: str) -> None:
    route = "metrics" if place == "since" else "logs"
    answer = live.client.get(f"/sessions/none/{route}", params={place: str(HUGE)})
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("field", ["lora_alpha", "epochs"])
def test_a_number_that_becomes_infinite_when_it_is_multiplied_is_refused(
    live: Live, field: str
) -> None:
    answer = live.client.post("/training/start", json={field: 1e308})

    told = {item["field"]: item["message"] for item in answer.json()["errors"]}
    assert "must be at most" in told[field]
