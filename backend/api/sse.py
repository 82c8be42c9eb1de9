"""Server-sent events, and how a long answer hears that its client is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from backend.core.schemas import ErrorAnswer
from backend.errors import AppError

T = TypeVar("T")
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class EventStream(StreamingResponse):
    """`text/event-stream` of a generator, which is closed however the response ends."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        super().__init__(events, headers=_HEADERS)
        self._events = events

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with aclosing(self._events):
            await super().__call__(scope, receive, send)


def event(kind: str | None, data: BaseModel | dict[str, Any]) -> bytes:
    """One event with JSON data; without a `kind` it is a plain message."""
    if isinstance(data, ErrorAnswer):  # What it does not say is absent, as elsewhere.
        value = data.model_dump(mode="json", exclude={"success", "errors"})
    else:
        value = data.model_dump(mode="json") if isinstance(data, BaseModel) else data
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return format_sse_event(event=kind, data_str=text)


def error_data(problem: AppError) -> ErrorAnswer:
    """A refusal in the middle of a stream, in the shape of every other."""
    return ErrorAnswer(error=type(problem).__name__, detail=problem.detail, hint=problem.hint)


async def begun(stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The same stream, once its first piece is there: what fails before that is raised here, in
    time for a status of its own.
    """
    try:
        first = await anext(stream)
    except StopAsyncIteration:
        return stream
    except BaseException:
        await stream.aclose()
        raise
    return _after(first, stream)


async def _after(first: T, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    async with aclosing(stream):
        yield first
        async for piece in stream:
            yield piece


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the client goes away.

    Raises ClientDisconnect then, which nobody is left to hear.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
