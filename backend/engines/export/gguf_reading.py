"""Read a GGUF file back, and ask it through llama.cpp where that is installed for Python."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gguf
import numpy as np

_ROWS = 4  # Of each tensor; a damaged block shows in any.
_CONTEXT = 256


def read_back(path: Path) -> str:
    """Look at every tensor; the program that did. Raises ValueError for one that is not finite."""
    reader = gguf.GGUFReader(path)
    if not reader.tensors:
        raise ValueError(f"{path.name} holds no tensors.")
    for tensor in reader.tensors:
        rows = gguf.quants.dequantize(tensor.data[:_ROWS], tensor.tensor_type)
        if not np.isfinite(rows).all():
            raise ValueError(f"{tensor.name} of {path.name} holds NaN or infinity.")
    return f"gguf {version('gguf')} reader"


def answer_of(path: Path, prompt: str, tokens: int) -> tuple[str, str, int] | None:
    """The program, its greedy answer and how many tokens that has; None where there is none."""
    if importlib.util.find_spec("xllamacpp") is None:
        return None
    server = llama_server(path)
    body = {"prompt": prompt, "max_tokens": tokens, "temperature": 0.0}
    answer: dict[str, Any] = server.handle_completions(body)
    text = str(answer["choices"][0]["text"])
    return f"xllamacpp {version('xllamacpp')}", text, int(answer["usage"]["completion_tokens"])


def llama_server(path: Path) -> Any:
    """llama.cpp's own server code with this file, greedy, on the CPU."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = _CONTEXT
    params.n_gpu_layers = 0
    params.n_parallel = 1
    params.warmup = False
    params.sampling.temp = 0.0
    return xllamacpp.Server(params)
