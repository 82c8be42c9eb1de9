from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from backend.core.hub import QUEUE_BYTES, QUEUE_FRAMES, RING_FRAMES, Hub, Listener


def joined(hub: Hub, **since: Any) -> Listener:
    listener = hub.listen(**since)
    assert listener is not None
    return listener


async def drain(listener: Listener, count: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(count):
        sent = await listener.get()
        assert sent is not None
        found.append(json.loads(sent.text))
    return found


async def test_every_listener_hears_every_frame_in_order() -> None:
    hub = Hub()
    first, second = joined(hub), joined(hub)
    for n in range(3):
        hub.publish("ping", {"n": n}, session_id="s")
    for listener in (first, second):
        frames = await drain(listener, 3)
        assert [frame["seq"] for frame in frames] == [1, 2, 3]
        assert [frame["data"]["n"] for frame in frames] == [0, 1, 2]
        assert {frame["epoch"] for frame in frames} == {hub.epoch}
        assert {frame["session_id"] for frame in frames} == {"s"}


async def test_a_reader_waits_for_news() -> None:
    hub = Hub()
    listener = joined(hub)
    waiting = asyncio.create_task(listener.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    hub.publish("ping", {})
    assert await waiting is not None


@pytest.mark.parametrize(
    ("count", "size"), [(QUEUE_FRAMES + 1, 1), (12, QUEUE_BYTES // 10)], ids=["frames", "bytes"]
)
async def test_a_listener_that_lags_starts_over_and_holds_up_nobody(count: int, size: int) -> None:
    """F28."""
    hub = Hub()
    slow, quick = joined(hub), joined(hub)
    for _ in range(count):
        hub.publish("ping", {"x": "x" * size})
        await drain(quick, 1)
    assert await slow.get() is None
    assert slow._bytes == 0, "what it could not take is not kept"
    slow.restart()
    hub.publish("ping", {"again": True})
    assert (await drain(slow, 1))[0]["data"] == {"again": True}


async def test_a_listener_that_comes_back_hears_what_it_missed() -> None:
    """F29."""
    hub = Hub()
    for n in range(10):
        hub.publish("ping", {"n": n})
    back = joined(hub, since=7, epoch=hub.epoch)
    hub.publish("ping", {"n": 10})
    assert [frame["seq"] for frame in await drain(back, 4)] == [8, 9, 10, 11]


async def test_one_who_missed_nothing_waits() -> None:
    hub = Hub()
    hub.publish("ping", {})
    back = joined(hub, since=1, epoch=hub.epoch)
    hub.publish("ping", {})
    assert (await drain(back, 1))[0]["seq"] == 2


async def test_what_is_no_longer_held_is_not_half_replayed() -> None:
    hub = Hub()
    for _ in range(RING_FRAMES + 10):
        hub.publish("ping", {})
    assert hub.listen(since=5, epoch=hub.epoch) is None
    assert hub.listen(since=1, epoch="another life") is None
    assert hub.listen(since=hub.seq + 1, epoch=hub.epoch) is None
    assert hub.listen(since=1, epoch=None) is None


async def test_who_has_left_hears_nothing() -> None:
    hub = Hub()
    listener = joined(hub)
    hub.leave(listener)
    hub.publish("ping", {})
    assert hub.listeners == 0
    assert not listener._queue


async def test_a_frame_that_json_cannot_have_is_a_bug_not_a_message() -> None:
    """T19."""
    hub = Hub()
    listener = joined(hub)
    with pytest.raises(ValueError, match="JSON"):
        hub.publish("ping", {"x": float("nan")})
    assert not listener._queue
