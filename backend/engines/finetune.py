"""One run of supervised fine-tuning, from its folder to its adapter, on mlx_lm's own functions."""

from __future__ import annotations

import json
import math
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import yaml
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.lora import CONFIG_DEFAULTS
from mlx_lm.tuner.callbacks import TrainingCallback, get_reporting_callbacks
from mlx_lm.tuner.trainer import TrainingArgs, default_loss, evaluate, train
from mlx_lm.tuner.utils import build_schedule, print_trainable_parameters
from mlx_lm.utils import load

from backend.engines.adapter import AdapterFolder, NotFinite, lineage_of
from backend.engines.attach import attach, describe
from backend.engines.batches import steps_per_epoch
from backend.engines.cadence import Every, WhenDue
from backend.engines.control import Control
from backend.engines.emit import Emitter
from backend.engines.explain import Ending
from backend.engines.feed import Rows, StepFeed, masked_loss
from backend.engines.quantize import make_quantized_base
from backend.engines.sets import Sets, load_sets
from backend.engines.state import Moment, StateFolder, restore
from backend.engines.watch import Both, Diverged, Patience, Watch

_OPTIMIZERS = {
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "muon": optim.Muon,
    "sgd": optim.SGD,
    "adafactor": optim.Adafactor,
}


def train_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Train what the run folder describes; answer how it ended. Errors are raised."""
    args = read_config(folder / "config.yaml")
    np.random.seed(args.seed)
    make_quantized_base(args, emit, _say)
    model, tokenizer = load(args.model)
    if control.stop:
        return Ending("stopped", "Stopped while the model was loading; nothing was saved.")

    emit("phase", name="preparing data")
    sets = load_sets(args, tokenizer, emit)
    if control.stop:
        return Ending("stopped", "Stopped while the data was prepared; nothing was saved.")

    coverage = attach(model, args)
    _say(describe(args, coverage, depth=len(model.layers)))
    print_trainable_parameters(model)
    emit(
        "model",
        trainable_parameters=coverage.trainable,
        total_parameters=coverage.total,
        matched_modules=coverage.modules,
        matrices=list(coverage.matrices),
        layers=coverage.layers,
    )
    adapter = AdapterFolder(
        Path(args.adapter_path), model, keep=int(getattr(args, "keep_checkpoints", 0)), emit=emit
    )
    summary = _read_json(folder / "data" / "summary.json")
    adapter.begin(vars(args), lineage_of(vars(args), summary))
    return _Training(args, model, sets, adapter, emit, control, folder).run()


def read_config(path: Path) -> Namespace:
    """`config.yaml` over the engine's defaults, as `mlx_lm lora --config` would read it."""
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Namespace(**{**CONFIG_DEFAULTS, **given})


