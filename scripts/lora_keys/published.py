"""Sizes of models as their makers published them in config.json, for numbers at real scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LLAMA_LIKE = {"rms_norm_eps": 1e-6, "rope_theta": 1e6, "max_position_embeddings": 32768}

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "Qwen2.5-0.5B": {
        "model_type": "qwen2", "hidden_size": 896, "num_hidden_layers": 24,
        "intermediate_size": 4864, "num_attention_heads": 14, "num_key_value_heads": 2,
        "vocab_size": 151936, "tie_word_embeddings": True, **_LLAMA_LIKE,
    },
    "Qwen2.5-7B": {
        "model_type": "qwen2", "hidden_size": 3584, "num_hidden_layers": 28,
        "intermediate_size": 18944, "num_attention_heads": 28, "num_key_value_heads": 4,
        "vocab_size": 152064, "tie_word_embeddings": False, **_LLAMA_LIKE,
    },
    "Qwen3-0.6B": {
        "model_type": "qwen3", "hidden_size": 1024, "num_hidden_layers": 28, "head_dim": 128,
        "intermediate_size": 3072, "num_attention_heads": 16, "num_key_value_heads": 8,
        "vocab_size": 151936, "tie_word_embeddings": True, **_LLAMA_LIKE,
    },
    "Llama-3.2-1B": {
        "model_type": "llama", "hidden_size": 2048, "num_hidden_layers": 16, "head_dim": 64,
        "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8,
        "vocab_size": 128256, "tie_word_embeddings": True, **_LLAMA_LIKE,
    },
    "Phi-3-mini": {
        "model_type": "phi3", "hidden_size": 3072, "num_hidden_layers": 32,
        "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 32,
        "vocab_size": 32064, **_LLAMA_LIKE,
    },
    "Mixtral-8x7B": {
        "model_type": "mixtral", "hidden_size": 4096, "num_hidden_layers": 32,
        "intermediate_size": 14336, "num_attention_heads": 32, "num_key_value_heads": 8,
        "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2, **_LLAMA_LIKE,
    },
    "Qwen3-30B-A3B": {
        "model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "head_dim": 128,
        "intermediate_size": 6144, "moe_intermediate_size": 768, "num_attention_heads": 32,
        "num_key_value_heads": 4, "vocab_size": 151936, "num_experts": 128,
        "num_experts_per_tok": 8, "decoder_sparse_step": 1, "mlp_only_layers": [],
        "norm_topk_prob": True, "tie_word_embeddings": False, **_LLAMA_LIKE,
    },
    "Qwen1.5-MoE-A2.7B": {
        "model_type": "qwen2_moe", "hidden_size": 2048, "num_hidden_layers": 24,
        "intermediate_size": 5632, "moe_intermediate_size": 1408,
        "shared_expert_intermediate_size": 5632, "num_attention_heads": 16,
        "num_key_value_heads": 16, "vocab_size": 151936, "num_experts": 60,
        "num_experts_per_tok": 4, "norm_topk_prob": False, **_LLAMA_LIKE,
    },
    "Gemma3-1B": {
        "model_type": "gemma3_text", "hidden_size": 1152, "num_hidden_layers": 26,
        "head_dim": 256, "intermediate_size": 6912, "num_attention_heads": 4,
        "num_key_value_heads": 1, "vocab_size": 262144, "query_pre_attn_scalar": 256,
        "sliding_window": 512, "sliding_window_pattern": 6, "rope_local_base_freq": 10000.0,
        **_LLAMA_LIKE,
    },
    "Granite-3-2B": {
        "model_type": "granite", "hidden_size": 2048, "num_hidden_layers": 40,
        "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8,
        "vocab_size": 49155, "tie_word_embeddings": True, "logits_scaling": 8.0,
        "attention_multiplier": 0.015625, "embedding_multiplier": 12.0,
        "residual_multiplier": 0.22, "attention_bias": False, "mlp_bias": False, **_LLAMA_LIKE,
    },
    "Phi-3.5-MoE": {
        "model_type": "phimoe", "hidden_size": 4096, "num_hidden_layers": 32,
        "intermediate_size": 6400, "num_attention_heads": 32, "num_key_value_heads": 8,
        "vocab_size": 32064, "num_local_experts": 16, "num_experts_per_tok": 2,
        "original_max_position_embeddings": 4096, "rope_scaling": {
            "type": "longrope", "long_factor": [1.0] * 64, "short_factor": [1.0] * 64,
            "long_mscale": 1.0, "short_mscale": 1.0, "original_max_position_embeddings": 4096,
        }, **_LLAMA_LIKE,
    },
    "Qwen3-Next-80B-A3B": {
        "model_type": "qwen3_next", "hidden_size": 2048, "num_hidden_layers": 48, "head_dim": 256,
        "intermediate_size": 5120, "moe_intermediate_size": 512,
        "shared_expert_intermediate_size": 512, "num_attention_heads": 16,
        "num_key_value_heads": 2, "vocab_size": 151936, "num_experts": 512,
        "num_experts_per_tok": 10, "decoder_sparse_step": 1, "mlp_only_layers": [],
        "norm_topk_prob": True, "tie_word_embeddings": False, "full_attention_interval": 4,
        "linear_num_value_heads": 32, "linear_num_key_heads": 16, "linear_key_head_dim": 128,
        "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4, "partial_rotary_factor": 0.25,
        **_LLAMA_LIKE,
    },
    "gpt-oss-20b": {
        "model_type": "gpt_oss", "hidden_size": 2880, "num_hidden_layers": 24, "head_dim": 64,
        "intermediate_size": 2880, "num_attention_heads": 64, "num_key_value_heads": 8,
        "vocab_size": 201088, "num_local_experts": 32, "num_experts_per_tok": 4,
        "sliding_window": 128, **_LLAMA_LIKE,
    },
    "DeepSeek-V3": {
        "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61,
        "intermediate_size": 18432, "moe_intermediate_size": 2048, "num_attention_heads": 128,
        "num_key_value_heads": 128, "vocab_size": 129280, "n_routed_experts": 256,
        "n_shared_experts": 1, "num_experts_per_tok": 8, "first_k_dense_replace": 3,
        "moe_layer_freq": 1, "n_group": 8, "topk_group": 4, "kv_lora_rank": 512,
        "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
        "routed_scaling_factor": 2.5, "norm_topk_prob": True, "scoring_func": "sigmoid",
        "topk_method": "noaux_tc", "attention_bias": False, **_LLAMA_LIKE,
    },
    "GPT-2": {
        "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12,
        "n_positions": 1024, "layer_norm_epsilon": 1e-5, "vocab_size": 50257,
    },
}  # fmt: skip
