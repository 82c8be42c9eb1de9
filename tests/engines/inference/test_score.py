from __future__ import annotations

from pathlib import Path

import pytest
from mlx_lm.utils import load

from backend.contract import loss_chunks
from backend.engines.inference import score

pytestmark = pytest.mark.engine

ROWS = [
    {"prompt": "One and two", "completion": "three, and a few words more than that"},
    {"prompt": "A rather longer question than that", "completion": "no"},
    {"text": "Only text, of which every token counts."},
]


@pytest.mark.parametrize("chunk", [3, 1000])
def test_scores_a_few_positions_at_a_time_are_those_of_all_logits(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    model, tokenizer = load(str(tiny_model))[:2]
    monkeypatch.setattr(loss_chunks, "MIN_CHUNK_ROWS", chunk)
    monkeypatch.setattr(loss_chunks, "CHUNK_LOGITS", 0)
    scores = score.score_rows(model, tokenizer, ROWS, limit=40, between=lambda _: None)
    monkeypatch.setattr(score, "_output_head", lambda _: None)
    whole = score.score_rows(model, tokenizer, ROWS, limit=40, between=lambda _: None)

    for ours, expected in zip(scores, whole, strict=True):
        assert ours.loss == pytest.approx(expected.loss, rel=1e-5)
        assert (ours.tokens, ours.correct) == (expected.tokens, expected.correct)
        assert ours.truncated == expected.truncated
    assert [row.truncated for row in scores].count(True) == 2
