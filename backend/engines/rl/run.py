"""One run of reinforcement or preference learning, from its folder to its adapter."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from mlx import nn
from mlx_lm.tuner.utils import print_trainable_parameters
from mlx_lm.utils import load
from mlx_lm_lora.train import CONFIG_DEFAULTS

from backend.contract.run_events import Phase
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from backend.engines.rewards.registry import Reward, load_rewards
from backend.engines.rl.data import load_rl_sets
from backend.engines.rl.modes import MODES, Mode
from backend.engines.rl.policy.reference import AdapterOffReference
from backend.engines.rl.scorer import Scorer
from backend.engines.rl.train import Loaded, RlTraining
from backend.engines.trainer.adapter_folder import AdapterFolder, lineage_of
from backend.engines.trainer.lora import attach, describe
from backend.engines.trainer.quantize import make_quantized_base
from backend.engines.trainer.steps import say

_STOPPED = "Stopped while {}; nothing was saved."


def train_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Train what the run folder describes; answer how it ended. Errors are raised."""
    args = read_config(folder / "config.yaml")
    mode = _mode(args.train_mode)
    scorer = Scorer(
        _rewards(args, mode),
        group=_group(args, mode),
        stopping=lambda: control.stop is not None,
        success=getattr(args, "success_function", None),
    )
    np.random.seed(args.seed)
    make_quantized_base(args, emit, say)
    model, tokenizer = load(args.model)
    if control.stop:
        return Ending("stopped", _STOPPED.format("the model was loading"))

    emit(Phase(name="preparing data"))
    sets = load_rl_sets(args, mode, tokenizer, emit)
    if control.stop:
        return Ending("stopped", _STOPPED.format("the data was prepared"))

    coverage = attach(model, args)
    say(describe(args, coverage, depth=len(model.layers)))
    print_trainable_parameters(model)
    emit(coverage.event())
    reference = _reference(args, mode, model, emit)
    judge = _judge(args, mode, scorer, emit)
    if control.stop:
        return Ending("stopped", _STOPPED.format("the reference was loading"))
    adapter = AdapterFolder(
        Path(args.adapter_path), model, keep=int(getattr(args, "keep_checkpoints", 0)), emit=emit
    )
    adapter.begin(vars(args), lineage_of(vars(args), _summary(folder)))
    loaded = Loaded(
        args=args,
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


def read_config(path: Path) -> Namespace:
    """`config.yaml` over the engine's defaults. Its command line would pass over most of them."""
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    args = Namespace(**{**CONFIG_DEFAULTS, **given})
    args.fine_tune_type = args.train_type  # As adapters and mlx_lm call it.
    if not isinstance(args.alpha, list):
        args.alpha = [float(args.alpha)]
    args.judge_config = args.judge_config or {}
    return args


def _mode(name: str) -> Mode:
    if name not in MODES:
        raise Unusable(f"There is no training mode {name}; there are {', '.join(MODES)}.")
    return MODES[name]


def _rewards(args: Namespace, mode: Mode) -> Sequence[Reward]:
    """Before anything is loaded: a wrong reward costs no time."""
    names = args.reward_functions or []
    if not mode.generates or (mode.family == "online" and not names):
        return ()
    file = getattr(args, "reward_functions_file", None)
    try:
        return load_rewards(
            names,
            weights=args.reward_weights,
            file=Path(file) if file else None,
            sha256=getattr(args, "reward_functions_sha256", None),
        )
    except ValueError as problem:
        raise Unusable(str(problem), "Correct the reward functions and start again.") from problem


def _group(args: Namespace, mode: Mode) -> int:
    """How many completions of a prompt follow each other."""
    if mode.family == "online":
        return 2
    return int(args.group_size) if mode.name == "grpo" else 1


def _reference(args: Namespace, mode: Mode, model: nn.Module, emit: Emitter) -> Any:
    """What the policy is compared with. Without a model of its own, the base under the adapters:
    no second copy of the weights.
    """
    if not mode.reference or (mode.name == "grpo" and not args.beta):
        return None
    if mode.name == "dsla" and args.dsla_loss != "dpo":
        return None
    if not args.reference_model_path and args.fine_tune_type != "full":
        return AdapterOffReference(model)
    emit(Phase(name="loading reference"))
    reference, _ = load(args.reference_model_path or args.model)
    return reference.freeze()


def _judge(args: Namespace, mode: Mode, scorer: Scorer, emit: Emitter) -> tuple[Any, Any]:
    """A judge model and its tokenizer; none where reward functions judge."""
    if mode.family != "online" or scorer.rewards:
        return None, None
    emit(Phase(name="loading reference"))
    judge, tokenizer = load(args.judge or args.model)
    return judge.freeze(), tokenizer


def _summary(folder: Path) -> dict[str, Any] | None:
    try:
        value = json.loads((folder / "data" / "summary.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return value if isinstance(value, dict) else None
