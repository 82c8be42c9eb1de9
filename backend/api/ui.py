"""The built UI at `/`: whatever no route answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

_FOR_EVER = "public, max-age=31536000, immutable"  # Built names carry a hash of the content.
_ASK_AGAIN = "no-cache"
_NOT_BUILT = """<!doctype html><title>Droid FineTuning</title>
<p>The service is running, but its user interface is not built yet.
<p>Run <code>npm run build</code>, or start the app with <code>./startmlxnew</code>."""


def serve_ui(app: FastAPI, folder: Path) -> None:
    """Answer GETs that no route knows from the UI's folder.

    Set as the router's default rather than mounted at `/`: a mount would match everything, and a
    wrong method on a real route would no longer be told as such.
    """
    files = StaticFiles(directory=folder, check_dir=False)
    unknown: Callable[[Scope, Receive, Send], Awaitable[None]] = app.router.not_found

    async def ui_or_unknown(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            response = await _find(files, folder, scope)
            if response is not None:
                await response(scope, receive, send)
                return
        await unknown(scope, receive, send)

    app.router.default = ui_or_unknown


async def _find(files: StaticFiles, folder: Path, scope: Scope) -> Response | None:
    name = scope["path"].lstrip("/")
    if name == "favicon.ico":
        name = "icon.svg"
    if name == "" or _is_visit(scope, name):
        name = "index.html"
    try:
        response = await files.get_response(name, scope)
    except HTTPException:
        return HTMLResponse(_NOT_BUILT, 503) if name == "index.html" else None
    hashed = name.startswith("assets/")
    response.headers["cache-control"] = _FOR_EVER if hashed else _ASK_AGAIN
    return response


def _is_visit(scope: Scope, name: str) -> bool:
    """A page address of the UI typed in: pages live behind the hash, so the start page serves."""
    wants_page = "text/html" in Headers(scope=scope).get("accept", "")
    return wants_page and "." not in name and not name.startswith(("api/", "ws"))
