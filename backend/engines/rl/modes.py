"""The engine's training modes: one row each, and how to call its trainer and its evaluation.

What the rows share is told apart by the parameters that the engine's functions take.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any, Literal

from backend.contract.run.config import MethodConfig
from backend.engines.rl.hooks import allow_cpu as _allow_cpu
from backend.engines.rl.token_scores import (
    Substitute,
    completion_scores,
    mean_scores,
    pair_scores,
)
from backend.engines.trainer.token_losses import TokenLosses

Family = Literal["group", "pairs", "online", "tokens"]

_allow_cpu()
_PREFERENCE = {"loss_type": "dpo_cpo_loss_type"}
_LATENT = ("weight", "margin", "gamma", "variant", "pooling", "layer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One `train_mode` of the engine.

    `group`: completions of prompts scored by rewards; `pairs`: given preferences; `online`:
    completions judged in pairs; `tokens`: preferred next tokens. `iterate` is the name of its
    batch iterator, `args` of its arguments, `options` fields of those that the configuration calls
    otherwise. `scores` are the functions of the engine that score given tokens, by module and name,
    and what takes their place. `sums` says that its reports add up where they should be means of
    the stretch.
    """

    name: str
    family: Family
    iterate: str
    args: str
    reference: bool
    judge: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[tuple[str, str], Substitute] = field(default_factory=dict)
    sums: bool = False
    compiles: bool = True

    @property
    def module(self) -> ModuleType:
        return _module(self.name)

    @property
    def train(self) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self.module, f"train_{self.name}")
        return found

    @property
    def evaluate(self) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self.module, f"evaluate_{self.name}")
        return found

    @property
    def own_batches(self) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self.module, self.iterate)
        return found

    @property
    def generates(self) -> bool:
        return self.family in ("group", "online")

    def scored_by(self, losses: TokenLosses) -> dict[tuple[ModuleType, str], Any]:
        """Names in the engine's modules, and the functions of `losses` that stand there."""
        if losses.log_probabilities is None:
            return {}
        return {
            (_module(trainer), name): make(
                getattr(_module(trainer), name), losses.log_probabilities
            )
            for (trainer, name), make in self.scores.items()
        }

    def arguments(self, config: MethodConfig, **own: Any) -> Any:
        """The engine's arguments from the configuration; `own` wins."""
        make = getattr(self.module, self.args)
        known = {one.name for one in fields(make)} - {"loss_type"}
        values = {name: value for name, value in config.values.items() if name in known}
        values |= {name: config.values[key] for name, key in self.options.items()}
        return make(**values | own)


def _module(trainer: str) -> ModuleType:
    return importlib.import_module(f"mlx_lm_lora.trainer.{trainer}_trainer")


_COMPLETIONS = {("grpo", "_get_token_logps"): completion_scores}
_ONLINE = "iterate_online_dpo_batches"
_PAIRWISE = "LLMPairwiseJudge"

_MODES = (
    Mode(name="grpo", family="group", iterate="iterate_grpo_batches", args="GRPOTrainingArgs",
         reference=True, scores=_COMPLETIONS),
    Mode(name="klpo", family="group", iterate="iterate_grpo_batches", args="KLPOTrainingArgs",
         reference=False, scores=_COMPLETIONS,
         options={"route": "klpo_route", "kl_estimator": "klpo_kl_estimator",
                  "mc_samples": "klpo_mc_samples", "top_k": "klpo_top_k",
                  "tail_floor": "klpo_tail_floor"}),
    Mode(name="dpo", family="pairs", iterate="iterate_dpo_batches", args="DPOTrainingArgs",
         reference=True, options=_PREFERENCE,
         scores={("dpo", "get_token_scores"): pair_scores}),
    Mode(name="orpo", family="pairs", iterate="iterate_orpo_batches", args="ORPOTrainingArgs",
         reference=False, scores={("orpo", "get_logps"): mean_scores}),
    # Its compiled step fails inside mlx with an IndexError.
    Mode(name="cpo", family="pairs", iterate="iterate_cpo_batches", args="CPOTrainingArgs",
         reference=False, options=_PREFERENCE, compiles=False,
         scores={("cpo", "get_token_scores"): pair_scores}),
    Mode(name="dsla", family="pairs", iterate="iterate_dsla_batches", args="DSLATrainingArgs",
         reference=True, options={"loss_type": "dsla_loss"}),
    Mode(name="online_dpo", family="online", iterate=_ONLINE, args="OnlineDPOTrainingArgs",
         reference=True, judge=_PAIRWISE, options=_PREFERENCE, sums=True),
    Mode(name="xpo", family="online", iterate=_ONLINE, args="XPOTrainingArgs",
         reference=True, judge=_PAIRWISE, options=_PREFERENCE, sums=True),
    Mode(name="ppo", family="online", iterate=_ONLINE, args="PPOTrainingArgs",
         reference=True, judge=_PAIRWISE, options=_PREFERENCE),
    Mode(name="rlhf_reinforce", family="online", iterate=_ONLINE,
         args="RLHFReinforceTrainingArgs", reference=True, judge="LLMPPOJudge"),
    Mode(name="ftpo", family="tokens", iterate="iterate_ftpo_batches", args="FTPOTrainingArgs",
         reference=True),
)  # fmt: skip

MODES: Mapping[str, Mode] = {mode.name: mode for mode in _MODES}


def call(function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Call an engine's function with those of the values that it has parameters for."""
    known = inspect.signature(function).parameters
    return function(**{name: value for name, value in given.items() if name in known})
