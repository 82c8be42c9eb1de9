"""Where a standard run trains: in its own process, or in several at once. The engine is imported
only where it trains.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from backend.contract.record import BadRecord, read_record
from backend.contract.run.config import Distributed
from backend.contract.run.folder import CONFIG
from backend.engines.process.endings import Ending, Unusable
from backend.engines.process.events import Emitter
from backend.engines.process.signals import Control
from backend.engines.ranks.start import run_ranks


def start_run(folder: Path, emit: Emitter, control: Control) -> Ending:
    """Train what the run folder describes, here or in several processes at once."""
    distributed = _distributed(folder / CONFIG)
    if distributed is None:
        from backend.engines.sft.run import train_run

        return train_run(folder, emit, control)
    module = "backend.engines.sft.rank"
    return run_ranks(folder, distributed, module=module, emit=emit, control=control)


def _distributed(path: Path) -> Distributed | None:
    value = yaml.safe_load(path.read_text(encoding="utf-8")).get("distributed")
    try:
        return None if value is None else read_record(Distributed, value)
    except BadRecord as problem:
        raise Unusable(
            f"The run's config.yaml can't be used: distributed: {problem}.",
            "Start the run again from its settings; config.yaml is not meant to be edited.",
        ) from problem
