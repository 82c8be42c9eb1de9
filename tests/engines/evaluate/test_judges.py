"""A judge that is asked over HTTP, and what becomes of each way to fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from backend.contract.jobs.evaluation import JUDGE_KEY
from backend.engines.evaluate import judges
from backend.engines.evaluate.judges import JudgeFailed, LocalJudge, RemoteJudge
from backend.engines.inference.generate import Watch
from backend.engines.inference.protocol import Cancelled

pytestmark = pytest.mark.engine

TALK = [{"role": "user", "content": "How good is it?"}]


class Service(ThreadingHTTPServer):
    """Answers from a list, the last one again and again; keeps what it was asked."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.asked: list[tuple[str | None, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        service = self.server
        assert isinstance(service, Service)
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        service.asked.append((self.headers.get("authorization"), body))
        status, said = service.answers[0]
        if len(service.answers) > 1:
            service.answers.pop(0)
        raw = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        pass


def said(content: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content}}]}


@contextmanager
def serving(*answers: tuple[int, Any]) -> Iterator[Service]:
    service = Service(*answers)
    thread = threading.Thread(target=service.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()
        thread.join()


def watch(*, cancelled: bool = False) -> Watch:
    return Watch(lambda: cancelled, None)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "_WAITS", (0.0, 0.0, 0.0))


def test_each_talk_gets_its_reply_and_the_key_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JUDGE_KEY, "the key")
    with serving((200, said("fine"))) as service:
        replies = dict(RemoteJudge(service.url, "big").ask([TALK] * 6, watch()))
    assert replies == dict.fromkeys(range(6), "fine")
    key, body = service.asked[0]
    assert key == "Bearer the key"
    assert (body["model"], body["temperature"], body["messages"]) == ("big", 0, TALK)


def test_a_passing_failure_is_tried_again_and_a_refusal_is_not() -> None:
    with serving((503, {}), (200, said("fine"))) as service:
        assert list(RemoteJudge(service.url, "m").ask([TALK], watch())) == [(0, "fine")]
    with serving((401, {"error": "who?"})) as service:
        ((_, refused),) = RemoteJudge(service.url, "m").ask([TALK], watch())
    assert str(refused) == "the judge answered 401"
    assert len(service.asked) == 1


@pytest.mark.parametrize("reply", [{}, [], "text", {"choices": []}, said(None), said(["x"])])
def test_a_reply_in_another_form_is_a_failure(reply: Any) -> None:
    with serving((200, reply)) as service:
        ((_, found),) = RemoteJudge(service.url, "m").ask([TALK], watch())
    assert isinstance(found, JudgeFailed)


def test_nobody_there_is_a_failure_that_says_so() -> None:
    with serving((200, {})) as service:
        url = service.url
    ((_, found),) = RemoteJudge(url, "m").ask([TALK], watch())
    assert "can't be reached" in str(found)


def test_a_cancel_is_heard_between_replies() -> None:
    with serving((200, said("fine"))) as service, pytest.raises(Cancelled):
        list(RemoteJudge(service.url, "m").ask([TALK] * 3, watch(cancelled=True)))


def test_a_model_of_this_machine_replies_too_and_a_talk_too_long_for_it_fails(
    tiny_model: Path,
) -> None:
    long = [{"role": "user", "content": "x" * 1000}]
    replies = dict(LocalJudge(tiny_model).ask([TALK, long, TALK], watch()))
    assert isinstance(replies[0], str)
    assert replies[0] == replies[2]
    assert "context is 256" in str(replies[1])
