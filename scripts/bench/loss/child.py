"""`python -m scripts.bench.loss.child <n>`: take steps of case n with either loss, in turn.

The last line is JSON. One case per process: the engine's gradient checkpointing changes the class
of the blocks for good.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

import mlx.core as mx
import numpy as np
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.tuner.trainer import grad_checkpoint
from mlx_lm.utils import load

from backend.contract.run.config import Adaptation, LoraParameters
from backend.engines.modules.tree import build
from backend.engines.sft.batches import learned_positions
from backend.engines.trainer.lora import attach
from backend.engines.trainer.token_losses import masked_loss, token_losses
from scripts.bench.loss.cases import CASES, Case
from scripts.experiments.runs import MODEL


def main() -> int:
    mx.set_default_device(mx.cpu)
    sys.stdout.write("\n" + json.dumps(measure(CASES[int(sys.argv[1])])) + "\n")
    return 0


def measure(case: Case) -> dict[str, Any]:
    """Per loss: the peak above the weights in bytes, CPU seconds of a step (the fastest), and how
    far loss and gradient are from those over all logits.
    """
    model = load(str(MODEL))[0] if case.config is None else build(case.config)
    adaptation = Adaptation(
        num_layers=-1,
        seed=0,
        fine_tune_type="lora",
        lora_parameters=LoraParameters(rank=8, scale=2.0, dropout=0.0, keys=None),
    )
    attach(model, adaptation)
    mx.eval(model.parameters())
    if case.checkpoint:
        grad_checkpoint(model.layers[0])
    light = token_losses(model).of_positions
    if light is None:
        raise RuntimeError("The model has no output head to measure.")
    model.train()
    chance = np.random.default_rng(0)
    vocabulary = 1280 if case.config is None else case.config["vocab_size"]
    tokens = mx.array(chance.integers(0, vocabulary, (case.batch, case.length + 1)))
    mask = chance.random((case.batch, case.length)) < case.share
    ways = {
        "all logits": (masked_loss, mx.array(mask)),
        "learned positions": (light, mx.array(learned_positions(mask))),
    }
    results: dict[str, Any] = {}
    for _ in range(case.pairs):
        for name, (loss, learned) in ways.items():
            results[name] = _step(model, loss, tokens, learned, results.get(name))
    whole, few = (results[name].pop("gradient") for name in ways)
    largest = max(float(mx.abs(value).max()) for value in whole.values())
    error = max(float(mx.abs(few[name] - value).max()) for name, value in whole.items()) / largest
    return {"results": results, "gradient_error": error}


def _step(
    model: Any, loss: Any, tokens: mx.array, learned: mx.array, before: dict[str, Any] | None
) -> dict[str, Any]:
    mx.clear_cache()
    base = mx.get_active_memory()
    mx.reset_peak_memory()
    started = _cpu()
    (value, _), gradient = nn.value_and_grad(model, loss)(model, tokens, learned)
    mx.eval(value, gradient)
    seconds = _cpu() - started
    return {
        "peak": mx.get_peak_memory() - base,
        "seconds": min(seconds, before["seconds"] if before else seconds),
        "loss": value.item(),
        "gradient": dict(tree_flatten(gradient)),
    }


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
