"""A training method as the skeleton of a run sees it: data, loop and measure are its own.

`run.py` prepares, `training.py` trains; what is different between supervised fine-tuning and the
methods of reinforcement and preference learning is behind these two classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import mlx.optimizers as optim
from mlx import nn

from backend.contract.run.config import RunConfig
from backend.contract.run.events import Validation
from backend.contract.run.numbers import Metric
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from backend.engines.trainer.adapter_folder import AdapterOutput
from backend.engines.trainer.divergence import LossGuard
from backend.engines.trainer.feed import Batches, Feed
from backend.engines.trainer.reports import MethodReport, Reports
from backend.engines.trainer.resume_state import Moment
from backend.engines.trainer.samples.questions import RowStyle, question_tokens
from backend.engines.trainer.token_losses import TokenLosses
from backend.engines.trainer.types import DataSet, Sets

C = TypeVar("C", bound=RunConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Generic[C]):
    """All that a run has at hand when its training begins."""

    config: C
    folder: Path
    model: nn.Module
    tokenizer: Any
    sets: Sets
    losses: TokenLosses
    adapter: AdapterOutput
    optimizer: optim.Optimizer
    emit: Emitter
    control: Control

    def stopping(self) -> bool:
        """Whether the run should stop, as all its processes agree now."""
        self.control.agree()
        return self.control.stop is not None


class Loop(ABC):
    """The engine's loop and its evaluation, with our feed and reports in them. A stop leaves either
    by `Halted`. `batches` is what the feed feeds, `report` what the reports say beyond loss and
    speed.
    """

    batches: Batches
    report: MethodReport

    @abstractmethod
    def train(self, feed: Feed, reports: Reports) -> None:
        """All steps that are left. Raises Diverged when the engine says so itself."""

    @abstractmethod
    def measure(self, feed: Feed, which: DataSet, *, step: int) -> Validation:
        """The validation after `step` steps, of what the feed holds out."""

    @abstractmethod
    def seconds(self, feed: Feed, info: Mapping[str, Any], steps: int) -> float:
        """The time of the `steps` that the engine reports."""

    @abstractmethod
    def trained_tokens(self, reports: Reports) -> int:
        """Of the whole run, at the end of the last step."""

    def attached(self, feed: Feed) -> AbstractContextManager[None]:
        """For the time of the run: what has to stand in the engine's modules."""
        return nullcontext()


class TrainingMethod(ABC, Generic[C]):
    """One kind of training.

    `metric` finds the best adapter; with `beats_base` only what is better than the untrained model
    is one. With `continues_from_best` a state is kept with every best adapter, where that is cheap.
    `hint` is the remedy for a run without a gain, `perplexity` whether the loss of a test has one.
    With `writes` off another process of the run keeps its states, and the adapter's folder is of a
    kind that writes nothing.
    """

    metric: Metric = "val_loss"
    beats_base: ClassVar[bool] = False
    continues_from_best: ClassVar[bool] = False
    perplexity: ClassVar[bool] = False
    hint: ClassVar[str]
    writes: bool = True
    adapter_folder: type[AdapterOutput] = AdapterOutput

    def __init__(self, config: C) -> None:
        self.config = config

    @property
    @abstractmethod
    def accumulation(self) -> int:
        """How many steps make one update of the weights."""

    @abstractmethod
    def load_sets(self, tokenizer: Any, emit: Emitter) -> Sets:
        """The rows. Raises ValueError or Unusable when there is nothing to train on."""

    def load_references(self, model: nn.Module, emit: Emitter) -> None:
        """Other models that the method needs, such as a judge."""

    @abstractmethod
    def loop(self, run: Run[C], moment: Moment) -> Loop:
        """The loop that goes on at that moment."""

    def question(self, tokenizer: Any, prompt: str, style: RowStyle) -> list[int]:
        """The tokens of a sample prompt, asked as the rows ask."""
        return question_tokens(tokenizer, prompt, style)

    def divergence(self, model: nn.Module) -> LossGuard | None:
        """Where finite losses can tell that the model is ruined."""
        return None
