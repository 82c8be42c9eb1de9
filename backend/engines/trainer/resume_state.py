"""What a true resume needs, in `state/` of the run folder.

For each kept checkpoint, and for the newest moment of all, three files: the weights (a second name
of the adapter's file where the disk allows), the optimizer, and, written last, a small JSON that
names them and holds the counters. A state without its JSON was cut short and does not count.

`checkpoint` is the number that the user knows. `step` is where training goes on: the last weight
update, which lies up to `grad_accumulation_steps - 1` steps before it. The weights are the same at
both, because the engine throws a partial accumulation away.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import mlx.optimizers as optim
from mlx import nn
from mlx.utils import tree_flatten, tree_map_with_path

from backend.contract.record import BadRecord, read_record, write_record
from backend.contract.run.config import RunConfig
from backend.contract.run.folder import (
    STATE_FILE,
    STATE_FILES,
    state_best,
    state_file,
    state_optimizer,
    state_weights,
)
from backend.contract.run.saved_state import SavedState
from backend.core.disk.files import link_or_copy, write_json
from backend.core.disk.removal import NotRemoved, remove
from backend.engines.optimizer.grad_norm import GRAD_NORM
from backend.engines.trainer.adapter_folder import SAVED, write_weights
from backend.engines.trainer.early_stopping import Counters


class NotResumable(ValueError):
    """The state can't be continued from; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where training is: what a weight update leaves behind besides weights and optimizer."""

    step: int = 0
    trained_tokens: int = 0
    counters: Counters = field(default_factory=Counters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One saved state: its moment, and where its tensors are."""

    checkpoint: int
    moment: Moment
    weights: Path
    optimizer: Path
    best: Path | None


class StateFolder:
    """Writes and reads `state/`. Every state says of `config` whose it is."""

    def __init__(self, path: Path, config: RunConfig) -> None:
        self._path = path
        self._config = config
        self.newest: int | None = None

    def save(
        self,
        checkpoint: int,
        moment: Moment,
        *,
        model: nn.Module,
        optimizer: optim.Optimizer,
        weights: Path | None,
        best: Path | None,
        saved_steps: Collection[int],
    ) -> None:
        """Keep the state as of now. `weights` is the adapter file that was just written, if one
        was; `best` the best adapter's. States of checkpoints that are not in `saved_steps` are
        removed, apart from this one.
        """
        self._path.mkdir(exist_ok=True)
        own = self._path / state_weights(checkpoint)
        if weights is None:
            write_weights(own, dict(tree_flatten(model.trainable_parameters())), checkpoint)
        else:
            link_or_copy(weights, own)
        leaves = dict(tree_flatten(optimizer.state))
        optimizer_file = self._path / state_optimizer(checkpoint)
        write_weights(optimizer_file, leaves, checkpoint, check=False)
        counters = moment.counters
        state = SavedState(
            checkpoint=checkpoint,
            step=moment.step,
            trained_tokens=moment.trained_tokens,
            baseline=counters.baseline,
            best=counters.best,
            reference=counters.reference,
            stale=counters.stale,
            train_loss=counters.train_loss,
            validated=counters.validated,
            weights=own.name,
            weights_id=_id_of(own),
            optimizer=optimizer_file.name,
            best_weights=self._keep_best(counters, best),
            saved_at=datetime.now(UTC),
            seed=self._config.seed,
            optimizer_name=self._config.optimizer,
            model_fingerprint=self._config.model_fingerprint,
            session_id=self._config.session_id,
        )
        write_json(self._path / state_file(checkpoint), write_record(state))
        self.newest = checkpoint
        self._prune({*saved_steps, checkpoint})

    def load(self, checkpoint: int) -> Saved:
        """The state of that checkpoint. Raises NotResumable when it is not whole."""
        state = self._read(checkpoint)
        saved = _read_saved(self._path, state)
        for path in (saved.weights, saved.optimizer):
            if not path.is_file():
                raise NotResumable(f"{path.name} is missing from the saved state.")
        if state.weights_id != _id_of(saved.weights):
            raise NotResumable(
                f"The weights of checkpoint {checkpoint} were changed after they were saved."
            )
        self.newest = checkpoint
        return saved

    def all(self) -> list[Saved]:
        """Every whole state, oldest first."""
        return [_read_saved(self._path, self._read(number)) for number in self._numbers()]

    def _read(self, checkpoint: int) -> SavedState:
        path = self._path / state_file(checkpoint)
        try:
            return read_record(SavedState, json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise NotResumable(f"There is no saved state of checkpoint {checkpoint}.") from None
        except BadRecord as problem:
            raise NotResumable(f"{path.name} is no saved state: {problem}.") from problem

    def _numbers(self) -> list[int]:
        if not self._path.is_dir():
            return []
        matches = (STATE_FILE.fullmatch(path.name) for path in self._path.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def _keep_best(self, counters: Counters, best: Path | None) -> str | None:
        if counters.best is None or best is None:
            return None
        own = self._path / state_best(counters.best[0])
        if not own.exists():
            link_or_copy(best, own)
        return own.name

    def _prune(self, keep: Collection[int]) -> None:
        """The JSON goes first: what is left behind by a crash is then no state."""
        for number in self._numbers():
            if number not in keep:
                remove(self._path / state_file(number), inside=self._path, own=_ours)
        names: set[str] = set()
        for number in self._numbers():
            names.update(self._read(number).files)
        for path in self._path.iterdir():
            if path.name not in names:
                with suppress(OSError, NotRemoved):
                    remove(path, inside=self._path, own=_ours)


def _ours(path: Path) -> bool:
    return STATE_FILES.fullmatch(path.name) is not None


def _needed(leaves: Mapping[str, mx.array]) -> dict[str, mx.array]:
    """What of an optimizer's state a resume can't do without: states of older versions have no
    gradient norm.
    """
    return {name: value for name, value in leaves.items() if name != GRAD_NORM}


def restore(saved: Saved, model: nn.Module, optimizer: optim.Optimizer) -> None:
    """Put the saved weights and optimizer in place. Raises NotResumable if they don't fit."""
    weights = _tensors(saved.weights)
    parameters = dict(tree_flatten(model.trainable_parameters()))
    _require_same("weights", parameters, weights)
    model.load_weights(list(weights.items()), strict=False)
    optimizer.init(model.trainable_parameters())
    leaves = _tensors(saved.optimizer)
    _require_same("optimizer", _needed(dict(tree_flatten(optimizer.state))), _needed(leaves))
    optimizer.state = tree_map_with_path(
        lambda path, value: leaves.get(path, value), optimizer.state
    )
    mx.eval(model.parameters(), optimizer.state)


def _read_saved(folder: Path, state: SavedState) -> Saved:
    return Saved(
        checkpoint=state.checkpoint,
        moment=Moment(
            step=state.step,
            trained_tokens=state.trained_tokens,
            counters=Counters(
                baseline=state.baseline,
                best=state.best,
                reference=state.reference,
                stale=state.stale,
                train_loss=state.train_loss,
                validated=state.validated,
            ),
        ),
        weights=folder / state.weights,
        optimizer=folder / state.optimizer,
        best=folder / state.best_weights if state.best_weights else None,
    )


def _tensors(path: Path) -> dict[str, mx.array]:
    return cast(dict[str, mx.array], mx.load(str(path)))


def _id_of(path: Path) -> str | None:
    _, facts = cast(tuple[Any, dict[str, str]], mx.load(str(path), return_metadata=True))
    return facts.get(SAVED)


def _require_same(what: str, expected: Mapping[str, Any], actual: Mapping[str, Any]) -> None:
    odd = sorted(expected.keys() ^ actual.keys())
    odd += [
        name
        for name in expected.keys() & actual.keys()
        if expected[name].shape != actual[name].shape
    ]
    if odd:
        raise NotResumable(
            f"The saved {what} do not fit the model: {len(odd)} tensors differ, such as {odd[0]}."
        )
