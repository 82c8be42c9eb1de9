"""Every assistant turn is a target, in conversations of many shapes and templates of many kinds."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.tuner.datasets import create_dataset
from mlx_lm.tuner.trainer import default_loss
from mlx_lm.utils import load, load_tokenizer

from backend.engines.sft.batches import collate, target_mask
from backend.engines.tokens.answer_spans import UnstableTemplate, tokens_and_spans
from backend.engines.trainer.token_losses import masked_loss
from tests.engines.running import prepare_run, train
from tests.engines.tiny_model import build_tiny_model

pytestmark = pytest.mark.engine

Turns = list[tuple[str, str]]

ONE: Turns = [("user", "Hi"), ("assistant", "Yes.")]
SEVERAL: Turns = [
    ("system", "Be kind."), ("user", "Hi"), ("assistant", "Yes."), ("user", "So?"),
    ("assistant", "No, never."), ("user", "Why?"), ("assistant", "Because."),
]  # fmt: skip
OPEN: Turns = [("user", "Hi"), ("assistant", "Yes."), ("user", "And?")]

# Qwen3's habit: the last answer is written with thoughts, earlier ones without.
THINKING = (
    "{%- set ns = namespace(last=-1) %}{%- for m in messages %}{%- if m.role == 'user' %}"
    "{%- set ns.last = loop.index0 %}{%- endif %}{%- endfor %}"
    "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\n' }}"
    "{%- if m.role == 'assistant' and loop.index0 > ns.last %}{{- '<think>\n\n</think>\n\n' }}"
    "{%- endif %}{{- m.content + '<|im_end|>\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)
# Opens the thoughts when it asks, but never writes them down.
OPENED = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n' }}{% endif %}"
)
# Counts the turns first: no piece is ever part of the whole.
COUNTING = "{{ messages | length }}{% for m in messages %}{{ m.role + m.content }}{% endfor %}"


def row(turns: Turns) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Any:
    return load_tokenizer(tiny_model)


def learned(tokenizer: Any, turns: Turns, template: str | None = None) -> list[str]:
    """The texts of the spans."""
    if template is not None:
        tokenizer = load_tokenizer(
            Path(tokenizer.name_or_path), tokenizer_config_extra={"chat_template": template}
        )
    tokens, spans = tokens_and_spans(tokenizer, row(turns), mask=True)
    return [tokenizer.decode(tokens[start:end]) for start, end in spans]


def test_every_answer_is_learned_with_the_end_of_its_turn(tokenizer: Any) -> None:
    assert learned(tokenizer, SEVERAL) == [
        "Yes.<|im_end|>\n", "No, never.<|im_end|>\n", "Because.<|im_end|>\n"
    ]  # fmt: skip


def test_a_conversation_that_ends_with_a_question_teaches_its_answers(tokenizer: Any) -> None:
    assert learned(tokenizer, OPEN) == ["Yes.<|im_end|>\n"]


def test_a_conversation_without_an_answer_teaches_nothing(tokenizer: Any) -> None:
    assert learned(tokenizer, [("user", "Hi")]) == []


def test_a_template_that_thinks_only_in_the_last_answer_is_understood(tokenizer: Any) -> None:
    assert learned(tokenizer, SEVERAL, THINKING) == [
        "Yes.<|im_end|>\n", "No, never.<|im_end|>\n",
        "<think>\n\n</think>\n\nBecause.<|im_end|>\n",
    ]  # fmt: skip


def test_a_template_that_asks_with_more_than_it_writes_is_understood(tokenizer: Any) -> None:
    assert learned(tokenizer, SEVERAL, OPENED)[0] == "Yes.<|im_end|>\n"


def test_a_template_whose_pieces_do_not_fit_is_refused(tokenizer: Any) -> None:
    with pytest.raises(UnstableTemplate, match="Turn off training on answers only"):
        learned(tokenizer, SEVERAL, COUNTING)


def test_without_the_mask_all_is_learned(tokenizer: Any) -> None:
    tokens, spans = tokens_and_spans(tokenizer, row(SEVERAL), mask=False)

    assert spans == ((0, len(tokens)),)


@pytest.mark.parametrize("limit", [25, 40, 256])
def test_for_one_answer_the_loss_is_the_engines_own(tiny_model: Path, limit: int) -> None:
    model, tokenizer = load(str(tiny_model))[:2]
    rows = [row(ONE), row([("user", "A longer question, is it?"), ("assistant", "Oh yes, so.")])]
    engine = create_dataset(rows, tokenizer, Namespace(mask_prompt=True))
    items = [tokens_and_spans(tokenizer, one, mask=True) for one in rows]
    starts = [engine.process(one)[1] for one in rows]
    assert [spans[0][0] for _, spans in items] == starts

    batch, mask = collate(items, limit, learned="mask")
    borders = mx.array([(s, min(len(t), limit)) for (t, _), s in zip(items, starts, strict=True)])
    ours, count = masked_loss(model, batch, mask)
    theirs, expected = default_loss(model, batch, borders)

    assert ours.item() == pytest.approx(theirs.item(), abs=1e-6)
    assert count.item() == expected.item()


def test_the_mask_marks_the_token_that_is_predicted() -> None:
    item = ([10, 11, 12, 13, 14, 15], ((1, 3), (4, 6)))

    mask = target_mask([item], 64)

    # Position t predicts token t + 1; after the last span the engine also learns one padding.
    assert np.flatnonzero(mask[0]).tolist() == [0, 1, 3, 4, 5]


def test_a_run_trains_on_every_answer(tmp_path: Path, tiny_model: Path) -> None:
    rows = [row([("user", f"Q{n}"), ("assistant", "A." * 5), ("user", "So?"), ("assistant", "B.")])
            for n in range(8)]  # fmt: skip
    shape: dict[str, Any] = {"iterations": 2, "batch_size": 1, "mask_prompt": True, "test": True}

    run = train(prepare_run(tmp_path, tiny_model, rows=rows, valid=rows[:2], **shape))

    assert run.exit["state"] == "completed", run.log
    # Per row "A." × 5 and "B.", the end of each turn, and the padding after the last.
    assert run.of("metrics")[-1]["trained_tokens"] == 2 * (10 + 2 + 2 + 2 + 1)


def test_a_template_that_can_not_be_masked_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    folder = build_tiny_model(tmp_path / "model")
    settings = folder / "tokenizer_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"chat_template": COUNTING}))

    run = train(prepare_run(tmp_path, folder, iterations=2, mask_prompt=True))

    assert run.exit["state"] == "error"
    assert "chat template writes a turn differently" in run.exit["message"]


def test_an_answer_of_the_weight_0_is_not_learned(tokenizer: Any) -> None:
    turns = row(SEVERAL)["messages"]
    turns[2]["weight"] = 0

    tokens, spans = tokens_and_spans(tokenizer, {"messages": turns}, mask=True)

    texts = [tokenizer.decode(tokens[start:end]) for start, end in spans]
    assert [text.split("<")[0] for text in texts] == ["No, never.", "Because."]
