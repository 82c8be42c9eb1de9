"""The tokens and the mask that are shown are those that the engine trains on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.tuner.trainer import default_loss
from mlx_lm.utils import load_tokenizer

import backend.engines.tokens.__main__ as tokens
from backend.data.checks.sample import SampleWriter
from backend.data.checks.scan import scan
from backend.data.inspect.inspector import Doctor
from backend.data.inspect.lengths import Measured, measured_rows
from backend.data.inspect.previews import Previews
from backend.data.inspect.rendered import Notes, unpack_rendered
from backend.data.rows.engine_form import engine_form
from backend.data.schemas import DatasetPreview, InspectRequest, PreviewRequest
from backend.engines.process.token_types import Item
from backend.engines.sft.batches import collate
from backend.engines.tokens.answer_spans import tokens_and_spans
from backend.engines.trainer.token_losses import masked_loss
from backend.models.folder import describe_folder
from backend.settings import CHECKOUT
from tests.models.folders import settings_for

pytestmark = pytest.mark.engine

DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"
DATA = CHECKOUT / "test_data" / "demo"
SEVERAL = {
    "messages": [
        {"role": "system", "content": "Be kind. 🎉"},
        {"role": "user", "content": "Héllo?\n\tHow are you?"},
        {"role": "assistant", "content": "Ahoy!"},
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "content": "Fine — 日本."},
    ]
}
PAIR = {"prompt": "Who is Pip?", "completion": "Ahoy! Pip is the cat of Tovan."}
PROSE = {"text": "Pip is a cat. ﷽ 🏴󠁧󠁢󠁥󠁮󠁧󠁿"}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(DEMO)


def trained_by_the_engine(item: Item, limit: int) -> set[int]:
    """The positions whose token has a part in the loss: where its gradient is not zero."""
    several = len(item[1]) > 1
    used = masked_loss if several else default_loss
    batch, learned = collate([item], limit, learned="mask" if several else "borders")
    logits = mx.zeros((1, batch.shape[1] - 1, int(batch.max()) + 1))

    def loss(logits: mx.array) -> mx.array:
        found: mx.array = used(lambda _inputs: logits, batch, learned)[0]
        return found

    moved = np.abs(np.array(mx.grad(loss)(logits))).sum(axis=(0, 2)) > 0
    return {int(place) + 1 for place in np.flatnonzero(moved)}


def read(path: Path) -> Measured:
    return measured_rows(unpack_rendered(path.read_bytes(), Notes()))


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


async def shown(path: Path, root: Path, **options: Any) -> DatasetPreview:
    model = describe_folder("droid-demo", DEMO).info
    request = PreviewRequest(path=str(path), model=model.name, **options)
    return await Previews(settings_for(root)).show(request, model)


@pytest.mark.parametrize("limit", [16, 24, 40, 64, 512])
@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("row", [SEVERAL, PAIR], ids=["several turns", "a pair"])
async def test_the_mask_shown_is_what_the_loss_trains_on(
    tmp_path: Path, tokenizer: Any, row: dict[str, Any], mask: bool, limit: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    _in_this_process(monkeypatch, tokenizer)
    path = write(tmp_path / "rows.jsonl", row)

    seen = await shown(path, tmp_path, mask_prompt=mask, max_seq_length=limit)

    ids = [token.id for token in seen.tokens]
    item = tokens_and_spans(tokenizer, row, mask=mask)
    marked = {at for at, token in enumerate(seen.tokens) if token.trained}
    if seen.pad_trained:
        marked.add(len(ids))
    if item[1][0][0] >= min(len(ids), limit):  # The engine would divide by zero, and leaves it out.
        assert marked == set()
    else:
        assert marked == trained_by_the_engine(item, limit)
    assert seen.trained_tokens == sum(token.trained for token in seen.tokens)
    assert [token.cut for token in seen.tokens] == [at >= limit for at in range(len(ids))]


@pytest.mark.parametrize("row", [SEVERAL, PAIR, PROSE], ids=["chat", "pair", "prose"])
def test_the_pieces_of_text_are_the_whole_text(tokenizer: Any, row: dict[str, Any]) -> None:
    spelled = tokens.spell(tokenizer, row, mask=False, most=4096)

    assert "".join(spelled["texts"]) == spelled["text"]
    assert len(spelled["texts"]) == len(spelled["ids"]) == spelled["total"]


@pytest.mark.parametrize("name", ["chat", "completions", "text", "mixed", "grpo", "preference"])
def test_counting_many_at_once_counts_as_the_engine_does(
    tmp_path: Path, tokenizer: Any, name: str
) -> None:
    sample = tmp_path / "sample.jsonl"
    scan(DATA / name / "train.jsonl", sample=sample)

    answer = tokens.measure(tokenizer, sample, tmp_path / "out")

    counted = read(tmp_path / "out")
    rows = [json.loads(line)["row"] for line in sample.read_text().splitlines()[:-1]]
    expected = [tokens_and_spans(tokenizer, row, mask=True) for row in rows]
    assert answer == {"notes": {}}
    assert list(zip(counted.lengths, counted.starts, strict=True)) == [
        (len(ids), spans[0][0]) for ids, spans in expected
    ]


def test_a_row_that_the_template_refuses_is_named_and_the_rest_counted(
    tmp_path: Path, tokenizer: Any
) -> None:
    broken = {"messages": [{"role": "assistant", "content": 5}]}
    sample = tmp_path / "sample.jsonl"
    with SampleWriter(sample) as writer:
        for line, row in enumerate((PAIR_CHAT, broken, PAIR_CHAT), start=1):
            writer.add(line, row)

    answer = tokens.measure(tokenizer, sample, tmp_path / "out")

    counted = read(tmp_path / "out")
    refused = answer["notes"]["refused"]
    assert counted.refused == refused["count"] == 1
    assert len(counted.lengths) == 2
    assert refused["first"][0]["line"] == 2


PAIR_CHAT = engine_form({"prompt": "Hi", "answer": "Ho"}, "grpo") or {}


async def test_the_child_answers_for_a_whole_file(tmp_path: Path) -> None:
    model = describe_folder("droid-demo", DEMO).info
    doctor = Doctor(settings_for(tmp_path))

    request = InspectRequest(path=str(DATA / "chat"), max_seq_length=48)
    found = await doctor.inspect(request, model)

    assert found.lengths_problem is None
    assert found.lengths is not None
    assert found.lengths.measured == found.good_rows == 360
    assert found.lengths.truncated_rows


def _in_this_process(monkeypatch: pytest.MonkeyPatch, tokenizer: Any) -> None:
    """Forty children would take a minute: the same function, called here."""

    async def ask(_settings: Any, asked: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {
            "rows": [
                tokens.spell(tokenizer, row, mask=asked["mask"], most=asked["most"])
                for row in asked["rows"]
            ]
        }

    monkeypatch.setattr("backend.data.inspect.previews.ask_tokens", ask)
