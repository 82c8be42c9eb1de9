from __future__ import annotations

import mlx.core as mx
import pytest

from backend.engines.process.memory_limits import limit_memory


class Device:
    """Stands in for the default device."""

    def __init__(self, kind: mx.DeviceType) -> None:
        self.type = kind


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    made: dict[str, int] = {}
    monkeypatch.setattr(mx, "set_cache_limit", lambda size: made.update(cache=size))
    monkeypatch.setattr(mx, "set_wired_limit", lambda size: made.update(wired=size))
    monkeypatch.setattr(mx, "device_info", lambda: {"max_recommended_working_set_size": 16 << 30})
    return made


def test_a_gpu_keeps_the_model_resident_and_its_cache_bounded(
    limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mx, "default_device", lambda: Device(mx.DeviceType.gpu))

    assert limit_memory() == 4 << 30
    assert limits == {"cache": 4 << 30, "wired": 16 << 30}


def test_a_cpu_keeps_the_limits_of_mlx(
    limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mx, "default_device", lambda: Device(mx.DeviceType.cpu))

    assert limit_memory() is None
    assert limits == {}
