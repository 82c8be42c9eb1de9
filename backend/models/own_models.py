"""The models that this app may delete: those of its own folder, and what it made elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from backend.core.disk.removal import remove
from backend.errors import NotFound, WrongState
from backend.models.catalog import ModelCatalog
from backend.models.folder import looks_like_model
from backend.models.schemas import ModelInfo
from backend.models.source import read_source
from backend.settings import Settings

Uses = Callable[[], Sequence[str]]  # Names or folders of the models that something uses now.


def new_models_folder(settings: Settings) -> Path:
    """Where a model goes that is downloaded or converted: the first place that is searched."""
    for folder in settings.models_dirs:
        if not (folder / "config.json").is_file():
            return folder
    return settings.data_dir / "models"


class OwnModels:
    """Says which models may be deleted, and deletes one. Blocking.

    In `<data root>/models` that is every model; in the folder that downloads go to, if it is
    another, a model whose `droid_source.json` says that this app fetched or converted it.
    `users` are asked before a deletion: a sentence about what uses a model, and which ones.
    """

    def __init__(
        self, settings: Settings, catalog: ModelCatalog, users: Sequence[tuple[str, Uses]]
    ) -> None:
        self._catalog = catalog
        self._root = settings.data_dir
        self._own = settings.data_dir / "models"
        self._new = new_models_folder(settings)
        self._users = users

    def includes(self, model: ModelInfo) -> bool:
        """Whether this app may delete it."""
        return self._place(Path(model.path)) is not None

    def delete(self, name: str) -> None:
        """Remove its folder whole. Raises NotFound, WrongState where it is not ours or is used, or
        OSError.
        """
        model = self._with_name(name)
        folder = Path(model.path)
        inside = self._place(folder)
        if inside is None:
            raise WrongState(
                f"The model {model.name} can't be deleted here: {folder} is not in this app's "
                f"models folder ({self._own}), so other programs may use it.",
                hint="Delete it with the program that it belongs to, or remove it yourself.",
            )
        if (reason := self._reason_of_use(model)) is not None:
            raise WrongState(f"The model {model.name} can't be deleted now: {reason}")
        remove(folder, inside=inside, own=self._proves, link=True)

    def _with_name(self, name: str) -> ModelInfo:
        if "/" in name or (model := self._catalog.find(name)).name != name:
            raise NotFound(
                f"There is no model {name[:200]!r}.", hint="GET /models lists them by name."
            )
        return model

    def _place(self, folder: Path) -> Path | None:
        """The folder it lies in directly, if it is one of ours and the model may go."""
        for place in (self._own, self._new):
            if folder.parent.resolve() == place.resolve() and self._proves(folder):
                return place
        return None

    def _proves(self, folder: Path) -> bool:
        if folder.parent.resolve() == self._own.resolve():
            return looks_like_model(folder)
        return read_source(folder) is not None

    def _reason_of_use(self, model: ModelInfo) -> str | None:
        place = os.path.realpath(model.path)
        for reason, uses in self._users:
            if any(self._is(used, model.name, place) for used in uses()):
                return reason
        return None

    def _is(self, used: str, name: str, place: str) -> bool:
        if "/" in used:
            return os.path.realpath(self._root / Path(used).expanduser()) == place
        return used == name
