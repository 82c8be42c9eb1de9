from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx_lm import generate, load
from mlx_lm.tuner.utils import load_adapters

from tests.engines.architectures import make_adapter, make_full, spec_of
from tests.engines.inference.talking import Worker, worker

pytestmark = pytest.mark.engine

LONG = {"max_tokens": 100_000}


@pytest.fixture(scope="module")
def adapters(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return {
        "one": make_adapter(folder / "one", tiny_model, seed=1, scale=20.0),
        "two": make_adapter(folder / "two", tiny_model, rank=8, seed=2, dora=True, scale=20.0),
        "full": make_full(folder / "full", tiny_model),
    }


@pytest.fixture(scope="module")
def endless(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model with room for an answer that takes minutes."""
    folder = tmp_path_factory.mktemp("endless") / "tiny"
    shutil.copytree(tiny_model, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 10**6}))
    return folder


@pytest.fixture(scope="module")
def talk(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with worker(tiny_model, tmp_path_factory.mktemp("worker") / "worker.log") as started:
        yield started


def plain(model: Path, adapter: Path | None, text: str) -> str:
    """What mlx_lm itself answers after a fresh load."""
    loaded = load(str(model))
    if adapter is not None:
        load_adapters(loaded[0], str(adapter))
        loaded[0].eval()
    messages = [{"role": "user", "content": text}]
    prompt = loaded[1].apply_chat_template(messages, add_generation_prompt=True)
    answer: str = generate(loaded[0], loaded[1], prompt, max_tokens=12)
    return answer


def test_base_and_adapters_in_turn_answer_as_plain_mlx_lm_does(
    talk: Worker, tiny_model: Path, adapters: dict[str, Path]
) -> None:
    expected = {
        name: plain(tiny_model, adapters.get(name), "Hello") for name in ("base", *adapters)
    }

    for name in ("base", "one", "two", "one", "base", "full", "two", "full", "base"):
        spec = spec_of(adapters[name]) if name in adapters else None
        text, done = talk.answer("Hello", adapter=spec)
        assert text == expected[name], name
        assert done["chat_template_used"] is True

    assert len(set(expected.values())) == 4


def test_what_follows_a_full_fine_tune_says_that_the_base_was_loaded_again(
    talk: Worker, adapters: dict[str, Path]
) -> None:
    talk.answer("Hello", adapter=spec_of(adapters["full"]))

    _, after = talk.answer("Hello", adapter=spec_of(adapters["one"]))
    _, then = talk.answer("Hello", adapter=None)

    assert (after["reloaded"], then["reloaded"]) == (True, False)
    assert after["model_load_seconds"] > 0 == then["model_load_seconds"]


def test_a_seed_repeats_an_answer_and_another_does_not(talk: Worker) -> None:
    warm = {"temperature": 1.5, "max_tokens": 30}

    first, second, other = (talk.answer("Hi", seed=seed, **warm)[0] for seed in (7, 7, 8))

    assert first == second != other


def test_a_stop_text_ends_the_answer_and_is_not_shown(talk: Worker) -> None:
    whole, _ = talk.answer("Hello", max_tokens=40)
    stop = whole[10:13]

    text, done = talk.answer("Hello", max_tokens=40, stop=[stop])

    assert text == whole[: whole.index(stop)]
    assert done["finish_reason"] == "stop"


def test_an_answer_that_nobody_waits_for_ends_and_the_next_is_made(
    talk: Worker, endless: Path
) -> None:
    number = talk.send("generate", prompt="Hello", model=str(endless), **LONG)
    waiting = talk.send("generate", prompt="Hello")
    while talk.frame()["type"] != "token":
        pass

    talk.cancel(number)
    talk.cancel(waiting)

    assert talk.rest_of(number)[-1]["code"] == "cancelled"
    assert talk.rest_of(waiting)[-1]["code"] == "cancelled"
    assert talk.answer("Hello")[1]["finish_reason"] == "length"


def test_a_deadline_ends_an_answer_with_a_sentence(talk: Worker) -> None:
    last = talk.ask("generate", prompt="Hello", deadline=0.0)[-1]

    assert (last["type"], last["code"]) == ("error", "deadline")
    assert "0 seconds" in last["message"]


def test_a_prompt_beyond_the_context_is_refused_with_both_numbers(talk: Worker) -> None:
    last = talk.ask("generate", prompt="long " * 200)[-1]

    assert last["code"] == "too_long"
    assert "context is 256" in last["message"]


def test_an_answer_is_never_longer_than_the_context_has_room_for(talk: Worker) -> None:
    _, done = talk.answer("Hello", **LONG, temperature=1.0, seed=1)

    assert done["prompt_tokens"] + done["completion_tokens"] <= 256
    assert done["max_tokens"] == 256 - done["prompt_tokens"]


def test_the_next_turn_of_a_conversation_reads_only_what_is_new(talk: Worker) -> None:
    question = [{"role": "user", "content": "Tell me something about the sea"}]
    text, first = talk.answer("", messages=question, conversation="c1")
    turns = [*question, {"role": "assistant", "content": text}, {"role": "user", "content": "More"}]

    cached, second = talk.answer("", messages=turns, conversation="c1")
    anew, third = talk.answer("", messages=turns)

    assert first["cached_tokens"] == third["cached_tokens"] == 0
    assert second["cached_tokens"] >= first["prompt_tokens"]
    assert cached == anew


def test_after_a_stop_the_conversation_is_not_read_again(talk: Worker, endless: Path) -> None:
    question = [{"role": "user", "content": "Tell me something about the sea"}]
    model = str(endless)
    _, alone = talk.answer("", messages=question, model=model, max_tokens=1)
    number = talk.send(
        "generate", prompt="", messages=question, conversation="c3", model=model, **LONG
    )
    while (first := talk.frame())["type"] != "token":
        pass
    talk.cancel(number)
    pieces = [first, *talk.rest_of(number)]
    text = "".join(frame["text"] for frame in pieces if frame["type"] == "token")
    turns = [*question, {"role": "assistant", "content": text}, {"role": "user", "content": "More"}]

    _, second = talk.answer("", messages=turns, conversation="c3", model=model, max_tokens=1)

    assert pieces[-1]["code"] == "cancelled"
    assert second["cached_tokens"] >= alone["prompt_tokens"]


def test_a_conversation_with_another_adapter_is_read_anew(
    talk: Worker, adapters: dict[str, Path]
) -> None:
    question = [{"role": "user", "content": "Tell me something about the sea"}]
    talk.answer("", messages=question, conversation="c2")

    _, other = talk.answer(
        "", messages=question, conversation="c2", adapter=spec_of(adapters["one"])
    )
    _, again = talk.answer("", messages=question, conversation="c2")

    assert other["cached_tokens"] == 0
    assert again["cached_tokens"] == again["prompt_tokens"] - 1


def test_base_and_adapters_answer_in_one_batch_as_they_do_one_by_one(
    talk: Worker, adapters: dict[str, Path], tiny_model: Path, tmp_path: Path
) -> None:
    third = make_adapter(tmp_path / "third", tiny_model, rank=8, seed=3, scale=20.0, layers=1)
    specs = [None, spec_of(adapters["one"]), spec_of(third)]
    alone = [talk.answer("Hello", adapter=spec) for spec in specs]

    frames = talk.ask("together", prompt="Hello", adapters=specs)

    texts = ["", "", ""]
    for frame in frames:
        if frame["type"] == "token":
            texts[frame["row"]] += frame["text"]
    done = {frame["index"]: frame for frame in frames if frame["type"] == "answer"}
    assert texts == [text for text, _ in alone]
    assert [done[row]["completion_tokens"] for row in range(3)] == [
        last["completion_tokens"] for _, last in alone
    ]
    assert talk.answer("Hello")[0] == texts[0]  # The base is bare again.


def test_stops_seeds_and_penalties_hold_in_a_batch_of_adapters(
    talk: Worker, adapters: dict[str, Path]
) -> None:
    specs = [None, spec_of(adapters["one"])]
    warm = {"temperature": 1.0, "seed": 3, "repetition_penalty": 1.2, "max_tokens": 30}

    def texts(**fields: Any) -> list[str]:
        made = ["", ""]
        for frame in talk.ask("together", prompt="Hello", adapters=specs, **fields):
            if frame["type"] == "token":
                made[frame["row"]] += frame["text"]
        return made

    first, second = texts(**warm), texts(**warm)
    stop = first[1][5:7]

    assert first == second
    assert texts(**warm, stop=[stop])[1] == first[1][: first[1].index(stop)]


def test_what_can_not_share_a_batch_says_why(talk: Worker, adapters: dict[str, Path]) -> None:
    for name, why in (("two", "more than plain LoRA"), ("full", "replaces weights")):
        last = talk.ask("together", prompt="Hi", adapters=[None, spec_of(adapters[name])])[-1]

        assert (last["type"], last["code"]) == ("error", "not_together")
        assert why in last["message"]


def test_prompts_asked_together_are_answered_as_one_by_one(
    talk: Worker, adapters: dict[str, Path]
) -> None:
    spec = spec_of(adapters["one"])
    texts = ["Hello", "What is the capital of the moon?", "Go"]
    singly = [talk.answer(text, adapter=spec) for text in texts]
    alone = [text for text, _ in singly]

    frames = talk.ask("batch", adapter=spec, prompts=[{"prompt": text} for text in texts])

    answers = {frame["index"]: frame["text"] for frame in frames if frame["type"] == "answer"}
    assert [answers[number] for number in range(3)] == alone
    counts = {f["index"]: f["completion_tokens"] for f in frames if f["type"] == "answer"}
    assert [counts[number] for number in range(3)] == [
        done["completion_tokens"] for _, done in singly
    ]
    assert frames[-1]["batched"] is True


def test_scores_are_the_loss_of_the_answers_tokens_alone(talk: Worker, tiny_model: Path) -> None:
    rows: list[dict[str, str]] = [
        {"prompt": "One and two", "completion": "three"},
        {"prompt": "A rather longer question than that", "completion": "no"},
        {"question": "What?"},
    ]

    last = talk.ask("score", rows=rows)[-1]

    model, tokenizer = load(str(tiny_model))[:2]
    for row, score in zip(rows[:2], last["rows"], strict=False):
        asked = [{"role": "user", "content": row["prompt"]}]
        whole = [*asked, {"role": "assistant", "content": row["completion"]}]
        begin = len(tokenizer.apply_chat_template(asked, add_generation_prompt=True))
        tokens = tokenizer.apply_chat_template(whole)
        said = mx.array(tokens)[None]
        logprobs: Any = mx.log(mx.softmax(model(said[:, :-1]), axis=-1))[0]
        losses = [-logprobs[at - 1, tokens[at]].item() for at in range(begin, len(tokens))]
        assert score["tokens"] == len(losses)
        assert math.isclose(score["loss"], sum(losses), rel_tol=1e-4)
    assert last["rows"][2]["problem"]
    assert last["tokens"] == sum(score["tokens"] for score in last["rows"])


def test_what_can_not_be_done_is_said_and_the_worker_lives(talk: Worker, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    missing = talk.ask("generate", prompt="Hello", model=str(tmp_path))[-1]
    unknown = talk.ask("dance")[-1]

    assert missing["code"] == "bad_model"
    assert unknown["code"] == "failed"
    assert talk.answer("Hello")[0]


def test_the_worker_ends_when_its_server_is_gone(endless: Path, tmp_path: Path) -> None:
    with worker(endless, tmp_path / "log") as talk:
        talk.send("generate", prompt="Hello", **LONG)
        talk.frame()
        assert talk.process.stdin is not None and talk.process.stdout is not None

        talk.process.stdin.close()

        talk.process.stdout.read()
        assert talk.process.wait(30) == 0
