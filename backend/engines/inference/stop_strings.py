"""End an answer at the first of some texts, without ever showing a part of one."""

from __future__ import annotations

from collections.abc import Sequence


class StopTexts:
    """Takes text piece by piece and gives out what can't be the beginning of a stop any more."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.reached = False

    def feed(self, piece: str) -> str:
        """What may be shown now. After `reached`, nothing more."""
        if not self._stops:
            return piece
        if self.reached:
            return ""
        text = self._held + piece
        ends = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.reached = True
            self._held = ""
            return text[: min(ends)]
        keep = self._longest_beginning(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back, once it is known that no stop follows."""
        text, self._held = self._held, ""
        return text

    def _longest_beginning(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of a stop."""
        longest = min(len(text), max(len(stop) for stop in self._stops) - 1)
        for size in range(longest, 0, -1):
            if any(stop.startswith(text[-size:]) for stop in self._stops):
                return size
        return 0
