"""The engine's training modes: one row each, and how to call its trainer and its evaluation.

What the rows share is told apart by the parameters that the engine's functions take.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any

from backend.contract.run.config import MethodConfig
from backend.engines.process.endings import Unusable
from backend.engines.rl.hooks import allow_cpu as _allow_cpu
from backend.engines.rl.token_scores import (
    Substitute,
    completion_scores,
    mean_scores,
    pair_scores,
)
from backend.engines.trainer.token_losses import TokenLosses

_allow_cpu()
_PREFERENCE = {"loss_type": "dpo_cpo_loss_type"}
Chooses = Callable[[MethodConfig], bool]


def _never(_config: MethodConfig) -> bool:
    return False


def _always(_config: MethodConfig) -> bool:
    return True


def _one(_config: MethodConfig) -> int:
    return 1


def _two(_config: MethodConfig) -> int:
    return 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Modes that take the same rows. `length` and `prompt` are the tokens of one row of the
    engine's dataset: all of it that counts for padding, and what must fit whole.

    `generates`: completions are sampled, and scored by rewards. `judged`: in pairs, by the rewards
    or, without any, a model. `weighed`: the engine takes the weights of rewards. `measures`: what
    the evaluation says of pairs or tokens holds as it is; `pairs`: its second result is the rewards
    of chosen and rejected. `rendered`: contexts are text that the tokenizer must not begin anew.
    """

    length: Callable[[Any], int]
    prompt: Callable[[Any], int]
    generates: bool = False
    judged: bool = False
    weighed: bool = False
    measures: bool = False
    pairs: bool = False
    rendered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One `train_mode` of the engine.

    `iterate` is the name of its batch iterator, `args` of its arguments, `options` fields of those
    that the configuration calls otherwise, `loss` the parameter by which trainer and evaluation
    take its loss, if they do, and `losses` names of losses that they look up in their module.
    `scores` are the functions of the engine that score given tokens, by module and name, and what
    takes their place. `reference` and `own_loop` say whether a run needs a reference, and our loop
    in the place of the engine's. `kl`: it reports a KL without a reference. `group` is how many
    completions of a prompt follow each other, `judge` the engine's class, which with
    `judges_scores` gives scores instead of ranks. `sums` says that its reports add up where they
    should be means of the stretch.
    """

    name: str
    family: Family
    iterate: str
    args: str
    reference: Chooses = _never
    own_loop: Chooses = _never
    kl: bool = False
    group: Callable[[MethodConfig], int] = _one
    judge: str | None = None
    judges_scores: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    loss: str | None = None
    losses: Sequence[str] = ()
    scores: Mapping[tuple[str, str], Substitute] = field(default_factory=dict)
    sums: bool = False
    compiles: bool = True

    @property
    def module(self) -> ModuleType:
        return _module(self.name)

    @property
    def train(self) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(self.module, f"train_{self.name}")
        return function

    @property
    def evaluate(self) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(self.module, f"evaluate_{self.name}")
        return function

    @property
    def own_batches(self) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(self.module, self.iterate)
        return function

    @property
    def own_loss(self) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(self.module, f"{self.name}_loss")
        return function

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
        names = {one.name for one in fields(make)} - {"loss_type"}
        values = {name: value for name, value in config.values.items() if name in names}
        values |= {name: config.values[key] for name, key in self.options.items()}
        return make(**values | own)


def _module(trainer: str) -> ModuleType:
    return importlib.import_module(f"mlx_lm_lora.trainer.{trainer}_trainer")


def _pair_length(item: Any) -> int:
    return max(len(item["chosen"]), len(item["rejected"]))


def _pair_prompt(item: Any) -> int:
    return max(int(item["chosen_prompt_length"]), int(item["rejected_prompt_length"]))


def _question(item: Any) -> int:
    return len(item[0])


def _judged_question(item: Any) -> int:
    return len(item["prompt"])


def _context(item: Any) -> int:
    return len(item["prompt_ids"])


# Completions of prompts scored by rewards; given preferences; completions judged in pairs;
# preferred next tokens.
GROUP = Family(length=_question, prompt=_question, generates=True, weighed=True)
PAIRS = Family(length=_pair_length, prompt=_pair_prompt, measures=True, pairs=True)
ONLINE = Family(length=_judged_question, prompt=_judged_question, generates=True, judged=True)
TOKENS = Family(length=_context, prompt=_context, measures=True, rendered=True)

_COMPLETIONS = {("grpo", "_get_token_logps"): completion_scores}
_PREFERRED = {("online_dpo", "_online_token_logps"): completion_scores}
_ITERATE_ONLINE = "iterate_online_dpo_batches"
_PAIRWISE = "LLMPairwiseJudge"

_MODES = (
    Mode(name="grpo", family=GROUP, iterate="iterate_grpo_batches", args="GRPOTrainingArgs",
         reference=lambda config: bool(config.beta), group=lambda config: config.group_size,
         # Several updates, and advantages that are not divided, are what the engine does not have.
         own_loop=lambda config: (
             config.updates_per_rollout > 1 or config.grpo_loss_type == "dr_grpo"
         ),
         scores=_COMPLETIONS),
    Mode(name="klpo", family=GROUP, iterate="iterate_grpo_batches", args="KLPOTrainingArgs",
         kl=True, scores=_COMPLETIONS,
         options={"route": "klpo_route", "kl_estimator": "klpo_kl_estimator",
                  "mc_samples": "klpo_mc_samples", "top_k": "klpo_top_k",
                  "tail_floor": "klpo_tail_floor"}),
    Mode(name="dpo", family=PAIRS, iterate="iterate_dpo_batches", args="DPOTrainingArgs",
         reference=_always, options=_PREFERENCE, loss="loss_fn",
         scores={("dpo", "get_token_scores"): pair_scores}),
    # Its evaluation takes no loss, so the name of it is replaced too.
    Mode(name="orpo", family=PAIRS, iterate="iterate_orpo_batches", args="ORPOTrainingArgs",
         loss="loss", losses=("orpo_loss",), scores={("orpo", "get_logps"): mean_scores}),
    # Its compiled step fails inside mlx with an IndexError.
    Mode(name="cpo", family=PAIRS, iterate="iterate_cpo_batches", args="CPOTrainingArgs",
         options=_PREFERENCE, loss="loss_fn", compiles=False,
         scores={("cpo", "get_token_scores"): pair_scores}),
    # The losses are the preference part of its own.
    Mode(name="dsla", family=PAIRS, iterate="iterate_dsla_batches", args="DSLATrainingArgs",
         reference=lambda config: config.dsla_loss == "dpo",
         options={"loss_type": "dsla_loss"}, losses=("dpo_loss", "cpo_loss")),
    Mode(name="online_dpo", family=ONLINE, iterate=_ITERATE_ONLINE, args="OnlineDPOTrainingArgs",
         reference=_always, group=_two, judge=_PAIRWISE, options=_PREFERENCE, loss="loss_fn",
         sums=True, scores=_PREFERRED),
    Mode(name="xpo", family=ONLINE, iterate=_ITERATE_ONLINE, args="XPOTrainingArgs",
         reference=_always, group=_two, judge=_PAIRWISE, options=_PREFERENCE, loss="loss_fn",
         sums=True, scores=_PREFERRED),
    Mode(name="ppo", family=ONLINE, iterate=_ITERATE_ONLINE, args="PPOTrainingArgs",
         reference=_always, group=_two, judge=_PAIRWISE, options=_PREFERENCE, loss="loss_fn",
         scores=_PREFERRED),
    Mode(name="rlhf_reinforce", family=ONLINE, iterate=_ITERATE_ONLINE,
         args="RLHFReinforceTrainingArgs", reference=_always, group=_two, judge="LLMPPOJudge",
         judges_scores=True,
         scores={("rlhf_reinforce", "_online_token_logps"): completion_scores}),
    Mode(name="ftpo", family=TOKENS, iterate="iterate_ftpo_batches", args="FTPOTrainingArgs",
         reference=_always),
)  # fmt: skip

MODES: Mapping[str, Mode] = {mode.name: mode for mode in _MODES}


def mode_of(config: MethodConfig) -> Mode:
    """The row of `train_mode`. Raises Unusable when there is none."""
    if config.train_mode not in MODES:
        raise Unusable(
            f"There is no training mode {config.train_mode}; there are {', '.join(MODES)}."
        )
    return MODES[config.train_mode]


def call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call an engine's function with those of the values that it has parameters for."""
    parameters = inspect.signature(function).parameters
    return function(**{name: value for name, value in arguments.items() if name in parameters})
