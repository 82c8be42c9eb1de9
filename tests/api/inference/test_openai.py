from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from backend.inference.openai.requests import ChatRequest, CompletionRequest
from backend.inference.requests import MAX_TOKENS
from backend.settings import read_settings
from tests.adapters.folders import adapter, base
from tests.api.live import Live, serving

TOKEN = "right-" * 5
EVIL = {"headers": {"Origin": "https://evil.example"}}
TEXT = {"content": "x", "headers": {"Content-Type": "text/plain"}}
TORN = {"content": "{", "headers": {"Content-Type": "application/json"}}
LARGE = {"json": {"prompt": "x" * 2_000_000}}
HELLO: Any = [{"role": "user", "content": "one two"}]


@pytest.fixture(scope="module", autouse=True)
def _served(live: Live) -> None:
    folder: Path = base(live.settings.models_dirs[0] / "served")
    adapter(
        live.settings.adapters_dir / "tuned", folder,
        files=("adapters.safetensors", "0000010_adapters.safetensors"),
    )  # fmt: skip


@pytest.fixture
def client(live: Live) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=0) as made:
        yield made


def chat(client: openai.OpenAI, **changed: Any) -> Any:
    asked: dict[str, Any] = {"model": "served", "messages": HELLO, **changed}
    return client.chat.completions.create(**asked)


def test_models_are_the_bases_and_the_adapters_on_them(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["served", "served+tuned"]
    assert client.models.retrieve("served+tuned@10").id == "served+tuned@10"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("served", "base: one two"), ("served+tuned", "tuned: one two"),
        ("served+tuned@latest", "tuned: one two"), ("served+tuned@10", "tuned: one two"),
    ],
)  # fmt: skip
def test_a_chat_is_answered_by_the_model_it_names(
    client: openai.OpenAI, model: str, said: str
) -> None:
    answer = chat(client, model=model)

    assert answer.choices[0].message.content == said
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == model
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_chat_streams_its_pieces_and_its_usage(client: openai.OpenAI) -> None:
    pieces = list(chat(client, stream=True, stream_options={"include_usage": True}))

    assert pieces[0].choices[0].delta.role == "assistant"
    texts = [piece.choices[0].delta.content for piece in pieces[1:-2]]
    assert texts == ["base:", " one", " two"]
    assert pieces[-2].choices[0].finish_reason == "stop"
    assert pieces[-1].choices == []
    assert pieces[-1].usage.completion_tokens == 3
    assert len({piece.id for piece in pieces}) == 1


def test_plain_completions_are_answered_streamed_and_batched(client: openai.OpenAI) -> None:
    single = client.completions.create(model="served", prompt="one")
    pieces = list(client.completions.create(model="served", prompt="one", stream=True))
    several = client.completions.create(model="served", prompt=["a", "b"])

    assert single.choices[0].text == "base: one"
    assert "".join(piece.choices[0].text for piece in pieces) == "base: one"
    assert [(choice.index, choice.text) for choice in several.choices] == [
        (0, "re: a"), (1, "re: b"),
    ]  # fmt: skip


def test_text_parts_and_developer_messages_are_understood(client: openai.OpenAI) -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    messages = [{"role": "developer", "content": "Be brief"}, {"role": "user", "content": parts}]

    assert chat(client, messages=messages).choices[0].message.content == "base: one two"


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"model": "nobody"}, openai.NotFoundError, "no model 'nobody'"),
        ({"model": "served+nothing"}, openai.NotFoundError, "no adapter 'nothing'"),
        ({"model": "served+tuned@99"}, openai.NotFoundError, "no checkpoint 99"),
        ({"model": "served+tuned@newest"}, openai.NotFoundError, "'newest' is no checkpoint"),
        ({"max_tokens": 0}, openai.BadRequestError, "max_tokens must be at least 1"),
        ({"n": 2}, openai.BadRequestError, "n is 2"),
        ({"tools": [{}]}, openai.BadRequestError, "tools is not supported"),
        ({"messages": []}, openai.BadRequestError, "messages"),
        (
            {"messages": [{"role": "user", "content": "refuse too_long"}]},
            openai.BadRequestError, "It is too_long",
        ),
        (
            {"messages": [{"role": "user", "content": "refuse too_long"}], "stream": True},
            openai.BadRequestError, "It is too_long",
        ),
        (
            {"messages": [{"role": "user", "content": "die"}]},
            openai.InternalServerError, "was killed from outside",
        ),
    ],
)  # fmt: skip
def test_refusals_are_what_the_client_expects_and_the_next_request_works(
    client: openai.OpenAI, changed: dict[str, Any], kind: type[openai.APIStatusError], words: str
) -> None:
    with pytest.raises(kind) as refused:
        chat(client, **changed)

    body: Any = refused.value.body
    assert words in body["message"]
    assert chat(client).choices[0].message.content == "base: one two"


