"""A tiny config.json for every architecture of mlx_lm: sizes by field name, and what is special.

The engine's own argument classes say which fields an architecture has; a field named here gets the
tiny value, everything else keeps the class's default. Width 64, four heads of 16, four blocks.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from scripts.lora_keys.special import SPECIAL, TEXT, TEXT_TYPES

LAYERS = 4
WIDTH = 64

# Every name that some architecture has for the same few sizes.
_SIZES: Mapping[str, Any] = {
    **dict.fromkeys(
        ("num_hidden_layers", "num_layers", "n_layers", "n_layer", "num_transformer_layers"), LAYERS
    ),
    **dict.fromkeys(("hidden_size", "n_embd", "d_model", "model_dim", "hidden_dim"), WIDTH),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads", "n_kv_heads"), 2),
    **dict.fromkeys(
        (
            "head_dim", "kv_channels", "v_head_dim", "qk_nope_head_dim", "qk_rope_head_dim",
            "global_head_dim", "hidden_size_per_head", "index_head_dim", "rotary_dim",
            "swa_head_dim", "swa_v_head_dim", "mamba_d_head", "mamba_head_dim",
        ),
        16,
    ),
    **dict.fromkeys(
        (
            "intermediate_size", "moe_intermediate_size", "shared_expert_intermediate_size",
            "shared_intermediate_size", "moe_shared_expert_intermediate_size", "ffn_hidden_size",
            "expert_ffn_hidden_size", "intermediate_size_mlp", "ff_intermediate_size",
            "share_expert_dim", "block_dim", "block_ff_dim", "n_inner",
        ),
        96,
    ),
    **dict.fromkeys(("vocab_size", "num_vocab", "vocab_size_per_layer_input"), 128),
    **dict.fromkeys(
        (
            "num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts",
        ),
        4,
    ),
    **dict.fromkeys(
        (
            "num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_k", "moe_top_k",
            "top_k_experts",
        ),
        2,
    ),
    **dict.fromkeys(("n_group", "topk_group", "num_expert_group"), 1),
    **dict.fromkeys(("n_shared_experts", "num_shared_experts", "num_shared_expert"), 1),
    **dict.fromkeys(("first_k_dense_replace", "num_dense_layers"), 1),
    **dict.fromkeys(("q_lora_rank", "kv_lora_rank", "o_lora_rank"), 16),
    **dict.fromkeys(
        ("max_position_embeddings", "n_positions", "n_ctx", "block_size", "model_max_length",
         "original_max_position_embeddings"),
        256,
    ),
    **dict.fromkeys(
        ("rms_norm_eps", "norm_eps", "layer_norm_eps", "layer_norm_epsilon", "layernorm_epsilon"),
        1e-5,
    ),
    **dict.fromkeys(("sliding_window", "sliding_window_size", "window_size"), 32),
    **dict.fromkeys(
        ("attention_window_size", "index_topk"), 32,
    ),
    **dict.fromkeys(
        ("mamba_d_conv", "conv_kernel", "linear_conv_kernel_dim", "conv1d_width",
         "short_conv_kernel_size"), 4,
    ),
    **dict.fromkeys(("mamba_d_state", "state_size", "ssm_state_size"), 16),
    **dict.fromkeys(
        ("a_low_rank_dim", "v_low_rank_dim", "gate_low_rank_dim", "decay_low_rank_dim"), 8
    ),
    **dict.fromkeys(("linear_num_key_heads", "index_n_heads"), 2),
    **dict.fromkeys(("linear_num_value_heads", "mamba_n_heads", "mamba_num_heads"), 4),
    **dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim"), 32),
    **dict.fromkeys(("mamba_expand", "conv_L_cache", "layer_group_size"), 2),
    **dict.fromkeys(("mamba_n_groups", "n_groups", "group_norm_size", "expert_layer_period"), 1),
    **dict.fromkeys(("moe_layer_freq", "decoder_sparse_step"), 1),
    **dict.fromkeys(
        ("rope_theta", "swa_rope_theta", "rotary_emb_base"), 10_000
    ),
    **dict.fromkeys(
        ("embedding_multiplier", "logits_scaling", "attention_multiplier", "residual_multiplier",
         "routed_scaling_factor", "scale_depth", "scale_emb", "partial_rotary_factor",
         "rotary_pct"),
        1.0,
    ),
    **dict.fromkeys(
        ("attention_bias", "mlp_bias", "use_bias", "use_qkv_bias", "tie_word_embeddings",
         "use_conv_bias", "conv_bias", "mamba_proj_bias", "norm_topk_prob", "use_qk_norm",
         "post_norm", "mla_scale_q_lora", "mla_scale_kv_lora", "use_cla",
         "add_swa_attention_sink_bias", "add_full_attention_sink_bias"),
        False,
    ),
    "mlp_only_layers": [],
    "num_kv_shared_layers": 0,
    "hidden_act": "silu",
    "num_nextn_predict_layers": 0,
}  # fmt: skip


def tiny_config(name: str) -> dict[str, Any]:
    """For the architecture in `mlx_lm/models/<name>.py`. Importing it may fail in its own way."""
    module = importlib.import_module(f"mlx_lm.models.{name}")
    config = {**_fill(module.ModelArgs), **SPECIAL.get(name, {}), "model_type": name}
    if "text_config" in config:
        config["text_config"] = _text_config(name, module)
    return config


def is_architecture(module: ModuleType) -> bool:
    return hasattr(module, "Model") and hasattr(module, "ModelArgs")


def _fill(args: Any) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(args)]
    config = {name: _SIZES[name] for name in names if name in _SIZES}
    if "text_config" in names:
        config["text_config"] = {}
    return config


def _text_config(name: str, module: ModuleType) -> dict[str, Any]:
    inner = TEXT_TYPES.get(name)
    if inner is not None and inner != name:
        text = importlib.import_module(f"mlx_lm.models.{inner}")
        filled = _fill(getattr(text, "TextModelArgs", text.ModelArgs))
    else:
        filled = _fill(_text_args(module))
    return {**filled, **SPECIAL.get(inner or "", {}), **TEXT.get(name, {}), "model_type": inner}


def _text_args(module: ModuleType) -> Any:
    for name in ("TextArgs", "TextConfig", "TextModelArgs"):
        if hasattr(module, name):
            return getattr(module, name)
    for value in vars(module).values():
        if isinstance(value, ModuleType) and is_architecture(value):
            return value.ModelArgs
    raise LookupError(f"{module.__name__} has no argument class for its text part")
