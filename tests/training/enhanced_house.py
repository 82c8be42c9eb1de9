"""A house whose manager plans enhanced runs without a child: tokens and rewards are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from backend.errors import FieldProblem, Invalid, NotTrusted
from backend.jobs.run.recipe import Recipe
from backend.training.manager import TrainingManager
from backend.training.request.method_fields import EnhancedStart
from backend.training.request.reward_names import names_of
from backend.training.rewards.schemas import ResolvedReward
from backend.training.rewards.service import Rewards
from tests.training.requests import write_rows
from tests.training.test_manager import House

GRPO = {"prompt": "2 + 2?", "answer": "4", "system": "Count."}
NEXT_TOKEN = {
    "context_with_chat_template": "2 + 2 is ", "rejected_decoded": "5",
    "multi_chosen_decoded": ["4"],
}  # fmt: skip
PAIR = {"prompt": "Is a peach a fruit?", "chosen": "Ahoy, yes.", "rejected": "Yes."}


class FakeRewards:
    """Knows every name but `nope`, of which `number_match` needs an answer; trusts every file but
    `strange.py`.
    """

    @property
    def trusted(self) -> FakeRewards:
        return self

    def require(self, path: str) -> str:
        if path.endswith("strange.py"):
            raise NotTrusted(f"{path} has not been trusted, so its functions are not run.")
        return "0" * 64

    async def check(
        self, names: str, *, weights: list[float] | None = None, file: str | None = None
    ) -> list[ResolvedReward]:
        named = names_of(names)
        if "nope" in named:
            text = "There is no reward function nope."
            raise Invalid(text, errors=[FieldProblem("reward_functions", text)])
        if weights is not None and len(weights) != len(named):
            text = f"{len(named)} reward functions have {len(weights)} weights."
            raise Invalid(text, errors=[FieldProblem("reward_weights", text)])
        return [
            ResolvedReward(
                name=name, source="app", weight=weight, minimum=0.0,
                maximum=None if name == "open_end" else 1.0,
                needs=["answer"] if name == "number_match" else [],
            )
            for name, weight in zip(named, weights or [1.0] * len(named), strict=True)
        ]  # fmt: skip


class EnhancedHouse(House):
    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.prompts = write_rows(root / "prompts.jsonl", 20, GRPO)
        self.pairs = write_rows(root / "pairs.jsonl", 20, PAIR)
        self.tokens = write_rows(root / "tokens.jsonl", 20, NEXT_TOKEN)
        self.manager = TrainingManager(
            self.context,
            cast(Any, self.supervisor),
            queue=self.queue,
            rewards=cast(Rewards, FakeRewards()),
        )

    def enhanced(self, method: str = "grpo", **fields: Any) -> EnhancedStart:
        rows = {"sft": self.rows, "ftpo": self.tokens}.get(method, self.prompts)
        if method in {"dpo", "orpo", "cpo", "dsla"}:
            rows = self.pairs
        known = {
            "training_method": method,
            "model_path": "tiny",
            "train_data_path": str(rows),
            "max_completion_length": 32,
        }
        return EnhancedStart.model_validate(known | fields)

    async def recipe(self, method: str = "grpo", **fields: Any) -> Recipe:
        """What the supervisor was handed for such a start."""
        await self.manager.start(self.enhanced(method, **fields), idempotency_key=None)
        return self.supervisor.started.pop()
