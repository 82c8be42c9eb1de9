"""Continue a session: what it was asked, where it goes on, and that nothing else has changed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backend.contract.run.folder import LINEAGE
from backend.contract.run.saved_state import SavedState
from backend.core.disk.stored_files import DamagedFile, read_object
from backend.errors import AlreadyExists, AppError, BadContent, FieldProblem, Invalid, WrongState
from backend.jobs.run.recipe import StartWarning
from backend.jobs.run.saved_states import hand_on, saved_states
from backend.jobs.run.schemas import DataSummary, ModelRef, ResumedFrom, SessionRecord
from backend.jobs.run.state import ACTIVE
from backend.jobs.run.store import SessionStore
from backend.models import fingerprint
from backend.training.plan.queued_request import spelling_of
from backend.training.plan.run_config import ResumePoint
from backend.training.request.start_request import StartRequest
from backend.training.run_data.data_plan import DataPlan
from backend.training.run_data.prepare import foresee_data, stage_data

# A continued run keeps these: the saved weights, optimizer and data order are made of them.
KEPT = (
    "fine_tune_type", "lora_rank", "lora_alpha", "lora_scaling", "lora_dropout", "lora_num_layers",
    "lora_keys", "optimizer", "batch_size", "grad_accumulation_steps", "max_seq_length",
    "mask_prompt", "seed", "val_split", "val_batches", "quantize_base",
)  # fmt: skip
# So do these of runs that learn from rewards: another one would be another run.
KEPT_BY_METHODS = (
    "training_method", "group_size", "reward_functions", "reward_weights", "reward_functions_file",
)  # fmt: skip
_OF_THE_REQUEST = {
    "resume_from", "resume_checkpoint", "queue", "overwrite", "confirm_high_scale",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """A request that continues `source` at `state`; `request` is whole, filled from the source,
    which was `asked` itself.
    """

    request: StartRequest
    asked: StartRequest
    source: SessionRecord
    state: SavedState
    folder: Path
    renamed: str | None = None  # Why the adapter has another name than the source's.

    @property
    def point(self) -> ResumePoint:
        return ResumePoint(
            session_id=self.source.session_id,
            checkpoint=self.state.checkpoint,
            weights=self.state.weights,
        )

    @property
    def origin(self) -> ResumedFrom:
        return ResumedFrom(
            session_id=self.source.session_id,
            checkpoint=self.state.checkpoint,
            step=self.state.step,
        )

    def check(self, model: ModelRef, data: DataPlan, iterations: int) -> list[StartWarning]:
        """Raises BadContent for another model or other data, Invalid when nothing is left to
        train; answers what the user should know. Blocking: all rows are read.
        """
        before = self.source.model
        was = before.fingerprint if before else None
        if before is None or not _same(was, model.fingerprint):
            short = fingerprint.short
            text = (
                f"The model has changed since session {self.source.session_id}: "
                f"{fingerprint.difference(was, model.fingerprint)} in {model.path} (fingerprint "
                f"{short(model.fingerprint)}, and it was {short(was)}). The saved weights belong "
                "to the old one."
            )
            raise BadContent(
                text,
                hint="Put the old model back, or start a new run.",
                errors=[FieldProblem("model_path", text)],
            )
        if iterations <= self.state.step:
            text = (
                f"Session {self.source.session_id} is at step {self.state.step} already, so "
                f"{iterations} iterations in all leave nothing to train."
            )
            raise Invalid(
                text,
                hint="Ask for more iterations: the number counts those that are done.",
                errors=[FieldProblem("iterations", text)],
            )
        self._require_same_data(foresee_data(data))
        return self._remarks(iterations)

    def replaces(self, adapter: Path) -> bool:
        """Whether the adapter of that name may be written to: it is free, or the source's own.

        Raises AlreadyExists when a later run has made it its own.
        """
        if self.request.overwrite or not adapter.exists():
            return self.request.overwrite
        owner = _owner(adapter)
        if owner == self.source.session_id:
            return True
        text = f"The adapter {adapter.name!r} belongs to {_named(owner)} by now."
        raise AlreadyExists(
            text,
            hint="Continue that session instead, choose another adapter name, or turn on "
            "Overwrite.",
            errors=[FieldProblem("adapter_name", text)],
        )

    def stage(self, data: DataPlan, adapter: Path, folder: Path) -> DataSummary:
        """Fill the new run folder. Raises BadContent when the data is not what it was."""
        summary = stage_data(data, folder)
        self._require_same_data(summary)
        hand_on(self.folder, folder, self.state, session_id=self.source.session_id, adapter=adapter)
        return summary

    def _require_same_data(self, now: DataSummary) -> None:
        before = self.source.data or DataSummary()
        for field, name, was, digest in (
            ("train_data_path", "training", before.train, now.train),
            ("val_data_path", "validation", before.valid, now.valid),
        ):
            if name == "validation" and was is None and digest is None:
                continue  # Of a run without validation.
            if was is None or digest is None or was.sha256 != digest.sha256:
                had = f"{was.rows} rows ({_short(was.sha256)})" if was else "none"
                has = f"{digest.rows} rows ({_short(digest.sha256)})" if digest else "none"
                text = (
                    f"The {name} data has changed since session {self.source.session_id}: it had "
                    f"{had}, and now {has}."
                )
                raise BadContent(
                    text,
                    hint="Put the old file back, or start a new run.",
                    errors=[FieldProblem(field, text)],
                )

    def _remarks(self, iterations: int) -> list[StartWarning]:
        text = (
            f"The run continues at step {self.state.step} of {iterations}, with the optimizer and "
            f"the data order of session {self.source.session_id}."
        )
        remarks = [StartWarning(text, code="continues", level="info")]
        if self.renamed:
            renamed = StartWarning(self.renamed, code="another_adapter_name", level="info")
            remarks.append(renamed)
        before = self.source.config.get("iterations")
        if self.request.lr_schedule != "constant" and before != iterations:
            text = (
                f"The {self.request.lr_schedule} schedule now ends at {iterations} instead of "
                f"{before} iterations, so the learning rate jumps where the run continues."
            )
            remarks.append(StartWarning(text, code="schedule_jumps"))
        return remarks


class Continuations:
    """Finds what a request continues, from the records and run folders."""

    def __init__(self, sessions: SessionStore) -> None:
        self._store = sessions

    def record(self, session_id: str) -> SessionRecord:
        return self._store.record(session_id)

    def find(self, request: StartRequest) -> Continuation | None:
        """None for a request that continues nothing. Blocking."""
        if request.resume_from is None:
            if request.resume_checkpoint is not None:
                text = "resume_checkpoint needs resume_from, the session it belongs to."
                raise Invalid(text, errors=[FieldProblem("resume_checkpoint", text)])
            return None
        try:
            source = self._store.record(request.resume_from)
        except AppError as refusal:
            refusal.errors = (FieldProblem("resume_from", refusal.detail),)
            raise
        if source.state in ACTIVE:
            raise WrongState(
                f"Session {source.session_id} is {source.state}; only one that has ended can be "
                "continued.",
                hint="Stop it first, or wait until it has ended.",
            )
        folder = self._store.folder(source.session_id)
        state = _chosen(saved_states(folder), source, request.resume_checkpoint)
        whole = _merged(request, source)
        renamed = None
        if "adapter_name" not in request.model_fields_set and not whole.overwrite:
            whole, renamed = self._named_apart(whole, source)
        return Continuation(
            request=whole,
            asked=_valid(type(request), source, _asked(type(request), source)),
            source=source,
            state=state,
            folder=folder,
            renamed=renamed,
        )

    def _named_apart(
        self, request: StartRequest, source: SessionRecord
    ) -> tuple[StartRequest, str | None]:
        """Under a free name where another run has made the source's adapter its own: a session
        can be continued from several checkpoints.
        """
        adapter = self._store.adapters_dir / request.adapter_name
        if not adapter.exists() or _owner(adapter) == source.session_id:
            return request, None
        name = free_name(adapter)
        why = (
            f"The adapter {adapter.name} belongs to {_named(_owner(adapter))} by now, so this run "
            f"writes to {name}."
        )
        return request.model_copy(update={"adapter_name": name}), why


def resuming(source: SessionRecord, **fields: Any) -> StartRequest:
    """The request that continues a session as it was asked, but for the given fields. Its adapter
    is not named unless it is given: it may belong to another run by now.
    """
    kind = spelling_of(source.config)
    request = _asked(kind, source)
    request.pop("adapter_name", None)
    return _valid(kind, source, request | {"resume_from": source.session_id} | fields)


def _merged(request: StartRequest, source: SessionRecord) -> StartRequest:
    """The source's request with the fields that this one names and that may change."""
    changes = request.model_dump(include=request.model_fields_set)
    fields = _asked(type(request), source)
    problems = [
        FieldProblem(
            name,
            f"A continued run keeps {name} {fields.get(name)!r} of session {source.session_id}; "
            f"{changes[name]!r} was asked for.",
        )
        for name in (*KEPT, *KEPT_BY_METHODS)
        if name in changes and changes[name] != fields.get(name)
    ]
    if problems:
        raise Invalid(
            problems[0].message,
            hint="Leave it out to continue, or start a new run.",
            errors=problems,
        )
    if {"iterations", "epochs"} & changes.keys():
        fields.pop("iterations", None)
    return _valid(type(request), source, fields | changes)


