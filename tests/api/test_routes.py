"""Every route as a script, a page from elsewhere and a mistaken client meet it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.routing import Route, WebSocketRoute
from websockets.exceptions import InvalidStatus

from backend.api.aliases import short_paths
from backend.app import ROUTERS
from backend.settings import CHECKOUT
from tests.api.live import Live, frames_until

EVIL = {"Origin": "https://evil.example"}


def every_address() -> Iterator[tuple[Route | WebSocketRoute, str]]:
    """Each route of each router, under each of its addresses."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, Route | WebSocketRoute)
            yield route, route.path
            if not router.prefix.startswith("/api"):
                yield route, f"/api{route.path}"
        yield from short_paths(router)


def every_route(live: Live) -> Iterator[tuple[str, str]]:
    own = [(route, route.path) for route in live.app.routes if isinstance(route, Route)]
    for route, path in (*own, *every_address()):
        if isinstance(route, Route):
            named = re.sub(r"\{[^}]+\}", "some-name", path)
            yield from ((method, named) for method in sorted(route.methods or ()))


def assert_shape(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    if answer.url.path.startswith(("/v1/", "/api/v1/")):
        assert set(body) == {"error"}
        assert body["error"]["message"]
        return body
    assert set(body) <= {"success", "error", "detail", "hint", "errors"}
    assert body.get("success") in {None, False}
    assert body["error"]
    assert body["detail"]
    return body


def test_no_route_forgets_the_guard(live: Live) -> None:
    """T1, T3, T7: all of them, with an evil page and with a rebound host."""
    count = 0
    for method, path in every_route(live):
        for headers in (EVIL, {"Host": "evil.example:8000"}, {"Origin": "null"}):
            answer = live.client.request(method, path, headers=headers, json={})
            assert answer.status_code == 403, (method, path, headers)
            if method != "HEAD":
                assert_shape(answer)
            count += 1
    assert count > 50


def test_no_socket_forgets_the_guard(live: Live) -> None:
    """T4."""
    paths = [path for route, path in every_address() if isinstance(route, WebSocketRoute)]
    assert set(paths) == {"/ws", "/api/ws"}
    foreign: list[dict[str, Any]] = [
        {"origin": "https://evil.example"},
        {"additional_headers": {"Sec-Fetch-Site": "cross-site"}},
    ]
    for path in paths:
        for options in foreign:
            with pytest.raises(InvalidStatus), live.listening(path=path, **options):
                pass


def test_no_get_changes_a_file(live: Live) -> None:
    """T6."""
    root = live.settings.data_dir
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if "logs" not in path.parts}
    for method, path in every_route(live):
        if method == "GET":
            live.client.get(path)
    after = {path: path.stat().st_mtime_ns for path in root.rglob("*") if "logs" not in path.parts}
    assert after == before


def test_every_route_is_also_under_api_once(live: Live) -> None:
    paths = [path for _, path in every_address()]
    assert not [path for path in paths if path.startswith("/api/api/")]
    assert {"/api/health", "/api/sessions", "/api/datasets/inspect"} <= set(paths)
    assert live.client.get("/api/training/status").json()["state"] == "idle"


def test_a_training_or_evaluation_route_answers_without_api_too(live: Live) -> None:
    for path in ("/api/training/methods", "/api/evaluation/status"):
        assert live.client.get(path.removeprefix("/api")).json() == live.client.get(path).json()
    short = live.client.post("/training/start-enhanced", json={"training_method": "nothing"})
    full = live.client.post("/api/training/start-enhanced", json={"training_method": "nothing"})
    assert (short.status_code, short.json()) == (422, full.json())
    assert short.json()["success"] is False
    assert live.client.get("/training/status").json()["state"] == "idle", "its own route stays"
    schema = live.client.get("/openapi.json").json()
    assert "/training/start-enhanced" not in schema["paths"]


def test_the_development_server_passes_every_address_on(live: Live) -> None:
    config = (CHECKOUT / "frontend" / "vite.config.ts").read_text(encoding="utf-8")
    found = re.search(r"const proxied = \[(.*?)\]", config, re.DOTALL)
    assert found
    proxied = {*re.findall(r"'([^']+)'", found[1]), "/ws"}
    first = {"/" + path.split("/")[1] for _, path in every_address()} | {"/openapi.json"}
    assert first <= proxied


