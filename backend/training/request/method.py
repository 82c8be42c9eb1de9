"""What a training method is: the form of a row of the table in `methods_table.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.data.checks.method_rows import DataNeeds

Family = Literal["sft", "policy", "preference", "online"]
SelectBy = Literal["val_loss", "val_reward", "val_accuracy"]
Intensity = Literal["low", "medium", "high", "very high"]
# A model reads all its weights for every token, of one answer or of many; more than these at once
# gain little, and each takes the memory of its keys and values.
FAST_ROWS = 16
DATA_EXAMPLES: dict[DataNeeds, str] = {
    "sft": '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", …}]}',
    "prompt_answer": '{"prompt": "…", "answer": "…", "system": "…"}',
    "preference": '{"prompt": "…", "chosen": "…", "rejected": "…"}',
    "prompt": '{"prompt": "…"}',
    "next_token": '{"context_with_chat_template": "…", "rejected_decoded": "…", '
    '"multi_chosen_decoded": ["…"]}',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to train.

    `train_mode` is the engine's; `choices` limits fields to the values with which the method is
    still what its name says, the first being its own; `defaults` are fields whose default differs
    here; `suggested` is what the form starts with, where scripts rely on another default.
    `select_by` is what best adapter and early stopping go by. `estimated_speedup` stays None until
    measured.
    """

    id: str
    display_name: str
    description: str
    use_case: str
    badge: str | None
    stars: int
    resource_intensity: Intensity
    family: Family
    data_form: DataNeeds
    train_mode: str
    select_by: SelectBy
    params: tuple[str, ...]
    source: str
    choices: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    suggested: Mapping[str, Any] = field(default_factory=dict)
    needs_reference: bool = False
    least_batch: int = 1
    resumable: bool = True
    requires_reasoning_chains: bool = False
    estimated_speedup: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def engine(self) -> Literal["sft", "rl"]:
        """The module of `backend.engines` that runs it."""
        return "sft" if self.family == "sft" else "rl"

    @property
    def generates(self) -> bool:
        """Whether completions are sampled while training."""
        return self.family in {"policy", "online"}

    def answers(self, batch_size: int, group_size: int) -> int:
        """What a step learns from: the answers it samples, or its rows where it samples none."""
        if self.family == "online":
            return 2 * batch_size
        return batch_size * group_size if "group_size" in self.params else batch_size

    def decoded_at_once(self, batch_size: int, group_size: int) -> int:
        """Answers that are decoded together. The engine goes by the prompts of a batch; a group is
        decoded together with them here, as far as that is faster.
        """
        answers = self.answers(batch_size, group_size)
        if self.family == "online":  # The engine decodes both answers of all prompts.
            return answers
        return max(batch_size, min(answers, FAST_ROWS))

    @property
    def rewarded(self) -> bool:
        """Whether reward functions may judge its answers; online methods can have a judge model
        instead.
        """
        return "reward_functions" in self.params
