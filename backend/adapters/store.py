"""The adapters folder as a whole: what is in it, renamed, tagged, deleted, taken in."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from backend.adapters.finder import Adapters
from backend.adapters.folder import (
    TAGS,
    AdapterFolder,
    is_folder_name,
    looks_like_adapter,
    read_folder,
    read_tags,
    what_else,
)
from backend.adapters.info import command_of, info_of
from backend.adapters.schemas import AdapterBest, AdapterChange, AdapterImport, AdapterInfo
from backend.contract.run.folder import OF_A_RUN
from backend.core.disk.disk_errors import is_full
from backend.core.disk.files import child_path, write_json
from backend.core.disk.notices import Notices
from backend.core.disk.paths import plain_path
from backend.core.disk.removal import discard, named, remove
from backend.core.disk.stored_files import DamagedFile
from backend.errors import AlreadyExists, AppError, BadContent, NotFound, WrongState
from backend.jobs.run.schemas import BestModel
from backend.jobs.run.store import SessionStore
from backend.models.catalog import ModelCatalog
from backend.models.schemas import ModelInfo
from backend.settings import Settings

InUse = Callable[[str], str | None]  # Who uses the adapter of that name, as a sentence.

_TAKEN_IN = re.compile(rf"{OF_A_RUN}|adapter_model\.safetensors")


class AdapterStore:
    """`users` are asked before an adapter is renamed or deleted. Blocking."""

    def __init__(
        self,
        settings: Settings,
        adapters: Adapters,
        store: SessionStore,
        models: ModelCatalog,
        *,
        active_run: Callable[[], str | None],
        users: Sequence[InUse],
    ) -> None:
        self._folder = settings.adapters_dir
        self._root = settings.data_dir
        self._notices = Notices(settings.data_dir)
        self._adapters = adapters
        self._store = store
        self._models = models
        self._active_run = active_run
        self._users = [*used_by({"a run writes it; stop it, or wait.": self._is_written}), *users]

    def listed(self) -> list[AdapterInfo]:
        """By name."""
        models = self._models.scan()
        return [self._info(adapter, models) for adapter in self._adapters.all()]

    def change(self, name: str, change_request: AdapterChange) -> AdapterInfo:
        """Rename, tag: both or, with an OSError, neither.

        Raises NotFound, AlreadyExists, or WrongState while it is used.
        """
        adapter = self._own(name)
        folder, renamed = (
            adapter.path,
            change_request.name is not None and change_request.name != name,
        )
        if renamed:
            self._refuse_if_used(name, "renamed")
            folder = child_path(self._folder, change_request.name or name)
            if folder.exists():
                raise _there_is(folder.name)
        draft = f".{TAGS}.{secrets.token_hex(8)}.tmp"  # What needs space is written first.
        try:
            if change_request.tags is not None:
                write_json(adapter.path / draft, {"tags": list(dict.fromkeys(change_request.tags))})
            if renamed:
                self._rename(adapter, folder)
            if change_request.tags is not None:
                self._keep_damaged_tags(folder)
                (folder / draft).replace(folder / TAGS)
        except OSError as problem:
            discard(adapter.path / draft)
            if problem.filename == str(adapter.path / draft):  # Which says nothing to anybody.
                problem.filename = str(adapter.path / TAGS)
            raise
        return self._info(read_folder(folder.name, folder))

    def delete(self, name: str) -> None:
        """Remove its folder whole. Raises NotFound, WrongState while it is used, or OSError."""
        adapter = self._own(name)
        self._refuse_if_used(name, "deleted")
        remove(adapter.path, inside=self._folder, own=looks_like_adapter, link=True)

    def take_in(self, import_request: AdapterImport) -> AdapterInfo:
        """Copy an adapter of another program, PEFT's or the engine's, after a look at it.

        Raises NotFound, BadContent with what is wrong, AlreadyExists or, on a full disk, OSError.
        """
        source = self._root / Path(plain_path(import_request.path)).expanduser()
        if source.is_file():  # Whoever names one of its files means the folder.
            source = source.parent
        if not source.is_dir() or not looks_like_adapter(source):
            if (other := what_else(source)) is not None:
                raise BadContent(
                    f"There is no adapter in {source}. {other}",
                    hint="LoRA and DoRA adapters in safetensors are taken, from PEFT or mlx_lm.",
                )
            raise NotFound(
                f"There is no adapter in {import_request.path[:200]!r}.",
                hint="Give the folder that holds adapter_config.json and its weights.",
            )
        result = read_folder(source.name, source)
        problem = self._adapters.problem_of(result)
        if problem is not None:
            raise BadContent(
                f"The adapter in {source} can't be taken in. {problem}",
                hint="LoRA and DoRA adapters in safetensors are, from PEFT or from mlx_lm.",
            )
        name = import_request.name or _name_from(source.resolve().name)
        folder = child_path(self._folder, name)
        if folder.exists():
            raise _there_is(name)
        self._copy(source, folder)
        return self._info(read_folder(name, folder))

    # -- helpers ----------------------------------------------------------------------------

    def _keep_damaged_tags(self, folder: Path) -> None:
        try:
            read_tags(folder)
        except DamagedFile as damage:
            action = f"The adapter {folder.name} was tagged anew."
            self._notices.set_aside(folder / TAGS, damage.detail, action)

    def _own(self, name: str) -> AdapterFolder:
        if not is_folder_name(name):
            raise NotFound(f"There is no adapter {name[:200]!r}.", hint="GET /adapters lists them.")
        return self._adapters.find(name)

    def _refuse_if_used(self, name: str, what: str) -> None:
        for in_use in self._users:
            if (reason := in_use(name)) is not None:
                raise WrongState(f"The adapter {name} can't be {what} now: {reason}")

    def _is_written(self, name: str) -> bool:
        session = self._active_run()
        if session is None:
            return False
        with suppress(AppError):
            return self._store.record(session).config.get("adapter_name") == name
        return False

    def _rename(self, adapter: AdapterFolder, folder: Path) -> None:
        adapter.path.rename(folder)
        try:
            self._tell_session(adapter, folder.name)
        except OSError:
            folder.rename(adapter.path)
            raise

    def _tell_session(self, adapter: AdapterFolder, name: str) -> None:
        """The session that wrote it finds it under the new name."""
        session = adapter.lineage.get("session_id")
        if not isinstance(session, str):
            return
        with suppress(AppError):
            record = self._store.record(session)
            if record.config.get("adapter_name") != adapter.name:
                return
            record.config["adapter_name"] = name
            if record.adapter_path:
                file = Path(record.adapter_path).name
                record.adapter_path = str(adapter.path.parent / name / file)
            self._store.save(record)

    def _copy(self, source: Path, folder: Path) -> None:
        """Whole or not at all."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = folder.parent / f".importing-{secrets.token_hex(8)}"
        try:
            aside.mkdir()
            for path in source.iterdir():
                if _TAKEN_IN.fullmatch(path.name) and path.is_file():
                    shutil.copyfile(path, aside / path.name)
            aside.rename(folder)
        except OSError as problem:
            with suppress(OSError):
                remove(aside, inside=folder.parent, own=named(r"\.importing-[0-9a-f]{16}"))
            if is_full(problem):
                problem.filename = str(folder)  # Not the file that was copied from.
                raise
            raise BadContent(
                f"{source} can't be copied: {problem.strerror or problem}."
            ) from problem

    def _info(
        self, adapter: AdapterFolder, models: Sequence[ModelInfo] | None = None
    ) -> AdapterInfo:
        """What its files say, the base of the list that it belongs to, and what its run says."""
        info = info_of(adapter, self._adapters.problem_of(adapter))
        listing = self._models.scan() if models is None else models
        base = next((one for one in listing if self._adapters.belongs_to(adapter, one)), None)
        info.base_name = base.name if base else None
        info.command = command_of(adapter, base.path if base else info.base_model)
        if info.session_id is not None:
            with suppress(AppError):  # The run is deleted, or its record is damaged.
                record = self._store.record(info.session_id)
                info.session_name = record.name
                info.best = _best_of(record.best_model)
        return info


def _best_of(best: BestModel | None) -> AdapterBest | None:
    if best is None:
        return None
    return AdapterBest(step=best.step, metric=best.metric, value=best.value)


def _name_from(text: str) -> str:
    """The nearest name that an adapter can have."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")[:100]
    return name or "imported"


def _there_is(name: str) -> AlreadyExists:
    return AlreadyExists(f"There is already an adapter {name!r}.", hint="Choose another name.")


def used_by(reasons: Mapping[str, Callable[[str], bool]]) -> Sequence[InUse]:
    """Each question with the sentence that a yes to it means."""

    def asked(uses: Callable[[str], bool], reason: str) -> InUse:
        return lambda name: reason if uses(name) else None

    return [asked(uses, reason) for reason, uses in reasons.items()]
