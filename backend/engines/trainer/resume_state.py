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
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import mlx.optimizers as optim
from mlx import nn
from mlx.utils import tree_flatten, tree_map_with_path

from backend.core.disk.files import link_or_copy, write_json
from backend.core.disk.removal import NotRemoved, remove
from backend.engines.trainer.adapter_folder import SAVED, write_weights
from backend.engines.trainer.early_stopping import Counters

_NAMED = re.compile(r"(\d{7})\.json")
_NAMES = re.compile(r"(best-)?\d{7}(\.(weights|optimizer))?\.(json|safetensors)|\..+\.tmp")


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
    """Writes and reads `state/`. `facts` go into every JSON: whose state it is."""

    def __init__(self, path: Path, facts: Mapping[str, Any]) -> None:
        self._path = path
        self._facts = dict(facts)
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
        kept: Collection[int],
    ) -> None:
        """Keep the state as of now. `weights` is the adapter file that was just written, if one
        was; `best` the best adapter's. States of checkpoints that are not in `kept` are removed,
        apart from this one.
        """
        self._path.mkdir(exist_ok=True)
        stem = f"{checkpoint:07d}"
        own = self._path / f"{stem}.weights.safetensors"
        if weights is None:
            write_weights(own, dict(tree_flatten(model.trainable_parameters())), checkpoint)
        else:
            link_or_copy(weights, own)
        leaves = dict(tree_flatten(optimizer.state))
        write_weights(self._path / f"{stem}.optimizer.safetensors", leaves, checkpoint, check=False)
        write_json(
            self._path / f"{stem}.json",
            {
                "schema_version": 1,
                "checkpoint": checkpoint,
                "step": moment.step,
                "trained_tokens": moment.trained_tokens,
                **asdict(moment.counters),
                "weights": own.name,
                "weights_id": _id_of(own),
                "optimizer": f"{stem}.optimizer.safetensors",
                "best_weights": self._keep_best(moment.counters, best),
                "saved_at": datetime.now(UTC).isoformat(),
                **self._facts,
            },
        )
        self.newest = checkpoint
        self._prune({*kept, checkpoint})

    def load(self, checkpoint: int) -> Saved:
        """The state of that checkpoint. Raises NotResumable when it is not whole."""
        raw = self._read(checkpoint)
        saved = _saved(self._path, raw)
        for path in (saved.weights, saved.optimizer):
            if not path.is_file():
                raise NotResumable(f"{path.name} is missing from the saved state.")
        if raw["weights_id"] != _id_of(saved.weights):
            raise NotResumable(
                f"The weights of checkpoint {checkpoint} were changed after they were saved."
            )
        self.newest = checkpoint
        return saved

    def all(self) -> list[Saved]:
        """Every whole state, oldest first."""
        return [_saved(self._path, self._read(number)) for number in self._numbers()]

    def _read(self, checkpoint: int) -> dict[str, Any]:
        path = self._path / f"{checkpoint:07d}.json"
        try:
            raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotResumable(f"There is no saved state of checkpoint {checkpoint}.") from None
        return raw

    def _numbers(self) -> list[int]:
        if not self._path.is_dir():
            return []
        found = (_NAMED.fullmatch(path.name) for path in self._path.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def _keep_best(self, counters: Counters, best: Path | None) -> str | None:
        if counters.best is None or best is None:
            return None
        own = self._path / f"best-{counters.best[0]:07d}.safetensors"
        if not own.exists():
            link_or_copy(best, own)
        return own.name

    def _prune(self, kept: Collection[int]) -> None:
        """The JSON goes first: what is left behind by a crash is then no state."""
        for number in self._numbers():
            if number not in kept:
                remove(self._path / f"{number:07d}.json", inside=self._path, own=_ours)
        named = set()
        for number in self._numbers():
            raw = self._read(number)
            named |= {f"{number:07d}.json", raw["weights"], raw["optimizer"], raw["best_weights"]}
        for path in self._path.iterdir():
            if path.name not in named:
                with suppress(OSError, NotRemoved):
                    remove(path, inside=self._path, own=_ours)


def _ours(path: Path) -> bool:
    return _NAMES.fullmatch(path.name) is not None


def restore(saved: Saved, model: nn.Module, optimizer: optim.Optimizer) -> None:
    """Put the saved weights and optimizer in place. Raises NotResumable if they don't fit."""
    weights = _tensors(saved.weights)
    wanted = dict(tree_flatten(model.trainable_parameters()))
    _require_same("weights", wanted, weights)
    model.load_weights(list(weights.items()), strict=False)
    optimizer.init(model.trainable_parameters())
    leaves = _tensors(saved.optimizer)
    _require_same("optimizer", dict(tree_flatten(optimizer.state)), leaves)
    optimizer.state = tree_map_with_path(lambda path, _: leaves[path], optimizer.state)
    mx.eval(model.parameters(), optimizer.state)


def _saved(folder: Path, raw: Mapping[str, Any]) -> Saved:
    best = raw["best"]
    return Saved(
        checkpoint=raw["checkpoint"],
        moment=Moment(
            step=raw["step"],
            trained_tokens=raw["trained_tokens"],
            counters=Counters(
                baseline=raw["baseline"],
                best=(best[0], best[1]) if best else None,
                reference=raw["reference"],
                stale=raw["stale"],
                train_loss=raw["train_loss"],
            ),
        ),
        weights=folder / raw["weights"],
        optimizer=folder / raw["optimizer"],
        best=folder / raw["best_weights"] if raw["best_weights"] else None,
    )


def _tensors(path: Path) -> dict[str, mx.array]:
    return cast(dict[str, mx.array], mx.load(str(path)))


def _id_of(path: Path) -> str | None:
    _, facts = cast(tuple[Any, dict[str, str]], mx.load(str(path), return_metadata=True))
    return facts.get(SAVED)


def _require_same(what: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    odd = sorted(wanted.keys() ^ found.keys())
    odd += [
        name for name in wanted.keys() & found.keys() if wanted[name].shape != found[name].shape
    ]
    if odd:
        raise NotResumable(
            f"The saved {what} do not fit the model: {len(odd)} tensors differ, such as {odd[0]}."
        )
