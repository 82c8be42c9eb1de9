"""Answers as the routes show them."""

from __future__ import annotations

from backend.contract.answers import AnswerEnd
from backend.inference.schemas import AdapterDetails, InferenceAnswer, ModelAnswered
from backend.inference.types import Ask, Target

NO_ADAPTER = "none (base model)"  # As the reference app says it.


def present(target: Target, ask: Ask, question: str, text: str, done: AnswerEnd) -> InferenceAnswer:
    """A whole answer with who gave it, how it was asked and what it took."""
    parts = done.split(text)
    return InferenceAnswer(
        prompt=question,
        response=text,
        thoughts=parts.thoughts,
        answer=parts.answer,
        model_info=_answer(target, ask, done),
        stats=done.stats,
    )


def _answer(target: Target, ask: Ask, done: AnswerEnd) -> ModelAnswered:
    adapter = target.adapter
    warnings = list(adapter.warnings) if adapter else []
    if not done.chat_template_used and not ask.raw:
        warnings.append("The model has no chat template, so the text was sent unchanged.")
    if done.repeated_mark is not None:
        warnings.append(
            f"The prompt already holds {done.repeated_mark}, a mark of the model's chat template, "
            "which puts it around the prompt again. Send only the question, or set raw."
        )
    if 0 < done.max_tokens < ask.sampling.max_tokens:
        warnings.append(
            f"max_tokens {ask.sampling.max_tokens} is more than the context has room for; "
            f"{done.max_tokens} were allowed."
        )
    return ModelAnswered(
        base_model=target.model.name,
        adapter=adapter.name if adapter else NO_ADAPTER,
        adapter_type=adapter.type if adapter else "none",
        max_tokens=ask.sampling.max_tokens,
        temperature=ask.sampling.temperature,
        adapter_details=AdapterDetails(
            name=adapter.name if adapter else None,
            type=adapter.fine_tune_type if adapter else "none",
            warnings=warnings,
            chat_template_used=done.chat_template_used,
            checkpoint=adapter.checkpoint if adapter else None,
            scale=adapter.scale if adapter else None,
            path=str(adapter.path) if adapter else None,
        ),
    )
