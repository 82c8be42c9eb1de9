"""A client that leaves is no bug of the server."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from fastapi import FastAPI, Request

from backend.api.errors import render_errors


async def test_a_client_that_leaves_in_the_middle_of_an_upload_is_not_logged_as_a_bug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = FastAPI()

    @app.put("/file")
    async def store(request: Request) -> int:
        return sum([len(piece) async for piece in request.stream()])

    render_errors(app, ())
    heard: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"half", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return heard.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "PUT", "path": "/file", "query_string": b"", "headers": [],
    }  # fmt: skip
    with caplog.at_level(logging.INFO):
        await app(scope, receive, send)

    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "went away" in caplog.text
    assert sent[0]["status"] == 499
