"""The training of one reinforcement or preference run: the engine's loop with our hooks in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_lm_lora.trainer import grpo_trainer, klpo_trainer, online_dpo_trainer

from backend.contract.batching import steps_per_epoch
from backend.contract.run.config import MethodConfig
from backend.contract.run.events import Phase
from backend.contract.run.folder import ENGINE_WEIGHTS
from backend.core.disk.removal import named, remove
from backend.engines.process.endings import Ending
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from backend.engines.rl.batches import Plan, RlFeed
from backend.engines.rl.data import RlSets
from backend.engines.rl.generate import steerable
from backend.engines.rl.hooks import Halted, replaced
from backend.engines.rl.judge import ModelJudge, RewardJudge
from backend.engines.rl.modes import Mode, call
from backend.engines.rl.policy.train import train_policy
from backend.engines.rl.preferences import Pairs
from backend.engines.rl.reports import RlWatch
from backend.engines.rl.scorer import Scorer
from backend.engines.rl.validate import Measure, measured_as, tested
from backend.engines.trainer.adapter_folder import AdapterFolder, NotFinite
from backend.engines.trainer.early_stopping import Keeper, Patience
from backend.engines.trainer.optimizer import build_optimizer
from backend.engines.trainer.reports import Diverged
from backend.engines.trainer.schedule import Every
from backend.engines.trainer.steps import Course, Trained
from backend.engines.trainer.token_losses import token_losses

_GENERATORS = (grpo_trainer, klpo_trainer, online_dpo_trainer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All that a run has at hand when its training begins. `judge` is a model and its tokenizer."""

    config: MethodConfig
    mode: Mode
    model: nn.Module
    tokenizer: Any
    reference: Any
    judge: tuple[Any, Any]
    sets: RlSets
    scorer: Scorer
    adapter: AdapterFolder
    folder: Path


