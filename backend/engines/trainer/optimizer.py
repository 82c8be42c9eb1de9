"""The optimizer and learning rate schedule that a configuration asks for."""

from __future__ import annotations

import mlx.optimizers as optim
from mlx_lm.tuner.utils import build_schedule

from backend.contract.run.config import Optimization

_OPTIMIZERS = {
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "muon": optim.Muon,
    "sgd": optim.SGD,
    "adafactor": optim.Adafactor,
}


def build_optimizer(config: Optimization) -> optim.Optimizer:
    """From `optimizer`, `optimizer_config`, `learning_rate` and `lr_schedule`."""
    rate = build_schedule(config.lr_schedule) if config.lr_schedule else config.learning_rate
    options = config.optimizer_config.get(config.optimizer, {})
    return _OPTIMIZERS[config.optimizer](learning_rate=rate, **options)
