"""The training of any run: step by step with what happens between, then the end of it.

1. train: before each step look at the weights, validate, sample, save, pause, end early
2. save the last weights
3. test
4. sum up
"""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Generic

import mlx.core as mx

from backend.contract.run.events import Phase, Tested, Validation
from backend.engines.process.endings import Ending
from backend.engines.trainer.adapter_folder import NotFinite
from backend.engines.trainer.divergence import Diverged
from backend.engines.trainer.early_stopping import EarlyStopping, Patience
from backend.engines.trainer.feed import Feed, Halted
from backend.engines.trainer.method import C, Run, TrainingMethod
from backend.engines.trainer.reports import Reports
from backend.engines.trainer.samples.questions import RowStyle
from backend.engines.trainer.samples.sampler import Sampler
from backend.engines.trainer.steps import BetweenSteps, say
from backend.engines.trainer.types import DataSet


class Training(Generic[C]):
    """One run's training; `run` answers how it ended."""

    def __init__(self, method: TrainingMethod[C], run: Run[C]) -> None:
        config = run.config
        self._method = method
        self._run = run
        self._between = BetweenSteps(run, accumulate=method.accumulation, writes=method.writes)
        moment = self._between.moment
        self._validated = moment.counters.validated
        self._stopping = EarlyStopping(
            run.emit,
            metric=method.metric,
            save_best=run.adapter.save_best,
            patience=Patience.of(config),
            counters=moment.counters,
            beats_base=method.beats_base,
        )
        self._divergence = method.divergence(run.model)
        self._loop = method.loop(run, moment)
        self._feed = Feed(
            self._loop.batches,
            between_steps=self._between_steps,
            stopping=run.stopping,
            emit=run.emit,
            first_step=moment.step,
        )
        self._reports = Reports(
            run.emit,
            run.optimizer,
            self._loop.report,
            seconds=partial(self._loop.seconds, self._feed),
            check=self._check_loss,
            steps_per_epoch=self._loop.batches.per_epoch,
            first_step=moment.step,
            trained_tokens=moment.trained_tokens,
            train_loss=moment.counters.train_loss,
        )
        self._sampler = self._make_sampler() if config.sample_prompts and method.writes else None
        self._between.follow(
            tokens=lambda: self._loop.trained_tokens(self._reports),
            counters=lambda: self._stopping.counters(self._reports.train_loss, self._validated),
        )

    def run(self) -> Ending:
        """Train, save, test. Only numbers that are none are an ending here; errors are raised."""
        emit, control = self._run.emit, self._run.control
        emit(Phase(name="training"))
        with self._loop.attached(self._feed):
            try:
                done, halted = self._train()
                if halted and control.stop:
                    return self._between.stopped(done)
                emit(Phase(name="saving"))
                self._between.finish(done)
            except (Diverged, NotFinite) as error:
                return self._between.diverged(error)
            test = self._test(done)
        emit(Phase(name="done"))
        summary = self._stopping.summary(done, self._run.config.iters, hint=self._method.hint)
        return Ending("completed", " ".join(filter(None, [summary, test])))

    def _train(self) -> tuple[int, bool]:
        """How many steps are done, and whether the engine was left before its last one."""
        config = self._run.config
        try:
            self._loop.train(self._feed, self._reports)
        except Halted:
            return self._feed.done, True
        self._validate(config.iters)
        self._answer_samples(config.iters)
        return config.iters, False

    def _between_steps(self, done: int) -> bool:
        self._run.control.agree()
        if done % self._run.config.steps_per_eval == 0:
            self._validate(done)
            self._answer_samples(done)
        return self._between.go_on(done) and not self._stopping.stopped

    def _validate(self, done: int) -> None:
        """After `done` steps: the very weights that training goes on from."""
        config, emit, valid = self._run.config, self._run.emit, self._run.sets.valid
        if valid is None or self._validated == done:
            return
        try:
            validation: Validation | None = self._measure(valid, config.val_batches, done)
        except Halted:
            validation = None  # Cut short by the stop: numbers over part of the rows would mislead.
        if validation is not None:
            self._validated = done
            self._judge(validation)
        if done < config.iters:
            emit(Phase(name="training"))

    def _answer_samples(self, done: int) -> None:
        """Of the very weights that were validated. The time is none of a training step."""
        seconds = self._sampler.answer(done) if self._sampler else None
        if seconds is None:
            return
        say(f"Iter {done}: Sample prompts answered in {seconds:.3f}s")
        if done < self._run.config.iters:
            self._run.emit(Phase(name="training"))

    def _make_sampler(self) -> Sampler:
        run, config = self._run, self._run.config

        def questions() -> dict[str, list[int]]:
            style = RowStyle.of(Path(config.data))
            return {
                prompt: self._method.question(run.tokenizer, prompt, style)
                for prompt in config.sample_prompts
            }

        return Sampler(
            run.model,
            run.tokenizer,
            run.emit,
            questions=questions,
            max_tokens=config.sample_max_tokens,
            # This process alone: the others of a run in several have no part in the answers.
            stopping=lambda: run.control.stop is not None,
        )

    def _measure(self, which: DataSet, batches: int, done: int) -> Validation:
        self._feed.hold_out(which, batches)
        measurement = self._loop.measure(self._feed, which, step=done)
        mx.clear_cache()  # Its batches have other shapes than those of the steps.
        return measurement

    def _judge(self, validation: Validation) -> None:
        """Tell of a validation, and take it for the best or against the patience."""
        self._run.emit(validation)
        self._loop.report.show_validation(validation)
        if validation.val_loss is None or not math.isfinite(validation.val_loss):
            raise Diverged(validation.step, "the validation loss is not a number")
        if self._divergence is not None:
            ruined = self._divergence.validated(validation.val_loss, self._stopping.baseline)
            if ruined:
                raise Diverged(validation.step, ruined)
        value = validation.measured(self._method.metric)
        if value is None:
            return
        before = self._stopping.best
        self._stopping.judge(validation.step, value)
        if self._stopping.best != before and self._method.continues_from_best:
            self._between.keep_best(validation.step)

    def _check_loss(self, step: int, loss: float) -> None:
        if self._divergence is None:
            return
        ruined = self._divergence.reported(loss, self._stopping.baseline)
        if ruined:
            raise Diverged(step, ruined)

    def _test(self, done: int) -> str | None:
        test = self._run.sets.test
        if test is None or self._run.control.stop:
            return None
        try:
            measurement = self._measure(test, -1, done)
        except Halted:
            return "The test was cut short."
        perplexity = None
        if self._method.perplexity and measurement.val_loss is not None:
            perplexity = math.exp(min(measurement.val_loss, 700.0))
        self._run.emit(test_event(measurement, perplexity))
        value = measurement.measured(self._method.metric)
        if value is None:
            return None
        measured = self._stopping.measured.replace("validation", "Test")
        rest = "" if perplexity is None else f", perplexity {perplexity:.2f}"
        sentence = f"{measured} {value:.3f}{rest}."
        say(sentence)
        return sentence


def test_event(measurement: Validation, perplexity: float | None) -> Tested:
    """The same numbers, measured on the test set."""
    numbers = {
        name.replace("val_", "test_", 1): value
        for name, value in measurement.set_fields().items()
        if name.startswith("val_") and name != "val_time"
    }
    return Tested(step=measurement.step, test_perplexity=perplexity, **numbers)
