"""Rules about the machine: speed that collapses, memory near its limit or creeping up."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import median
from typing import ClassVar

from backend.contract.run.events import Metrics
from backend.jobs.health.facts import RunFacts
from backend.jobs.health.rule import Finding, Fix, Rule, percent


class ThroughputDrop(Rule):
    """The run is far slower than it was, for several reports."""

    code: ClassVar[str] = "throughput_drop"
    _FIRST, _LAST = 10, 5  # Reports that make the usual speed, and the speed of now.
    _SHARE = 0.5

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self._usual: list[float] = []
        self._recent: deque[float] = deque(maxlen=self._LAST)
        self._seen = 0

    def report(self, event: Metrics) -> None:
        speed = event.tokens_per_second
        if speed is None and self.facts.family != "reward":
            speed = event.iterations_per_second
        if speed is None or speed <= 0:
            return
        self._seen += 1
        if self._seen == 1:
            return  # The first report has the set-up of the loop in it.
        if len(self._usual) < self._FIRST:
            self._usual.append(speed)
            return
        self._recent.append(speed)
        usual, now = median(self._usual), median(self._recent)
        full = len(self._recent) == self._LAST
        self.standing = self._finding(now / usual) if full and now < self._SHARE * usual else None

    def _finding(self, share: float) -> Finding:
        return Finding(
            level="warning",
            message=f"Training runs at {percent(share)} of its usual speed.",
            hint="Close programs that use the processor or memory; a hot or nearly full machine "
            "slows down too. The result is not affected.",
        )


class MemoryNearLimit(Rule):
    """The peak comes close to what the machine can give."""

    code: ClassVar[str] = "memory_near_limit"
    _NEAR, _OVER = 0.9, 1.0

    def report(self, event: Metrics) -> None:
        limit = self.facts.memory_limit
        if limit is None or event.peak_memory_gb is None:
            return
        share = event.peak_memory_gb * 1e9 / limit
        if share < self._NEAR:
            self.standing = None
            return
        over = share >= self._OVER
        after = (
            "from here on the system swaps or ends the run" if over else "longer rows may end it"
        )
        self.standing = Finding(
            level="error" if over else "warning",
            message=f"Peak memory is {event.peak_memory_gb:.1f} GB, {percent(share)} of what this "
            f"machine can give: {after}.",
            hint="Turn on gradient checkpointing, or lower batch size or maximum length.",
            fix=self._fix(),
        )

    def _fix(self) -> Fix | None:
        facts = self.facts
        if not facts.grad_checkpoint:
            return {"grad_checkpoint": True}
        if facts.batch_size is not None and facts.batch_size > 1:
            return {"batch_size": facts.batch_size // 2}
        if facts.max_seq_length is not None and facts.max_seq_length > 256:
            return {"max_seq_length": facts.max_seq_length // 2}
        return None


class MemoryCreeping(Rule):
    """The peak goes on rising, long after the longest rows have been seen."""

    code: ClassVar[str] = "memory_creeping"
    _WINDOW, _RISES, _GROWTH = 20, 8, 0.1
    _SETTLED = 20  # Reports until the longest rows have passed.

    def __init__(self, facts: RunFacts) -> None:
        super().__init__(facts)
        self._peaks: deque[float] = deque(maxlen=self._WINDOW)
        self._seen = 0

    def report(self, event: Metrics) -> None:
        peak = event.peak_memory_gb
        if peak is None:
            return
        self._seen += 1
        self._peaks.append(peak)
        if self._seen < self._SETTLED + self._WINDOW:
            return
        peaks = list(self._peaks)
        rises = sum(after > before for before, after in pairwise(peaks))
        growth = (peaks[-1] - peaks[0]) / max(peaks[0], 1e-9)
        creeping = rises >= self._RISES and growth >= self._GROWTH
        self.standing = self._finding(growth, peak) if creeping else None

    def _finding(self, growth: float, peak: float) -> Finding:
        return Finding(
            level="warning",
            message=f"Peak memory goes on rising: {percent(growth)} in the last {self._WINDOW} "
            f"reports, to {peak:.1f} GB.",
            hint="If it comes near the machine's limit, stop and save, then continue: a new "
            "process begins with empty memory.",
        )
