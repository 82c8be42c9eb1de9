"""The few requests that the commands make to the running service."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

# Never through a proxy: the service is on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """The service answered with a refusal: its sentence, and what to do."""


class Client:
    """JSON in, JSON out."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def healthy(self) -> bool:
        try:
            return bool(self.get("/health", timeout=2)["status"] == "healthy")
        except (OSError, ValueError, KeyError, Refused):
            return False

    def get(self, path: str, *, timeout: float = 60) -> Any:
        return self._send(urllib.request.Request(self.url + path), timeout)  # noqa: S310

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        data = json.dumps(body).encode()
        return self._send(urllib.request.Request(self.url + path, data=data), 120)  # noqa: S310

    def delete(self, path: str) -> Any:
        return self._send(urllib.request.Request(self.url + path, method="DELETE"), 60)  # noqa: S310

    def _send(self, request: urllib.request.Request, timeout: float) -> Any:
        for name, value in self._headers.items():
            request.add_header(name, value)
        try:
            with _OPENER.open(request, timeout=timeout) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as refusal:
            raise Refused(_sentence(refusal.read())) from refusal


def _sentence(body: bytes) -> str:
    try:
        answer = json.loads(body)
        return " ".join(filter(None, (answer["detail"], answer.get("hint"))))
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:300]
