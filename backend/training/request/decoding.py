"""How many answers a run decodes at once."""

from __future__ import annotations

from backend.training.request.method_fields import EnhancedStart

# A model reads all its weights for every token, of one answer or of many; more than these at once
# gain little, and each takes the memory of its keys and values.
FAST_ROWS = 16


def decoded_at_once(request: EnhancedStart) -> int:
    """Answers that are decoded together. The engine goes by the prompts of a batch; a group is
    decoded together with them here, as far as that is faster.
    """
    answers = request.method.answers(request.batch_size, request.group_size)
    if request.method.family == "online":  # The engine decodes both answers of all prompts.
        return answers
    return max(request.batch_size, min(answers, FAST_ROWS))
