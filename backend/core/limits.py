"""Upper bounds for whole numbers that come from outside.

Python counts without end, but floats, files and the engines do not: a number of 400 digits would be
taken here, and break whatever divides by it first.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

MOST = 2**31 - 1
MOST_STEPS = 9_999_999  # A checkpoint is named by its step, in seven digits.

Steps = Annotated[int, Field(ge=1, le=MOST_STEPS)]
Count = Annotated[int, Field(ge=1, le=MOST)]
Whole = Annotated[int, Field(ge=0, le=MOST)]


def known_steps(value: Any) -> int | None:
    """A number of steps as it stands in a file; null for what can't be one."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= MOST_STEPS else None
