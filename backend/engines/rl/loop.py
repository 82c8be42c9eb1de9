"""The engine's loop of one reinforcement or preference method, with our hooks in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import mlx.core as mx
from mlx_lm_lora.trainer import grpo_trainer, klpo_trainer, online_dpo_trainer

from backend.contract.run.config import MethodConfig
from backend.contract.run.events import Validation
from backend.contract.run.folder import ENGINE_WEIGHTS
from backend.core.disk.removal import named, remove
from backend.engines.rl.batches import RlBatches
from backend.engines.rl.generate import steerable
from backend.engines.rl.hooks import SilentBar, replace_attribute
from backend.engines.rl.judge import ModelJudge, RewardJudge
from backend.engines.rl.modes import Mode, call
from backend.engines.rl.policy.train import train_policy
from backend.engines.rl.preferences import Pairs
from backend.engines.rl.reports import RlReport
from backend.engines.rl.scorer import Scorer
from backend.engines.rl.validate import Measure
from backend.engines.trainer.divergence import Diverged
from backend.engines.trainer.feed import Feed
from backend.engines.trainer.method import Loop, Run
from backend.engines.trainer.reports import Reports
from backend.engines.trainer.resume_state import Moment
from backend.engines.trainer.schedule import Every
from backend.engines.trainer.types import DataSet

_GENERATORS = (grpo_trainer, klpo_trainer, online_dpo_trainer)


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """The other models of a run: what the policy is compared with, and who judges."""

    reference: Any = None
    judge: Any = None
    judge_tokenizer: Any = None


class RlLoop(Loop):
    """`train_<mode>` and `evaluate_<mode>` of mlx_lm_lora, or our loop where the row says so."""

    def __init__(
        self,
        run: Run[MethodConfig],
        moment: Moment,
        mode: Mode,
        scorer: Scorer,
        references: References,
    ) -> None:
        config, sets = run.config, run.sets
        self._run = run
        self._mode = mode
        self._scorer = scorer
        self._references = references
        self._pairs = Pairs()
        # The engine writes the last weights in place; ours are written atomically instead.
        self._scratch = run.folder / ENGINE_WEIGHTS
        self._arguments = mode.arguments(
            config,
            iters=config.iters - moment.step,
            steps_per_report=Every(config.steps_per_report, after=moment.step),
            # We validate and save between steps.
            steps_per_eval=config.iters + 1,
            steps_per_save=config.iters + 1,
            adapter_file=str(self._scratch),
            **({"reward_weights": scorer.weights} if mode.family.weighed else {}),
        )
        self._losses = _losses(mode, self._arguments, self._pairs)
        has_kl = mode.kl or references.reference is not None
        self._measure = Measure(mode, scorer=scorer, pairs=self._pairs, has_kl=has_kl)
        self.batches = RlBatches(
            sets.train.rows,
            batch_size=config.batch_size,
            seed=config.seed,
            length=mode.family.length,
            collate=mode.own_batches,
        )
        self.report = RlReport(
            run.emit,
            scorer,
            samples=config.sample_completions,
            sums=mode.sums,
            has_kl=has_kl,
            held_out=lambda: self._measure.rollouts,
        )

    def train(self, feed: Feed, reports: Reports) -> None:
        config, mode = self._run.config, self._mode
        train: Callable[..., Any] = mode.train
        if mode.own_loop(config):
            train = partial(train_policy, updates_per_rollout=config.updates_per_rollout)
        if not mode.compiles:
            mx.disable_compile()
        try:
            call(train, self._extra_arguments(feed) | {"training_callback": reports})
        except FloatingPointError as error:
            raise Diverged(feed.done + 1, "the loss or its gradient is not finite") from error
        finally:
            remove(self._scratch, inside=self._scratch.parent, own=named(self._scratch.name))

    def measure(self, feed: Feed, which: DataSet, *, step: int) -> Validation:
        return self._measure(which, self._extra_arguments(feed), step=step)

    def seconds(self, feed: Feed, info: Mapping[str, Any], steps: int) -> float:
        return feed.take_seconds()

    def trained_tokens(self, reports: Reports) -> int:
        return reports.trained_tokens

    def attached(self, feed: Feed) -> AbstractContextManager[None]:
        """Names in the engine's modules, and what stands there for the time of this run."""
        run, mode = self._run, self._mode
        generator = steerable(
            run.stopping,
            lambda: self._scorer.rollouts,
            concurrency=run.config.decode_concurrency,
        )
        hooks: dict[tuple[Any, str], Any] = {
            (module, "BatchGenerator"): generator for module in _GENERATORS
        }
        hooks |= mode.scored_by(run.losses)
        hooks[mode.module, mode.iterate] = feed
        hooks[mode.module, "tqdm"] = SilentBar  # Reports say the same in a line each.
        for name in mode.losses:
            hooks[mode.module, name] = self._pairs.listen(getattr(mode.module, name))
        if mode.judge:
            hooks[mode.module, mode.judge] = self._make_judge()
        return replace_attribute(hooks)

    def _extra_arguments(self, feed: Feed) -> dict[str, Any]:
        """What the engine's functions may want; each takes what it has a name for."""
        run, references = self._run, self._references
        return {
            "model": run.model,
            "ref_model": references.reference,
            "tokenizer": run.tokenizer,
            "optimizer": run.optimizer,
            "train_dataset": run.sets.train.dataset,
            "val_dataset": None,
            "args": self._arguments,
            "reward_funcs": self._scorer.functions(),
            "iterate_batches": feed,
            "judge_model": references.judge,
            "judge_tokenizer": references.judge_tokenizer,
            "judge_config": run.config.judge_config,
            **self._losses,
        }

    def _make_judge(self) -> Any:
        rows: dict[str, Any] = {}
        for one in self._run.sets:
            rows |= {one.dataset[row]["prompt_text"]: one.given[row] for row in one.rows}
        scores = self._mode.judges_scores
        if self._scorer.rewards:
            return RewardJudge(self._scorer, rows, scores=scores)
        run = self._run
        return ModelJudge(run.emit, self._scorer, rows, scores=scores, stopping=run.stopping)


def _losses(mode: Mode, arguments: Any, pairs: Pairs) -> dict[str, Any]:
    """The loss and its kind, for those of the engine's functions that take them."""
    if mode.loss is None:
        return {}
    # `train_dpo` looks for the kind here, not in its arguments.
    kind = {"loss_type": arguments.loss_type} if mode.options else {}
    return kind | {mode.loss: pairs.listen(mode.own_loss)}
