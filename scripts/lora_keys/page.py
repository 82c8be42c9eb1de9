"""docs/lora-keys.md from a survey: pure, so that a test can hold the page to the recording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backend.models.schemas import KeyGroupName, LoraTargets
from backend.training.lora.counts import count_lora
from backend.training.lora.groups import PRESETS, SEEDS, SEVEN, build_targets

PUBLISHED_RANK = 32
_GROUPS: tuple[KeyGroupName, ...] = ("attention", "mlp", "moe", "linear_attention", "other")
_HEAD = """# LoRA keys of every architecture

Written by `python -m scripts.lora_keys` with mlx_lm {engine}; `tests/scripts/test_lora_keys.py`
holds it to the code. Each architecture of the engine is built small, its modules are sorted into
groups, and every preset is attached by the engine's own `linear_to_lora_layers`: the trained
weights equal the count that the app shows before a run, and one pass over five tokens works. Keys
are names inside a block. The app works all of this out anew from the `config.json` of each model,
so one of an architecture that is not listed is treated the same way.

*Seeds* are the seven `self_attn.{{q,k,v,o}}_proj` and `mlp.{{gate,up,down}}_proj`, and what the app
before this one added by architecture ({seeds}).
"""


def page(found: Sequence[Mapping[str, Any]], *, engine: str) -> str:
    seeds = "; ".join(f"{name}: {', '.join(keys)}" for name, keys in SEEDS.items())
    known = [
        (one["name"], build_targets(one["tree"], total_parameters=None), one)
        for one in found
        if "tree" in one
    ]
    small = [row for row in known if not row[2].get("published")]
    parts = [
        _HEAD.format(engine=engine, seeds=seeds),
        _published([row for row in known if row[2].get("published")]),
        _architectures(small),
        _key_sets(small),
        _failures(found),
    ]
    return "\n".join(parts)


def share_of_seeds(targets: LoraTargets) -> float | None:
    """Of the LoRA weights on every matrix, those on the seed keys; None without a matrix."""
    everything = _cost(targets, targets.presets["full_experts"])
    return _cost(targets, targets.seed_keys) / everything if everything else None


def _cost(targets: LoraTargets, keys: Iterable[str]) -> int:
    return count_lora(targets, keys, num_layers=-1).rank_cost


def _published(rows: Sequence[tuple[str, LoraTargets, Mapping[str, Any]]]) -> str:
    lines = [
        f"## At real scale, rank {PUBLISHED_RANK}\n",
        "From published configurations. The last column is the share of *full_experts* that a "
        "fixed list of seeds would cover, in silence. *Weights* are those of the built tree: "
        "Gemma3's has an lm_head of 302M that loading drops where a checkpoint holds none.\n",
        "| model | weights | full | full_experts | attention | mlp | qv | seeds cover |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, targets, _ in rows:
        total = targets.total_parameters or 1
        cells = []
        for preset in PRESETS:
            trained = _cost(targets, targets.presets[preset]) * PUBLISHED_RANK
            cells.append(f"{trained / 1e6:.3f}M {100 * trained / total:.3f} %" if trained else "–")
        lines.append(f"| {name} | {total / 1e6:.3f}M | {' | '.join(cells)} | {_percent(targets)} |")
    return "\n".join(lines) + "\n"


def _architectures(rows: Sequence[tuple[str, LoraTargets, Mapping[str, Any]]]) -> str:
    lines = [
        "## Architectures\n",
        "Number of keys per preset, of the tiny model that is built here; the share is that of "
        "the tiny model too.\n",
        "| model_type | full | full_experts | attention | mlp | qv | seeds without a module | "
        "seeds cover | engine |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, targets, one in rows:
        counts = [str(len(targets.presets[preset]) or "–") for preset in PRESETS]
        unmatched = ", ".join(f"`{key}`" for key in _named(targets.unmatched_seed_keys))
        lines.append(
            f"| {name} | {' | '.join(counts)} | {unmatched or '–'} | {_percent(targets)} | "
            f"{_engine(one)} |"
        )
    return "\n".join(lines) + "\n"


def _named(unmatched: Sequence[str]) -> list[str]:
    """All seven of them under one name."""
    if set(SEVEN) <= set(unmatched):
        return ["the seven", *(key for key in unmatched if key not in SEVEN)]
    return list(unmatched)


def _percent(targets: LoraTargets) -> str:
    share = share_of_seeds(targets)
    return "–" if share is None else f"{100 * share:.1f} %"


def _engine(one: Mapping[str, Any]) -> str:
    if "failure" in one:
        return str(one["failure"])
    presets = one["presets"]
    if not presets:
        return "nothing to attach"
    if any(preset["attached"] != preset["counted"] for preset in presets.values()):
        return "**counts differ**"
    forward = presets["full_experts"]["forward"]
    return "ok" if forward == "ok" else f"attached; a pass {forward}"


def _key_sets(rows: Sequence[tuple[str, LoraTargets, Mapping[str, Any]]]) -> str:
    lines = [
        "## Keys\n",
        "*full* is every group but the experts and *other*; *full_experts* adds the experts. "
        "**Bold** keys are those of *qv*; *cursive* ones are experts.\n",
    ]
    same: dict[str, list[str]] = {}
    for name, targets, _ in rows:
        same.setdefault(_key_set(targets), []).append(name)
    for text, names in sorted(same.items(), key=lambda item: (-len(item[1]), item[1])):
        lines += [f"### {', '.join(names)}\n", text]
    return "\n".join(lines)


def _key_set(targets: LoraTargets) -> str:
    lines = []
    full, both = targets.presets["full"], targets.presets["full_experts"]
    for group in _GROUPS:
        keys = []
        for key in targets.keys:
            if key.group != group:
                continue
            marked = "**" if key.name in targets.presets["qv"] else ""
            marked = "*" if key.name in both and key.name not in full else marked
            keys.append(f"{marked}`{key.name}`{marked}")
        if keys:
            lines.append(f"- {group}: {', '.join(keys)}")
    lines += [f"- {note}" for note in targets.notes if note.startswith(("Left out", "mlx_lm"))]
    return "\n".join(lines or ["- none"]) + "\n"


def _failures(found: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "## Not built here\n",
        "For a model of these the app uses the seven names, with a warning.\n",
        *(f"- {one['name']}: {one['error']}" for one in found if "error" in one),
    ]
    return "\n".join(lines) + "\n"