def _asked(kind: type[StartRequest], source: SessionRecord) -> dict[str, Any]:
    """What the source was asked; `iterations` is what its epochs came to."""
    fields = {name: source.config[name] for name in kind.model_fields if name in source.config}
    return {name: fields[name] for name in fields if name not in {*_OF_THE_REQUEST, "epochs"}}


def _valid(kind: type[StartRequest], source: SessionRecord, fields: dict[str, Any]) -> StartRequest:
    try:
        return kind.model_validate(fields)
    except ValidationError as problem:
        first = problem.errors()[0]
        raise BadContent(
            f"Session {source.session_id} was asked something that this version does not take: "
            f"{first['loc'][0]}: {first['msg']}.",
            hint="Start a new run instead.",
        ) from problem


def _chosen(states: list[SavedState], source: SessionRecord, checkpoint: int | None) -> SavedState:
    if not states:
        raise WrongState(
            f"Session {source.session_id} has no saved state to continue from.",
            hint="Only runs of this version that saved a checkpoint can be continued; start a new "
            "run instead.",
        )
    if checkpoint is None:
        return states[-1]
    for state in states:
        if state.checkpoint == checkpoint:
            return state
    there = ", ".join(str(state.checkpoint) for state in states)
    text = (
        f"Session {source.session_id} has no state of checkpoint {checkpoint}; there are {there}."
    )
    raise Invalid(text, errors=[FieldProblem("resume_checkpoint", text)])


def free_name(taken: Path) -> str:
    """`<name>_2`, `<name>_3`, …: the first that is free, within the length of a name."""
    names = (f"{taken.name[:95]}_{number}" for number in itertools.count(2))
    return next(name for name in names if not (taken.parent / name).exists())


def _owner(adapter: Path) -> str | None:
    """The session that wrote the adapter, by its own lineage."""
    try:
        owner = read_object(adapter / LINEAGE).get("session_id")
    except (OSError, DamagedFile):
        return None
    return owner if isinstance(owner, str) else None


def _named(owner: str | None) -> str:
    return f"session {owner}" if owner else "another run"


def _same(before: str | None, now: str | None) -> bool:
    # Neither had weights that could be told apart: then their folder is all there is to go by.
    return before == now or fingerprint.same_model(before, now)


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "unknown"
