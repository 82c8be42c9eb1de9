"""How much of the device's memory a run keeps for itself, set once before its model is loaded."""

from __future__ import annotations

import mlx.core as mx

_WORKING_SET = "max_recommended_working_set_size"
# Freed buffers that mlx may hold on to for the next step, as a share of the working set: without a
# limit of its own it may hold all of it, which other programs then lack. Not measured on a Mac.
_CACHE_SHARE = 4


def limit_memory() -> int | None:
    """Keep the model resident up to what the device recommends, and bound the cache. Answers the
    bytes of the cache; None on a CPU, where nothing is wired and mlx holds 32 MiB by itself.
    """
    working_set = mx.device_info().get(_WORKING_SET)
    if mx.default_device().type != mx.DeviceType.gpu or not working_set:
        return None
    mx.set_wired_limit(int(working_set))
    cache = int(working_set) // _CACHE_SHARE
    mx.set_cache_limit(cache)
    return cache
