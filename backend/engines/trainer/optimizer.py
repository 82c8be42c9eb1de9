"""The optimizer and learning rate schedule that a configuration asks for."""

from __future__ import annotations

from argparse import Namespace

import mlx.optimizers as optim
from mlx_lm.tuner.utils import build_schedule

_OPTIMIZERS = {
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "muon": optim.Muon,
    "sgd": optim.SGD,
    "adafactor": optim.Adafactor,
}


def build_optimizer(args: Namespace) -> optim.Optimizer:
    """From `optimizer`, `optimizer_config`, `learning_rate` and `lr_schedule`."""
    rate = build_schedule(args.lr_schedule) if args.lr_schedule else args.learning_rate
    options = args.optimizer_config.get(args.optimizer, {})
    return _OPTIMIZERS[args.optimizer](learning_rate=rate, **options)
