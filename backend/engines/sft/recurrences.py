"""Linear recurrences (gated delta, Mamba, …) that keep the inputs of blocks, not every time step.

The same arithmetic in checkpointed blocks (Chen et al. 2016, *Training Deep Nets with Sublinear
Memory Cost*), by mlx_lm_lora's own patch; its reward and preference trainers apply it themselves.
"""

from __future__ import annotations

import mlx.core as mx
from mlx import nn
from mlx_lm_lora import recurrent_patch
from mlx_lm_lora.trainer import fast_vjp

BLOCK = 64  # Time steps that are recomputed together.


def save_recurrence_memory(model: nn.Module) -> bool:
    """Whether the model has recurrences. They are replaced for the whole process, before its first
    step. The fast gated-delta kernel is taken on a GPU only: elsewhere it is the plain loop again,
    which keeps every step.
    """
    if not recurrent_patch.model_uses_recurrence(model):
        return False
    fast = fast_vjp.enable_fast_vjps
    try:
        if mx.default_device().type != mx.DeviceType.gpu:
            fast_vjp.enable_fast_vjps = lambda: None
        recurrent_patch.enable_memory_safe_recurrences(chunk_size=BLOCK)
    finally:
        fast_vjp.enable_fast_vjps = fast
    return True
