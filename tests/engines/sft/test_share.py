"""What the ranks of a run learn from a step is what one process learns from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from mlx_lm.tuner.trainer import default_loss
from mlx_lm.utils import load

from backend.engines.ranks.followers import SilentEmitter
from backend.engines.ranks.share import ALONE, Share
from backend.engines.sft.batches import SftBatches
from backend.engines.sft.loss import of_share, over_parts
from backend.engines.trainer.token_losses import masked_loss
from tests.engines.sft.test_loss import LIMIT, gradient, item

pytestmark = pytest.mark.engine

RANKS = 3


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("lengths", [(9, 120, 20, 127, 30, 5, 140), (9, 120)])
def test_the_mean_over_ranks_is_that_over_all_tokens_of_the_step(
    tiny_model: Path, masked: bool, lengths: tuple[int, ...]
) -> None:
    model = load(str(tiny_model))[0]
    dataset = [item(length, masked=masked) for length in lengths]
    loss = over_parts(masked_loss if masked else default_loss)

    def step(share: Share) -> tuple[Any, dict[str, mx.array]]:
        batches = SftBatches(
            range(len(dataset)),
            batch_size=len(dataset),
            seed=1,
            learned="mask" if masked else "borders",
            emit=SilentEmitter(),
            share=share,
        )
        (rows,) = batches.epoch(dataset, 0)
        arrays = batches.training_batch(dataset, rows, LIMIT)
        return gradient(model, loss if share.size == 1 else of_share(loss), *arrays)

    (whole_loss, whole_count), whole = step(ALONE)
    shares = [step(Share(rank, RANKS)) for rank in range(RANKS)]

    assert sum(count for (_, count), _ in shares) == whole_count
    assert sum(mean for (mean, _), _ in shares) / RANKS == pytest.approx(whole_loss, abs=1e-5)
    for name, expected in whole.items():
        averaged = mx.mean(mx.stack([grads[name] for _, grads in shares]), axis=0)
        assert mx.allclose(averaged, expected, rtol=1e-3, atol=1e-6), name
