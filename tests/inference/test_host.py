from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from backend.contract.answers import AnswerEnd
from backend.contract.inference_frames import AnswerProgress, Token
from backend.contract.sampling import Sampling
from backend.core.process import alive
from backend.errors import (
    AppError,
    BadContent,
    EngineFailed,
    EngineTimeout,
    EvaluationActive,
    NotFound,
    WorkerBusy,
    WrongState,
)
from backend.inference.host import InferenceHost
from backend.inference.schemas import WorkerState
from backend.inference.types import Ask, Target
from backend.jobs.lifecycle.slot import MemoryHolder
from backend.models.catalog import ModelCatalog
from backend.settings import Settings
from tests.adapters.folders import adapter, base


@pytest.fixture
def models(settings: Settings) -> ModelCatalog:
    folder = base(settings.models_dirs[0] / "small")
    adapter(settings.adapters_dir / "tuned", folder)
    return ModelCatalog(settings)


@pytest.fixture
async def host(settings: Settings, models: ModelCatalog) -> AsyncIterator[InferenceHost]:
    made = InferenceHost(settings, models)
    yield made
    await made.close()


@pytest.fixture
async def small(host: InferenceHost) -> Target:
    return await host.target("small")


async def text(host: InferenceHost, target: Target, prompt: str) -> str:
    return (await host.answer(target, Ask(prompt=prompt))).text


async def until(host: InferenceHost, wanted: Callable[[WorkerState], bool]) -> WorkerState:
    async with asyncio.timeout(20):
        while not wanted(state := await host.state()):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.002)
    return state


async def until_busy(host: InferenceHost) -> int | None:
    """The worker's pid, once it has a question."""
    return (await until(host, lambda state: state.state == "busy" and state.pid is not None)).pid


async def test_pieces_come_as_they_are_made(host: InferenceHost, small: Target) -> None:
    pieces = [piece async for piece in host.stream(small, Ask(prompt="one two"))]

    assert isinstance(pieces[0], AnswerProgress)
    assert [p.text for p in pieces if isinstance(p, Token)] == ["base:", " one", " two"]
    assert isinstance(pieces[-1], AnswerEnd)
    assert pieces[-1].stats.completion_tokens == 3


async def test_one_worker_answers_for_base_and_adapter(host: InferenceHost, small: Target) -> None:
    tuned = await host.target("small", "tuned")

    assert await text(host, small, "x") == "base: x"
    first = (await host.state()).pid
    assert await text(host, tuned, "x") == "tuned: x"

    state = await host.state()
    assert (state.pid, state.state, state.adapter, state.answered) == (first, "idle", "tuned", 2)
    assert tuned.name == "small+tuned@latest"


@pytest.mark.parametrize(
    "prompt", ['"""', "'''\\\\n\\", "\u2028 \U0001f600 \x00 \x1b[1m", "x" * 100_000, "\n{}%s$HOME"]
)
async def test_any_text_reaches_the_worker_as_it_is(
    host: InferenceHost, small: Target, prompt: str
) -> None:
    assert await text(host, small, prompt) == f"base: {prompt}"


async def test_a_killed_worker_is_told_and_the_next_question_gets_a_fresh_one(
    host: InferenceHost, small: Target
) -> None:
    await text(host, small, "x")
    first = (await host.state()).pid

    with pytest.raises(EngineFailed, match="The inference worker was killed from outside") as told:
        await text(host, small, "die")

    assert "fresh worker" in (told.value.hint or "")
    assert await text(host, small, "again") == "base: again"
    assert (await host.state()).pid != first


async def test_a_worker_that_died_idle_is_replaced_and_the_question_asked_once_more(
    host: InferenceHost, small: Target, tmp_path: Path
) -> None:
    await text(host, small, "x")
    first = (await host.state()).pid
    once = tmp_path / "once"
    once.touch()

    assert await text(host, small, f"die {once}") == f"base: die {once}"
    assert (await host.state()).pid != first


