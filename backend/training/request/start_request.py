"""The request of a start, whichever tab sends it: what the way to a run is written against."""

from __future__ import annotations

import math
from abc import abstractmethod

from backend.training.request.common_fields import CommonFields
from backend.training.request.method import Method


class StartRequest(CommonFields):
    """A start by a row of the method table. Its two spellings are StandardStart, of which `method`
    is always SFT, and EnhancedStart, which names it; each adds the fields of its own engine.
    """

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
