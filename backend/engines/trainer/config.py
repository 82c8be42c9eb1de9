"""The configuration of a run, read over the defaults of its engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from backend.contract.record import BadRecord
from backend.contract.run.config import RunConfig, read_run_config
from backend.engines.process.endings import Unusable

C = TypeVar("C", bound=RunConfig)


def read_values(path: Path, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `config.yaml`, and those of the engine that it does not have."""
    return {**defaults, **yaml.safe_load(path.read_text(encoding="utf-8"))}


def config_of(kind: type[C], values: Mapping[str, Any]) -> C:
    """The typed configuration. Raises Unusable, naming the key, when a value does not fit."""
    try:
        return read_run_config(kind, values)
    except BadRecord as problem:
        raise Unusable(
            f"The run's config.yaml can't be used: {problem}.",
            "Start the run again from its settings; config.yaml is not meant to be edited.",
        ) from problem