async def test_a_question_that_kills_a_fresh_worker_too_is_not_asked_again(
    host: InferenceHost, small: Target
) -> None:
    with pytest.raises(EngineFailed, match="was killed from outside"):
        await text(host, small, "die")
    with pytest.raises(EngineFailed, match="was killed from outside"):
        await text(host, small, "die")


async def test_an_answer_that_has_begun_is_not_begun_again(
    host: InferenceHost, small: Target
) -> None:
    await text(host, small, "x")
    heard: list[str] = []

    with pytest.raises(EngineFailed, match="was killed from outside"):
        async for piece in host.stream(small, Ask(prompt="die-late")):
            heard += [piece.text] if isinstance(piece, Token) else []

    assert heard == ["A"]


async def test_a_caller_that_goes_away_ends_its_answer(host: InferenceHost, small: Target) -> None:
    going = asyncio.create_task(text(host, small, "hang"))
    pid = await until_busy(host)

    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going

    assert await text(host, small, "next") == "base: next"
    assert (await host.state()).pid == pid


async def test_a_stream_that_is_closed_ends_its_answer(host: InferenceHost, small: Target) -> None:
    async with aclosing(host.stream(small, Ask(prompt="flood 100000"))) as pieces:
        async for piece in pieces:
            if isinstance(piece, Token):
                break

    assert (await host.state()).state == "idle"
    assert await text(host, small, "next") == "base: next"


async def test_questions_are_answered_in_order_and_too_many_are_refused(
    settings: Settings, models: ModelCatalog, tmp_path: Path
) -> None:
    host = InferenceHost(settings, models, line=2)
    small, go = await host.target("small"), tmp_path / "go"
    order: list[str] = []

    async def ask(prompt: str) -> None:
        order.append(await text(host, small, prompt))

    first = asyncio.create_task(ask(f"wait {go}"))
    await until_busy(host)
    others = [asyncio.create_task(ask(name)) for name in ("b", "c", "d")]
    await until(host, lambda state: state.waiting == 3)

    with pytest.raises(WorkerBusy, match="3 questions are waiting"):
        await text(host, small, "e")
    go.touch()
    await asyncio.gather(first, *others)

    assert order[1:] == ["base: b", "base: c", "base: d"]
    await host.close()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("too_long", BadContent), ("bad_adapter", BadContent), ("bad_prompt", BadContent),
        ("bad_model", BadContent), ("deadline", EngineTimeout), ("failed", EngineFailed),
    ],
)  # fmt: skip
async def test_a_refusal_of_the_worker_keeps_its_words(
    host: InferenceHost, small: Target, code: str, kind: type[AppError]
) -> None:
    with pytest.raises(kind, match=f"It is {code}") as told:
        await text(host, small, f"refuse {code}")

    assert told.value.hint == "Do this."
    assert await text(host, small, "next") == "base: next"


