"""An HTTP connection that waits for nobody for ever, and is closed so that its answer arrives.

uvicorn's own waits without end for the rest of a request that was begun, counts idle sockets
against its limit, and closes with a body still unread, which cuts off the answer by a reset.
WebSockets leave this class with their handshake; a streamed answer has no time limit.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import Any, Literal, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from backend.core.schemas import ErrorAnswer

MAX_CONNECTIONS = 512  # Beyond it, those that only wait are closed, idle ones first.
IDLE_FOR = 15.0  # Seconds without a request.
HEAD_WITHIN = 15.0  # Seconds for a request's head, from its first byte.
BODY_SILENCE = 30.0  # Seconds without a byte of a body that is awaited.
REST_WITHIN = 10.0  # Seconds in which the rest of a body is read, once its answer is sent.
STALLED = 2.0  # Seconds after which a body without a byte gives way to others.

Phase = Literal["idle", "head", "body", "rest"]


class Connection(H11Protocol):
    """One client's connection, from its opening to its end or to a WebSocket's handshake."""

    _timer: asyncio.TimerHandle | None = None
    _phase: Phase | None = None
    _heard = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._plain = transport
        super().connection_made(cast(asyncio.Transport, _Transport(transport, self)))
        self._heard = self.loop.time()
        self._watch()
        _make_room(self.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        if not self.transport.is_closing():  # Else what still comes is dropped.
            super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        self._answer(400, "BadContent", f"This is no HTTP request: {msg}", "Speak HTTP/1.1.")
        self.transport.close()

    @property
    def is_receiving(self) -> bool:
        """Whether the client has sent a part of a body, and not all of it."""
        return self.conn.their_state is h11.SEND_BODY and self in self.connections

    @property
    def waits_since(self) -> tuple[int, float] | None:
        """How soon it gives way to others, the least first; None while it is at work."""
        match self._phase:
            case "idle":
                return 0, self._heard
            case "head":
                return 1, self._heard
            case "body" | "rest" if self._awaits_body() and self._silence() >= STALLED:
                return 2, self._heard
        return None

    def give_up(self, reason: str) -> None:
        """Close it; a request that was begun and has no answer yet is told why."""
        unanswered = self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}
        if unanswered and self._phase != "idle" and not self._asked_for_head():
            self._answer(408, "RequestTimeout", reason, "Send the whole request again, in one go.")
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._forget()
        self._plain.close()

    def _watch(self) -> None:
        """Set the time limit for what the client has to send next."""
        phase = self._awaited()
        if phase == self._phase and self._timer is not None:
            return  # One limit for all of a head; a body's is moved on when it is reached.
        self._forget()
        if phase is not None:
            self._phase = phase
            self._timer = self.loop.call_later(_limit(phase), self._out_of_time)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._phase = None, None

    def _awaited(self) -> Phase | None:
        if self not in self.connections:  # Lost, or a WebSocket by now.
            return None
        if self.conn.their_state is h11.IDLE:
            return "head" if self.conn.trailing_data[0] else "idle"
        if not self.is_receiving:
            return None
        return "rest" if self.transport.is_closing() or self.cycle.response_complete else "body"

    def _awaits_body(self) -> bool:
        """Whether the app would take more of the body, and the client is the one to act."""
        busy = self.flow.read_paused or self.cycle.waiting_for_100_continue
        return self.is_receiving and not busy

    def _silence(self) -> float:
        return self.loop.time() - self._heard

    def _asked_for_head(self) -> bool:
        """Whether an answer to it may have no body."""
        return self.conn.our_state is h11.SEND_RESPONSE and self.scope["method"] == "HEAD"

    def _out_of_time(self) -> None:
        self._timer = None
        match self._phase:
            case "rest":
                self._plain.abort()
            case "body" if not self._awaits_body():
                self._timer = self.loop.call_later(BODY_SILENCE, self._out_of_time)
            case "body" if (left := BODY_SILENCE - self._silence()) > 0:
                self._timer = self.loop.call_later(left, self._out_of_time)
            case "body":
                self.give_up(f"Nothing more of the body came for {BODY_SILENCE:g} seconds.")
            case _:
                self.give_up(f"The request's head was not complete after {HEAD_WITHIN:g} seconds.")

    def _answer(self, status: int, error: str, detail: str, hint: str) -> None:
        words = ErrorAnswer(error=error, detail=detail, hint=hint)
        body = json.dumps(words.model_dump(mode="json", exclude={"success", "errors"})).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        parts = (
            h11.Response(status_code=status, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        self.transport.write(b"".join(self.conn.send(part) or b"" for part in parts))


class _Transport:
    """The transport, but closed for writing only while a client still sends: closing with unread
    bytes would reset the connection, and with it an answer that the client has not read yet.
    """

    def __init__(self, transport: asyncio.Transport, connection: Connection) -> None:
        self._transport = transport
        self._connection = connection
        self._ending = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._ending or self._transport.is_closing()

    def close(self) -> None:
        if self._ending or not self._connection.is_receiving:
            if not self._ending:
                self._transport.close()
            return
        self._ending = True
        self._transport.write_eof()
        self._transport.resume_reading()


def _limit(phase: Phase) -> float:
    return {"idle": IDLE_FOR, "head": HEAD_WITHIN, "body": BODY_SILENCE, "rest": REST_WITHIN}[phase]


def _make_room(connections: Collection[Any]) -> None:
    """Close the connection that waits the longest, if there are too many."""
    if len(connections) <= MAX_CONNECTIONS:
        return
    own = (one for one in connections if isinstance(one, Connection))
    waiting = [(since, one) for one in own if (since := one.waits_since) is not None]
    if waiting:
        _, first = min(waiting, key=lambda pair: pair[0])
        first.give_up("The server has too many connections, and this one only waited.")