class _Training:
    """The training itself: the engine's loop with our batches, callback and saves."""

    def __init__(
        self,
        args: Namespace,
        model: nn.Module,
        sets: Sets,
        adapter: AdapterFolder,
        emit: Emitter,
        control: Control,
        folder: Path,
    ) -> None:
        self._args = args
        self._model = model
        self._sets = sets
        self._adapter = adapter
        self._emit = emit
        self._control = control
        self._folder = folder
        # The engine writes the last weights in place; ours are written atomically instead.
        self._scratch = folder / "engine.safetensors"
        self._optimizer = _optimizer(args)
        self._states = StateFolder(folder / "state", _facts(args))
        self._saved_at: int | None = None
        self._moment = self._take_up() if getattr(args, "resume_checkpoint", None) else Moment()
        self._canary = _Canary(model)
        # The engine's own wherever it can say what is learned.
        self._loss = masked_loss if sets.masked else default_loss
        self._watch = Watch(
            emit,
            first_step=self._moment.step,
            trained_tokens=self._moment.trained_tokens,
            counters=self._moment.counters,
            save_best=adapter.save_best,
            stopping=lambda: control.stop is not None,
            patience=Patience(
                enabled=bool(getattr(args, "enable_early_stop", False)),
                evaluations=int(getattr(args, "no_improve_patience_evals", 3)),
                min_delta=float(getattr(args, "early_stop_min_delta", 0.0)),
            ),
            steps_per_epoch=steps_per_epoch(len(sets.train_rows), args.batch_size),
            steps_per_report=args.steps_per_report,
            vocabulary=getattr(getattr(model, "args", None), "vocab_size", None),
        )
        self._feed = StepFeed(
            Rows(
                train=sets.train_rows,
                valid=sets.valid_rows,
                seed=args.seed,
                valid_batches=args.val_batches,
                masked=sets.masked,
            ),
            between_steps=self._between_steps,
            stopping=lambda: control.stop is not None,
            emit=emit,
            first_step=self._moment.step,
            tokens=self._moment.trained_tokens,
        )

    def _take_up(self) -> Moment:
        """Be where the saved state was: weights, optimizer, counters and files."""
        saved = self._states.load(self._args.resume_checkpoint)
        restore(saved, self._model, self._optimizer)
        if not self._args.lr_schedule:
            self._optimizer.learning_rate = self._args.learning_rate
        every = self._args.save_every
        numbered = {s.checkpoint: s.weights for s in self._states.all() if not s.checkpoint % every}
        self._adapter.take_up(saved.weights, saved.best, numbered)
        self._saved_at = saved.checkpoint
        step = saved.moment.step
        _say(f"Continued at step {step} of {self._args.iters}; the rows below count from there.")
        return saved.moment

    def run(self) -> Ending:
        self._emit("phase", name="training")
        try:
            self._train()
        except (Diverged, NotFinite) as error:
            return self._diverged(error)
        done = self._feed.done if self._feed.ended else self._args.iters
        stop = self._control.stop
        if stop and done < self._args.iters:
            return self._stopped(done, save=stop == "save")
        try:
            self._emit("phase", name="saving")
            self._save_end(done)
        except NotFinite as error:
            return self._diverged(error)
        test = self._evaluate_test(done)
        self._emit("phase", name="done")
        return Ending("completed", " ".join(filter(None, [self._summary(done), test])))

    def _train(self) -> None:
        args, first = self._args, self._moment.step
        valid = self._sets.valid if args.val_batches != 0 else None
        try:
            train(
                model=self._model,
                optimizer=self._optimizer,
                train_dataset=self._sets.train,
                val_dataset=valid and WhenDue(valid, self._validation_is_due),
                args=TrainingArgs(
                    batch_size=args.batch_size,
                    iters=args.iters - first,
                    val_batches=args.val_batches,
                    steps_per_report=Every(args.steps_per_report, after=first),
                    steps_per_eval=Every(args.steps_per_eval, after=first),
                    # We save between steps, atomically; the engine's own saves are not.
                    steps_per_save=args.iters + 1,
                    adapter_file=str(self._scratch),
                    max_seq_length=args.max_seq_length,
                    grad_checkpoint=args.grad_checkpoint,
                    grad_accumulation_steps=args.grad_accumulation_steps,
                ),
                loss=self._loss,
                iterate_batches=self._feed,
                training_callback=self._reporters(),
            )
        finally:
            self._scratch.unlink(missing_ok=True)

    def _reporters(self) -> TrainingCallback:
        """Ours, and the services that were asked for around it."""
        args = self._args
        if not args.report_to:
            return self._watch
        theirs = get_reporting_callbacks(
            args.report_to,
            project_name=args.project_name,
            log_dir=str(self._folder),
            config=vars(args),
        )
        return Both(self._watch, theirs, first_step=self._moment.step)

    def _validation_is_due(self) -> bool:
        step = self._feed.done + 1
        return step == 1 or step % self._args.steps_per_eval == 0 or step == self._args.iters

    def _between_steps(self, done: int) -> bool:
        """Before each step: check the last one, save when it is time, wait or end when asked."""
        if done and not self._canary.alive():
            raise Diverged(done, "the weights are not finite")
        self._note_moment(done)
        if done and done % self._args.save_every == 0 and self._saved_at != done:
            self._save_numbered(done)
        if self._control.paused and not self._control.stop:
            if done and self._states.newest != done:
                self._save_state(done, None)  # A pause may last for ever.
            self._emit("phase", name="paused")
            self._control.wait_while_paused()
            if not self._control.stop:
                self._emit("phase", name="training")
        return self._control.stop is None and not self._watch.early_stopped

    def _note_moment(self, done: int) -> None:
        """Between two weight updates of an accumulation there is nothing to go on from."""
        if done % self._args.grad_accumulation_steps == 0:
            self._moment = Moment(
                step=done, trained_tokens=self._feed.tokens, counters=self._watch.counters()
            )

    def _save_state(self, done: int, weights: Path | None) -> None:
        best = self._watch.best
        self._states.save(
            done,
            # The best of now: its file may have replaced that of the moment.
            replace(self._moment, counters=replace(self._moment.counters, best=best)),
            model=self._model,
            optimizer=self._optimizer,
            weights=weights,
            best=self._adapter.best_path if best else None,
            kept=self._adapter.kept(),
        )

    def _save_numbered(self, done: int) -> None:
        path = self._adapter.save_checkpoint(done)
        self._saved_at = done
        self._save_state(done, path)
        _say(f"Saved {path.name}")

    def _save_end(self, done: int) -> None:
        if self._saved_at == done:
            return
        self._note_moment(done)
        if done % self._args.save_every == 0:
            self._save_numbered(done)
        else:
            path = self._adapter.save_latest(done)
            self._saved_at = done
            self._save_state(done, path)
            _say(f"Saved {self._args.adapter_path}/adapters.safetensors at step {done}")

    def _stopped(self, done: int, *, save: bool) -> Ending:
        if save and done:
            self._emit("phase", name="saving")
            self._save_end(done)
        kept = f"the adapter of step {self._saved_at} is kept" if self._saved_at else None
        if kept is None:
            kept = "no adapter was saved"
        self._emit("phase", name="done")
        return Ending("stopped", f"Stopped at step {done} of {self._args.iters}; {kept}.")

    def _diverged(self, error: Diverged | NotFinite) -> Ending:
        scale = (self._args.lora_parameters or {}).get("scale")
        rate = self._args.learning_rate
        strength = f" (scale × learning rate is {scale * rate:.1e})" if scale else ""
        if self._watch.best:
            kept = f"The best adapter, of step {self._watch.best[0]}, is kept."
        elif self._saved_at:
            kept = f"The adapter of step {self._saved_at} is kept."
        else:
            kept = "No good adapter had been saved yet."
        hint = (
            f"The learning rate of {rate:g} is most likely too high{strength}: try a tenth of it, "
            "or lora_scaling alpha_over_rank."
        )
        self._emit.warning("diverged", str(error), hint)
        return Ending("error", f"{error} {kept}", hint)

    def _evaluate_test(self, done: int) -> str | None:
        if self._sets.test is None or self._control.stop:
            return None
        self._emit("phase", name="evaluating")
        feed = StepFeed(
            Rows(
                train=(),
                valid=self._sets.test_rows,
                seed=self._args.seed,
                masked=self._sets.masked,
            ),
            between_steps=lambda _: False,
            stopping=lambda: self._control.stop is not None,
            emit=self._emit,
        )
        loss = evaluate(
            model=self._model,
            dataset=self._sets.test,
            batch_size=self._args.batch_size,
            num_batches=-1,
            max_seq_length=self._args.max_seq_length,
            loss=self._loss,
            iterate_batches=feed,
        )
        if self._control.stop:
            return "The test was cut short."
        perplexity = math.exp(min(loss, 700.0))
        _say(f"Test loss {loss:.3f}, Test ppl {perplexity:.3f}.")
        self._emit("test", step=done, test_loss=loss, test_perplexity=perplexity)
        return f"Test loss {loss:.3f}, perplexity {perplexity:.2f}."

    def _summary(self, done: int) -> str:
        watch = self._watch
        if watch.early_stopped:
            first = f"Stopped early at step {done} of {self._args.iters}: validation stopped "
            first += "improving."
        else:
            first = f"Trained {done} iterations."
        if watch.best is None:
            return first
        step, loss = watch.best
        best = f"The best adapter is that of step {step}, with a validation loss of {loss:.3f}."
        if watch.baseline is not None and loss >= watch.baseline:
            self._emit.warning(
                "no_better_than_base",
                f"No validation came below the untrained model's {watch.baseline:.3f}.",
                "The adapter is unlikely to help: check the data, or lower the learning rate.",
            )
        return f"{first} {best}"


class _Canary:
    """One trained tensor, looked at after every step: a NaN loss reaches every weight at once."""

    def __init__(self, model: nn.Module) -> None:
        trainable = tree_flatten(model.trainable_parameters())
        path, self._name = min(trainable, key=lambda item: item[1].size)[0].rsplit(".", 1)
        self._module = dict(model.named_modules())[path]

    def alive(self) -> bool:
        return bool(mx.all(mx.isfinite(self._module[self._name])).item())


def _facts(args: Namespace) -> dict[str, Any]:
    """What a state says of the run it belongs to."""
    return {
        "seed": args.seed,
        "optimizer_name": args.optimizer,
        "model_fingerprint": getattr(args, "model_fingerprint", None),
        "session_id": getattr(args, "session_id", None),
    }


def _optimizer(args: Namespace) -> optim.Optimizer:
    rate = build_schedule(args.lr_schedule) if args.lr_schedule else args.learning_rate
    options = args.optimizer_config.get(args.optimizer, {})
    return _OPTIMIZERS[args.optimizer](learning_rate=rate, **options)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return value if isinstance(value, dict) else None


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
