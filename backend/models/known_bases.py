"""Well-known base models of the hub: the table behind the catalogue, which needs no network.

The numbers are those of each model's published `config.json`, written down here; a licence is the
card's. What is not certain is None, and the page shows "—". The hub's own answer counts: it is
asked before a download.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedConfig:
    """What of a `config.json` decides about size and memory. `head_dim` 0: width / heads."""

    model_type: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    head_dim: int = 0
    tied: bool = True  # The output head is the embedding.
    attention_bias: bool = False  # Of query, key and value.
    head_norms: bool = False  # Of query and key.
    block_norms: int = 2

    @property
    def head_width(self) -> int:
        return self.head_dim or self.width // self.heads

    @property
    def matrices(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of each matrix of a block."""
        query, key = self.heads * self.head_width, self.kv_heads * self.head_width
        width, inner = self.width, self.intermediate
        if self.model_type == "phi3":  # It keeps what others have apart in two matrices.
            return {
                "self_attn.qkv_proj": (width, query + 2 * key),
                "self_attn.o_proj": (query, width),
                "mlp.gate_up_proj": (width, 2 * inner),
                "mlp.down_proj": (inner, width),
            }
        return {
            "self_attn.q_proj": (width, query),
            "self_attn.k_proj": (width, key),
            "self_attn.v_proj": (width, key),
            "self_attn.o_proj": (query, width),
            "mlp.gate_proj": (width, inner),
            "mlp.up_proj": (width, inner),
            "mlp.down_proj": (inner, width),
        }

    @property
    def block_parameters(self) -> int:
        weights = sum(inputs * outputs for inputs, outputs in self.matrices.values())
        bias = (self.heads + 2 * self.kv_heads) * self.head_width if self.attention_bias else 0
        norms = self.block_norms * self.width + (2 * self.head_width if self.head_norms else 0)
        return weights + bias + norms

    @property
    def parameters(self) -> int:
        embeddings = self.vocabulary * self.width * (1 if self.tied else 2)
        return embeddings + self.layers * self.block_parameters + self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBase:
    """`gated`: the hub asks for an account and a consent first; None: not certain."""

    repo_id: str
    good_for: str
    license: str | None
    config: PublishedConfig
    gated: bool | None = False


_GEMMA = "gemma"
_LLAMA = "llama3.2"


def _qwen2(
    layers: int, width: int, heads: int, kv: int, inner: int, *, tied: bool = True,
    vocabulary: int = 151_936,
) -> PublishedConfig:  # fmt: skip
    return PublishedConfig(
        model_type="qwen2", layers=layers, width=width, heads=heads, kv_heads=kv,
        intermediate=inner, vocabulary=vocabulary, tied=tied, attention_bias=True,
    )  # fmt: skip


def _qwen3(
    layers: int, width: int, heads: int, inner: int, *, tied: bool = True
) -> PublishedConfig:
    return PublishedConfig(
        model_type="qwen3", layers=layers, width=width, heads=heads, kv_heads=8, head_dim=128,
        intermediate=inner, vocabulary=151_936, tied=tied, head_norms=True,
    )  # fmt: skip


def _llama(
    layers: int, width: int, heads: int, kv: int, inner: int, vocabulary: int, *,
    kind: str = "llama", tied: bool = True,
) -> PublishedConfig:  # fmt: skip
    return PublishedConfig(
        model_type=kind, layers=layers, width=width, heads=heads, kv_heads=kv,
        intermediate=inner, vocabulary=vocabulary, tied=tied,
    )  # fmt: skip


