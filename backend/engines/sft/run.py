"""One run of supervised fine-tuning, from its folder to its adapter, on mlx_lm's own functions."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from mlx import nn
from mlx_lm.lora import CONFIG_DEFAULTS
from mlx_lm.tuner.callbacks import TrainingCallback, get_reporting_callbacks
from mlx_lm.tuner.trainer import TrainingArgs, default_loss, evaluate, train
from mlx_lm.tuner.utils import print_trainable_parameters
from mlx_lm.utils import load

from backend.contract.batching import steps_per_epoch
from backend.contract.run.config import SftConfig
from backend.contract.run.events import Phase, Tested
from backend.contract.run.folder import CONFIG, DATA, DATA_SUMMARY, ENGINE_WEIGHTS
from backend.core.disk.removal import named, remove
from backend.engines.process.endings import Ending
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from backend.engines.ranks.followers import UnwrittenAdapter
from backend.engines.ranks.share import ALONE, Share
from backend.engines.ranks.start import run_ranks
from backend.engines.sft.batches import Rows, StepFeed, masked_loss
from backend.engines.sft.data import Sets, load_sets
from backend.engines.sft.loss import of_share, over_parts
from backend.engines.trainer.adapter_folder import AdapterFolder, NotFinite, lineage_of
from backend.engines.trainer.config import config_of, read_values
from backend.engines.trainer.early_stopping import Patience
from backend.engines.trainer.lora import attach, describe
from backend.engines.trainer.optimizer import build_optimizer
from backend.engines.trainer.quantize import make_quantized_base
from backend.engines.trainer.reports import Both, Diverged, Watch
from backend.engines.trainer.schedule import Every, WhenDue
from backend.engines.trainer.steps import Course, Trained, say


def start_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Train what the run folder describes, here or in several processes at once."""
    distributed = read_config(folder / CONFIG).distributed
    if distributed is None:
        return train_run(folder, emit, control)
    module = "backend.engines.sft.rank"
    return run_ranks(folder, distributed, module=module, emit=emit, control=control)


def train_run(folder: Path, emit: Emitter, control: Control, share: Share = ALONE) -> Ending:
    """Train in this process; answer how it ended. Errors are raised. Of several processes each has
    its `share` of the rows.
    """
    config = read_config(folder / CONFIG)
    np.random.seed(config.seed)
    make_quantized_base(config, emit, say)
    model, tokenizer = load(config.model)
    control.agree()
    if control.stop:
        return Ending("stopped", "Stopped while the model was loading; nothing was saved.")

    emit(Phase(name="preparing data"))
    sets = load_sets(config, tokenizer, emit)
    control.agree()
    if control.stop:
        return Ending("stopped", "Stopped while the data was prepared; nothing was saved.")

    coverage = attach(model, config)
    say(describe(config, coverage, depth=len(model.layers)))
    print_trainable_parameters(model)
    emit(coverage.event())
    kind = AdapterFolder if share.first else UnwrittenAdapter
    adapter = kind(Path(config.adapter_path), model, keep=config.keep_checkpoints, emit=emit)
    summary = _read_json(folder / DATA / DATA_SUMMARY)
    adapter.begin(config.values, lineage_of(config, summary))
    return _Training(config, model, sets, adapter, emit, control, folder, share).run()


def read_config(path: Path) -> SftConfig:
    """`config.yaml` over the engine's defaults, as `mlx_lm lora --config` would read it."""
    return config_of(SftConfig, read_values(path, CONFIG_DEFAULTS))


