from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.adapters.folders import adapter, base
from tests.api.live import Live

ASK = {"model_name": "small", "prompt": "one two"}


@pytest.fixture(scope="module")
def small(live: Live) -> Path:
    folder = base(live.settings.models_dirs[0] / "small")
    adapter(live.settings.adapters_dir / "tuned", folder)
    return folder


@pytest.fixture(autouse=True)
def _unloaded(live: Live, small: Path) -> Iterator[None]:
    yield
    live.client.post("/models/unload")


def events(lines: Iterator[str]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((kind, json.loads(line.removeprefix("data: "))))
    return found


def test_an_answer_has_the_shape_of_the_contract(live: Live) -> None:
    answer = live.client.post("/models/inference", json={**ASK, "adapter_name": "tuned"})

    body = answer.json()
    assert answer.status_code == 200
    assert body["success"] is True
    assert (body["prompt"], body["response"]) == ("one two", "tuned: one two")
    info = body["model_info"]
    assert (info["base_model"], info["adapter"], info["adapter_type"]) == (
        "small", "tuned", "latest",
    )  # fmt: skip
    assert (info["max_tokens"], info["temperature"]) == (100, 0.7)
    assert info["adapter_details"]["chat_template_used"] is True
    assert info["adapter_details"]["warnings"] == []
    assert set(body["stats"]) >= {
        "prompt_tokens", "completion_tokens", "first_token_seconds", "tokens_per_second",
        "model_load_seconds", "finish_reason",
    }  # fmt: skip


def test_the_base_alone_says_that_there_is_no_adapter(live: Live) -> None:
    info = live.client.post("/models/inference", json=ASK).json()["model_info"]

    assert (info["adapter"], info["adapter_type"]) == ("none (base model)", "none")


def test_a_stream_has_tokens_and_ends_with_the_whole_answer(live: Live) -> None:
    with live.client.stream("POST", "/models/inference", json={**ASK, "stream": True}) as answer:
        heard = events(answer.iter_lines())

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [data["text"] for kind, data in heard if kind == "token"] == ["base:", " one", " two"]
    assert heard[-1][0] == "done"
    assert heard[-1][1]["response"] == "base: one two"


def test_what_fails_in_a_warm_stream_has_a_status_and_later_an_event(live: Live) -> None:
    live.client.post("/models/inference", json=ASK)

    warm = live.client.post(
        "/models/inference", json={**ASK, "prompt": "refuse too_long", "stream": True}
    )
    live.client.post("/models/unload")
    with live.client.stream(
        "POST", "/models/inference", json={**ASK, "prompt": "refuse too_long", "stream": True}
    ) as answer:
        cold = events(answer.iter_lines())

    assert (warm.status_code, warm.json()["detail"]) == (400, "It is too_long.")
    assert [kind for kind, _ in cold] == ["progress", "error"]
    assert cold[-1][1]["detail"] == "It is too_long."


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"max_tokens": 0}, 422, "max_tokens must be at least 1; got 0."),
        ({"max_tokens": "many"}, 422, "max_tokens must be a whole number; got 'many'."),
        ({"temperature": -1}, 422, "temperature must be at least 0"),
        ({"top_p": 0}, 422, "top_p must be more than 0"),
        ({"prompt": " "}, 422, "the prompt is empty"),
        ({"messages": [{"role": "user", "content": "x"}]}, 422, "either a prompt or messages"),
        ({"prompt": None}, 422, "either a prompt or messages"),
        ({"maxtokens": 5}, 422, "Did you mean max_tokens?"),
        ({"model_name": "nobody"}, 404, "There is no model 'nobody'."),
        ({"adapter_name": "tunned"}, 404, "There is no adapter 'tunned'."),
        ({"adapter_name": "tuned", "checkpoint": 7}, 404, "no checkpoint 7"),
        ({"prompt": "refuse too_long"}, 400, "It is too_long."),
        ({"prompt": "refuse deadline"}, 504, "It is deadline."),
        ({"prompt": "die"}, 503, "The inference worker was killed"),
    ],
)  # fmt: skip
def test_bad_input_is_answered_in_a_sentence_and_the_next_request_works(
    live: Live, changed: dict[str, Any], status: int, words: str
) -> None:
    refused = live.client.post("/models/inference", json={**ASK, **changed})

    assert refused.status_code == status
    assert words in refused.json()["detail"]
    assert live.client.post("/models/inference", json=ASK).status_code == 200


