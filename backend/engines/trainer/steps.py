"""What happens between two steps of any run: look at the weights, save, pause, stop.

Between two steps the weights are whole; nothing here ever cuts a step in half.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten

from backend.contract.run.events import Phase
from backend.contract.run.folder import LATEST, STATE
from backend.engines.process.endings import Ending
from backend.engines.trainer.adapter_folder import NotFinite
from backend.engines.trainer.divergence import Diverged
from backend.engines.trainer.early_stopping import Counters
from backend.engines.trainer.method import Run
from backend.engines.trainer.resume_state import Moment, StateFolder, restore

CHEAP = 500_000_000  # Bytes of an optimizer that are written within about a second.


class BetweenSteps:
    """The saves and halts of one run, of which `accumulate` steps make one update of the weights.
    With `writes` off no state is kept: another process does.
    """

    def __init__(self, run: Run[Any], *, accumulate: int, writes: bool) -> None:
        self._run = run
        self._config = run.config
        self._emit = run.emit
        self._control = run.control
        self._accumulate = accumulate
        self._writes = writes
        self._states = StateFolder(run.folder / STATE, run.config)
        self._canary = _Canary(run.model)
        self.saved_at: int | None = None
        self.moment = Moment()
        self._tokens: Callable[[], int] = lambda: self.moment.trained_tokens
        self._counters: Callable[[], Counters] = lambda: self.moment.counters
        if self._config.resume_checkpoint:
            self.moment = self._take_up(self._config.resume_checkpoint)

    def follow(self, *, tokens: Callable[[], int], counters: Callable[[], Counters]) -> None:
        """Where to ask, from now on, how far the run is."""
        self._tokens = tokens
        self._counters = counters

    def go_on(self, done: int) -> bool:
        """Before each step: check the last one, save when it is time, wait or end when asked.

        Raises Diverged when the weights are not finite.
        """
        if done and not self._canary.alive():
            raise Diverged(done, "the weights are not finite")
        self._note_moment(done)
        if done and done % self._config.save_every == 0 and self.saved_at != done:
            self._save_numbered(done)
        if self._control.paused and not self._control.stop:
            if done and self._states.newest != done:
                self._save_state(done, None)  # A pause may last for ever.
            self._emit(Phase(name="paused"))
            self._control.wait_while_paused()
            if not self._control.stop:
                self._emit(Phase(name="training"))
        return self._control.stop is None

    def finish(self, done: int) -> None:
        """Save what the run ends with. Raises NotFinite rather than spoil a good file."""
        if self.saved_at == done:
            return
        self._note_moment(done)
        if done % self._config.save_every == 0:
            self._save_numbered(done)
            return
        path = self._run.adapter.save_latest(done)
        self.saved_at = done
        self._save_state(done, path)
        say(f"Saved {self._config.adapter_path}/{LATEST} at step {done}")

    def keep_best(self, done: int) -> None:
        """Go on from the best adapter too, where its state is cheap to write: a run that is killed
        before its first checkpoint has then something to continue. Called while `done` steps are
        done and the best has just been saved.
        """
        size = sum(value.nbytes for _, value in tree_flatten(self._run.optimizer.state))
        if self._states.newest != done and size <= CHEAP:
            self._save_state(done, self._run.adapter.best_path)

    def stopped(self, done: int) -> Ending:
        """End before the last step, as it was asked for."""
        saves = self._control.stop == "save" and done > 0
        if saves:
            self._emit(Phase(name="saving"))
            self.finish(done)
        remark = f"the adapter of iteration {self.saved_at} is kept" if self.saved_at else None
        if remark is None:
            remark = "no adapter was saved"
        self._emit(Phase(name="done"))
        message = f"Stopped at iteration {done} of {self._config.iters}; {remark}."
        return Ending("stopped", message, saved=saves)

    def diverged(self, error: Diverged | NotFinite) -> Ending:
        """End because the numbers are no numbers any more, or the model is ruined."""
        scale = self._config.lora_parameters.scale if self._config.lora_parameters else None
        rate = self._config.learning_rate
        strength = f" (scale × learning rate is {scale * rate:.1e})" if scale else ""
        counters = self._counters()
        if counters.best:
            remark = f"The best adapter, of iteration {counters.best[0]}, is kept."
        elif self.saved_at:
            remark = f"The adapter of iteration {self.saved_at} is kept."
            if counters.reference is not None and counters.baseline is not None:
                remark += " No validation was better than the untrained model's."
        else:
            remark = "No good adapter had been saved yet."
        hint = (
            f"The learning rate of {rate:g} is most likely too high{strength}: try a tenth of it, "
            "or lora_scaling alpha_over_rank."
        )
        self._emit.warning("diverged", str(error), hint)
        return Ending("error", f"{error} {remark}", hint)

    def _take_up(self, checkpoint: int) -> Moment:
        """Be where the saved state was: weights, optimizer, counters and files."""
        config, run = self._config, self._run
        saved = self._states.load(checkpoint)
        restore(saved, run.model, run.optimizer)
        if not config.lr_schedule:
            run.optimizer.learning_rate = config.learning_rate
        every = config.save_every
        numbered = {s.checkpoint: s.weights for s in self._states.all() if not s.checkpoint % every}
        run.adapter.take_up(saved.weights, saved.best, numbered)
        self.saved_at = saved.checkpoint
        step = saved.moment.step
        say(f"Continued at step {step} of {config.iters}; the rows below count from there.")
        return saved.moment

    def _note_moment(self, done: int) -> None:
        """Between two weight updates of an accumulation there is nothing to go on from."""
        if done % self._accumulate == 0:
            self.moment = Moment(
                step=done, trained_tokens=self._tokens(), counters=self._counters()
            )

    def _save_state(self, done: int, weights: Path | None) -> None:
        if not self._writes:
            self._states.newest = done
            return
        best = self._counters().best
        run = self._run
        self._states.save(
            done,
            # The best of now: its file may have replaced that of the moment.
            replace(self.moment, counters=replace(self.moment.counters, best=best)),
            model=run.model,
            optimizer=run.optimizer,
            weights=weights,
            best=run.adapter.best_path if best else None,
            saved_steps=run.adapter.kept(),
        )

    def _save_numbered(self, done: int) -> None:
        path = self._run.adapter.save_checkpoint(done)
        self.saved_at = done
        self._save_state(done, path)
        say(f"Saved {path.name}")


class _Canary:
    """One trained tensor, looked at after every step: a NaN loss reaches every weight at once."""

    def __init__(self, model: nn.Module) -> None:
        trainable = tree_flatten(model.trainable_parameters())
        path, self._name = min(trainable, key=lambda item: item[1].size)[0].rsplit(".", 1)
        self._module = dict(model.named_modules())[path]

    def alive(self) -> bool:
        return bool(mx.all(mx.isfinite(self._module[self._name])).item())


def say(line: str) -> None:
    """A line of the run's log."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
