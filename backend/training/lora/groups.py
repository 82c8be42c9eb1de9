"""Sort a model's modules into the groups and presets that a user chooses from. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from backend.jobs.run.recipe import StartWarning
from backend.models.schemas import CoverageChoice, KeyGroupName, LoraKey, LoraTargets

SEVEN = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)
# What the reference app adds per architecture; a name here need not match any module.
SEEDS: Mapping[str, tuple[str, ...]] = {
    "mixtral": ("block_sparse_moe.gate",),
    "phimoe": ("block_sparse_moe.gate",),
    "qwen2_moe": ("mlp.shared_expert_gate",),
    "qwen3_next": (
        "mlp.shared_expert_gate",
        "linear_attn.in_proj_qkvz",
        "linear_attn.out_proj",
        "linear_attn.in_proj_ba",
        "linear_attn.dt_bias",
    ),
}
PRESETS = ("full", "full_experts", "attention", "mlp", "qv")

_LINEAR_ATTENTION = (
    "linear_attn", "linear_attention", "mamba", "mixer", "ssm", "recurrent", "temporal_block",
    "kda", "short_conv", "conv", "rg_lru", "time_mix", "lightning_attn",
)  # fmt: skip
_FEED_FORWARD = (
    "mlp", "feed_forward", "ffn", "block_sparse_moe", "moe", "channel_mix", "experts",
)  # fmt: skip
_FEED_FORWARD_LEAVES = (
    "gate_proj", "up_proj", "down_proj", "gate_up_proj", "w1", "w2", "w3", "fc1", "fc2", "c_fc",
    "ff_proj", "ff_out", "dense_h_to_4h", "dense_4h_to_h",
)  # fmt: skip
_ATTENTION_LEAVES = (
    "att_proj", "attn_out", "qkv_proj", "Wqkv", "q_proj", "k_proj", "v_proj", "o_proj",
)  # fmt: skip
_ROUTERS = (
    "gate", "router", "shared_expert_gate", "wg", "classifier", "gate_weight", "coefficient",
)  # fmt: skip
_Q = (
    "q_proj", "wq", "query", "q_b_proj", "to_q", "q", "c_q", "attn_query",
    "r_proj",  # The receptance of RWKV.
)  # fmt: skip
_V = ("v_proj", "wv", "value", "kv_b_proj", "to_v", "v", "c_v", "attn_value")
# Where keys and values are made from one small vector and nothing after it takes LoRA.
_V_COMPRESSED = ("kv_a_proj_with_mqa", "kv_proj")
_FUSED_QKV = (
    "qkv_proj", "wqkv", "Wqkv", "c_attn", "query_key_value", "qkv", "in_proj_qkv", "att_proj",
    "in_proj_qkvz", "W_pack", "q_k_v_proj", "qkvg_proj",
)  # fmt: skip

_COVERAGE = (24, 16, 8)


def build_targets(tree: Mapping[str, Any], *, total_parameters: int | None) -> LoraTargets:
    """From what `backend.engines.modules` answers. What loading keeps is the
    exact count; `total_parameters` from the weight headers stands in where that is not known.
    """
    keys = _keys(tree["modules"])
    names = [key.name for key in keys]
    seeds = [*SEVEN, *SEEDS.get(tree["architecture"], ())]
    unmatched = [seed for seed in seeds if seed not in names]
    depth = int(tree["num_layers"])
    presets = _presets(keys)
    return LoraTargets(
        architecture=tree["architecture"],
        num_layers=depth,
        total_parameters=tree.get("loaded_parameters")
        or total_parameters
        or int(tree["parameters"]),
        weights_problem=tree.get("weights_problem"),
        positions_problem=tree.get("positions_problem"),
        keys=keys,
        presets=presets,
        coverage=coverage_choices(depth),
        seed_keys=seeds,
        unmatched_seed_keys=unmatched,
        notes=_notes(keys, presets, unmatched, tree, depth),
        block_parameters=list(tree["block_parameters"]),
    )


def unknown_targets(
    architecture: str, depth: int, total_parameters: int | None, reason: str
) -> LoraTargets:
    """For a model whose tree can't be built: the seven usual names, and a warning."""
    return LoraTargets(
        architecture=architecture,
        num_layers=depth,
        total_parameters=total_parameters,
        keys=[],
        presets={
            "full": list(SEVEN),
            "full_experts": list(SEVEN),
            "attention": list(SEVEN[:4]),
            "mlp": list(SEVEN[4:]),
            "qv": [SEVEN[0], SEVEN[2]],
        },
        coverage=coverage_choices(depth),
        seed_keys=list(SEVEN),
        unmatched_seed_keys=[],
        notes=[
            f"The modules of this model could not be read ({reason}). The seven usual matrices "
            "are assumed; what they match is known only once the model is loaded."
        ],
    )


