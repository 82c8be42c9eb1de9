"""The estimate against peaks that were measured with mlx 0.32.4 on CPU, eagerly, two steps each.

Made by random Qwen2 models trained through `mlx_lm.tuner.trainer.train` with the app's loss.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.contract.batching import shuffled_batches
from backend.training.estimate.memory import estimate_memory
from backend.training.estimate.step_memory import Load, Loads, even_loads, loads_of
from tests.training.requests import model, qwen_tree, request, targets

FULL, SGD = {"fine_tune_type": "full"}, {"optimizer": "sgd"}
# hidden, layers, inner, heads, kv width, vocabulary, dtype, weight bytes, trained weights,
# rank, batch, length, checkpointing, more, measured peak
MEASURED: list[tuple[Any, ...]] = [
    (256, 4, 512, 4, 128, 1280, "float32", 10765312, 524288, 32, 4, 128, True, {}, 45101149),
    (256, 4, 512, 4, 128, 1280, "float32", 10765312, 524288, 32, 4, 128, False, {}, 72020707),
    (256, 4, 512, 4, 128, 1280, "float32", 10765312, 524288, 32, 4, 512, False, {}, 288787920),
    (256, 4, 512, 4, 128, 1280, "float32", 10765312, 524288, 32, 4, 512, True, {}, 159225444),
    (256, 12, 1024, 4, 128, 1280, "float32", 48546816, 540672, 8, 2, 256, False, {}, 273134316),
    (256, 12, 1024, 4, 128, 1280, "float32", 48546816, 540672, 8, 2, 256, True, {}, 104516469),
    (256, 2, 512, 4, 128, 30000, "float32", 35447808, 65536, 8, 2, 256, True, {}, 170459581),
    (256, 2, 512, 4, 128, 30000, "bfloat16", 17723904, 65536, 8, 2, 256, True, {}, 210066779),
    (512, 4, 1024, 8, 128, 2000, "float32", 39778304, 8126464, 256, 1, 64, True, {}, 160805989),
    (512, 4, 1024, 8, 128, 2000, "float32", 39778304, 8920064, 8, 1, 64, True, FULL,
     143987400),
    (512, 4, 1024, 8, 128, 2000, "float32", 39778304, 8126464, 256, 1, 64, True, SGD,
     123543884),
    (192, 6, 512, 6, 64, 4000, "float32", 15591168, 162816, 8, 1, 512, True, {}, 53376745),
    (256, 8, 512, 4, 128, 1280, "bfloat16", 10109440, 262144, 8, 2, 256, False, {}, 100813580),
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
        loads=None,
        available=None,
    )

    assert found is not None
    assert found.estimate_gb == pytest.approx(sum(found.parts.values()), abs=1e-3)
    assert 0.9 <= found.estimate_gb * 1e9 / peak <= 1.15


@pytest.mark.parametrize(("checkpoint", "peak"), [(False, 965e6), (True, 471e6)])
def test_a_large_vocabulary_is_estimated_by_the_logits_that_are_held(
    checkpoint: bool, peak: float
) -> None:
    """A quarter of 2 × 512 positions learned, by `npm run bench -- loss`."""
    hidden, layers, trainable = 896, 4, 733_184
    found = estimate_memory(
        request(lora_rank=8, batch_size=2, max_seq_length=512, grad_checkpoint=checkpoint),
        model(hidden_size=hidden, vocab_size=152_064, dtype="float32", size_bytes=1),
        targets(qwen_tree(layers, hidden, 4864, 128)),
        trainable=trainable,
        config={"num_attention_heads": 14},
        loads=Loads(steps=frozenset({Load(1024, 2 * 512 * 512, learned=256)})),
        available=None,
    )

    assert found is not None
    moving = found.estimate_gb * 1e9 - 3 * 4 * trainable  # The step was taken without an optimizer.
    assert 0.9 <= moving / peak <= 1.15


# Tokens of each row of test_data/demo, as the demo model's tokenizer and template count them.
LENGTHS: dict[str, list[int]] = json.loads(
    (Path(__file__).parent / "demo_lengths.json").read_text(encoding="utf-8")
)
# Rows, batch, limit, steps, checkpointing, measured peak of the app's own run on droid-demo.
APP_RUNS: list[tuple[str, int, int, int, bool, int]] = [
    ("chat", 1, 256, 30, False, 31_300_000),
    ("chat", 4, 256, 8, False, 54_100_000),
    ("chat", 4, 256, 8, True, 36_600_000),
    ("chat", 8, 256, 24, False, 90_500_000),
    ("chat", 16, 256, 4, False, 162_100_000),
    ("chat", 16, 256, 4, True, 90_800_000),
    ("mixed", 1, 1024, 41, False, 66_100_000),
    ("mixed", 4, 512, 59, False, 138_200_000),
    ("mixed", 4, 1024, 59, True, 74_300_000),
    ("mixed", 8, 1024, 30, False, 256_800_000),
    ("mixed", 8, 1024, 30, True, 132_100_000),
    ("mixed", 16, 1024, 2, True, 161_400_000),
]


@pytest.mark.parametrize("row", APP_RUNS, ids=lambda row: "-".join(map(str, row[:5])))
def test_rows_of_mixed_length_are_estimated_by_the_largest_step(
    row: tuple[str, int, int, int, bool, int],
) -> None:
    data, batch, limit, steps, checkpoint, peak = row
    asked = request(
        batch_size=batch, max_seq_length=limit, grad_checkpoint=checkpoint, iterations=steps
    )

    found = estimate_memory(
        asked,
        model(hidden_size=256, vocab_size=1280, size_bytes=10_765_312),
        targets(qwen_tree(4, 256, 512, 128)),
        trainable=524_288,
        config={"num_attention_heads": 4},
        loads=loads_of(
            LENGTHS[data],
            batch_size=batch,
            max_seq_length=limit,
            iterations=steps,
            seed=0,
            valid=LENGTHS[f"{data}_valid"],
        ),
        available=None,
    )

    assert found is not None
    assert 0.9 <= found.estimate_gb * 1e9 / peak <= 1.15


def test_rows_of_which_little_is_learned_need_less() -> None:
    def logits(start: int) -> float:
        loads = loads_of(
            [300] * 8, batch_size=4, max_seq_length=256, iterations=2, seed=0, starts=[start] * 8
        )
        found = estimate_memory(
            request(batch_size=4, max_seq_length=256, grad_checkpoint=False),
            model(hidden_size=256, vocab_size=30_000, size_bytes=10_000_000),
            targets(qwen_tree(4, 256, 512, 128)), trainable=1000, config={}, loads=loads,
            available=None,
        )  # fmt: skip
        assert found is not None
        return found.parts["logits"]

    assert logits(192) == pytest.approx(logits(1) / 4, rel=0.02)  # 64 of 255 after the cut.


def test_the_largest_step_is_looked_for_in_the_order_of_the_run() -> None:
    long_rows = {3, 4}
    lengths = [300 if row in long_rows else 10 for row in range(8)]

    def most_long(seed: int, iterations: int) -> int:
        """Of 64 × 512 padded tokens, how many rows are of the long kind in one step."""
        found = loads_of(
            lengths, batch_size=4, max_seq_length=512, iterations=iterations, seed=seed,
        )  # fmt: skip
        assert found.validation is None
        return max(load.tokens for load in found.steps) // 300

    def drawn(seed: int, epochs: int) -> int:
        batches = [
            batch
            for epoch in range(epochs)
            for batch in shuffled_batches(range(8), batch_size=4, seed=seed, epoch=epoch)
        ]
        return max(len(long_rows & set(batch)) for batch in batches)

    for seed in range(10):
        assert most_long(seed, 2) == drawn(seed, 1)
        assert most_long(seed, 8) == drawn(seed, 4)


def test_a_batch_of_long_validation_rows_may_need_more_than_any_step() -> None:
    lengths = [500] * 8 + [20] * 792

    def parts(*valid: int) -> dict[str, float]:
        found = estimate_memory(
            request(batch_size=16, max_seq_length=512, grad_checkpoint=True),
            model(hidden_size=256, vocab_size=30_000, size_bytes=10_000_000),
            targets(qwen_tree(4, 256, 512, 128)), trainable=1000, config={}, available=None,
            loads=loads_of(
                lengths, batch_size=16, max_seq_length=512, iterations=50, seed=0, valid=valid
            ),
        )  # fmt: skip
        assert found is not None
        return found.parts

    assert "validation" not in parts()
    assert "validation" not in parts(*[20] * 64)
    assert parts(*[20] * 48, *[500] * 16)["validation"] > 0


def test_the_verdict_is_against_what_the_machine_has() -> None:
    def verdict(available: int | None) -> str | None:
        found = estimate_memory(
            request(max_seq_length=64), model(size_bytes=1_000_000_000), targets(),
            trainable=1000, config={}, loads=None, available=available,
        )  # fmt: skip
        return found.verdict if found else "none"

    assert verdict(2_000_000_000) == "ok"
    assert verdict(1_100_000_000) == "tight"
    assert verdict(900_000_000) == "too_large"
    assert verdict(None) is None


def test_short_rows_need_less_than_the_limit_allows() -> None:
    def size(loads: Loads | None) -> float:
        found = estimate_memory(
            request(max_seq_length=2048, batch_size=8), model(hidden_size=512, vocab_size=30_000),
            targets(), trainable=1000, config={}, loads=loads, available=None,
        )  # fmt: skip
        return found.estimate_gb if found else 0.0

    assert size(even_loads(8, 129)) < size(None) / 4


def test_an_unknown_model_has_no_estimate() -> None:
    assert (
        estimate_memory(
            request(), model(hidden_size=None), targets(), trainable=1, config={}, loads=None,
            available=None,
        )
        is None
    )  # fmt: skip


def test_every_process_of_one_machine_needs_it_all() -> None:
    def needed(processes: int) -> float:
        found = estimate_memory(
            request(), model(size_bytes=10**9), targets(), trainable=10, config={}, loads=None,
            available=None, processes=processes,
        )  # fmt: skip
        assert found is not None
        return found.estimate_gb

    assert needed(2) == pytest.approx(2 * needed(1), rel=1e-3)
