"""The address without `/api` of a route: `/training/start-enhanced` of `/api/training/…`."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import compile_path

PREFIX = "/api"
# What scripts of the reference app call with and without the prefix.
_BOTH = ("/api/training", "/api/evaluation", "/api/fusion")


def short_paths(router: APIRouter) -> Iterator[tuple[APIRoute, str]]:
    """Each route of a router that is reachable without `/api`, with that address."""
    for route in router.routes:
        if isinstance(route, APIRoute) and route.path.startswith(tuple(f"{p}/" for p in _BOTH)):
            yield route, route.path.removeprefix(PREFIX)


def short_routes(routers: Iterable[APIRouter]) -> Iterator[APIRoute]:
    """Copies of those routes under the short address, left out of OpenAPI. To be added last: an
    address that another route has stays that route's.
    """
    for router in routers:
        for route, path in short_paths(router):
            short = copy.copy(route)
            short.path, short.include_in_schema = path, False
            short.path_regex, short.path_format, short.param_convertors = compile_path(path)
            yield short
