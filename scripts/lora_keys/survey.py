"""`python -m scripts.lora_keys.survey`: every architecture of mlx_lm, built small and looked at.

Writes one line of JSON per architecture on stdout: its tree as the app's own child answers it, and
what the engine's `linear_to_lora_layers` makes of each preset. A child, because importing an
architecture may end the process and building a hundred of them is no work for a server.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from typing import Any

import mlx.core as mx
import mlx_lm.models
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.tuner.utils import linear_to_lora_layers

from backend.engines.modules.tree import build, describe_tree, problem_of
from backend.training.lora.counts import count_lora
from backend.training.lora.groups import PRESETS, build_targets
from scripts.lora_keys.configs import is_architecture, tiny_config
from scripts.lora_keys.published import PUBLISHED

RANK = 3
_NEEDS_METAL = "No Metal back-end"


def main() -> int:
    mx.set_default_device(mx.cpu)
    for name in sorted(PUBLISHED):
        config = PUBLISHED[name]
        _say({"name": name, "published": True, "tree": _tree(config)})
    for name in architectures():
        _say({"name": name, **_look_at(name)})
    return 0


def architectures() -> Iterator[str]:
    """The names of the modules that define a model, or can't be imported at all."""
    for found in sorted(pkgutil.iter_modules(mlx_lm.models.__path__), key=lambda one: one.name):
        try:
            with redirect_stdout(sys.stderr):  # olmo says there what it lacks.
                module = importlib.import_module(f"mlx_lm.models.{found.name}")
        except (ImportError, SystemExit):  # olmo ends the process when its extra is missing.
            yield found.name
        else:
            if is_architecture(module):
                yield found.name


def _look_at(name: str) -> dict[str, Any]:
    try:
        with redirect_stdout(sys.stderr):
            config = tiny_config(name)
        tree = _tree(config)
    except (SystemExit, Exception) as error:  # noqa: BLE001 - each may fail in its own way
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    if tree["problem"]:
        return {"tree": tree, "failure": tree["problem"]}
    return {"tree": tree, "presets": _attach_all(config, tree)}


def _tree(config: Mapping[str, Any]) -> dict[str, Any]:
    model = build(dict(config))
    return describe_tree(model, config["model_type"]) | {"problem": problem_of(model)}


def _attach_all(config: Mapping[str, Any], tree: Mapping[str, Any]) -> dict[str, Any]:
    """Per preset: trained weights as the engine counts them, and our own count before."""
    targets = build_targets(tree, total_parameters=None)
    answer: dict[str, Any] = {}
    for preset in PRESETS:
        keys = targets.presets[preset]
        if not keys:
            continue
        model = build(dict(config))
        model.freeze()
        linear_to_lora_layers(model, -1, {"rank": RANK, "scale": 1.0, "dropout": 0.0, "keys": keys})
        answer[preset] = {
            "attached": _trainable(model),
            "counted": count_lora(targets, keys, num_layers=-1).trainable(RANK),
        }
        if preset == "full_experts":
            answer[preset]["forward"] = _forward(model)
    return answer


def _trainable(model: nn.Module) -> int:
    return sum(value.size for _, value in tree_flatten(model.trainable_parameters()))


def _forward(model: nn.Module) -> str:
    """`ok`, or why one pass over five tokens failed."""
    try:
        logits = model(mx.array([[1, 2, 3, 4, 5]]))
        mx.eval(logits)
    except RuntimeError as error:
        if _NEEDS_METAL in str(error):
            return "needs a Metal GPU"
        raise
    return "ok"


def _say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()  # What came before a crash is kept.


if __name__ == "__main__":
    sys.exit(main())
