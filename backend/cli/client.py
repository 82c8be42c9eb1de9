"""The requests that the command line makes to the running service, and its refusals."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

# Never through a proxy: the service is on this machine, or where DROID_URL says.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SHORT, _START, _LONG = 60.0, 120.0, 3600.0  # Seconds: a look, a start, an answer of a model.


class Refused(Exception):
    """The service answered with a refusal: its sentence, and what to do."""

    def __init__(self, message: str, answer: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.answer = dict(answer or {"error": "Refused", "detail": message, "hint": None})


class Client:
    """JSON in, JSON out. Raises Refused for an answer that says no, OSError where none comes."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def version(self) -> str | None:
        """The version of a healthy service; None where there is none. Raises Refused where one
        wants its token.
        """
        try:
            health = self.get("/health", timeout=5)
            healthy = isinstance(health, dict) and health.get("status") == "healthy"
            return str(health.get("version")) if healthy else None
        except (OSError, ValueError):
            return None

    def healthy(self) -> bool:
        """Whether a healthy service lets this client in."""
        try:
            return self.version() is not None
        except Refused:
            return False

    def get(self, path: str, *, timeout: float = _SHORT, **query: object) -> Any:
        parameters = {name: value for name, value in query.items() if value is not None}
        query_text = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return self._answer("GET", path + query_text, None, timeout)

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, timeout: float = _START
    ) -> Any:
        return self._answer("POST", path, dict(body or {}), timeout)

    def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """A POST whose answer a model makes, which may have to be loaded first."""
        return self.post(path, body, timeout=_LONG)

    def delete(self, path: str) -> Any:
        return self._answer("DELETE", path, None, _SHORT)

    def events(self, path: str, body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The kind and data of each event of a stream, as they come."""
        request = self._request("POST", path, dict(body))
        with self._open(request, _LONG) as answer:
            kind = ""
            for line in answer:
                text = line.decode("utf-8", errors="replace").rstrip("\n")
                if text.startswith("event: "):
                    kind = text.removeprefix("event: ")
                elif text.startswith("data: "):
                    yield kind, json.loads(text.removeprefix("data: "))

    def _answer(self, method: str, path: str, body: object, timeout: float) -> Any:
        with self._open(self._request(method, path, body), timeout) as answer:
            try:
                return json.loads(answer.read())
            except ValueError:
                raise Refused(
                    f"{self.url}{path} did not answer with JSON: no such service."
                ) from None

    def _request(self, method: str, path: str, body: object) -> urllib.request.Request:
        data = None if body is None else json.dumps(body).encode()
        return urllib.request.Request(  # noqa: S310 - http(s) only: see `_open`
            self.url + path, data=data, headers=self._headers, method=method
        )

    def _open(self, request: urllib.request.Request, timeout: float) -> Any:
        if request.type not in {"http", "https"}:
            raise Refused(f"{self.url} is no http address.")
        try:
            return _OPENER.open(request, timeout=timeout)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise _refused(refusal.read()) from None


def _refused(body: bytes) -> Refused:
    try:
        answer = json.loads(body)
        fields = [f"{each['field']}: {each['message']}" for each in answer.get("errors") or ()]
        # A single field's message is the detail itself.
        listed = fields if len(fields) > 1 else []
        lines = [answer["detail"], *listed, answer.get("hint")]
        return Refused("\n".join(line for line in lines if line), answer)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Refused(body.decode(errors="replace")[:300] or "An empty answer.")


def quoted(name: str) -> str:
    """A name as one part of an address."""
    return urllib.parse.quote(name, safe="")
