"""`python -m scripts.bench.memory.child <n>`: train case n for two steps and say what it took.

The last line is JSON: the measured peak and the estimate that the app would have shown. One case
per process: the engine's gradient checkpointing changes the class of the blocks for good.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
from mlx import nn
from mlx.utils import tree_flatten, tree_map
from mlx_lm.tuner.trainer import TrainingArgs, train

from backend.contract.run.config import Adaptation, LoraParameters
from backend.engines.modules.tree import build, describe_tree
from backend.engines.sft.batches import learned_positions
from backend.engines.trainer.lora import attach
from backend.engines.trainer.token_losses import token_losses
from backend.models.schemas import LoraTargets, ModelInfo
from backend.training.estimate.memory import estimate_memory
from backend.training.estimate.step_memory import even_loads
from backend.training.lora.counts import count_lora, resolve_keys
from backend.training.lora.groups import build_targets
from backend.training.request.sft_fields import StandardStart
from scripts.bench.memory.cases import CASES, Case

STEPS = 2
_OPTIMIZERS = {"adam": optim.Adam, "adamw": optim.AdamW}


def main() -> int:
    mx.set_default_device(mx.cpu)
    answer = measure(CASES[int(sys.argv[1])])
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    return 0


def measure(case: Case) -> dict[str, Any]:
    """Bytes: the peak of the allocator from loading to the last step, and the parts foreseen."""
    model = build(case.config)
    width = getattr(mx, case.dtype)
    model.update(tree_map(lambda value: value.astype(width), model.parameters()))
    mx.eval(model.parameters())
    size = sum(value.nbytes for _, value in tree_flatten(model.parameters()))
    targets = build_targets(describe_tree(model, case.kind), total_parameters=None)
    request = _request(case)
    estimate = _estimate(case, request, targets, size)
    mx.reset_peak_memory()
    base = mx.get_active_memory()
    _train(case, request, model, targets)
    peak = mx.get_peak_memory() - (base - size)  # Random weights leave nothing else behind.
    return {
        "parameters": targets.total_parameters,
        "peak": peak,
        "estimate": estimate.estimate_gb * 1e9,
        "parts": estimate.parts,
    }


def _request(case: Case) -> StandardStart:
    return StandardStart.model_validate(
        {
            "model_path": "-", "train_data_path": "-", "batch_size": case.batch,
            "max_seq_length": case.length, "lora_rank": case.rank,
            "lora_alpha": float(case.rank), "lora_scaling": "alpha_over_rank",
            "fine_tune_type": case.fine_tune, "lora_keys": case.keys,
            "optimizer": case.optimizer, "grad_checkpoint": case.checkpoint,
            "grad_accumulation_steps": case.accumulate, "lora_num_layers": case.top,
        }
    )  # fmt: skip


def _estimate(case: Case, request: StandardStart, targets: LoraTargets, size: int) -> Any:
    model = ModelInfo(
        name="random", path="-", model_type=case.kind, vocab_size=case.vocabulary,
        num_layers=case.layers, hidden_size=case.hidden, parameters=targets.total_parameters,
        quantization=None, dtype=case.dtype, size_bytes=size, chat_template=None,
        context_length=None, problem=None,
    )  # fmt: skip
    found = estimate_memory(
        request, model, targets, trainable=_trainable(request, targets), config=case.config,
        loads=even_loads(case.batch, case.length), available=None,
    )  # fmt: skip
    if found is None:
        raise RuntimeError(f"There is no estimate for {case}.")
    return found


def _trainable(request: StandardStart, targets: LoraTargets) -> int:
    if request.fine_tune_type == "full":
        return sum(targets.block_parameters)
    dora = request.fine_tune_type == "dora"
    keys = resolve_keys(targets, request.lora_keys, dora=dora)
    count = count_lora(targets, keys, num_layers=request.lora_num_layers, dora=dora)
    return count.trainable(request.lora_rank)


def _train(case: Case, request: StandardStart, model: nn.Module, targets: LoraTargets) -> None:
    dora = case.fine_tune == "dora"
    keys = resolve_keys(targets, case.keys, dora=dora)
    attach(
        model,
        Adaptation(
            num_layers=case.top, seed=0, fine_tune_type=case.fine_tune,
            lora_parameters=None if case.fine_tune == "full" else LoraParameters(
                rank=case.rank, scale=request.effective_scale, dropout=0.0, keys=keys
            ),
        ),
    )  # fmt: skip

    loss = token_losses(model).of_positions
    if loss is None:
        raise RuntimeError(f"{case.kind} has no output head that can be used alone.")
    # As a row whose every token but the first is learned.
    learned = mx.array(learned_positions(np.ones((case.batch, case.length - 1), np.bool_)))

    def batches(*_: Any, **__: Any) -> Iterator[tuple[mx.array, mx.array]]:
        while True:
            tokens = mx.random.randint(0, case.vocabulary, (case.batch, case.length))
            yield tokens, learned

    with tempfile.TemporaryDirectory() as folder:
        steps = STEPS * case.accumulate
        train(
            model=model,
            optimizer=_OPTIMIZERS[case.optimizer](learning_rate=1e-5),
            train_dataset=[0],
            val_dataset=None,
            args=TrainingArgs(
                batch_size=case.batch, iters=steps, steps_per_report=steps + 1,
                steps_per_save=steps + 1, max_seq_length=case.length,
                adapter_file=str(Path(folder) / "a.safetensors"),
                grad_checkpoint=case.checkpoint, grad_accumulation_steps=case.accumulate,
            ),
            loss=loss,
            iterate_batches=batches,
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
