"""One run of reinforcement or preference learning, from its folder to its adapter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mlx import nn
from mlx_lm.tuner.utils import print_trainable_parameters
from mlx_lm.utils import load
from mlx_lm_lora.train import CONFIG_DEFAULTS

from backend.contract.run.config import MethodConfig
from backend.contract.run.events import Phase
from backend.contract.run.folder import CONFIG, DATA, DATA_SUMMARY
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from backend.engines.rewards.registry import Reward, load_rewards
from backend.engines.rl.data import load_rl_sets
from backend.engines.rl.modes import Mode, mode_of
from backend.engines.rl.policy.reference import AdapterOffReference
from backend.engines.rl.scorer import Scorer
from backend.engines.rl.train import Loaded, RlTraining
from backend.engines.trainer.adapter_folder import AdapterFolder, lineage_of
from backend.engines.trainer.config import config_of, read_values
from backend.engines.trainer.lora import attach, describe
from backend.engines.trainer.quantize import make_quantized_base
from backend.engines.trainer.steps import say

_STOPPED = "Stopped while {}; nothing was saved."


def train_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Train what the run folder describes; answer how it ended. Errors are raised."""
    config = read_config(folder / CONFIG)
    mode = mode_of(config)
    scorer = Scorer(
        _rewards(config, mode),
        group=mode.group(config),
        stopping=lambda: control.stop is not None,
        success=config.success_function,
    )
    np.random.seed(config.seed)
    make_quantized_base(config, emit, say)
    model, tokenizer = load(config.model)
    if control.stop:
        return Ending("stopped", _STOPPED.format("the model was loading"))

    emit(Phase(name="preparing data"))
    sets = load_rl_sets(config, mode, tokenizer, emit)
    if control.stop:
        return Ending("stopped", _STOPPED.format("the data was prepared"))

    coverage = attach(model, config)
    say(describe(config, coverage, depth=len(model.layers)))
    print_trainable_parameters(model)
    emit(coverage.event())
    reference = _reference(config, mode, model, emit)
    judge = _judge(config, mode, scorer, emit)
    if control.stop:
        return Ending("stopped", _STOPPED.format("the reference was loading"))
    adapter = AdapterFolder(
        Path(config.adapter_path), model, keep=config.keep_checkpoints, emit=emit
    )
    adapter.begin(config.values, lineage_of(config, _summary(folder)))
    loaded = Loaded(
        config=config,
        mode=mode,
        model=model,
        tokenizer=tokenizer,
        reference=reference,
        judge=judge,
        sets=sets,
        scorer=scorer,
        adapter=adapter,
        folder=folder,
    )
    return RlTraining(loaded, emit, control).run()


def read_config(path: Path) -> MethodConfig:
    """`config.yaml` over the engine's defaults. Its command line would pass over most of them."""
    values = read_values(path, CONFIG_DEFAULTS)
    values["fine_tune_type"] = values["train_type"]  # As adapters and mlx_lm call it.
    if not isinstance(values["alpha"], list):
        values["alpha"] = [float(values["alpha"])]
    values["judge_config"] = values["judge_config"] or {}
    return config_of(MethodConfig, values)


def _rewards(config: MethodConfig, mode: Mode) -> Sequence[Reward]:
    """Before anything is loaded: a wrong reward costs no time."""
    names = config.reward_functions or []
    if not mode.family.generates or (mode.family.judged and not names):
        return ()
    file = config.reward_functions_file
    try:
        return load_rewards(
            names,
            weights=config.reward_weights,
            file=Path(file) if file else None,
            sha256=config.reward_functions_sha256,
        )
    except ValueError as problem:
        raise Unusable(str(problem), "Correct the reward functions and start again.") from problem


def _reference(config: MethodConfig, mode: Mode, model: nn.Module, emit: Emitter) -> Any:
    """What the policy is compared with. Without a model of its own, the base under the adapters:
    no second copy of the weights.
    """
    if not mode.reference(config):
        return None
    if not config.reference_model_path and config.fine_tune_type != "full":
        return AdapterOffReference(model)
    emit(Phase(name="loading reference"))
    reference, _ = load(config.reference_model_path or config.model)
    return reference.freeze()


def _judge(config: MethodConfig, mode: Mode, scorer: Scorer, emit: Emitter) -> tuple[Any, Any]:
    """A judge model and its tokenizer; none where reward functions judge."""
    if not mode.family.judged or scorer.rewards:
        return None, None
    emit(Phase(name="loading reference"))
    judge, tokenizer = load(config.judge or config.model)
    return judge.freeze(), tokenizer


def _summary(folder: Path) -> dict[str, Any] | None:
    try:
        value = json.loads((folder / DATA / DATA_SUMMARY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return value if isinstance(value, dict) else None
