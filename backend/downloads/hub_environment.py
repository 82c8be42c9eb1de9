"""How a process of ours reaches the hub: its address and its environment."""

from __future__ import annotations

import os

from backend.settings import CHECKOUT, Settings

HUB = "https://huggingface.co"
_PASSED_ON = (
    "PATH", "HOME", "TMPDIR", "LANG", "HF_HOME", "HF_TOKEN_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip


def hub_endpoint(settings: Settings) -> str:
    return (settings.hf_endpoint or HUB).rstrip("/")


def hub_environment(settings: Settings) -> dict[str, str]:
    """Little more than the way to the network; the token goes to this process alone."""
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env |= {
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUTF8": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    if settings.hf_token:
        env["HF_TOKEN"] = settings.hf_token
    return env
