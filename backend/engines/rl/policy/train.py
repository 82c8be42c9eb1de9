"""Policy gradients with as many clipped updates per rollout as asked for.

The engine's `train_grpo` makes one update per rollout, so its ratio is always 1: clipping does
nothing, and GSPO is GRPO. It also divides every advantage by its group's standard deviation, which
Dr. GRPO exists to leave out. `train_policy` takes its place for both: the same rollouts and rewards
(the engine's own functions), the same reports, the objectives of the papers in `policy_objective`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten, tree_map
from mlx_lm_lora.recurrent_patch import enable_memory_safe_recurrences, model_uses_recurrence
from mlx_lm_lora.trainer import grpo_trainer
from mlx_lm_lora.trainer.sft_trainer import grad_checkpoint

from backend.engines.rl.policy.objective import Objective, policy_loss, tally
from backend.engines.rl.policy.report import PolicyReport
from backend.engines.rl.policy.rollout import Chunk, RewardFunction, Rollout, make_rollout


def train_policy(
    model: nn.Module,
    ref_model: Any,
    tokenizer: Any,
    optimizer: Any,
    train_dataset: Any,
    reward_funcs: Sequence[RewardFunction] = (),
    args: Any = None,
    iterate_batches: Callable[..., Any] = grpo_trainer.iterate_grpo_batches,
    training_callback: Any = None,
    end_answer_token: str = "</answer>",  # noqa: S107 - where an answer ends, no password
    *,
    updates_per_rollout: int = 1,
) -> None:
    """Train as the engine's `train_grpo` would, with `updates_per_rollout` updates on each rollout.

    `args` is the engine's `GRPOTrainingArgs`. A step is one rollout (with gradient accumulation of
    n: n steps are rolled out by the same policy, and each update is over all of them). With one
    update the ratio is exactly 1, as in the engine, and dropout acts in it. With more, pi_old is
    stored once per rollout, and dropout is off as it is when sampling, so that ratios tell what the
    updates changed and nothing else. Ratios are of the plain policy (temperature 1),
    as in the engine, however the tokens were sampled.

    Reports have the engine's names, with `train_entropy_estimate` beside them and without
    `train_kl*` when there is no reference or beta is 0. Returns after `args.iters` steps, or when
    `iterate_batches` ends; rollouts whose accumulation is then not full are dropped. Nothing is
    validated or saved: that is for the caller, between steps or afterwards. One process only.
    Raises FloatingPointError before an update that is not finite, and ValueError for a number of
    updates or an accumulation below 1.
    """
    if updates_per_rollout < 1:
        raise ValueError(f"{updates_per_rollout} updates per rollout: at least 1 is needed.")
    accumulation = args.gradient_accumulation_steps
    if accumulation < 1:
        raise ValueError(f"Gradient accumulation over {accumulation} steps: at least 1 is needed.")
    if model_uses_recurrence(model):
        enable_memory_safe_recurrences(chunk_size=args.recurrence_chunk_size)
    if args.grad_checkpoint:
        grad_checkpoint(model.layers[0])
    if ref_model is not None:
        ref_model.eval()
    objective = objective_of(args)
    learner = PolicyLearner(model, optimizer, objective)
    report = PolicyReport()
    pending: list[Rollout] = []
    batches = iter(
        iterate_batches(
            dataset=train_dataset,
            batch_size=args.batch_size,
            max_seq_length=args.max_seq_length,
            train=True,
        )
    )
    for step in range(1, args.iters + 1):
        batch = next(batches, None)
        if batch is None:
            return
        model.train()
        rollout = make_rollout(
            model,
            ref_model,
            tokenizer,
            batch,
            objective=objective,
            reward_funcs=reward_funcs,
            args=args,
            end_token=end_answer_token,
            keep_old=updates_per_rollout > 1,
        )
        pending.append(rollout)
        report.rolled_out(rollout, limit=args.max_completion_length)
        report.learned(*learner.learn(rollout))
        if step % accumulation == 0 or step == args.iters:
            learner.move()
            for _ in range(updates_per_rollout - 1):
                for one in pending:
                    report.learned(*learner.learn(one))
                learner.move()
            pending = []
        if step % args.steps_per_report == 0 or step == args.iters:
            info = report.take(step, float(optimizer.learning_rate.item()))
            if training_callback is not None:
                training_callback.on_train_loss_report(info)


def objective_of(args: Any) -> Objective:
    """The objective that `GRPOTrainingArgs` describe."""
    return Objective(
        loss_type=args.grpo_loss_type,
        level=args.importance_sampling_level,
        beta=args.beta,
        epsilon=args.epsilon,
        epsilon_high=args.epsilon_high,
        max_tokens=args.max_completion_length,
    )


class PolicyLearner:
    """Gradients of rollouts, and the moves they add up to."""

    def __init__(self, model: nn.Module, optimizer: Any, objective: Objective) -> None:
        self._model = model
        self._optimizer = optimizer
        self._objective = objective
        self._value_and_grad = nn.value_and_grad(model, self._loss)
        self._gradient: Any = None
        self._learned = 0

    def learn(self, rollout: Rollout) -> tuple[float, dict[str, float]]:
        """Add its gradient to the next move; answer its loss and metrics at the present weights."""
        loss, metrics, gradient = self.gradient(rollout)
        finite = [mx.isfinite(part).all() for _, part in tree_flatten(gradient)]
        if not (math.isfinite(loss) and mx.stack(finite).all().item()):
            raise FloatingPointError("The policy's loss or gradient is not finite; not applied.")
        self._gradient = _sum(self._gradient, gradient)
        self._learned += 1
        return loss, metrics

    def move(self) -> None:
        """One update of the optimizer, by the mean gradient of what was learned since the last."""
        mean = tree_map(lambda part: part / self._learned, self._gradient)
        self._optimizer.update(self._model, mean)
        mx.eval(self._model.parameters(), self._optimizer.state)
        self._gradient, self._learned = None, 0

    def gradient(self, rollout: Rollout) -> tuple[float, dict[str, float], Any]:
        """Loss, metrics (see `tally`) and gradient, chunk by chunk."""
        total = 0.0
        sums: dict[str, float] = {}
        gradient: Any = None
        for chunk in rollout.chunks:
            (loss, tallies), part = self._value_and_grad(chunk)
            gradient = _sum(gradient, part)
            # Frees the activations of this chunk before the next one is scored.
            mx.eval(loss, tallies, gradient)
            total += loss.item()
            for name, value in tallies.items():
                sums[name] = sums.get(name, 0.0) + float(value.item())
        return total, tally(sums, rows=rollout.rows, tokens=rollout.tokens), gradient

    def _loss(self, chunk: Chunk) -> tuple[mx.array, dict[str, mx.array]]:
        return policy_loss(
            self._objective,
            chunk.score(self._model),
            old=chunk.old,
            reference=chunk.reference,
            mask=chunk.mask,
            advantages=chunk.advantages,
            weights=chunk.weights,
        )


def _sum(first: Any, second: Any) -> Any:
    return second if first is None else tree_map(mx.add, first, second)
