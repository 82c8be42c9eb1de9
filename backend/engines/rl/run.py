"""One run of reinforcement or preference learning: what its method needs, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from mlx import nn
from mlx_lm_lora.train import CONFIG_DEFAULTS

from backend.contract.run.config import MethodConfig
from backend.contract.run.events import Phase
from backend.contract.run.folder import CONFIG
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from backend.engines.rewards.registry import Reward, load_rewards
from backend.engines.rl.data import load_rl_sets, sample_question
from backend.engines.rl.loop import References, RlLoop
from backend.engines.rl.modes import Mode, mode_of
from backend.engines.rl.policy.reference import AdapterOffReference
from backend.engines.rl.scorer import Scorer
from backend.engines.trainer import run as trainer
from backend.engines.trainer.method import Run, TrainingMethod
from backend.engines.trainer.resume_state import Moment
from backend.engines.trainer.samples.questions import RowStyle
from backend.engines.trainer.types import Sets
from backend.engines.weights.base import load


def train_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Train what the run folder describes; answer how it ended. Errors are raised."""
    method = RewardOrPreference(read_config(folder / CONFIG), control)
    return trainer.train_run(method, folder, emit, control)


def read_config(path: Path) -> MethodConfig:
    """`config.yaml` over the engine's defaults. Its command line would pass over most of them."""
    values = trainer.read_values(path, CONFIG_DEFAULTS)
    values["fine_tune_type"] = values["train_type"]  # As adapters and mlx_lm call it.
    if not isinstance(values["alpha"], list):
        values["alpha"] = [float(values["alpha"])]
    values["judge_config"] = values["judge_config"] or {}
    return trainer.config_of(MethodConfig, values)


class RewardOrPreference(TrainingMethod[MethodConfig]):
    """A row of the modes table, with its rewards, its reference and its judge. Validation is ours:
    between two steps, by the engine's own evaluation, so that the best adapter holds the very
    weights that were validated, and those of the end are validated too.

    Rewards are loaded at once: a wrong one costs no time.
    """

    hint: ClassVar[str] = (
        "The adapter is unlikely to help: look at the sample completions and their "
        "rewards, raise the learning rate or train longer; lower it if it fell."
    )

    def __init__(self, config: MethodConfig, control: Control) -> None:
        super().__init__(config)
        self.metric = config.select_by
        self._mode = mode_of(config)
        self._scorer = Scorer(
            _rewards(config, self._mode),
            group=self._mode.group(config),
            stopping=lambda: control.stop is not None,
            success=config.success_function,
        )
        self._references = References()

    @property
    def accumulation(self) -> int:
        return self.config.gradient_accumulation_steps

    def load_sets(self, tokenizer: Any, emit: Emitter) -> Sets:
        return load_rl_sets(self.config, self._mode, tokenizer, emit)

    def load_references(self, model: nn.Module, emit: Emitter) -> None:
        reference = _reference(self.config, self._mode, model, emit)
        judge, tokenizer = None, None
        if self._mode.family.judged and not self._scorer.rewards:
            emit(Phase(name="loading reference"))
            judge, tokenizer = load(self.config.judge or self.config.model)
            judge.freeze()
        self._references = References(reference=reference, judge=judge, judge_tokenizer=tokenizer)

    def question(self, tokenizer: Any, prompt: str, style: RowStyle) -> list[int]:
        return sample_question(self._mode, tokenizer, prompt, style)

    def loop(self, run: Run[MethodConfig], moment: Moment) -> RlLoop:
        return RlLoop(run, moment, self._mode, self._scorer, self._references)


def _rewards(config: MethodConfig, mode: Mode) -> Sequence[Reward]:
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
