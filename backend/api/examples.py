"""The example dashboard, served where its page may open `/ws`: no foreign origin may."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from backend.errors import NotFound
from backend.settings import CHECKOUT

router = APIRouter()

FILE = CHECKOUT / "examples" / "dashboard.html"
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@router.get("/examples/dashboard.html", include_in_schema=False)
async def example_dashboard() -> HTMLResponse:
    """With a policy that lets its own script run and no other."""
    try:
        page = await asyncio.to_thread(FILE.read_text, encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            f"{FILE} is not there, though the app comes with it.",
            hint="Get the file from the project's examples folder.",
        ) from None
    return HTMLResponse(page, headers={"content-security-policy": _policy(page)})


def _policy(page: str) -> str:
    digests = (hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(page))
    scripts = " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in digests)
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