class _Training:
    """The training itself: the engine's loop with our batches, callback and saves."""

    def __init__(
        self,
        config: SftConfig,
        model: nn.Module,
        sets: Sets,
        adapter: AdapterFolder,
        emit: Emitter,
        control: Control,
        folder: Path,
        share: Share,
    ) -> None:
        self._config = config
        self._model = model
        self._sets = sets
        self._adapter = adapter
        self._emit = emit
        self._control = control
        self._folder = folder
        self._share = share
        # The engine writes the last weights in place; ours are written atomically instead.
        self._scratch = folder / ENGINE_WEIGHTS
        self._optimizer = build_optimizer(config)
        trained = Trained(
            config=config,
            model=model,
            optimizer=self._optimizer,
            adapter=adapter,
            folder=folder,
            accumulate=config.grad_accumulation_steps,
            writes=share.first,
        )
        self._course = Course(trained, emit=emit, control=control)
        moment = self._course.moment
        self._first_step = moment.step
        # The engine's own wherever it can say what is learned.
        self._loss = over_parts(masked_loss if sets.masked else default_loss)
        if share.size > 1:
            self._loss = of_share(self._loss)
        self._watch = Watch(
            emit,
            first_step=self._first_step,
            trained_tokens=moment.trained_tokens,
            counters=moment.counters,
            save_best=adapter.save_best,
            after_best=self._course.keep_best,
            stopping=lambda: control.stop is not None,
            patience=Patience(
                enabled=config.enable_early_stop,
                evaluations=config.no_improve_patience_evals,
                min_delta=config.early_stop_min_delta,
            ),
            steps_per_epoch=steps_per_epoch(len(sets.train_rows), config.batch_size),
            steps_per_report=config.steps_per_report,
            vocabulary=getattr(getattr(model, "args", None), "vocab_size", None),
        )
        self._feed = StepFeed(
            Rows(
                train=sets.train_rows,
                valid=sets.valid_rows,
                seed=config.seed,
                valid_batches=config.val_batches,
                masked=sets.masked,
            ),
            between_steps=self._between_steps,
            stopping=self._is_stopped,
            emit=emit,
            first_step=self._first_step,
            tokens=moment.trained_tokens,
            share=share,
        )
        self._course.follow(tokens=lambda: self._feed.tokens, counters=self._watch.counters)

    def run(self) -> Ending:
        self._emit(Phase(name="training"))
        try:
            self._train()
        except (Diverged, NotFinite) as error:
            return self._course.diverged(error)
        done = self._feed.done if self._feed.ended else self._config.iters
        stop = self._control.stop
        if stop and done < self._config.iters:
            return self._course.stopped(done)
        try:
            self._emit(Phase(name="saving"))
            self._course.finish(done)
        except NotFinite as error:
            return self._course.diverged(error)
        test = self._evaluate_test(done)
        self._emit(Phase(name="done"))
        return Ending("completed", " ".join(filter(None, [self._summary(done), test])))

    def _train(self) -> None:
        config, first = self._config, self._first_step
        valid = self._sets.valid if config.val_batches != 0 else None
        try:
            train(
                model=self._model,
                optimizer=self._optimizer,
                train_dataset=self._sets.train,
                val_dataset=valid and WhenDue(valid, self._validation_is_due),
                args=TrainingArgs(
                    batch_size=config.batch_size,
                    iters=config.iters - first,
                    val_batches=config.val_batches,
                    steps_per_report=Every(config.steps_per_report, after=first),
                    steps_per_eval=Every(config.steps_per_eval, after=first),
                    # We save between steps, atomically; the engine's own saves are not.
                    steps_per_save=config.iters + 1,
                    adapter_file=str(self._scratch),
                    max_seq_length=config.max_seq_length,
                    grad_checkpoint=config.grad_checkpoint,
                    grad_accumulation_steps=config.grad_accumulation_steps,
                ),
                loss=self._loss,
                iterate_batches=self._feed,
                training_callback=self._reporters(),
            )
        finally:
            if self._share.first:
                remove(self._scratch, inside=self._folder, own=named(self._scratch.name))

    def _reporters(self) -> TrainingCallback:
        """Ours, and the services that were asked for around it."""
        config = self._config
        if not config.report_to or not self._share.first:
            return self._watch
        theirs = get_reporting_callbacks(
            config.report_to,
            project_name=config.project_name,
            log_dir=str(self._folder),
            config=config.values,
        )
        return Both(self._watch, theirs, first_step=self._first_step)

    def _validation_is_due(self) -> bool:
        step = self._feed.done + 1
        return step == 1 or step % self._config.steps_per_eval == 0 or step == self._config.iters

    def _is_stopped(self) -> bool:
        self._control.agree()
        return self._control.stop is not None

    def _between_steps(self, done: int) -> bool:
        self._control.agree()
        return self._course.between(done) and not self._watch.early_stopped

    def _evaluate_test(self, done: int) -> str | None:
        if self._sets.test is None or self._control.stop:
            return None
        feed = StepFeed(
            Rows(
                train=(),
                valid=self._sets.test_rows,
                seed=self._config.seed,
                masked=self._sets.masked,
            ),
            between_steps=lambda _: False,
            stopping=self._is_stopped,
            emit=self._emit,
            share=self._share,
        )
        loss = evaluate(
            model=self._model,
            dataset=self._sets.test,
            batch_size=self._config.batch_size,
            num_batches=-1,
            max_seq_length=self._config.max_seq_length,
            loss=self._loss,
            iterate_batches=feed,
        )
        if self._control.stop:
            return "The test was cut short."
        perplexity = math.exp(min(loss, 700.0))
        say(f"Test loss {loss:.3f}, Test ppl {perplexity:.3f}.")
        self._emit(Tested(step=done, test_loss=loss, test_perplexity=perplexity))
        return f"Test loss {loss:.3f}, perplexity {perplexity:.2f}."

    def _summary(self, done: int) -> str:
        watch = self._watch
        if watch.early_stopped:
            first = f"Stopped early at step {done} of {self._config.iters}: validation stopped "
            first += "improving."
        else:
            first = f"Trained {done} iterations."
        if watch.best is not None:
            step, loss = watch.best
            best = f"The best adapter is that of step {step}, with a validation loss of {loss:.3f}."
            return f"{first} {best}"
        if watch.baseline is None or not watch.validated:
            return first
        none = f"No validation came below the untrained model's {watch.baseline:.3f}"
        self._emit.warning(
            "no_better_than_base",
            f"{none}.",
            "The adapter is unlikely to help: check the data, or lower the learning rate.",
        )
        return f"{first} {none}, so there is no best adapter; the last one is saved."


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return value if isinstance(value, dict) else None
