"""One run of any training, from its folder to its adapter, in the order in which it happens.

1. load the model, or make its quantised copy first
2. prepare the data
3. attach what is trained, and say what that covers
4. load what the method compares with
5. begin the adapter's folder
6. train (`training.py`)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from mlx_lm.tuner.utils import print_trainable_parameters

from backend.contract.record import BadRecord
from backend.contract.run.config import read_run_config
from backend.contract.run.events import Phase
from backend.contract.run.folder import DATA, DATA_SUMMARY
from backend.engines.optimizer.build import build_optimizer
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter
from backend.engines.process.memory_limits import limit_memory
from backend.engines.process.signals import Control
from backend.engines.trainer.adapter_folder import lineage_of
from backend.engines.trainer.lora import attach, describe
from backend.engines.trainer.method import C, Run, TrainingMethod
from backend.engines.trainer.quantize import make_quantized_base
from backend.engines.trainer.steps import say
from backend.engines.trainer.token_losses import token_losses
from backend.engines.trainer.training import Training
from backend.engines.weights.base import load


def train_run(method: TrainingMethod[C], folder: Path, emit: Emitter, control: Control) -> Ending:
    """Train in this process; answer how it ended. Errors are raised."""
    config = method.config
    np.random.seed(config.seed)
    limit_memory()
    make_quantized_base(config, emit, say)
    model, tokenizer = load(config.model)
    if _stops(control):
        return _end_stopped("the model was loading")

    emit(Phase(name="preparing data"))
    sets = method.load_sets(tokenizer, emit)
    if _stops(control):
        return _end_stopped("the data was prepared")

    coverage = attach(model, config)
    say(describe(config, coverage, depth=len(model.layers)))
    print_trainable_parameters(model)
    emit(coverage.event())
    method.load_references(model, emit)
    if _stops(control):
        return _end_stopped("the reference was loading")

    adapter = method.adapter_folder(
        Path(config.adapter_path), model, keep=config.keep_checkpoints, emit=emit
    )
    adapter.begin(config.values, lineage_of(config, _data_summary(folder)))
    losses = token_losses(model)
    say(losses.description)
    run = Run(
        config=config,
        folder=folder,
        model=model,
        tokenizer=tokenizer,
        sets=sets,
        losses=losses,
        adapter=adapter,
        optimizer=build_optimizer(config),
        emit=emit,
        control=control,
    )
    return Training(method, run).run()


def read_values(path: Path, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `config.yaml`, and those of the engine that it does not have."""
    return {**defaults, **yaml.safe_load(path.read_text(encoding="utf-8"))}


def config_of(kind: type[C], values: Mapping[str, Any]) -> C:
    """The typed configuration. Raises Unusable, naming the key, when a value does not fit."""
    try:
        return read_run_config(kind, values)
    except BadRecord as problem:
        raise Unusable(
            f"The run's config.yaml can't be used: {problem}.",
            "Start the run again from its settings; config.yaml is not meant to be edited.",
        ) from problem


def _stops(control: Control) -> bool:
    control.agree()
    return control.stop is not None


def _end_stopped(during: str) -> Ending:
    return Ending("stopped", f"Stopped while {during}; nothing was saved.")


def _data_summary(folder: Path) -> dict[str, Any] | None:
    try:
        value = json.loads((folder / DATA / DATA_SUMMARY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return value if isinstance(value, dict) else None