def test_a_client_that_goes_away_ends_its_answer(live: Live) -> None:
    with pytest.raises(httpx.ReadTimeout):
        live.client.post("/models/inference", json={**ASK, "prompt": "hang"}, timeout=1.0)
    with live.client.stream(
        "POST", "/models/inference", json={**ASK, "prompt": "flood 1000000", "stream": True}
    ) as answer:
        next(answer.iter_lines())

    assert live.client.post("/models/inference", json=ASK).status_code == 200


def test_the_worker_is_shown_and_unloaded(live: Live, small: Path) -> None:
    assert live.client.get("/models/worker").json()["state"] == "none"
    live.client.post("/models/inference", json=ASK)

    worker = live.client.get("/models/worker").json()
    assert (worker["state"], worker["base"]) == ("idle", str(small))
    assert worker["resident_bytes"] > 0
    assert live.client.post("/models/unload").json()["unloaded"] is True
    assert live.client.post("/models/unload").json()["unloaded"] is False


def test_adapters_are_listed_under_their_base(live: Live, small: Path) -> None:
    listed = live.client.get("/models/available").json()["models"]

    (model,) = [model for model in listed if model["path"] == str(small)]
    assert [
        (one["name"], one["has_best"], one["has_latest"]) for one in model["adapters"]
    ] == [("tuned", False, True)]  # fmt: skip


def test_without_a_session_there_is_nothing_to_test(live: Live) -> None:
    for path in ("/model/test", "/model/test-base"):
        answer = live.client.post(path, json={"prompt": "x"})
        assert answer.status_code == 409
        assert answer.json()["detail"] == "No session is loaded, so there is nothing to test."


def test_a_run_ends_the_worker_and_questions_wait_for_its_end(live: Live) -> None:
    live.client.post("/models/inference", json=ASK)

    live.start(name="blocking", mode="endless")
    refused = live.client.post("/models/inference", json=ASK)
    shared = live.client.post("/models/inference", json={**ASK, "during_run": True})
    live.do(live.services.supervisor.stop(save=False))
    live.do(live.services.supervisor.slot.until_free())

    assert refused.status_code == 409
    assert "A run is active (blocking)" in refused.json()["detail"]
    assert shared.json()["response"] == "base: one two"
    assert live.client.post("/models/inference", json=ASK).status_code == 200


@pytest.mark.parametrize("path", ["/models/inference", "/v1/chat/completions"])
@pytest.mark.parametrize("stream", [True, False])
def test_one_that_leaves_while_it_waits_for_its_turn_gives_up_its_place(
    live: Live, path: str, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    asked = {"model": "small", "messages": [{"role": "user", "content": "x"}]}
    body = json.dumps({**(ASK if "models" in path else asked), "stream": stream})
    with ThreadPoolExecutor(1) as other:
        first = other.submit(live.client.post, "/models/inference", json={**ASK, "prompt": "hang"})
        until(live, lambda worker: worker["state"] == "busy")
        waits = http.client.HTTPConnection("127.0.0.1", live.settings.port)
        waits.request("POST", path, body, {"content-type": "application/json"})
        until(live, lambda worker: worker["waiting"] == 1)

        waits.close()

        until(live, lambda worker: worker["waiting"] == 0)
        assert not first.done()
        live.client.post("/models/unload")
        assert first.result().status_code == 409
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def until(live: Live, reached: Callable[[dict[str, Any]], bool]) -> None:
    """Ask about the worker again and again."""
    deadline = time.monotonic() + 15
    while not reached(worker := live.client.get("/models/worker").json()):
        assert time.monotonic() < deadline, worker


BOTH = {"prompt": "one two", "targets": [
    {"model_name": "small"}, {"model_name": "small", "adapter_name": "tuned"},
]}  # fmt: skip


def test_base_and_adapter_answer_side_by_side_in_one_batch(live: Live) -> None:
    with live.client.stream("POST", "/models/compare", json=BOTH) as answer:
        heard = events(answer.iter_lines())

    assert heard[0][0] == "plan"
    assert heard[0][1]["mode"] == "batch"
    assert heard[0][1]["targets"] == ["small", "small+tuned@latest"]
    order = [data["target"] for kind, data in heard if kind == "token"]
    assert order == [0, 1, 0, 1]
    answers = {data["target"]: data["answer"] for kind, data in heard if kind == "done"}
    assert answers[0]["response"] == "base:one base:two "
    assert answers[1]["model_info"]["adapter"] == "tuned"
    assert heard[-1] == ("end", {})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"together": False}, "asks for one after the other"),
        ({"prompt": "apart"}, "One batch is not possible: tuned is not plain."),
        ({"conversation": "c"}, "Each target caches its conversation"),
        ({"targets": BOTH["targets"][:1]}, "one target"),
    ],
)  # fmt: skip
def test_where_no_batch_is_possible_the_targets_answer_in_turn_and_it_says_why(
    live: Live, changed: dict[str, Any], reason: str
) -> None:
    body = live.client.post("/models/compare", json={**BOTH, **changed, "stream": False}).json()

    prompt = changed.get("prompt", "one two")
    assert body["mode"] == "in_turn"
    assert reason in body["reason"]
    assert [one["answer"]["response"] for one in body["answers"]] == [
        f"base: {prompt}", f"tuned: {prompt}",
    ][: len(body["answers"])]  # fmt: skip


