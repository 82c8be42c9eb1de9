"""The formats of an export, as data, and the programs that take one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from backend.contract.export.request import ExportFormat
from backend.export.schemas import ProgramInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """`requires` names what else is needed, in words."""

    id: ExportFormat
    name: str
    description: str
    extension: str
    requires: str | None = None


FORMATS: tuple[Format, ...] = (
    Format(
        id="merged",
        name="Merged model",
        description="The adapter merged into its base, not quantised. For mlx_lm and transformers.",
        extension=".safetensors",
    ),
    Format(
        id="merged_q8",
        name="Merged model, 8 bits",
        description="About half the size of 16 bits, nearly the same answers. For mlx_lm.",
        extension=".safetensors",
    ),
    Format(
        id="merged_q4",
        name="Merged model, 4 bits",
        description="About a quarter of 16 bits; a small change may be rounded away (measured).",
        extension=".safetensors",
    ),
    Format(
        id="peft",
        name="PEFT adapter",
        description="The adapter alone, as transformers and PEFT load it beside the base.",
        extension=".safetensors",
    ),
    Format(
        id="gguf_f16",
        name="GGUF, 16 bits",
        description="One file for llama.cpp, Ollama and LM Studio, not quantised.",
        extension=".gguf",
    ),
    Format(
        id="gguf_q8",
        name="GGUF, 8 bits",
        description="About half the size of 16 bits, nearly the same answers.",
        extension=".gguf",
    ),
    Format(
        id="gguf_q5",
        name="GGUF, 5 bits",
        description="Q5_K_M with llama.cpp's llama-quantize, else Q5_0.",
        extension=".gguf",
        requires="llama-quantize on PATH for Q5_K_M",
    ),
    Format(
        id="gguf_q4",
        name="GGUF, 4 bits",
        description="The smallest. Q4_K_M with llama.cpp's llama-quantize, else Q4_0.",
        extension=".gguf",
        requires="llama-quantize on PATH for Q4_K_M",
    ),
)
BY_ID = {one.id: one for one in FORMATS}

# Where LM Studio looks for models, newest version first.
_LM_STUDIO = (".lmstudio/models", ".cache/lm-studio/models")


def programs(home: Path | None = None) -> list[ProgramInfo]:
    """Ollama and LM Studio, as far as they are on this machine."""
    ollama, folder = shutil.which("ollama"), lm_studio_folder(home)
    return [
        ProgramInfo(
            id="ollama",
            name="Ollama",
            available=ollama is not None,
            reason=None if ollama else "ollama is not on the PATH: install it from ollama.com.",
            path=ollama,
        ),
        ProgramInfo(
            id="lm_studio",
            name="LM Studio",
            available=folder is not None,
            reason=None
            if folder
            else "There is no LM Studio model folder (~/.lmstudio/models): install LM Studio and "
            "open it once.",
            path=str(folder) if folder else None,
        ),
    ]


def lm_studio_folder(home: Path | None = None) -> Path | None:
    """Its folder of models, if it is there."""
    places = ((home or Path.home()) / place for place in _LM_STUDIO)
    return next((place for place in places if place.is_dir()), None)