def seed_warnings(architecture: str, unmatched: Sequence[str]) -> list[StartWarning]:
    """The names that are listed for this architecture by custom, but that match no module."""
    return [
        StartWarning(
            f"{name} is listed for {architecture}, but is no matrix that LoRA can be attached to, "
            "and is not sent.",
            code="unmatched_seed_key",
            level="info",
        )
        for name in SEEDS.get(architecture, ())
        if name in unmatched
    ]


def coverage_choices(depth: int) -> list[CoverageChoice]:
    """All layers, then the top 24, 16 and 8 where there are more; halves of unusual depths."""
    tops = {count for count in _COVERAGE if count < depth}
    if _is_unusual(depth):
        tops |= {part for part in (depth // 2, depth // 4) if 0 < part < depth}
    choices = [CoverageChoice(value=-1, label=f"All {depth} layers (-1)")]
    choices += [
        CoverageChoice(value=count, label=f"Top {count}") for count in sorted(tops, reverse=True)
    ]
    return choices


def group_of(
    name: str, *, copies: int, has_experts: bool, names: Collection[str] = ()
) -> KeyGroupName:
    """The group of a module by its name inside the block; `names` are those of all modules."""
    parts = name.split(".")
    first, leaf = parts[0], parts[-1]
    in_attention = "attn" in first.lower() or "attention" in first.lower()
    linear = first.startswith(_LINEAR_ATTENTION)
    if in_attention and not linear:
        return "attention"
    if (copies > 1 and not linear) or "switch_mlp" in parts or _is_listed_expert(parts):
        return "moe"
    if has_experts and _is_router(parts):
        return "moe"
    if first == "mixer":
        return _group_in_mixer(parts, names)
    if linear:
        return "linear_attention"
    if leaf in _ATTENTION_LEAVES:
        return "attention"
    if any(part.startswith(_FEED_FORWARD) or "mlp" in part for part in parts):
        return "mlp"
    return "mlp" if leaf in _FEED_FORWARD_LEAVES else "other"


def is_expert(key: LoraKey) -> bool:
    return key.group == "moe" and (key.copies > 1 or _is_listed_expert(key.name.split(".")))


def _is_router(parts: Sequence[str]) -> bool:
    return parts[-1] in _ROUTERS or "router" in parts or "gate" in parts[:-1]


def _group_in_mixer(parts: Sequence[str], names: Collection[str]) -> KeyGroupName:
    """A `mixer` is a state space, attention or a feed-forward part, by what is in it."""
    leaf = parts[-1]
    if leaf in _ATTENTION_LEAVES or (leaf == "out_proj" and "mixer.in_proj" not in names):
        return "attention"
    if "shared_experts" in parts or leaf in _FEED_FORWARD_LEAVES:
        return "mlp"
    return "linear_attention"


def _is_listed_expert(parts: Sequence[str]) -> bool:
    return any(
        part == "experts" and following.isdigit() for part, following in itertools.pairwise(parts)
    )


def _keys(modules: Sequence[Mapping[str, Any]]) -> list[LoraKey]:
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for module in modules:
        by_name.setdefault(module["name"], []).append(module)
    has_experts = any(module["copies"] > 1 for module in modules) or any(
        _is_listed_expert(name.split(".")) for name in by_name
    )
    keys = []
    for name, result in by_name.items():
        sizes = [[module["inputs"], module["outputs"], module["copies"]] for module in result]
        inputs, outputs, copies = sizes[0]
        keys.append(
            LoraKey(
                name=name,
                group=group_of(name, copies=copies, has_experts=has_experts, names=by_name),
                modules=len(result),
                inputs=inputs,
                outputs=outputs,
                copies=copies,
                layers=[module["layer"] for module in result],
                sizes=[] if all(size == sizes[0] for size in sizes) else sizes,
            )
        )
    order = {name: number for number, name in enumerate(SEVEN)}
    return sorted(keys, key=lambda key: (order.get(key.name, len(order)), key.name))


def _presets(keys: Sequence[LoraKey]) -> dict[str, list[str]]:
    usable = [key for key in keys if key.group != "other"] or list(keys)
    attention = [key.name for key in keys if key.group == "attention"]
    return {
        "full": [key.name for key in usable if not is_expert(key)],
        "full_experts": [key.name for key in usable],
        "attention": attention,
        "mlp": [key.name for key in keys if key.group == "mlp"],
        "qv": _qv(keys),
    }


def _qv(keys: Sequence[LoraKey]) -> list[str]:
    """Query and value of every kind of attention in the model, or the matrix they are part of."""
    attention = [key.name for key in keys if key.group in ("attention", "linear_attention")]
    by_parent: dict[str, list[str]] = {}
    for name in attention:
        by_parent.setdefault(name.rpartition(".")[0], []).append(name.rpartition(".")[2])
    leaf_names = set()
    for parent, leaves in by_parent.items():
        queries = [leaf for leaf in leaves if leaf in _Q]
        values = [leaf for leaf in leaves if leaf in _V]
        if queries and not values:
            values = [leaf for leaf in leaves if leaf in _V_COMPRESSED]
        fused = [leaf for leaf in leaves if leaf in _FUSED_QKV]
        leaf_names |= {f"{parent}.{leaf}" if parent else leaf for leaf in queries + values + fused}
    return [name for name in attention if name in leaf_names]


def _notes(
    keys: Sequence[LoraKey],
    presets: Mapping[str, list[str]],
    unmatched: Sequence[str],
    tree: Mapping[str, Any],
    depth: int,
) -> list[str]:
    additions = SEEDS.get(tree["architecture"], ())
    parameters = [name for name in unmatched if name in tree["others"] and name not in additions]
    missing = [name for name in unmatched if name not in parameters and name not in additions]
    notes: list[str] = [*seed_warnings(tree["architecture"], unmatched)]
    if parameters:
        notes.append(f"LoRA can't be attached to {_listing(parameters)} here.")
    if missing and keys:
        notes.append(f"This architecture has no {_listing(missing)}.")
    experts = [key for key in keys if is_expert(key)]
    if experts:
        notes.append(
            f"The experts ({_listing([key.name for key in experts])}) are left out of the full "
            "preset: LoRA on each of them can be billions of weights. Full with experts has them."
        )
    fused = [name for name in presets["qv"] if name.rsplit(".", 1)[-1] in _FUSED_QKV]
    if fused:
        notes.append(
            f"Query, key and value are one matrix in {_listing(fused)}, so Q+V trains all three."
        )
    if excluded := tree.get("excluded"):
        notes.append(
            f"Left out: {_listing(excluded)}. The model reads these weights directly, so that LoRA "
            "on them would break it."
        )
    if tree.get("problem"):
        notes.append(tree["problem"])
    if not keys:
        notes.append("No module of this architecture takes LoRA.")
    others = [key.name for key in keys if key.group == "other"]
    if others and len(others) < len(keys):
        notes.append(f"Outside every preset: {_listing(others)}. They can be listed by name.")
    if _is_unusual(depth):
        notes.append(f"{depth} layers is an unusual depth; the coverage choices are fitted to it.")
    return notes


def _is_unusual(depth: int) -> bool:
    return depth < 16 or depth % 4 != 0


def _listing(names: Sequence[str]) -> str:
    listing = ", ".join(names[:6])
    return f"{listing} and {len(names) - 6} more" if len(names) > 6 else listing