def test_a_target_that_fails_leaves_the_others_their_answers(live: Live) -> None:
    asked = {**BOTH, "prompt": "refuse bad_prompt", "together": False, "stream": False}

    body = live.client.post("/models/compare", json=asked).json()

    assert [one["error"]["detail"] for one in body["answers"]] == ["It is bad_prompt."] * 2


def test_a_target_that_is_not_there_is_named_by_its_place(live: Live) -> None:
    targets = [{"model_name": "small"}, {"model_name": "small", "adapter_name": "nothing"}]

    refused = live.client.post("/models/compare", json={"prompt": "x", "targets": targets})

    assert refused.status_code == 404
    assert refused.json()["errors"][0]["field"] == "targets.1"


def test_another_base_is_used_only_where_the_request_asks_for_it(live: Live, small: Path) -> None:
    adapter(live.settings.adapters_dir / "foreign", "Org/X")
    asked = {**ASK, "adapter_name": "foreign"}

    refused = live.client.post("/models/inference", json=asked)
    answer = live.client.post("/models/inference", json={**asked, "allow_other_base": True})
    target = {"model_name": "small", "adapter_name": "foreign", "allow_other_base": True}
    compared = live.client.post(
        "/models/compare", json={"prompt": "one", "targets": [target], "stream": False}
    )

    assert (refused.status_code, "Org/X" in refused.json()["detail"]) == (400, True)
    (warning,) = answer.json()["model_info"]["adapter_details"]["warnings"]
    assert "Org/X" in warning
    assert str(small) in warning
    assert compared.json()["answers"][0]["answer"]["response"] == "foreign: one"


def test_a_vote_for_an_adapter_that_is_not_there_is_refused(live: Live) -> None:
    vote = {"model_name": "small", "winner": "tie", "base_first": True}

    gone = live.client.post("/api/arena/vote", json={**vote, "adapter_name": "nobody"})
    kept = live.client.post("/api/arena/vote", json={**vote, "adapter_name": "tuned"})

    assert (gone.status_code, "nobody" in gone.json()["detail"]) == (404, True)
    assert kept.json()["votes"] == 1


def test_what_is_wrong_with_a_question_is_said_plainly(live: Live) -> None:
    def told(content: str | None = None, **changed: Any) -> str:
        body = json.dumps({**ASK, **changed}) if content is None else content
        headers = {"Content-Type": "application/json"}
        answer = live.client.post("/models/inference", content=body, headers=headers)
        assert answer.status_code == 422, answer.text
        return str(answer.json()["detail"])

    assert told(prompt=" ") == "body: the prompt is empty."
    assert "best, latest or the number of a step" in told(checkpoint="newest")
    torn = '{"model_name": "small", "prompt": "a \\ud800 b"}'
    assert "prompt: character 2 is half of a surrogate pair" in told(torn)


def test_a_step_is_taken_as_text_too(live: Live, small: Path) -> None:
    files = ("adapters.safetensors", "0000010_adapters.safetensors")
    adapter(live.settings.adapters_dir / "stepped", small, files=files)

    asked = {**ASK, "adapter_name": "stepped", "checkpoint": "10"}
    answer = live.client.post("/models/inference", json=asked).json()

    assert answer["model_info"]["adapter_details"]["checkpoint"] == 10


def test_an_error_in_a_stream_has_only_what_it_says(live: Live) -> None:
    asked = {**ASK, "prompt": "die-late", "stream": True}

    with live.client.stream("POST", "/models/inference", json=asked) as answer:
        *_, (kind, data) = events(answer.iter_lines())

    assert (kind, set(data)) == ("error", {"error", "detail", "hint"})


def test_a_prompt_set_of_two_words_is_kept(live: Live) -> None:
    address = "/api/prompt-sets/support%20questions%3F%2F2"
    kept = live.client.put(address, json={"prompts": ["Hello?"]})

    assert kept.json()["name"] == "support questions?/2"
    assert live.client.get("/api/prompt-sets").json()["prompt_sets"] == [kept.json()]
    assert live.client.delete(address).status_code == 200
