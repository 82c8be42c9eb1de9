"""Paths as people paste them."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator


def plain_path(text: str) -> str:
    """A path as it is pasted: without quotes around it, and without the `file://` before it."""
    bare = text.strip()
    if len(bare) > 2 and bare[0] == bare[-1] and bare[0] in "'\"":
        bare = bare[1:-1].strip()
    if bare.lower().startswith("file://"):
        place = urlsplit(bare)
        if place.netloc in ("", "localhost"):
            return unquote(place.path)
    return bare


def _plain(value: Any) -> Any:
    return plain_path(value) if isinstance(value, str) else value


PastedPath = Annotated[str, BeforeValidator(_plain)]  # A field of a request.
