"""skeleton"""

from __future__ import annotations

from typing import Any

from backend.runs.schemas import Series, SessionSummary


class SessionStore:
    def page(self, limit: int, cursor: str | None) -> tuple[list[SessionSummary], str | None]:
        raise NotImplementedError

    def read(self, session_id: str) -> dict[str, Any]:
        raise NotImplementedError

    def series(self, session_id: str, since: int, max_points: int) -> Series:
        raise NotImplementedError

    def logs(self, session_id: str, limit: int, before: int | None) -> tuple[list[str], int | None]:
        raise NotImplementedError
