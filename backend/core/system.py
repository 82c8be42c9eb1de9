"""skeleton"""

from __future__ import annotations

from backend.core.schemas import SystemInfo
from backend.settings import Settings


def describe_system(settings: Settings) -> SystemInfo:
    raise NotImplementedError
