"""A wall clock that never goes back: where the machine's is set back, time goes on from there."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SteadyClock:
    """Times of one process, none before `after` or before an earlier one of the same clock.

    Between two times at least as much has passed as by the monotonic clock; more where the machine
    slept, which that one may not count.
    """

    def __init__(self, after: datetime | None = None) -> None:
        self._last = after or datetime.now(UTC)
        self._at = time.monotonic()

    def now(self) -> datetime:
        at = time.monotonic()
        passed = timedelta(seconds=at - self._at)
        self._last, self._at = max(datetime.now(UTC), self._last + passed), at
        return self._last