KNOWN_BASES: tuple[KnownBase, ...] = (
    KnownBase(
        repo_id="HuggingFaceTB/SmolLM2-135M-Instruct", license="apache-2.0",
        good_for="Trying a whole run in minutes; one narrow task",
        config=_llama(30, 576, 9, 3, 1536, 49_152),
    ),
    KnownBase(
        repo_id="HuggingFaceTB/SmolLM2-360M-Instruct", license="apache-2.0",
        good_for="Fast experiments in English; classification, short rewrites",
        config=_llama(32, 960, 15, 5, 2560, 49_152),
    ),
    KnownBase(
        repo_id="Qwen/Qwen2.5-0.5B-Instruct", license="apache-2.0",
        good_for="Small and multilingual; fixed answer formats, extraction",
        config=_qwen2(24, 896, 14, 2, 4864),
    ),
    KnownBase(
        repo_id="Qwen/Qwen3-0.6B", license="apache-2.0",
        good_for="Smallest that thinks before it answers; learning by rewards",
        config=_qwen3(28, 1024, 16, 3072),
    ),
    KnownBase(
        repo_id="google/gemma-3-1b-it", license=_GEMMA, gated=True,
        good_for="Short texts and rewrites; large vocabulary",
        config=PublishedConfig(
            model_type="gemma3_text", layers=26, width=1152, heads=4, kv_heads=1, head_dim=256,
            intermediate=6912, vocabulary=262_144, head_norms=True, block_norms=4,
        ),
    ),
    KnownBase(
        repo_id="meta-llama/Llama-3.2-1B-Instruct", license=_LLAMA, gated=True,
        good_for="General assistant on a small machine",
        config=_llama(16, 2048, 32, 8, 8192, 128_256),
    ),
    KnownBase(
        repo_id="Qwen/Qwen2.5-1.5B-Instruct", license="apache-2.0",
        good_for="Good first choice: support answers, style, structured output",
        config=_qwen2(28, 1536, 12, 2, 8960),
    ),
    KnownBase(
        repo_id="HuggingFaceTB/SmolLM2-1.7B-Instruct", license="apache-2.0",
        good_for="English assistant with open training data",
        config=_llama(24, 2048, 32, 32, 8192, 49_152),
    ),
    KnownBase(
        repo_id="Qwen/Qwen3-1.7B", license="apache-2.0",
        good_for="Thinking, tools, mathematics by rewards",
        config=_qwen3(28, 2048, 16, 6144),
    ),
    KnownBase(
        repo_id="Qwen/Qwen2.5-3B-Instruct", license="qwen-research",
        good_for="Multilingual assistant; the licence excludes commercial use",
        config=_qwen2(36, 2048, 16, 2, 11_008),
    ),
    KnownBase(
        repo_id="meta-llama/Llama-3.2-3B-Instruct", license=_LLAMA, gated=True,
        good_for="General assistant; long documents",
        config=PublishedConfig(
            model_type="llama", layers=28, width=3072, heads=24, kv_heads=8, head_dim=128,
            intermediate=8192, vocabulary=128_256,
        ),
    ),
    KnownBase(
        repo_id="microsoft/Phi-4-mini-instruct", license="mit",
        good_for="Reasoning and code in English",
        config=_llama(32, 3072, 24, 8, 8192, 200_064, kind="phi3"),
    ),
    KnownBase(
        repo_id="Qwen/Qwen3-4B", license="apache-2.0",
        good_for="Strong for its size: thinking, tools, long answers",
        config=_qwen3(36, 2560, 32, 9728),
    ),
    KnownBase(
        repo_id="mistralai/Mistral-7B-Instruct-v0.3", license="apache-2.0", gated=None,
        good_for="General assistant with a small vocabulary",
        config=_llama(32, 4096, 32, 8, 14_336, 32_768, kind="mistral", tied=False),
    ),
    KnownBase(
        repo_id="Qwen/Qwen2.5-7B-Instruct", license="apache-2.0",
        good_for="Knowledge, code and many languages",
        config=_qwen2(28, 3584, 28, 4, 18_944, tied=False, vocabulary=152_064),
    ),
    KnownBase(
        repo_id="Qwen/Qwen3-8B", license="apache-2.0",
        good_for="Best answers of this list, and the most memory",
        config=_qwen3(36, 4096, 32, 12_288, tied=False),
    ),
)  # fmt: skip
