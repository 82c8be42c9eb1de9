"""One run of supervised fine-tuning on mlx_lm's own functions: its data, its loop, its measure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from mlx import nn
from mlx_lm.lora import CONFIG_DEFAULTS
from mlx_lm.tuner.callbacks import TrainingCallback, get_reporting_callbacks
from mlx_lm.tuner.trainer import TrainingArgs, evaluate, train

from backend.contract.run.config import SftConfig
from backend.contract.run.events import Validation
from backend.contract.run.folder import CONFIG, ENGINE_WEIGHTS
from backend.core.disk.removal import named, remove
from backend.engines.process.endings import Ending
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from backend.engines.ranks.followers import UnwrittenAdapter
from backend.engines.ranks.share import ALONE, Share
from backend.engines.sft.batches import Learned, SftBatches
from backend.engines.sft.data import has_several_spans, load_sets
from backend.engines.sft.loss import of_share, over_parts
from backend.engines.sft.recurrences import save_recurrence_memory
from backend.engines.trainer import run as trainer
from backend.engines.trainer.adapter_folder import AdapterFolder
from backend.engines.trainer.divergence import Divergence
from backend.engines.trainer.feed import Feed
from backend.engines.trainer.method import Loop, Method, Run
from backend.engines.trainer.reports import Both, MethodReport, Reports
from backend.engines.trainer.resume_state import Moment
from backend.engines.trainer.schedule import Every, WhenDue
from backend.engines.trainer.steps import say
from backend.engines.trainer.types import DataSet, Sets


def train_run(folder: Path, emit: Emitter, control: Control, share: Share = ALONE) -> Ending:
    """Train in this process, which of several has its `share` of the rows."""
    method = Sft(read_config(folder / CONFIG), share)
    return trainer.train_run(method, folder, emit, control)


def read_config(path: Path) -> SftConfig:
    """`config.yaml` over the engine's defaults, as `mlx_lm lora --config` would read it."""
    return trainer.config_of(SftConfig, trainer.read_values(path, CONFIG_DEFAULTS))


class Sft(Method[SftConfig]):
    """Supervised fine-tuning, of which this process has a share. The engine validates by itself."""

    beats_base: ClassVar[bool] = True
    validates: ClassVar[bool] = True
    perplexity: ClassVar[bool] = True
    hint: ClassVar[str] = (
        "The adapter is unlikely to help: check the data, or lower the learning rate."
    )

    def __init__(self, config: SftConfig, share: Share) -> None:
        super().__init__(config)
        self._share = share
        self.writes = share.first
        self.adapter_folder = AdapterFolder if share.first else UnwrittenAdapter

    @property
    def accumulation(self) -> int:
        return self.config.grad_accumulation_steps

    def load_sets(self, tokenizer: Any, emit: Emitter) -> Sets:
        return load_sets(self.config, tokenizer, emit)

    def loop(self, run: Run[SftConfig], moment: Moment) -> SftLoop:
        return SftLoop(run, moment, self._share)

    def divergence(self, model: nn.Module) -> Divergence:
        return Divergence(getattr(getattr(model, "args", None), "vocab_size", None))


class SftLoop(Loop):
    """`mlx_lm.tuner.trainer.train` and `evaluate`."""

    def __init__(self, run: Run[SftConfig], moment: Moment, share: Share) -> None:
        config = run.config
        masked = config.mask_prompt and has_several_spans(run.sets)
        # The engine's own wherever it can say what is learned.
        if save_recurrence_memory(run.model):
            say("Recurrent layers: recomputed in blocks in the backward pass, to save memory.")
        learned: Learned = "mask" if masked else "borders"
        loss = run.losses.of_mask if masked else run.losses.of_borders
        if run.losses.of_positions is not None:
            learned, loss = "positions", run.losses.of_positions
        self._loss = of_share(over_parts(loss)) if share.size > 1 else over_parts(loss)
        self._run = run
        self._share = share
        self._first_step = moment.step
        self.report = MethodReport()
        self.batches: SftBatches = SftBatches(
            run.sets.train.rows,
            batch_size=config.batch_size,
            seed=config.seed,
            learned=learned,
            emit=run.emit,
            tokens=moment.trained_tokens,
            share=share,
        )

    def train(self, feed: Feed, reports: Reports) -> None:
        run, config, first = self._run, self._run.config, self._first_step
        # The engine writes the last weights in place; ours are written atomically instead.
        scratch = run.folder / ENGINE_WEIGHTS

        def validation_is_due() -> bool:
            step = feed.done + 1
            return step == 1 or step % config.steps_per_eval == 0 or step == config.iters

        try:
            train(
                model=run.model,
                optimizer=run.optimizer,
                train_dataset=run.sets.train.dataset,
                val_dataset=run.sets.valid and WhenDue(run.sets.valid.dataset, validation_is_due),
                args=TrainingArgs(
                    batch_size=config.batch_size,
                    iters=config.iters - first,
                    val_batches=config.val_batches,
                    steps_per_report=Every(config.steps_per_report, after=first),
                    steps_per_eval=Every(config.steps_per_eval, after=first),
                    # We save between steps, atomically; the engine's own saves are not.
                    steps_per_save=config.iters + 1,
                    adapter_file=str(scratch),
                    max_seq_length=config.max_seq_length,
                    grad_checkpoint=config.grad_checkpoint,
                    grad_accumulation_steps=config.grad_accumulation_steps,
                ),
                loss=self._loss,
                iterate_batches=feed,
                training_callback=self._reporters(reports),
            )
        finally:
            if self._share.first:
                remove(scratch, inside=run.folder, own=named(scratch.name))

    def measure(self, feed: Feed, which: DataSet, *, step: int) -> Validation:
        config, start = self._run.config, time.perf_counter()
        loss = evaluate(
            model=self._run.model,
            dataset=which.dataset,
            batch_size=config.batch_size,
            num_batches=-1,  # The feed ends by itself.
            max_seq_length=config.max_seq_length,
            loss=self._loss,
            iterate_batches=feed,
        )
        return Validation(step=step, val_loss=loss, val_time=time.perf_counter() - start)

    def seconds(self, feed: Feed, info: Mapping[str, Any], steps: int) -> float:
        # The engine divides by steps_per_report even when the last stretch was shorter.
        return self._run.config.steps_per_report / float(info["iterations_per_second"])

    def trained_tokens(self, reports: Reports) -> int:
        return self.batches.tokens

    def _reporters(self, reports: Reports) -> TrainingCallback:
        """Ours, and the services that were asked for beside it."""
        config = self._run.config
        if not config.report_to or not self._share.first:
            return reports
        theirs = get_reporting_callbacks(
            config.report_to,
            project_name=config.project_name,
            log_dir=str(self._run.folder),
            config=config.values,
        )
        return Both(reports, theirs, first_step=self._first_step)
