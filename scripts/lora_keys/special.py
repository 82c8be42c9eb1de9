"""What an architecture needs besides sizes: layer patterns, nested parts, and its own names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ALTERNATING = ["sliding_attention", "full_attention"] * 2
_MOSTLY_SLIDING = ["sliding_attention"] * 3 + ["full_attention"]
_YARN = {
    "type": "yarn", "rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 128,
    "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0, "rope_theta": 10_000.0,
    "llama_4_scaling_beta": 0.1,
}  # fmt: skip
_LONGROPE = {
    "type": "longrope", "original_max_position_embeddings": 128,
    "short_factor": [1.0] * 8, "long_factor": [1.0] * 8,
}  # fmt: skip
_PLAIN_ROPE = {"rope_type": "default", "type": "default", "rope_theta": 10_000.0}
_ROPE_BY_TYPE = {
    "sliding_attention": {**_PLAIN_ROPE, "partial_rotary_factor": 1.0},
    "full_attention": {**_PLAIN_ROPE, "partial_rotary_factor": 1.0},
}
_LINEAR = {"kda_layers": [1, 2, 3], "full_attn_layers": [4], "num_heads": 4, "head_dim": 16,
           "short_conv_kernel_size": 4}  # fmt: skip

SPECIAL: Mapping[str, Mapping[str, Any]] = {
    "afm7": {"num_kv_reuse_layers": 1},
    "afmoe": {"layer_types": _MOSTLY_SLIDING},
    "apertus": {"qk_norm": True},
    "baichuan_m1": {
        "sliding_window_layers": [1, 3], "conv_window": 2, "num_swa_attention_heads": 4,
        "num_swa_key_value_heads": 2,
    },
    "dbrx": {
        "ffn_config": {"ffn_hidden_size": 96, "moe_num_experts": 4, "moe_top_k": 2},
        "attn_config": {"kv_n_heads": 2, "clip_qkv": 8.0, "rope_theta": 10_000.0},
    },
    "deepseek_v2": {"rope_scaling": _YARN},
    "exaone4": {"rope_scaling": None, "sliding_window_pattern": "LLLG"},
    "exaone_moe": {
        "layer_types": _MOSTLY_SLIDING, "is_moe_layer": [False, True, True, True],
    },
    "falcon_h1": {"mamba_d_ssm": 64},
    "gear": {"layer_types": _ALTERNATING},
    "gemma3_text": {"sliding_window_pattern": 2},
    "gemma4_text": {"layer_types": _ALTERNATING, "hidden_size_per_layer_input": 16},
    "glm4_moe": {"rope_scaling": None},
    "glm_moe_dsa": {
        "topk_method": "noaux_tc", "scoring_func": "sigmoid", "rope_parameters": _PLAIN_ROPE,
    },
    "granitemoehybrid": {"layer_types": ["mamba", "attention"] * 2},
    "hunyuan": {
        "use_mixed_mlp_moe": True, "cla_share_factor": 2,
        "rope_scaling": {"alpha": 1.0, "factor": 1.0, "type": "dynamic"},
    },
    "jamba": {
        "attn_layer_offset": 1, "attn_layer_period": 2, "expert_layer_offset": 1,
        "expert_layer_period": 2,
    },
    "kimi_linear": {"linear_attn_config": _LINEAR},
    "lfm2": {
        "block_dim": 64,
        "block_multiple_of": 32, "block_ffn_dim_multiplier": 1.0,
        "block_auto_adjust_ff_dim": False, "layer_types": ["conv", "full_attention"] * 2,
    },
    "lfm2_moe": {"use_expert_bias": True, "layer_types": ["conv", "full_attention"] * 2},
    "llama4_text": {"no_rope_layers": [1, 1, 1, 0]},
    "longcat_flash": {
        "attention_method": "MLA", "zero_expert_type": "identity", "zero_expert_num": 2,
        "mla_scale_q_lora": True, "mla_scale_kv_lora": True,
    },
    "longcat_flash_ngram": {
        "zero_expert_num": 2, "ngram_vocab_size_ratio": 2, "mla_scale_q_lora": True,
        "mla_scale_kv_lora": True,
    },
    "mamba": {"time_step_rank": "auto"},
    "mamba2": {"time_step_limit": [0.0, 1.0], "time_step_rank": "auto", "head_dim": 32},
    "mellum": {"layer_types": _ALTERNATING, "rope_parameters": _ROPE_BY_TYPE},
    "mimo_v2_flash": {
        "hybrid_layer_pattern": [0, 1, 1, 1], "topk_method": "noaux_tc",
        "scoring_func": "sigmoid", "swa_num_attention_heads": 4, "swa_num_key_value_heads": 2,
        "moe_layer_freq": [0, 1, 1, 1],
    },
    "minicpm": {"dim_model_base": 32},
    "minicpm3": {"dim_model_base": 32, "rope_scaling": _LONGROPE},
    "ministral3": {"rope_parameters": _YARN},
    "mistral4": {"rope_parameters": _YARN},
    "nemotron-nas": {
        "block_configs": [
            {"attention": {"n_heads_in_group": 2}, "ffn": {"ffn_mult": 1.0}},
            {"attention": {"no_op": True}, "ffn": {"ffn_mult": 1.0}},
        ] * 2,
    },
    "nemotron_h": {"hybrid_override_pattern": ["M", "*", "-", "E"]},
    "olmo_hybrid": {
        "linear_allow_neg_eigval": True, "layer_types": ["linear_attention", "full_attention"] * 2,
    },
    "openelm": {
        "ffn_dim_divisor": 32, "num_query_heads": [4] * 4, "num_kv_heads": [2] * 4,
        "ffn_multipliers": [1.0, 1.5, 2.0, 2.0],
    },
    "phi3small": {
        "dense_attention_every_n_layers": 1, "gegelu_limit": 20.0,
        "vocab_size": 100_352,  # It writes to token ids up to there, whatever the size.
    },
    "plamo": {"n_shared_head": 2},
    "recurrent_gemma": {
        "logits_soft_cap": 30.0, "block_types": ["recurrent", "attention"],
    },
    "spark2_5": {
        "hidden_act": "gelu", "rope_parameters": _ROPE_BY_TYPE, "layer_types": _ALTERNATING,
    },
    "step3p5": {"num_attention_groups": 2},
}  # fmt: skip

# Of those that keep the language model under `text_config`: the fields of that part.
TEXT: Mapping[str, Mapping[str, Any]] = {
    "gemma3n": {
        "num_kv_shared_layers": 0, "rope_local_base_freq": 10_000.0,
        "final_logit_softcapping": 30.0, "layer_types": _ALTERNATING,
        "activation_sparsity_pattern": [0.0] * 4, "hidden_size_per_layer_input": 16,
        "altup_num_inputs": 2, "altup_coef_clip": 120.0, "altup_correct_scale": True,
        "altup_active_idx": 0, "laurel_rank": 8,
    },
    "kimi_k3": {"hidden_act": "situ", "linear_attn_config": _LINEAR},
    "llama4": {
        "attention_chunk_size": 32, "num_experts_per_tok": 1, "interleave_moe_layer_step": 2,
        "rope_scaling": None,
    },
    "minimax_m3_vl": {"moe_layer_freq": [0, 1, 1, 1]},
    "muse_spark": {
        "moe_hidden_size": 32, "num_shared_experts": 0,
        "post_norm_eps": 1e-5, "rope_parameters": _PLAIN_ROPE, "layer_rope_theta": [1e4] * 4,
        "layer_types": _ALTERNATING, "final_logit_softcapping": 30.0, "output_multiplier": 1.0,
    },
}  # fmt: skip

# Where the part under `text_config` is an architecture of its own.
TEXT_TYPES: Mapping[str, str] = {
    "gemma3": "gemma3_text", "gemma3n": "gemma3n", "gemma4": "gemma4_text", "lfm2-vl": "lfm2",
    "mistral3": "llama", "pixtral": "llama", "qwen2_vl": "qwen2", "qwen3_vl": "qwen3",
    "qwen3_vl_moe": "qwen3_moe", "qwen3_5_moe": "qwen3_5", "llama4": "llama4",
}  # fmt: skip
