"""Well-known data sets of the hub, with how their columns are read: the table behind the catalog.

Columns and forms are written down from memory of the cards. Rows and licence are given only where a
card says them, named beside the set, and are None elsewhere: the page shows "—". The hub's own
description, asked for before a download, is what counts.
"""

from __future__ import annotations

from typing import Literal

from backend.data.schemas import DataForm
from backend.downloads.hub_schemas import KnownForm, KnownSet
from backend.downloads.schemas import DatasetDownloadRequest

Topic = Literal["mathematics", "reasoning", "finance", "preference"]


def _as(to: DataForm, answer_after: str | None = None, **mapping: str) -> KnownForm:
    return KnownForm(to=to, mapping=mapping or None, answer_after=answer_after)


def _set(
    topic: Topic,
    repo_id: str,
    columns: str,
    *forms: KnownForm,
    split: str = "train",
    config: str | None = None,
    rows: int | None = None,
    license: str | None = None,
) -> KnownSet:
    return KnownSet(
        topic=topic,
        repo_id=repo_id,
        config=config,
        split=split,
        columns=columns.split(),
        forms=list(forms),
        rows=rows,
        license=license,
    )


KNOWN: tuple[KnownSet, ...] = (
    # 7,473 rows, MIT: card of allenai/RLVR-GSM-MATH-IF-Mixed-Constraints, which has them all.
    _set(
        "mathematics", "openai/gsm8k", "question answer",
        _as("completions", prompt="question", completion="answer"),
        _as("grpo", "####", prompt="question", answer="answer"),
        config="main", rows=7473, license="mit",
    ),
    _set(
        "mathematics", "EleutherAI/hendrycks_math", "problem level type solution",
        _as("completions", prompt="problem", completion="solution"),
        _as("grpo", "\\boxed{", prompt="problem", answer="solution"),
        config="algebra",
    ),
    _set(
        "mathematics", "HuggingFaceH4/MATH-500",
        "problem solution answer subject level unique_id",
        _as("completions", prompt="problem", completion="solution"),
        _as("grpo", prompt="problem", answer="answer"),
        split="test",
    ),
    _set(
        "mathematics", "nvidia/OpenMathInstruct-2",
        "problem generated_solution expected_answer problem_source",
        _as("completions", prompt="problem", completion="generated_solution"),
        _as("grpo", prompt="problem", answer="expected_answer"),
        split="train_1M",
    ),
    _set(
        "mathematics", "AI-MO/NuminaMath-CoT", "source problem solution messages",
        _as("completions", prompt="problem", completion="solution"),
        _as("grpo", "\\boxed{", prompt="problem", answer="solution"),
    ),
    _set(
        "mathematics", "meta-math/MetaMathQA", "query response type original_question",
        _as("completions", prompt="query", completion="response"),
        _as("grpo", "The answer is:", prompt="query", answer="response"),
    ),
    _set(
        "mathematics", "microsoft/orca-math-word-problems-200k", "question answer",
        _as("completions", prompt="question", completion="answer"),
    ),
    _set(
        "mathematics", "TIGER-Lab/MathInstruct", "source output instruction",
        _as("completions", prompt="instruction", completion="output"),
    ),
    _set(
        "reasoning", "open-r1/OpenR1-Math-220k", "problem solution answer messages",
        _as("chat", messages="messages"),
        _as("grpo", prompt="problem", answer="answer"),
    ),
    _set(
        "reasoning", "GAIR/LIMO", "question solution answer",
        _as("completions", prompt="question", completion="solution"),
        _as("grpo", prompt="question", answer="answer"),
    ),
    _set(
        "reasoning", "open-thoughts/OpenThoughts-114k", "system conversations",
        _as("chat", conversations="conversations", system="system"),
    ),
    _set(
        "reasoning", "bespokelabs/Bespoke-Stratos-17k", "system conversations",
        _as("chat", conversations="conversations", system="system"),
    ),
    _set(
        "finance", "Josephgflowers/Finance-Instruct-500k", "system user assistant",
        _as("chat", prompt="user", completion="assistant", system="system"),
    ),
    _set(
        "finance", "gbharti/finance-alpaca", "text instruction input output",
        _as("chat", instruction="instruction", input="input", output="output"),
    ),
    _set(
        "finance", "FinGPT/fingpt-sentiment-train", "input output instruction",
        _as("chat", instruction="instruction", input="input", output="output"),
    ),
    _set(
        "finance", "virattt/financial-qa-10K", "question answer context ticker filing",
        _as("chat", instruction="question", input="context", output="answer"),
    ),
    # Columns, rows and licence: its own card at commit daee4cf.
    _set(
        "preference", "HuggingFaceH4/ultrafeedback_binarized",
        "prompt prompt_id chosen rejected messages score_chosen score_rejected",
        _as("preference", prompt="prompt", chosen="chosen", rejected="rejected"),
        _as("chat", messages="messages"),
        split="train_prefs", rows=61_135, license="mit",
    ),
    _set(
        "preference", "argilla/ultrafeedback-binarized-preferences-cleaned",
        "source prompt chosen rejected",
        _as("preference", prompt="prompt", chosen="chosen", rejected="rejected"),
    ),
    _set(
        "preference", "Intel/orca_dpo_pairs", "system question chosen rejected",
        _as("preference", prompt="question", chosen="chosen", rejected="rejected", system="system"),
    ),
    _set(
        "preference", "argilla/distilabel-math-preference-dpo",
        "instruction chosen_response rejected_response",
        _as(
            "preference", prompt="instruction", chosen="chosen_response",
            rejected="rejected_response",
        ),
    ),
    _set(
        "preference", "jondurbin/truthy-dpo-v0.1", "id source system prompt chosen rejected",
        _as("preference", prompt="prompt", chosen="chosen", rejected="rejected", system="system"),
    ),
)  # fmt: skip


def complete(request: DatasetDownloadRequest) -> DatasetDownloadRequest:
    """The request with what the table knows of its set: where neither configuration nor split is
    named, those; and where a form is wanted without a mapping, how the columns are read.
    """
    known_set = next((each for each in KNOWN if each.repo_id == request.repo_id), None)
    if known_set is None:
        return request
    if request.config is None and request.split is None:
        request = request.model_copy(update={"config": known_set.config, "split": known_set.split})
    form = next((each for each in known_set.forms if each.to == request.to), None)
    if (
        form is None
        or request.mapping is not None
        or request.config not in (None, known_set.config)
    ):
        return request
    return request.model_copy(
        update={
            "mapping": form.mapping,
            "answer_after": request.answer_after or form.answer_after,
        }
    )