class RlTraining:
    """Validation is ours: between two steps, by the engine's own evaluation, so that the best
    adapter holds the very weights that were validated, and those of the end are validated too.
    """

    def __init__(self, loaded: Loaded, emit: Emitter, control: Control) -> None:
        config, mode, sets = loaded.config, loaded.mode, loaded.sets
        self._loaded = loaded
        self._emit = emit
        self._control = control
        # The engine writes the last weights in place; ours are written atomically instead.
        self._scratch = loaded.folder / ENGINE_WEIGHTS
        self._optimizer = build_optimizer(config)
        trained = Trained(
            config=config,
            model=loaded.model,
            optimizer=self._optimizer,
            adapter=loaded.adapter,
            folder=loaded.folder,
            accumulate=config.gradient_accumulation_steps,
        )
        self._course = Course(trained, emit=emit, control=control)
        moment = self._course.moment
        self._first_step = moment.step
        self._validated: int | None = moment.step or None
        self._keeper = Keeper(
            emit,
            metric=config.select_by,
            save_best=loaded.adapter.save_best,
            patience=Patience(
                enabled=config.enable_early_stop,
                evaluations=config.no_improve_patience_evals,
                min_delta=config.early_stop_min_delta,
            ),
            counters=moment.counters,
        )
        plan = Plan(
            rows=sets.train.rows, seed=config.seed, length=sets.length, collate=mode.own_batches
        )
        self._feed = RlFeed(
            plan,
            between_steps=self._between_steps,
            stopping=self._stopping,
            first_step=self._first_step,
        )
        has_kl = mode.kl or loaded.reference is not None
        self._watch = RlWatch(
            emit,
            loaded.scorer,
            self._optimizer,
            samples=config.sample_completions,
            longest=config.max_completion_length,
            seconds=self._feed.take_seconds,
            steps_per_epoch=steps_per_epoch(len(sets.train.rows), config.batch_size),
            sums=mode.sums,
            has_kl=has_kl,
            first_step=self._first_step,
            trained_tokens=moment.trained_tokens,
        )
        self._course.follow(
            tokens=lambda: self._watch.trained_tokens,
            counters=lambda: self._keeper.counters(self._watch.train_loss),
        )
        self._pairs = Pairs()
        self._arguments = mode.arguments(
            config,
            iters=config.iters - self._first_step,
            steps_per_report=Every(config.steps_per_report, after=self._first_step),
            # We validate and save between steps.
            steps_per_eval=config.iters + 1,
            steps_per_save=config.iters + 1,
            adapter_file=str(self._scratch),
            **({"reward_weights": loaded.scorer.weights} if mode.family.weighed else {}),
        )
        self._losses = _losses(mode, self._arguments, self._pairs)
        self._measure = Measure(
            mode,
            self._given(),
            feed=self._feed,
            scorer=loaded.scorer,
            pairs=self._pairs,
            has_kl=has_kl,
        )

    def run(self) -> Ending:
        self._emit(Phase(name="training"))
        with replaced(self._hooks()):
            return self._run()

    def _run(self) -> Ending:
        iters = self._loaded.config.iters
        try:
            halted = self._train()
            done = self._feed.done if halted else iters
            if not halted:
                self._validate(done)
            if halted and self._control.stop:
                return self._course.stopped(done)
            self._emit(Phase(name="saving"))
            self._course.finish(done)
        except (Diverged, NotFinite) as error:
            return self._course.diverged(error)
        test = self._test(done)
        self._emit(Phase(name="done"))
        return Ending("completed", " ".join(filter(None, [self._summary(done), test])))

    def _train(self) -> bool:
        """Whether the engine was left before its last step."""
        loaded, mode = self._loaded, self._loaded.mode
        train: Callable[..., Any] = mode.train
        updates = loaded.config.updates_per_rollout
        if mode.own_loop(loaded.config):
            train = train_policy
        if not mode.compiles:
            mx.disable_compile()
        try:
            call(train, self._given() | {"updates_per_rollout": updates})
        except Halted:
            return True
        except FloatingPointError as error:
            raise Diverged(self._feed.done + 1, "the loss or its gradient is not finite") from error
        finally:
            remove(self._scratch, inside=self._scratch.parent, own=named(self._scratch.name))
        return False

    def _given(self) -> dict[str, Any]:
        """What the engine's functions may want; each takes what it has a name for."""
        loaded = self._loaded
        judge, judge_tokenizer = loaded.judge
        return {
            "model": loaded.model,
            "ref_model": loaded.reference,
            "tokenizer": loaded.tokenizer,
            "optimizer": self._optimizer,
            "train_dataset": loaded.sets.train.dataset,
            "val_dataset": None,
            "args": self._arguments,
            "training_callback": self._watch,
            "reward_funcs": loaded.scorer.functions(),
            "iterate_batches": self._feed,
            "judge_model": judge,
            "judge_tokenizer": judge_tokenizer,
            "judge_config": loaded.config.judge_config,
            **self._losses,
        }

    def _hooks(self) -> Mapping[tuple[Any, str], Any]:
        """Names in the engine's modules, and what stands there for the time of this run."""
        loaded, mode = self._loaded, self._loaded.mode
        generator = steerable(
            self._stopping,
            lambda: loaded.scorer.rollouts,
            concurrency=loaded.config.decode_concurrency,
        )
        hooks: dict[tuple[Any, str], Any] = {
            (module, "BatchGenerator"): generator for module in _GENERATORS
        }
        hooks |= mode.scored_by(token_losses(loaded.model))
        hooks[mode.module, mode.iterate] = self._feed
        for name in mode.losses:
            hooks[mode.module, name] = self._pairs.listen(getattr(mode.module, name))
        if mode.judge:
            hooks[mode.module, mode.judge] = self._make_judge()
        return hooks

    def _make_judge(self) -> Any:
        loaded = self._loaded
        rows: dict[str, Any] = {}
        for one in (loaded.sets.train, loaded.sets.valid, loaded.sets.test):
            if one is not None:
                rows |= {one.dataset[row]["prompt_text"]: one.given[row] for row in one.rows}
        scores = loaded.mode.judges_scores
        if loaded.scorer.rewards:
            return RewardJudge(loaded.scorer, rows, scores=scores)
        return ModelJudge(self._emit, loaded.scorer, rows, scores=scores, stopping=self._stopping)

    def _stopping(self) -> bool:
        return self._control.stop is not None

    def _between_steps(self, done: int) -> bool:
        every = self._loaded.config.steps_per_eval
        if done % every == 0 and self._validated != done:
            self._validate(done)
        return self._course.between(done) and not self._keeper.early_stopped

    def _validate(self, done: int) -> None:
        valid = self._loaded.sets.valid
        if valid is None or self._validated == done:
            return
        self._validated = done
        self._emit(Phase(name="evaluating"))
        found = self._measure(valid, self._loaded.config.val_batches, step=done)
        if done < self._loaded.config.iters:
            self._emit(Phase(name="training"))
        if found is None:
            return  # Cut short by the stop: numbers over part of the rows would mislead.
        self._emit(found)
        self._watch.samples(done, self._measure.rollouts, "valid")
        if found.val_loss is None or not math.isfinite(found.val_loss):
            raise Diverged(done, "the validation loss is not a number")
        value = found.measured(self._keeper.metric)
        if value is not None:
            self._keeper.judge(done, value)

    def _test(self, done: int) -> str | None:
        test = self._loaded.sets.test
        if test is None or self._stopping():
            return None
        self._emit(Phase(name="evaluating"))
        found = self._measure(test, -1, step=done)
        if found is None:
            return "The test was cut short."
        self._emit(tested(found))
        value = found.measured(self._keeper.metric)
        said = measured_as(self._loaded.config.select_by).replace("validation", "Test")
        return None if value is None else f"{said} {value:.3f}."

    def _summary(self, done: int) -> str:
        keeper, iters = self._keeper, self._loaded.config.iters
        if keeper.early_stopped:
            first = f"Stopped early at step {done} of {iters}: validation stopped improving."
        else:
            first = f"Trained {done} iterations."
        if keeper.best is None:
            return first
        step, value = keeper.best
        said = measured_as(self._loaded.config.select_by)
        best = f"The best adapter is that of step {step}, with a {said} of {value:.3f}."
        if keeper.baseline is not None and not keeper.better(value, keeper.baseline):
            self._emit.warning(
                "no_better_than_base",
                f"No {said} was better than the untrained model's {keeper.baseline:.3f}.",
                "The adapter is unlikely to help: look at the sample completions and their "
                "rewards, raise the learning rate or train longer; lower it if it fell.",
            )
        return f"{first} {best}"


def _losses(mode: Mode, arguments: Any, pairs: Pairs) -> dict[str, Any]:
    """The loss and its kind, for those of the engine's functions that take them."""
    if mode.loss is None:
        return {}
    # `train_dpo` looks for the kind here, not in its arguments.
    kind = {"loss_type": arguments.loss_type} if mode.options else {}
    return kind | {mode.loss: pairs.listen(mode.own_loss)}