async def test_a_worker_that_does_not_keep_its_deadline_is_ended(
    host: InferenceHost, small: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.inference.host._GRACE", 0.0)
    await text(host, small, "x")

    with pytest.raises(EngineTimeout, match=r"did not answer within 0\.2 seconds"):
        await host.answer(small, Ask(prompt="hang", deadline=0.2))

    monkeypatch.undo()
    assert await text(host, small, "next") == "base: next"


async def test_a_deadline_holds_for_a_stream_that_is_read_on_in_another_task(
    host: InferenceHost, small: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.inference.host._GRACE", 0.0)
    stream = host.stream(small, Ask(prompt="hang", deadline=0.5))

    with pytest.raises(EngineTimeout):
        while True:
            await asyncio.create_task(anext(stream))


async def test_a_run_gets_the_memory_and_refuses_questions_meanwhile(
    settings: Settings, models: ModelCatalog
) -> None:
    active: list[str] = []
    host = InferenceHost(settings, models, active_run=lambda: active[0] if active else None)
    small = await host.target("small")
    going = asyncio.create_task(text(host, small, "hang"))
    await until_busy(host)
    talk = host._talk
    assert talk is not None

    active.append("s1")
    await host.make_room()

    assert not alive(talk.child.identity)
    with pytest.raises(WrongState, match="gave its memory back"):
        await going
    with pytest.raises(WrongState, match="A run is active") as refused:
        await text(host, small, "x")
    assert "during_run" in (refused.value.hint or "")
    shared = await host.answer(small, Ask(prompt="x", during_run=True))
    assert shared.text == "base: x"
    await host.close()


async def test_an_evaluation_keeps_the_memory_until_it_has_ended(
    settings: Settings, models: ModelCatalog
) -> None:
    evaluation = MemoryHolder(
        kind="evaluation",
        subject="An evaluation of tall",
        reason="its model needs the memory",
        place="under Evaluation",
        error=EvaluationActive,
    )
    holders = [evaluation]
    host = InferenceHost(settings, models, holder=lambda: holders[0] if holders else None)
    small = await host.target("small")

    with pytest.raises(EvaluationActive, match="An evaluation of tall is running"):
        await text(host, small, "x")
    assert (await host.state()).state == "none"
    shared = await host.answer(small, Ask(prompt="x", during_run=True))
    assert shared.text == "base: x"

    holders.clear()
    assert await text(host, small, "y") == "base: y"
    await host.close()


async def test_an_idle_worker_is_ended(settings: Settings, models: ModelCatalog) -> None:
    host = InferenceHost(settings, models, idle_after=0.0)
    small = await host.target("small")

    await text(host, small, "x")
    await until(host, lambda state: state.state == "none")

    assert await text(host, small, "y") == "base: y"
    await host.close()


async def test_unloading_says_whether_there_was_anything(
    host: InferenceHost, small: Target
) -> None:
    assert await host.unload() is False
    await text(host, small, "x")

    assert await host.unload() is True
    assert (await host.state()).state == "none"


async def test_many_answers_keep_the_order_of_their_questions(
    host: InferenceHost, small: Target
) -> None:
    heard: list[int] = []
    asks = [Ask(prompt=name, sampling=Sampling(max_tokens=5)) for name in "abc"]

    answers = await host.answer_many(
        small, asks, on_answer=lambda index, answer: heard.append(index)
    )

    assert [answer.text for answer in answers] == ["re: a", "re: b", "re: c"]
    assert heard == [2, 1, 0]
    assert await host.answer_many(small, []) == []


async def test_scores_are_summed_and_kept_by_row(host: InferenceHost, small: Target) -> None:
    heard: list[int] = []
    rows = [{"prompt": "a", "completion": "b"}] * 2

    scores = await host.score(small, rows, on_progress=heard.append)

    assert (scores.loss, scores.tokens, len(scores.rows)) == (4.0, 8, 2)
    assert heard == [2]


async def test_what_is_not_there_or_can_not_be_used_is_refused_before_a_worker_starts(
    host: InferenceHost, settings: Settings
) -> None:
    broken = base(settings.models_dirs[0] / "broken")
    (broken / "config.json").write_text(json.dumps({"model_type": "no such thing"}))

    with pytest.raises(NotFound, match="no model 'nobody'"):
        await host.target("nobody")
    with pytest.raises(NotFound, match="no adapter 'nothing'"):
        await host.target("small", "nothing")
    with pytest.raises(BadContent, match="can't be used"):
        await host.target("broken")
    assert (await host.state()).state == "none"


async def test_a_worker_that_can_not_start_is_explained(
    settings: Settings, models: ModelCatalog
) -> None:
    settings.python.write_text("#!/bin/sh\necho 'ImportError: no module mlx' >&2\nexit 1\n")
    host = InferenceHost(settings, models)
    small = await host.target("small")

    with pytest.raises(EngineFailed, match="ImportError: no module mlx"):
        await text(host, small, "x")
    await host.close()
