"""The names of files in a run's folder, in its `state/` and in an adapter's folder.

A run's folder is filled by the server up to its configuration, and from there on by its process.
"""

from __future__ import annotations

import re

# A run's folder.
CONFIG = "config.yaml"
WARNINGS = "warnings.json"
EVENTS = "events.jsonl"
LOG = "train.log"
DATA = "data"
DATA_SUMMARY = "summary.json"  # In `data`.
STATE = "state"
ENGINE_WEIGHTS = "engine.safetensors"  # The engine writes its last weights there, for nobody.

# An adapter's folder.
LATEST = "adapters.safetensors"
BEST = "best_adapters.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
LINEAGE = "droid.json"
NUMBERED = re.compile(r"(\d{7})_adapters\.safetensors")
OF_A_RUN = r"(\d{7}_|best_)?adapters\.safetensors|adapter_config\.json|droid\.json"

# `state/`.
STATE_FILE = re.compile(r"(\d{7})\.json")
STATE_FILES = re.compile(r"(best-)?\d{7}(\.(weights|optimizer))?\.(json|safetensors)|\..+\.tmp")


def checkpoint_file(step: int) -> str:
    """The weights of a checkpoint."""
    return f"{step:07d}_{LATEST}"


def checkpoint_of(name: str) -> int | None:
    """The number of a checkpoint's weights; None for any other file."""
    match = NUMBERED.fullmatch(name)
    return int(match[1]) if match else None


def state_file(checkpoint: int) -> str:
    """What is written last of a saved state."""
    return f"{checkpoint:07d}.json"


def state_weights(checkpoint: int) -> str:
    return f"{checkpoint:07d}.weights.safetensors"


def state_optimizer(checkpoint: int) -> str:
    return f"{checkpoint:07d}.optimizer.safetensors"


def state_best(step: int) -> str:
    """The best weights as a saved state keeps them."""
    return f"best-{step:07d}.safetensors"
