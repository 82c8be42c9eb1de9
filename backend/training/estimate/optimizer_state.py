"""The optimizer's state: how many numbers it keeps for each trained one. Pure.

Of memory and of what a checkpoint weighs; measured in tests/engines/trainer/test_optimizer.py.
"""

from __future__ import annotations

from backend.training.request.start_request import StartRequest

_COPIES = {"adam": 2, "adamw": 2, "muon": 1, "sgd": 1}


def state_copies(request: StartRequest) -> float:
    """Copies of the trained weights. Adafactor keeps a row and a column of each matrix: of an
    adapter's, one side of which is the rank, about one number in `rank`; of a whole one next to
    none. With a mean of the gradients (beta1) it keeps that too.
    """
    if request.optimizer != "adafactor":
        return _COPIES[request.optimizer]
    factored = 0.0 if request.fine_tune_type == "full" else 1 / request.lora_rank
    return factored + (0 if request.beta1 is None else 1)
