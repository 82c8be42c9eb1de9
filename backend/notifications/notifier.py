"""Sends a message to the user's own services when a run or a job has ended.

It listens to what every page hears, in a task of its own: a service that is slow or gone costs a
run nothing. What ends while no server is there is not told of.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from backend.core.hub import Hub
from backend.core.tasks import Tasks
from backend.errors import AppError
from backend.jobs.run.schemas import SessionRecord
from backend.notifications.channels import Channel, NotSent, channels_of
from backend.notifications.messages import EndMessage, is_end, message_of
from backend.settings import Settings

PAUSES = (2.0, 15.0, 60.0)  # Seconds before the second try, the third and the last.
_logger = logging.getLogger(__name__)


class Notifier:
    """Called on the event loop's thread. `pauses` are the seconds between tries."""

    def __init__(
        self,
        settings: Settings,
        hub: Hub,
        record_of: Callable[[str], SessionRecord],
        *,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._record_of = record_of
        self._pauses = pauses
        self._tasks = Tasks()

    def open(self) -> None:
        self._tasks.start(self._serve(), name="tell other services of ends")

    async def _serve(self) -> None:
        listener = self._hub.listen_within()
        try:
            while True:
                sent = await listener.get()
                if sent is None:
                    listener.restart()
                else:
                    await self._hear(sent.text)
        finally:
            self._hub.leave(listener)

    async def close(self) -> None:
        """What is not sent by now is not sent."""
        await self._tasks.close()

    async def _hear(self, frame: str) -> None:
        if not is_end(frame):
            return
        channels = channels_of(self._settings.saved.secrets)
        if not channels:
            return
        try:
            message = await asyncio.to_thread(message_of, frame, self._record_of)
        except (AppError, OSError) as problem:
            _logger.warning("An end is not told to other services: %s", problem)
            return
        if message is not None:
            for channel in channels:
                self._tasks.start(self._send(channel, message), name=f"message to {channel.name}")

    async def _send(self, channel: Channel, message: EndMessage) -> None:
        for pause in (*self._pauses, None):
            try:
                await asyncio.to_thread(channel.send, message)
                return
            except NotSent as problem:
                if pause is None or not problem.again:
                    _logger.warning(
                        "%r was not told to %s at %s: %s.",
                        message.title, channel.name, channel.host, problem,
                    )  # fmt: skip
                    return
                await asyncio.sleep(pause)
