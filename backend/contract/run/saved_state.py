"""A saved state: a moment of a run from which another can go on, as its JSON in `state/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backend.contract.run.folder import state_file


@dataclass(frozen=True, kw_only=True)
class SavedState:
    """`checkpoint` is the number that the user knows; `step` is where training goes on, the last
    weight update before it. `baseline`, `best` (step, value), `reference`, `stale` and
    `validated` (the step of the last one) are what the run has seen of its validations. Then file
    names, and whose state it is.
    """

    schema_version: int = 1
    checkpoint: int
    step: int
    trained_tokens: int = 0
    baseline: float | None = None
    best: tuple[int, float] | None = None
    reference: float | None = None
    stale: int = 0
    train_loss: float | None = None
    validated: int | None = None
    weights: str
    weights_id: str | None = None
    optimizer: str
    best_weights: str | None = None
    saved_at: datetime
    seed: int | None = None
    optimizer_name: str | None = None
    model_fingerprint: str | None = None
    session_id: str | None = None

    @property
    def files(self) -> list[str]:
        paths = [state_file(self.checkpoint), self.weights, self.optimizer]
        return paths + ([self.best_weights] if self.best_weights else [])
