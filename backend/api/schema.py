"""`/openapi.json`, complete: the routes and the frames of `/ws`, each under one name."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from backend.api.refusals import declare
from backend.jobs.frames import Frame

_REF = "#/components/schemas/{model}"


def operation_id(route: APIRoute) -> str:
    """Functions are named once over all routes, so their names will do."""
    return route.name


def describe(app: FastAPI) -> None:
    """Let `app.openapi()` answer the routes and, beside them, the frames as `Frame`."""
    routes_only = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = routes_only()
            frame = TypeAdapter(Frame).json_schema(ref_template=_REF)
            names = schema["components"]["schemas"]
            for name, model in frame.pop("$defs").items():
                names.setdefault(name, model)
            names["Frame"] = frame
            declare(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]  # FastAPI's own way to extend it
