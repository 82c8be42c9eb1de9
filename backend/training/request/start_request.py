"""The request of a start, whichever tab sends it: what the way to a run is written against."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated

from pydantic import Field

from backend.training.request.common_fields import CommonFields
from backend.training.request.form_hints import form, texts
from backend.training.request.method import Method

MOST_SAMPLE_PROMPTS = 8
LONGEST_SAMPLE_PROMPT = 4000  # Characters.

SamplePrompt = Annotated[str, Field(max_length=LONGEST_SAMPLE_PROMPT, pattern=r"\S")]


class StartRequest(CommonFields):
    """A start by a row of the method table. Its two spellings are StandardStart, of which `method`
    is always SFT, and EnhancedStart, which names it; each adds the fields of its own engine.
    """

    sample_prompts: list[SamplePrompt] = Field(
        [],
        max_length=MOST_SAMPLE_PROMPTS,
        title="Sample prompts",
        description="Answered at each validation, to watch the model change.",
        json_schema_extra=texts("samples"),
    )
    sample_max_tokens: int = Field(
        128,
        ge=1,
        le=2048,
        title="Longest answer",
        description="Tokens of an answer. Writing answers adds to the time of each validation.",
        json_schema_extra=form("samples", unit="tokens"),
    )

    @property
    @abstractmethod
    def method(self) -> Method:
        """How to train."""

    @property
    def effective_scale(self) -> float:
        """The factor on the LoRA branch: y = Wx + scale · (xA)B, as mlx_lm.tuner.lora has it."""
        match self.lora_scaling:
            case "mlx":
                return self.lora_alpha
            case "alpha_over_rank":
                return self.lora_alpha / self.lora_rank
            case "rslora":
                return self.lora_alpha / math.sqrt(self.lora_rank)

    @property
    def peft_alpha(self) -> float:
        """The `lora_alpha` that gives the same multiplier in PEFT, where scale = alpha / rank."""
        return self.effective_scale * self.lora_rank
