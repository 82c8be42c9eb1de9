"""A judge over HTTP, from the settings to the scores: asked, failing, and biased to no place."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.engines.architectures import make_adapter
from tests.service.live import listening
from tests.service.server import CHECKOUT, DEMO, running_server
from tests.service.test_evaluation import until_end

pytestmark = pytest.mark.engine

KEY = "a-key-that-is-in-no-file"
HELD_OUT = CHECKOUT / "test_data" / "demo" / "chat" / "test.jsonl"
PART = re.compile(r"\[(FIRST|SECOND) ANSWER\]\n(.*?)\n\[END OF", re.DOTALL)


class Judge(ThreadingHTTPServer):
    """Gives eights, prefers the answer later in the alphabet, and refuses the first text it sees
    for good.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keys: set[str | None] = set()
        self.calls = self.refused = 0
        self._lock = threading.Lock()
        self._hated: str | None = None

    def verdict(self, said: str) -> dict[str, Any] | None:
        with self._lock:
            self.calls += 1
            pair = {place.lower(): text for place, text in PART.findall(said)}
            if not pair:
                self._hated = self._hated or said
                if said == self._hated:
                    self.refused += 1
                    return None
                names = ("faithfulness", "fact_recall", "consistency", "hallucination")
                return dict.fromkeys(names, 8) | {"reason": "Close to it."}
            same = pair["first"] == pair["second"]
            return {"better": "tie" if same else max(pair, key=lambda place: pair[place])}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        judge = self.server
        assert isinstance(judge, Judge)
        judge.keys.add(self.headers.get("authorization"))
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        verdict = judge.verdict(body["messages"][-1]["content"])
        said = {"choices": [{"message": {"content": json.dumps(verdict)}}]}
        raw = json.dumps(said if verdict else {"error": "no"}).encode()
        self.send_response(200 if verdict else 400)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def judge() -> Iterator[Judge]:
    made = Judge()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def test_a_judge_of_the_settings_scores_both_sides_and_its_key_is_in_no_file(
    judge: Judge, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("judged")
    make_adapter(root / "adapters" / "loud", DEMO, seed=1, scale=20.0)
    address = f"http://127.0.0.1:{judge.server_address[1]}/v1"
    env = {"DROID_JUDGE_URL": address, "DROID_JUDGE_MODEL": "stern", "DROID_JUDGE_KEY": KEY}
    asked = {
        "adapter_name": "loud", "training_data_path": str(HELD_OUT), "num_questions": 4,
        "max_tokens": 8, "metrics": ["length"], "judge": True,
    }  # fmt: skip

    with running_server(root, env=env) as server, listening(server) as socket:
        offers = server.get("/api/evaluation/offers")
        started = server.post("/api/evaluation/compare", asked)
        ended = until_end(socket, started["evaluation_id"])[-1]
        assert ended["type"] == "job_completed", ended
        result = server.get("/api/evaluation/result")["result"]
        report = server.client.get(f"/api/evaluation/{started['evaluation_id']}/report").text

    assert offers["judge"] == {"host": address.split("/")[2], "model": "stern"}
    assert judge.keys == {f"Bearer {KEY}"}
    told = result["judge"]
    assert (told["model"], told["asked"], told["failed"]) == ("stern", 16, judge.refused)
    assert judge.calls == 16  # Four rows by two sides, and four pairs in both orders.
    assert judge.refused >= 1
    assert told["problems"] == ["the judge answered 400"]
    problems = [
        answer["judged"].get("problem")
        for question in result["questions"]
        for answer in question["answers"]
    ]
    assert problems.count("the judge answered 400") == judge.refused
    for scores in (result["scores"], result["base_model_scores"]):
        assert scores["overall"] == 80.0  # Of those that were given; a failure is no score.
    swaps = told["swaps"]
    assert (swaps["asked"], swaps["consistent"]) == (4, 4)
    assert swaps["base_wins"] + swaps["adapter_wins"] + swaps["ties"] == 4
    assert f"Judge: stern. {judge.refused} of 16 calls failed." in report
    files = [path for path in root.rglob("*") if path.is_file()]
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
