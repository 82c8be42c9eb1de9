"""Train the demo model from nothing: a 2.7 M parameter Qwen2 in float32, on the CPU."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
from mlx.utils import tree_flatten
from mlx_lm.models import qwen2
from transformers import PreTrainedTokenizerFast

from .packing import batches

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides the weights besides the corpus itself."""

    seed: int = 7
    steps: int = 1100
    rows: int = 16
    length: int = 96
    learning_rate: float = 2.5e-3
    warmup: int = 60
    weight_decay: float = 0.05
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    intermediate: int = 512
    vocab_size: int = 1280


def model_config(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> dict[str, object]:
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_size": recipe.hidden,
        "num_hidden_layers": recipe.layers,
        "intermediate_size": recipe.intermediate,
        "num_attention_heads": recipe.heads,
        "num_key_value_heads": recipe.kv_heads,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-6,
        "vocab_size": recipe.vocab_size,
        "max_position_embeddings": 1024,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "bos_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def pretrain(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write `config.json` and `model.safetensors` into `folder`."""
    config = model_config(recipe, tokenizer)
    mx.random.seed(recipe.seed)
    model = qwen2.Model(qwen2.ModelArgs.from_dict(config))
    _train(model, recipe, tokenizer)
    folder.mkdir(parents=True, exist_ok=True)
    weights = dict(tree_flatten(model.parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    log.info("saved %s with %s", folder, asdict(recipe))


def _train(model: nn.Module, recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> None:
    schedule = optim.join_schedules(
        [
            optim.linear_schedule(0.0, recipe.learning_rate, recipe.warmup),
            optim.cosine_decay(recipe.learning_rate, recipe.steps - recipe.warmup, 2e-5),
        ],
        [recipe.warmup],
    )
    optimizer = optim.AdamW(schedule, betas=[0.9, 0.98], weight_decay=recipe.weight_decay)
    value_and_grad = nn.value_and_grad(model, _loss)
    state = [model.state, optimizer.state]

    @partial(mx.compile, inputs=state, outputs=state)
    def step(tokens: mx.array, weights: mx.array) -> mx.array:
        loss, gradients = value_and_grad(model, tokens, weights)
        gradients, _ = optim.clip_grad_norm(gradients, 1.0)
        optimizer.update(model, gradients)
        return loss  # type: ignore[no-any-return]

    stream = batches(tokenizer, seed=recipe.seed, rows=recipe.rows, length=recipe.length)
    started, recent = time.monotonic(), []
    for number in range(1, recipe.steps + 1):
        tokens, weights = next(stream)
        loss = step(mx.array(tokens), mx.array(weights))
        mx.eval(loss, state)
        recent.append(loss)
        if number % 50 == 0:
            mean, seconds = mx.stack(recent).mean().item(), time.monotonic() - started
            log.info("step %d of %d: loss %.3f, %.0f s", number, recipe.steps, mean, seconds)
            recent.clear()


def _loss(model: nn.Module, tokens: mx.array, weights: mx.array) -> mx.array:
    losses = nn.losses.cross_entropy(model(tokens[:, :-1]), tokens[:, 1:])
    scale = weights[:, 1:]
    mean: mx.array = (losses * scale).sum() / scale.sum()
    return mean
