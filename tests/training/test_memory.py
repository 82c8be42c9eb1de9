"""The estimate against peaks that were measured with mlx 0.32.4 on CPU, eagerly, two steps each.

Made by random Qwen2 models trained through `mlx_lm.tuner.trainer.train`.
"""

from __future__ import annotations

from typing import Any

import pytest

from backend.training.memory import estimate_memory
from tests.training.requests import model, qwen_tree, request, targets

FULL, SGD = {"fine_tune_type": "full"}, {"optimizer": "sgd"}
# hidden, layers, inner, heads, kv width, vocabulary, dtype, weight bytes, trained weights,
# rank, batch, length, checkpointing, more, measured peak
MEASURED: list[tuple[Any, ...]] = [
    (256, 4, 512, 4, 128, 1280, "float32", 10765312, 524288, 32, 4, 128, True, {}, 45285820),
    (256, 4, 512, 4, 128, 1280, "float32", 10765312, 524288, 32, 4, 128, False, {}, 78650312),
    (256, 4, 512, 4, 128, 1280, "float32", 10765312, 524288, 32, 4, 512, False, {}, 314543048),
    (256, 4, 512, 4, 128, 1280, "float32", 10765312, 524288, 32, 4, 512, True, {}, 161655492),
    (256, 12, 1024, 4, 128, 1280, "float32", 48546816, 540672, 8, 2, 256, False, {}, 273886288),
    (256, 12, 1024, 4, 128, 1280, "float32", 48546816, 540672, 8, 2, 256, True, {}, 103658124),
    (256, 2, 512, 4, 128, 30000, "float32", 35447808, 65536, 8, 2, 256, True, {}, 293867564),
    (256, 2, 512, 4, 128, 30000, "bfloat16", 17723904, 65536, 8, 2, 256, True, {}, 154209808),
    (512, 4, 1024, 8, 128, 2000, "float32", 39778304, 8126464, 256, 1, 64, True, {}, 160797036),
    (512, 4, 1024, 8, 128, 2000, "float32", 39778304, 8920064, 8, 1, 64, True, FULL,
     143992548),
    (512, 4, 1024, 8, 128, 2000, "float32", 39778304, 8126464, 256, 1, 64, True, SGD,
     123637728),
    (192, 6, 512, 6, 64, 4000, "float32", 15591168, 162816, 8, 1, 512, True, {}, 65100000),
    (256, 8, 512, 4, 128, 1280, "bfloat16", 10109440, 262144, 8, 2, 256, False, {}, 100286614),
]  # fmt: skip


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: "-".join(map(str, row[:13])))
def test_the_estimate_is_close_to_the_measured_peak(row: tuple[Any, ...]) -> None:
    (hidden, layers, inner, heads, kv, vocabulary, dtype, weights, trainable, rank, batch, length,
     checkpoint, more, peak) = row  # fmt: skip
    asked = request(
        lora_rank=rank, batch_size=batch, max_seq_length=length, grad_checkpoint=checkpoint, **more
    )
    tree = qwen_tree(layers, hidden, inner, kv)

    found = estimate_memory(
        asked,
        model(hidden_size=hidden, vocab_size=vocabulary, dtype=dtype, size_bytes=weights),
        targets(tree),
        trainable=trainable,
        config={"num_attention_heads": heads},
        longest=None,
        available=None,
    )

    assert found is not None
    assert found.estimate_gb == pytest.approx(sum(found.parts.values()), abs=1e-3)
    assert 0.9 <= found.estimate_gb * 1e9 / peak <= 1.15


def test_the_verdict_is_against_what_the_machine_has() -> None:
    def verdict(available: int | None) -> str | None:
        found = estimate_memory(
            request(max_seq_length=64), model(size_bytes=1_000_000_000), targets(),
            trainable=1000, config={}, longest=None, available=available,
        )  # fmt: skip
        return found.verdict if found else "none"

    assert verdict(2_000_000_000) == "ok"
    assert verdict(1_100_000_000) == "tight"
    assert verdict(900_000_000) == "too_large"
    assert verdict(None) is None


def test_short_rows_need_less_than_the_limit_allows() -> None:
    def size(longest: int | None) -> float:
        found = estimate_memory(
            request(max_seq_length=2048, batch_size=8), model(hidden_size=512, vocab_size=30_000),
            targets(), trainable=1000, config={}, longest=longest, available=None,
        )  # fmt: skip
        return found.estimate_gb if found else 0.0

    assert size(100) < size(None) / 4


def test_an_unknown_model_has_no_estimate() -> None:
    assert (
        estimate_memory(
            request(), model(hidden_size=None), targets(), trainable=1, config={}, longest=None,
            available=None,
        )
        is None
    )  # fmt: skip
