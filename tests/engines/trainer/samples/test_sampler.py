"""Sample prompts in real runs and on the tiny model: answered as its rows ask, and harmless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mlx_lm.utils import load

from backend.contract.run.events import RunEvent, Sample
from backend.contract.run.events import Warning as Told
from backend.engines.trainer.samples.questions import RowStyle, question_tokens
from backend.engines.trainer.samples.sampler import Sampler
from tests.engines.rl.policy.example_batch import load_policy
from tests.engines.running import Finished, prepare_run, train

pytestmark = pytest.mark.engine
PROMPTS = ["Question 1?", "And what\nis this?"]


class Events(list[RunEvent]):
    def __call__(self, event: RunEvent) -> None:
        self.append(event)

    def warning(self, code: str, message: str, hint: str) -> None:
        self.append(Told(code=code, message=message, hint=hint))

    @property
    def samples(self) -> list[tuple[int, str, str]]:
        return [(e.step, e.prompt, e.text) for e in self if isinstance(e, Sample)]


def sampler(model: Any, tokenizer: Any, events: Events, **options: Any) -> Sampler:
    style = RowStyle(chat=True, system=None)
    return Sampler(
        model, tokenizer, events,  # type: ignore[arg-type]  # all of an Emitter that it asks
        **{
            "questions": lambda: {p: question_tokens(tokenizer, p, style) for p in PROMPTS},
            "max_tokens": 6,
            "stopping": lambda: False,
            **options,
        },
    )  # fmt: skip


def runs_of(tmp_path: Path, model: Path, **fields: Any) -> tuple[Finished, Finished]:
    shape = {"iterations": 6, "steps_per_eval": 4, "grad_checkpoint": True, **fields}
    plain = train(prepare_run(tmp_path / "plain", model, **shape))
    asked = prepare_run(
        tmp_path / "asked", model, sample_prompts=PROMPTS, sample_max_tokens=6, **shape
    )
    return plain, train(asked)


def test_prompts_are_answered_at_each_validation_and_change_nothing(
    tmp_path: Path, tiny_model: Path
) -> None:
    plain, asked = runs_of(tmp_path, tiny_model, lora_dropout=0.1)

    samples = asked.of("sample")
    assert [(s["step"], s["prompt"]) for s in samples] == [
        (step, prompt) for step in (0, 4, 6) for prompt in PROMPTS
    ]
    assert {s["split"] for s in samples} == {"prompt"}
    assert asked.losses == plain.losses
    assert [e["val_loss"] for e in asked.of("validation")] == [
        e["val_loss"] for e in plain.of("validation")
    ]
    assert asked.exit["state"] == "completed"
    assert "Sample prompts answered in" in asked.log


def test_a_run_that_goes_on_has_the_answers_of_the_base_too(tiny_model: Path) -> None:
    base, tokenizer = load(str(tiny_model))
    of_base, of_policy = Events(), Events()
    sampler(base, tokenizer, of_base).answer(0)
    policy = load_policy(tiny_model, keys=("self_attn.q_proj", "mlp.up_proj")).model

    once = sampler(policy, tokenizer, of_policy)
    once.answer(4)
    assert once.answer(4) is None
    once.answer(8)

    answers = {(step, prompt): text for step, prompt, text in of_policy.samples}
    assert [step for step, _, _ in of_policy.samples] == [0, 0, 4, 4, 8, 8]
    assert [answers[0, prompt] for prompt in PROMPTS] == [text for _, _, text in of_base.samples]
    assert [answers[4, prompt] for prompt in PROMPTS] == [answers[8, p] for p in PROMPTS]
    assert policy.training


def test_what_fails_is_warned_of_once(tiny_model: Path) -> None:
    model, tokenizer = load(str(tiny_model))
    events = Events()

    def refuse() -> dict[str, list[int]]:
        raise RuntimeError("No such\nrole")

    failing = sampler(model, tokenizer, events, questions=refuse)
    failing.answer(0)
    assert failing.answer(4) is None

    (warning,) = [event for event in events if isinstance(event, Told)]
    assert warning.code == "no_sample_answers"
    assert "RuntimeError: No such role" in warning.message


def test_a_stop_ends_an_answer_at_once(tiny_model: Path) -> None:
    model, tokenizer = load(str(tiny_model))
    events, asked = Events(), iter([False, False, True])

    sampler(model, tokenizer, events, stopping=lambda: next(asked)).answer(0)

    assert events.samples == []


def style_of(folder: Path, *rows: dict[str, Any]) -> RowStyle:
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return RowStyle.of(folder)


def test_prompts_are_asked_as_the_rows_ask(tmp_path: Path, tiny_model: Path) -> None:
    _, tokenizer = load(str(tiny_model))
    talk = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}]

    chat = style_of(tmp_path, {"messages": talk}, {"prompt": "Hi", "system": "Be short."}, {"p": 1})
    text = style_of(tmp_path, {"text": "User: Hi"})

    assert chat == RowStyle(chat=True, system="Be short.")
    asked = tokenizer.decode(question_tokens(tokenizer, "Why?", chat))
    assert "Be short." in asked
    assert "Why?" in asked
    assert tokenizer.decode(question_tokens(tokenizer, "Why?", text)).strip() == "Why?"
