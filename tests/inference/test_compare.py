"""What each target of a comparison is asked, and whether one batch can answer all."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from backend.inference.compare import plan_for
from backend.inference.requests import CompareRequest
from backend.inference.types import Target
from backend.models.catalog import ModelCatalog
from backend.settings import Settings
from tests.adapters.folders import base

FIRST = {"role": "user", "content": "Who are you?"}
LAST = {"role": "user", "content": "And then?"}


@pytest.fixture
def target(settings: Settings) -> Target:
    base(settings.models_dirs[0] / "small")
    return Target(model=ModelCatalog(settings).find("small"))


def request(*own: str, **more: Any) -> CompareRequest:
    """Two targets that answered the first question differently."""
    targets = [
        {
            "model_name": "demo",
            "messages": [FIRST, {"role": "assistant", "content": text}, LAST],
        }
        for text in own
    ]
    return CompareRequest.model_validate({"prompt": "And then?", "targets": targets, **more})


def test_each_target_continues_its_own_conversation(target: Target) -> None:
    asks = request("A model.", "A captain!", system="Be short.").asks()

    assert [ask.messages[1]["content"] for ask in asks if ask.messages] == [
        "A model.",
        "A captain!",
    ]
    assert {(ask.prompt, ask.system) for ask in asks} == {(None, "Be short.")}
    plan = plan_for([target] * 2, asks, together=True)
    assert (plan.mode, plan.reason) == ("in_turn", "Each target continues its own conversation.")


def test_the_same_conversation_can_share_a_batch(target: Target) -> None:
    asks = request("A model.", "A model.").asks()
    assert plan_for([target] * 2, asks, together=True).mode == "batch"


def test_a_conversation_goes_through_the_template() -> None:
    with pytest.raises(ValidationError, match="raw needs a prompt"):
        request("A model.", raw=True)
