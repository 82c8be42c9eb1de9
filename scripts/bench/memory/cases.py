"""What the memory bench trains: random models and settings.

The factors of `backend/training/estimate/memory.py` were fitted to the runs that
tests/training/estimate/test_memory.py lists, and to the cases here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.contract.run.config import FineTuneType


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A random model of `kind` and one configuration to train it with."""

    kind: str
    hidden: int
    layers: int
    inner: int
    heads: int
    kv_heads: int
    vocabulary: int
    batch: int
    length: int
    rank: int = 8
    checkpoint: bool = False
    dtype: str = "float32"
    fine_tune: FineTuneType = "lora"
    keys: str = "full"
    optimizer: str = "adamw"
    accumulate: int = 1
    top: int = -1

    @property
    def config(self) -> dict[str, Any]:
        """As in the config.json of such a model."""
        return {
            "model_type": self.kind,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "intermediate_size": self.inner,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "vocab_size": self.vocabulary,
            "rms_norm_eps": 1e-6,
            "rope_theta": 10_000.0,
            "max_position_embeddings": 4096,
            "tie_word_embeddings": self.kind == "qwen2",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCase:
    """A run of the app on the demo model and the demo data in `data`, for one epoch at most.

    `steps` are enough to reach the largest step of the epoch; they are what is estimated too.
    """

    data: str
    batch: int
    length: int
    steps: int
    checkpoint: bool = False


def _case(kind: str, shape: tuple[int, int, int, int, int, int], run: tuple[int, int],
          **more: Any) -> Case:  # fmt: skip
    hidden, layers, inner, heads, kv_heads, vocabulary = shape
    batch, length = run
    return Case(
        kind=kind, hidden=hidden, layers=layers, inner=inner, heads=heads, kv_heads=kv_heads,
        vocabulary=vocabulary, batch=batch, length=length, **more,
    )  # fmt: skip


_DEMO = (256, 4, 512, 4, 2, 1280)
_SMALL = (192, 6, 512, 6, 2, 4000)
_WIDE = (512, 6, 1376, 8, 2, 8000)
_DEEP = (256, 12, 704, 4, 4, 2000)
_LARGE = (640, 8, 1760, 10, 2, 16000)
_VOCABULARY = (256, 6, 704, 4, 2, 64000)  # A step has more positions than go through the head.

CASES: tuple[Case, ...] = (
    _case("qwen2", _DEMO, (8, 96), rank=32),
    _case("qwen2", _DEMO, (2, 384), rank=64, checkpoint=True),
    _case("llama", _SMALL, (4, 128), rank=16),
    _case("llama", _SMALL, (1, 512), checkpoint=True),
    _case("llama", _SMALL, (2, 320), rank=16, checkpoint=True),
    _case("llama", _SMALL, (2, 192), keys="attention", rank=128),
    _case("qwen2", _WIDE, (2, 64), rank=32),
    _case("qwen2", _WIDE, (2, 96), rank=32, checkpoint=True),
    _case("qwen2", _SMALL, (1, 256), rank=32, checkpoint=True, accumulate=2),
    _case("llama", _DEEP, (4, 64), rank=8),
    _case("llama", _DEEP, (4, 96), rank=64, checkpoint=True),
    _case("llama", _DEEP, (2, 128), rank=8, top=4),
    _case("qwen2", _DEEP, (2, 64), fine_tune="full", checkpoint=True),
    _case("qwen2", _SMALL, (4, 96), fine_tune="full", optimizer="adam"),
    _case("llama", _SMALL, (2, 128), fine_tune="dora", rank=16),
    _case("llama", _LARGE, (1, 64), rank=16),
    _case("qwen2", _DEMO, (4, 96), rank=32, dtype="bfloat16", checkpoint=True),
    _case("qwen2", _VOCABULARY, (2, 384), rank=16),
    _case("qwen2", _VOCABULARY, (4, 192), rank=16, checkpoint=True),
)

# The largest step of the first epoch comes within these steps.
APP_CASES: tuple[AppCase, ...] = (
    AppCase(data="chat", batch=1, length=256, steps=30),
    AppCase(data="chat", batch=4, length=256, steps=8),
    AppCase(data="chat", batch=4, length=256, steps=8, checkpoint=True),
    AppCase(data="chat", batch=8, length=256, steps=24),
    AppCase(data="chat", batch=16, length=256, steps=4),
    AppCase(data="chat", batch=16, length=256, steps=4, checkpoint=True),
    AppCase(data="mixed", batch=1, length=1024, steps=41),
    AppCase(data="mixed", batch=4, length=512, steps=59),
    AppCase(data="mixed", batch=4, length=1024, steps=59, checkpoint=True),
    AppCase(data="mixed", batch=8, length=1024, steps=30),
    AppCase(data="mixed", batch=8, length=1024, steps=30, checkpoint=True),
    # No step has many long rows, but a batch of validation has.
    AppCase(data="mixed", batch=16, length=1024, steps=2, checkpoint=True),
)
