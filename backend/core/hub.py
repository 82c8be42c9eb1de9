"""Who listens, and what is said: one numbered stream, a bounded queue for each listener.

A listener that falls behind never holds up the others. Its queue is thrown away and it is told so,
and it starts again from a snapshot: connecting, reconnecting and lagging share that one way back.
Everything here runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol

QUEUE_FRAMES = 512
QUEUE_BYTES = 1024 * 1024
RING_FRAMES = 4096
RING_BYTES = 8 * 1024 * 1024


class Dumpable(Protocol):
    def model_dump(self, *, mode: str) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame as it goes over the wire."""

    seq: int
    text: str


class Listener:
    """One client's queue. `lost` says that it overflowed and only a snapshot helps."""

    def __init__(self, backlog: list[Sent] | None = None, *, client: bool = True) -> None:
        self.lost = False
        self.client = client
        self._queue: deque[Sent] = deque(backlog or [])
        self._bytes = sum(len(sent.text) for sent in self._queue)
        self._news = asyncio.Event()
        if self._queue:
            self._news.set()

    def put(self, sent: Sent) -> None:
        if self.lost:
            return
        self._queue.append(sent)
        self._bytes += len(sent.text)
        if len(self._queue) > QUEUE_FRAMES or self._bytes > QUEUE_BYTES:
            self.lost = True
            self._clear()
        self._news.set()

    async def get(self) -> Sent | None:
        """The next frame; None when frames were lost and a snapshot must take their place."""
        await self._news.wait()
        if self.lost:
            return None
        sent = self._queue.popleft()
        self._bytes -= len(sent.text)
        if not self._queue:
            self._news.clear()
        return sent

    def restart(self) -> None:
        """Begin anew at the present moment: the caller sends a snapshot of it."""
        self.lost = False
        self._clear()
        self._news.clear()

    def _clear(self) -> None:
        self._queue.clear()
        self._bytes = 0


class Hub:
    """One counter for the server's life; `epoch` tells one life from the next."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(8)
        self.seq = 0
        self._listeners: set[Listener] = set()
        self._ring: deque[Sent] = deque()
        self._ring_bytes = 0

    def publish(
        self, kind: str, data: Dumpable | dict[str, Any], *, session_id: str | None = None
    ) -> Sent:
        """Number a frame and hand it to every listener."""
        self.seq += 1
        sent = Sent(self.seq, self.frame(kind, data, session_id=session_id, seq=self.seq))
        self._keep(sent)
        for listener in self._listeners:
            listener.put(sent)
        return sent

    def frame(
        self,
        kind: str,
        data: Dumpable | dict[str, Any],
        *,
        session_id: str | None = None,
        seq: int | None = None,
    ) -> str:
        """A frame's text without sending it to anybody, numbered with what was sent last."""
        value = data if isinstance(data, dict) else data.model_dump(mode="json")
        return json.dumps(
            {
                "type": kind,
                "data": value,
                "seq": self.seq if seq is None else seq,
                "epoch": self.epoch,
                "session_id": session_id,
            },
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
        )

    def listen(self, *, since: int | None = None, epoch: str | None = None) -> Listener | None:
        """Join the stream. With `since`, None when what was missed is no longer held.

        Without `since` the listener hears what comes from now on.
        """
        listener = Listener()
        if since is not None:
            missed = self._missing_since(since, epoch)
            if missed is None:
                return None
            listener = Listener(missed)
        self._listeners.add(listener)
        return listener

    def listen_within(self) -> Listener:
        """Join the stream from now on for the server itself: not counted among the clients."""
        listener = Listener(client=False)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    @property
    def listeners(self) -> int:
        """How many clients listen."""
        return sum(listener.client for listener in self._listeners)

    def _missing_since(self, since: int, epoch: str | None) -> list[Sent] | None:
        if epoch != self.epoch or not 0 <= since <= self.seq:
            return None
        missed = [sent for sent in self._ring if sent.seq > since]
        if len(missed) != self.seq - since:
            return None
        if len(missed) > QUEUE_FRAMES or sum(len(sent.text) for sent in missed) > QUEUE_BYTES:
            return None
        return missed

    def _keep(self, sent: Sent) -> None:
        self._ring.append(sent)
        self._ring_bytes += len(sent.text)
        while len(self._ring) > RING_FRAMES or self._ring_bytes > RING_BYTES:
            self._ring_bytes -= len(self._ring.popleft().text)
