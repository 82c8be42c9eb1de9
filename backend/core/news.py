"""Waiting for something to become true, on the event loop, without looking again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress


class News:
    """Whoever changes what is waited for calls `tell`; everyone who waits then looks again."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, reached: Callable[[], bool], *, limit: float | None = None) -> None:
        """Until `reached` holds or `limit` seconds are over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while not reached():
                    await self._event.wait()
