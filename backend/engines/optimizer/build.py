"""The optimizer that a configuration names, with its gradient's norm measured and limited."""

from __future__ import annotations

import mlx.optimizers as optim
from mlx_lm.tuner.utils import build_schedule

from backend.contract.run.config import Optimization
from backend.engines.optimizer.grad_norm import measured

_OPTIMIZERS = {
    "adam": measured(optim.Adam),
    "adamw": measured(optim.AdamW),
    "muon": measured(optim.Muon),
    "sgd": measured(optim.SGD),
    "adafactor": measured(optim.Adafactor),
}


def build_optimizer(config: Optimization) -> optim.Optimizer:
    """From `optimizer`, `optimizer_config`, `learning_rate`, `lr_schedule` and `max_grad_norm`."""
    rate = build_schedule(config.lr_schedule) if config.lr_schedule else config.learning_rate
    options = config.optimizer_config.get(config.optimizer, {})
    optimizer: optim.Optimizer = _OPTIMIZERS[config.optimizer](learning_rate=rate, **options)
    optimizer.max_grad_norm = config.max_grad_norm
    return optimizer
