"""The engine's own reward functions, read from its one file, without its other seconds of imports.

The engine registers functions in a plain dictionary in a module that imports nothing of mlx. It is
loaded alone, under its own name: a reward file that imports it, and the engine itself when it
comes later, all get the same module and so the same registry.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from backend.engines.rewards.builtin import Need

PACKAGE = "mlx_lm_lora"
MODULE = f"{PACKAGE}.trainer.grpo_reward_functions"

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardDescription:
    """What the engine's source says about one of its functions, which have no documentation."""

    doc: str
    minimum: float = 0.0
    maximum: float
    needs: tuple[Need, ...] = ()


BUILT_IN: Mapping[str, RewardDescription] = {
    "r1_accuracy_reward_func": RewardDescription(
        doc="2 when the text between <answer> and </answer> is exactly the row's answer, letter "
        "for letter; else 0. A completion without tags is compared whole.",
        maximum=2.0,
        needs=("answer",),
    ),
    "r1_int_reward_func": RewardDescription(
        doc="0.5 when the text between <answer> and </answer> is digits only; else 0. A completion "
        "without tags is looked at whole.",
        maximum=0.5,
    ),
    "r1_strict_format_reward_func": RewardDescription(
        doc="0.5 when the completion has “<think> … </think> <answer> … </answer>” on one line, "
        "with one space at every place where there is one here; else 0.",
        maximum=0.5,
    ),
    "r1_soft_format_reward_func": RewardDescription(
        doc="0.5 when the completion has a <think> and then an <answer>, both closed and neither "
        "empty, whatever stands around them; else 0.",
        maximum=0.5,
    ),
    "r1_count_xml": RewardDescription(
        doc="0.125 for each of <think> with a line end, </think>, <answer> and </answer> that "
        "occurs exactly once, less 0.001 for every character after </answer>; never below 0. "
        "Without </answer> the whole completion counts as after it.",
        maximum=0.5,
    ),
}


def registry() -> MutableMapping[str, Function]:
    """The engine's registry, by name. Raises ModuleNotFoundError where it is not installed."""
    return cast(MutableMapping[str, Function], _module().REWARD_REGISTRY)


def _module() -> ModuleType:
    loaded = sys.modules.get(MODULE)
    if loaded is not None:
        return loaded
    package = importlib.util.find_spec(PACKAGE)  # Finds it without running it.
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named {PACKAGE!r}", name=PACKAGE)
    path = Path(package.submodule_search_locations[0], *MODULE.split(".")[1:]).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ModuleNotFoundError(f"No module named {MODULE!r}", name=MODULE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    spec.loader.exec_module(module)
    return module