def test_a_wrong_key_raises_what_the_official_client_raises(tmp_path: Path) -> None:
    settings = read_settings({"DROID_TOKEN": TOKEN}, data_dir=str(tmp_path))
    with (
        serving(settings, token=TOKEN) as guarded,
        openai.OpenAI(base_url=f"{guarded.url}/v1", api_key="wrong", max_retries=0) as wrong,
        openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=TOKEN, max_retries=0) as right,
    ):
        with pytest.raises(openai.AuthenticationError, match="needs its token") as refused:
            wrong.models.list()
        assert right.models.list().object == "list"

    assert refused.value.type == "authentication_error"


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/v1/nope", {}, 404, "unknown_url"),
        ("DELETE", "/v1/models", {}, 405, "MethodNotAllowed"),
        ("GET", "/v1/models", EVIL, 403, "AccessRefused"),
        ("POST", "/v1/chat/completions", TEXT, 400, "BadContent"),
        ("POST", "/api/v1/completions", LARGE, 413, "TooLarge"),
        ("POST", "/v1/completions", TORN, 400, "BadContent"),
    ],
)  # fmt: skip
def test_every_refusal_has_openais_shape(
    live: Live, method: str, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    answer = live.client.request(method, path, **options)

    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    told = answer.json()["error"]
    assert set(told) == {"message", "type", "param", "code"}
    assert (told["code"], bool(told["message"])) == (code, True)


def test_what_a_client_leaves_null_is_as_if_it_were_not_said(live: Live) -> None:
    nothing = {"stream": None, "top_k": None, "min_p": None, "stop": None, "best_of": 1}
    asked = {"model": "served", "prompt": "one", **nothing}

    answer = live.client.post("/v1/completions", json=asked)
    several = live.client.post("/v1/completions", json={**asked, "best_of": 3})

    assert answer.json()["choices"][0]["text"] == "base: one"
    assert (several.status_code, "best_of is 3" in several.json()["error"]["message"]) == (
        400,
        True,
    )


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"n": 2}, "n"), ({"tools": [{"type": "function"}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"temperature": 9}, "temperature"), ({"max_tokens": 0}, "max_tokens"),
        ({"seed": -2}, "seed"), ({"extra_body": {"best_of": 3}}, "best_of"),
        ({"extra_body": {"chat_template_kwargs": {"tools": []}}}, "chat_template_kwargs"),
    ],
)  # fmt: skip
def test_a_refusal_names_its_field_as_param(
    client: openai.OpenAI, changed: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        chat(client, **changed)

    assert refusal.value.param == param


def test_minus_one_is_no_limit_and_a_random_seed(client: openai.OpenAI) -> None:
    answer = chat(client, max_tokens=-1, seed=-1)

    assert answer.choices[0].message.content == "base: one two"
    asked = ChatRequest(model="m", messages=HELLO, max_tokens=-1, seed=-1).ask()
    assert (asked.sampling.max_tokens, asked.sampling.seed) == (MAX_TOKENS, None)
    assert CompletionRequest(model="m", prompt="x", max_tokens=-1).asks()[0].sampling.seed is None


def test_tool_calls_and_template_variables_reach_the_template() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    history: Any = [
        {"role": "user", "content": "Add"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "2"},
    ]
    variables = {"enable_thinking": False}
    asked = ChatRequest(model="m", messages=history, chat_template_kwargs=variables).ask()

    question = asked.question()
    messages = question.messages or ()
    assert messages[1]["tool_calls"][0]["function"] == {
        "name": "add", "arguments": {"a": 1},
    }  # fmt: skip
    assert messages[2] == {"role": "tool", "tool_call_id": "c1", "content": "2"}
    assert question.template_variables == variables


@pytest.mark.parametrize("content", [None, "", "Let me add.", [{"type": "text", "text": "Let"}]])
def test_calls_beside_each_other_and_beside_a_text_reach_the_template(content: Any) -> None:
    calls = [
        {"id": name, "type": "function", "function": {"name": name, "arguments": arguments}}
        for name, arguments in (("add", '{"a": 1}'), ("now", ""), ("odd", "{not JSON"))
    ]
    history: Any = [
        {"role": "user", "content": "Add"},
        {"role": "assistant", "content": content, "tool_calls": calls},
    ]

    messages = ChatRequest(model="m", messages=history).ask().question().messages or ()

    found = [call["function"] for call in messages[1]["tool_calls"]]
    assert [call["name"] for call in found] == ["add", "now", "odd"]
    assert found[0]["arguments"] == {"a": 1}
    assert found[2]["arguments"] == "{not JSON"