def test_the_schema_names_each_route_and_frame_once(live: Live) -> None:
    schema = live.client.get("/openapi.json").json()
    ids = [op["operationId"] for path in schema["paths"].values() for op in path.values()]
    assert len(ids) == len(set(ids))
    assert "start_training" in ids
    assert not {"/api/training/start", "/api/sessions"} & set(schema["paths"]), "only an alias"
    assert {"Frame", "StateFrame", "ProgressFrame"} <= set(schema["components"]["schemas"])


def test_health_answers(live: Live) -> None:
    answer = live.client.get("/health").json()
    assert answer["status"] == "healthy"
    assert answer["timestamp"].endswith(("Z", "+00:00"))


def test_an_unknown_address_and_a_wrong_method_are_told(live: Live) -> None:
    unknown = live.client.get("/nowhere")
    assert unknown.status_code == 404
    assert "/nowhere" in assert_shape(unknown)["detail"]
    wrong = live.client.post("/health", json={})
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "GET"
    assert "POST" in assert_shape(wrong)["detail"]
    assert live.client.post("/nowhere", json={}).status_code == 404


@pytest.mark.parametrize(
    ("address", "methods"),
    [
        ("/sessions/some-session", "DELETE, GET, PATCH"),
        ("/api/sessions/some-session", "DELETE, GET, PATCH"),
        ("/api/comparisons", "DELETE, GET, POST"),
        ("/models/some-model/lora", "GET"),
    ],
)
def test_a_wrong_method_is_told_every_right_one(live: Live, address: str, methods: str) -> None:
    wrong = live.client.request("PUT", address, json={})
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == methods


def test_a_report_is_announced_as_markdown(live: Live) -> None:
    report = live.client.get("/openapi.json").json()["paths"][
        "/api/evaluation/{evaluation_id}/report"
    ]
    assert list(report["get"]["responses"]["200"]["content"]) == ["text/markdown"]


NAMED: list[tuple[dict[str, Any], str, str]] = [
    ({"lora_rnk": 8}, "lora_rnk", "Did you mean lora_rank?"),
    ({"iterations": "ten"}, "iterations", "whole number"),
    ({"iterations": 1.5}, "iterations", "whole number"),
    ({"batch_size": 0}, "batch_size", "at least 1; got 0"),
    ({"lora_dropout": 1}, "lora_dropout", "less than 1"),
    ({"learning_rate": "1e-4"}, "learning_rate", "number"),
    ({"early_stop": "yes"}, "early_stop", "true or false"),
    ({"optimizer": "sdg"}, "optimizer", "'adam'"),
    ({"adapter_name": "../evil"}, "adapter_name", "letters"),
    ({"adapter_name": "a\n"}, "adapter_name", "letters"),
    ({"notes": "x" * 20_001}, "notes", "at most 20000"),
    ({"quantize_base": 3}, "quantize_base", "4"),
    ({"lora_keys": 7}, "lora_keys", "lora_keys"),
]


@pytest.mark.parametrize(("fields", "field", "said"), NAMED, ids=[str(c[0])[:30] for c in NAMED])
def test_a_bad_field_is_named_with_its_value_and_rule(
    live: Live, fields: dict[str, Any], field: str, said: str
) -> None:
    body = {"model_path": "m", "train_data_path": "t", **fields}
    answer = live.client.post("/training/start", json=body)
    assert answer.status_code == 422
    problems = {p["field"]: p["message"] for p in assert_shape(answer)["errors"]}
    assert said in problems[field]


def test_all_bad_fields_are_told_at_once(live: Live) -> None:
    answer = live.client.post("/training/start", json={"batch_size": 0, "seed": -1})
    fields = {problem["field"] for problem in answer.json()["errors"]}
    assert fields == {"model_path", "train_data_path", "batch_size", "seed"}


BODIES = [
    *(b"", b"{", b"[]", b"null", b'"x"', b"NaN", b"\xff\xfe", b"[" * 100_000),
    *(b'{"learning_rate": NaN}', b'{"learning_rate": 1e999}', b'{"a": 1, "a": 2}'),
    *(b'{"seed": ' + b"9" * 5000 + b"}", b'{"model_path": "\\ud800"}'),
]


