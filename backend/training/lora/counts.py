"""How many weights a LoRA configuration trains: exact, and without the model. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.errors import FieldProblem, Invalid
from backend.models.schemas import LoraKey, LoraTargets


@dataclass(frozen=True, slots=True)
class LoraCount:
    """`rank_cost` is what one rank costs: trainable = rank × rank_cost + magnitudes (DoRA)."""

    modules: int
    rank_cost: int
    magnitudes: int

    def trainable(self, rank: int) -> int:
        return rank * self.rank_cost + self.magnitudes


def count_lora(
    targets: LoraTargets, keys: Iterable[str], *, num_layers: int, dora: bool = False
) -> LoraCount:
    """Of the modules named `keys` in the last `num_layers` blocks (-1: all).

    LoRA adds A (inputs × rank) and B (rank × outputs) to each copy; DoRA one magnitude per output.
    """
    first = 0 if num_layers < 1 else targets.num_layers - num_layers
    key_names = set(keys)
    modules = rank_cost = magnitudes = 0
    for key in targets.keys:
        if key.name not in key_names:
            continue
        for layer, (inputs, outputs, copies) in zip(key.layers, _sizes(key), strict=True):
            if layer < first:
                continue
            modules += 1
            rank_cost += copies * (inputs + outputs)
            magnitudes += outputs if dora else 0
    return LoraCount(modules, rank_cost, magnitudes)


def resolve_keys(targets: LoraTargets, selection: str | Sequence[str], *, dora: bool) -> list[str]:
    """The module names of a preset or list. Raises Invalid: nothing is skipped in silence."""
    if isinstance(selection, str):
        keys = targets.presets[selection]
        if not keys:
            raise _invalid(
                f"The preset {selection!r} has no module in this model ({targets.architecture}).",
                _other_presets(targets),
            )
    else:
        keys = list(dict.fromkeys(selection))
        _check_names(targets, keys)
    stacked = [key.name for key in targets.keys if key.name in keys and key.copies > 1]
    if dora and stacked:
        raise _invalid(
            f"DoRA can't be attached to experts such as {stacked[0]}.",
            "Use LoRA, or leave the experts out.",
        )
    return list(keys)


def _other_presets(targets: LoraTargets) -> str:
    filled = [name for name, keys in targets.presets.items() if keys]
    if not filled:
        return "Full fine-tuning may still be possible."
    return f"Choose another preset: {', '.join(filled)}."


def _check_names(targets: LoraTargets, keys: Sequence[str]) -> None:
    if not keys:
        raise _invalid("The list of matrices is empty.", "Name at least one, or use a preset.")
    if not targets.keys:
        return  # The tree could not be read: the engine itself will say what matches.
    names = [key.name for key in targets.keys]
    for name in keys:
        if name in names:
            continue
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.3)
        raise _invalid(
            f"The model ({targets.architecture}) has no matrix named {name!r}; the nearest "
            f"{'names are' if len(near) > 1 else 'name is'} {', '.join(near or names[:3])}.",
            "Names are those inside a block, such as self_attn.q_proj.",
        )


def _sizes(key: LoraKey) -> list[list[int]]:
    return key.sizes or [[key.inputs, key.outputs, key.copies]] * len(key.layers)


def _invalid(text: str, hint: str) -> Invalid:
    return Invalid(text, hint=hint, errors=[FieldProblem("lora_keys", text)])
