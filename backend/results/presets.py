"""Pairs of finished runs that are worth comparing, chosen from the list. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from backend.jobs.run.schemas import SessionSummary
from backend.jobs.run.state import RunState
from backend.results.schemas import Preset
from backend.training.request.methods_table import METHODS

Wanted = Callable[[SessionSummary], bool]


def presets(sessions: Sequence[SessionSummary]) -> list[Preset]:
    """`sessions` are newest first; the newest pair on the same model is taken, on the same training
    file rather than on another.
    """
    finished = [one for one in sessions if one.training_state is RunState.COMPLETED]
    return [
        _preset(
            "coverage",
            "Full-layer against attention-only",
            (finished, lambda one: one.method == "sft" and one.coverage == "full"),
            (finished, lambda one: one.method == "sft" and one.coverage == "attention"),
            "Needs a finished full-layer run and a finished attention-only run of one model.",
        ),
        _preset(
            "method",
            "SFT against reward learning",
            (finished, lambda one: one.method == "sft"),
            (finished, lambda one: _learns_from_rewards(one.method)),
            "Needs a finished SFT run and a finished reward-learning run of one model.",
        ),
    ]


def _preset(
    id_: Literal["coverage", "method"],
    title: str,
    first: tuple[Iterable[SessionSummary], Wanted],
    second: tuple[Iterable[SessionSummary], Wanted],
    lacking: str,
) -> Preset:
    ones = [one for one in first[0] if first[1](one)]
    others = [one for one in second[0] if second[1](one)]
    for same in (_same_data, _same_model):
        newest: dict[tuple[str | None, ...], SessionSummary] = {}
        for other in others:
            newest.setdefault(same(other), other)
        for one in ones:
            match = newest.get(same(one)) if None not in same(one) else None
            if match is not None:
                return Preset(
                    id=id_, title=title, ids=[one.session_id, match.session_id],
                    message=f"{_name(one)} and {_name(match)}",
                )  # fmt: skip
    return Preset(id=id_, title=title, ids=[], message=lacking)


def _same_data(one: SessionSummary) -> tuple[str | None, ...]:
    return one.model_name, one.train_data


def _same_model(one: SessionSummary) -> tuple[str | None, ...]:
    return (one.model_name,)


def _learns_from_rewards(method: str | None) -> bool:
    known = METHODS.get(method or "")
    return known is not None and known.family in ("policy", "online")


def _name(one: SessionSummary) -> str:
    return one.name or one.adapter_name or one.session_id