@pytest.mark.parametrize("body", BODIES, ids=[repr(b[:20]) for b in BODIES])
def test_a_broken_body_is_refused_and_never_a_bug(live: Live, body: bytes) -> None:
    """T19."""
    headers = {"Content-Type": "application/json"}
    answer = live.client.post("/training/start", content=body, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    told = assert_shape(answer)
    if answer.status_code == 400:
        assert "Send one JSON object" in told["hint"]


def test_a_bug_is_told_by_a_number_that_is_in_the_log(
    live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("hf_SECRET of /home/someone")

    monkeypatch.setattr(live.services.supervisor, "status", broken)
    answer = live.client.get("/training/status")
    assert answer.status_code == 500
    body = assert_shape(answer)
    assert "SECRET" not in answer.text
    number = re.search(r"bug ([0-9a-f]{8})", body["detail"])
    assert number
    assert number.group(1) in caplog.text


def test_sessions_are_listed_read_and_deleted(live: Live) -> None:
    with live.listening() as client:
        session_id = live.start(steps=6, name="listed")
        frames_until(client, "training_completed")

    row = live.client.get("/sessions").json()["sessions"][0]
    assert row["session_id"] == session_id
    assert row["training_state"] == "completed"
    assert row["adapter_ready"] is True
    assert live.client.get(f"/sessions/{session_id}").json()["schema_version"] == 1
    series = live.client.get(f"/sessions/{session_id}/metrics").json()["series"]
    assert series["train"]["step"] == [1, 2, 3, 4, 5, 6]
    page = live.client.get(f"/sessions/{session_id}/logs?limit=2").json()
    assert page["logs"] == ["Iter 5: Train loss 0.667", "Iter 6: Train loss 0.571"]
    above = live.client.get(f"/sessions/{session_id}/logs?limit=2&before={page['before']}").json()
    assert above["logs"] == ["Iter 3: Train loss 1.000", "Iter 4: Train loss 0.800"]
    assert live.client.post(f"/sessions/{session_id}/load").json()["status"] == "success"
    deleted = live.client.delete(f"/sessions/{session_id}?files=true")
    assert deleted.json()["status"] == "success"
    assert live.client.get(f"/sessions/{session_id}").status_code == 404
    assert not (live.settings.adapters_dir / "listed").exists()
    assert live.client.get("/training/status").json()["state"] == "idle"


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "%2e%2e", "a%00b", "..%5c..", "gone", "a%0ab", "x;y"]
)
def test_no_session_name_reaches_another_file(live: Live, name: str) -> None:
    """T9."""
    for method, path in (
        ("GET", ""), ("GET", "/metrics"), ("GET", "/logs"), ("POST", "/load"), ("DELETE", ""),
    ):  # fmt: skip
        answer = live.client.request(method, f"/sessions/{name}{path}")
        assert answer.status_code in {404, 405}, (method, name, answer.text)
        assert_shape(answer)


def test_a_run_is_paused_resumed_and_stopped_over_http(live: Live) -> None:
    assert live.client.post("/training/pause").status_code == 409
    with live.listening() as client:
        session_id = live.start(mode="endless", name="steered")
        frame: dict[str, Any] = {"data": {}}
        while frame["data"].get("state") != "running":
            frame = json.loads(client.recv(timeout=15))
        assert live.client.post("/training/pause").json() == {"status": "paused"}
        assert live.client.get("/training/status").json()["state"] == "paused"
        assert live.client.post("/training/resume").json() == {"status": "running"}
        refused = live.client.delete(f"/sessions/{session_id}")
        assert refused.status_code == 409
        assert session_id in assert_shape(refused)["detail"]
        stopped = live.client.post("/training/stop", json={"save": True}).json()
        assert stopped["session_id"] == session_id
        frames_until(client, "training_stopped")
    assert live.client.post("/training/stop").json()["status"] == "idle"
    assert live.client.get("/training/logs?limit=2").json()["logs"]


def test_a_deletion_says_what_was_removed(live: Live) -> None:
    """An adapter that another session has written since stays, and that is said."""
    said = {}
    for name, owner in (("own", None), ("lent", "another")):
        session_id = live.start(name=name, steps=1)
        with live.listening() as client:
            frames_until(client, "training_state")
            while live.services.supervisor.slot.session is not None:
                client.recv(timeout=15)
        lineage = live.settings.adapters_dir / name / "droid.json"
        lineage.parent.mkdir(parents=True, exist_ok=True)
        lineage.write_text(json.dumps({"session_id": owner or session_id}))
        answer = live.client.delete(f"/sessions/{session_id}", params={"files": True}).json()
        said[name] = answer["message"].removeprefix(f"Session {session_id} ")
        assert lineage.exists() == (owner is not None)

    assert said == {
        "own": "and its adapter own are deleted.",
        "lent": "is deleted; there was no adapter that is its alone, so none was deleted.",
    }
