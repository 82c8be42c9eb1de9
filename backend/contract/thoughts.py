"""A model's thoughts and its answer: the marks of the model families, and the text taken apart.

Whatever judges an answer judges what stands behind the thoughts: metrics, rewards, judges, pages.
Plain text in and out, no engine.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marks:
    """The texts around one block of thoughts, and those around the answer behind it, if any."""

    open: str
    close: str
    family: str = ""
    answer_open: tuple[str, ...] = ()
    answer_close: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """`thoughts` is None where the text has none; `answer` is empty where they did not end."""

    thoughts: str | None
    answer: str


FAMILIES: Sequence[Marks] = (
    Marks("<think>", "</think>", "Qwen3, DeepSeek R1, QwQ, SmolLM3, GLM"),
    Marks("<thinking>", "</thinking>", "prompted thinking"),
    Marks("<thought>", "</thought>", "prompted thinking"),
    Marks("<reasoning>", "</reasoning>", "GRPO recipes"),
    Marks("<seed:think>", "</seed:think>", "Seed-OSS"),
    Marks("<longcat_think>", "</longcat_think>", "LongCat"),
    Marks("[THINK]", "[/THINK]", "Magistral"),
    Marks("◁think▷", "◁/think▷", "Kimi-VL"),
    Marks("<|think:start|>", "<|think:end|>", "marks of mlx_lm"),
    Marks("<|open|>think<|sep|>", "<|close|>think<|sep|>", "marks of mlx_lm"),
    Marks("<|channel>thought", "<channel|>", "Gemma 4"),
    Marks("<unused94>thought", "<unused95>", "MedGemma"),
    Marks(
        "<|channel|>analysis<|message|>", "<|end|>", "gpt-oss (Harmony)",
        ("<|start|>assistant<|channel|>final<|message|>", "<|channel|>final<|message|>",
         "<|start|>assistant"),
        ("<|return|>", "<|end|>"),
    ),
    Marks(
        "<|START_THINKING|>", "<|END_THINKING|>", "Command A",
        ("<|START_RESPONSE|>", "<|START_TEXT|>"), ("<|END_RESPONSE|>", "<|END_TEXT|>"),
    ),
    Marks(
        "<|begin_of_thought|>", "<|end_of_thought|>", "OpenThinker, Sky-T1",
        ("<|begin_of_solution|>",), ("<|end_of_solution|>",),
    ),
    Marks(
        "Here is my thought process:", "Here is my response:", "Granite 3.2",
    ),
)  # fmt: skip

# A pair that a template or vocabulary names itself: <my_thoughts> with </my_thoughts>, [X] with
# [/X]. The word is what tells a block of thoughts from any other.
_WORD = r"[\w:|-]*(?:think|thought|reason)[\w:|-]*"
_TAG = re.compile(rf"<({_WORD})>|\[({_WORD})\]", re.IGNORECASE)


def split_thoughts(text: str, *, own: Sequence[Marks] = (), opened: str | None = None) -> Split:
    """The thoughts at the beginning of a text, and the answer behind them.

    `own` are marks of this model beside the families', from `marks_of`. `opened` is the mark that
    the prompt ended with, as many templates open the block themselves. Several blocks in a row are
    all thoughts; a closing mark whose opening one was part of the prompt ends them too.
    """
    marks = (*own, *FAMILIES)
    rest, thoughts, last = text, [], None
    if opened is not None and not rest.lstrip().startswith(opened):
        rest = opened + rest
    while (opening := _opening(rest, marks)) is not None:
        inner, closed, behind = rest.lstrip()[len(opening.open) :].partition(opening.close)
        thoughts.append(inner.strip())
        last, rest = opening, behind if closed else ""
        if opening.answer_open:
            rest = _without_lead(rest, opening)
    if last is None and (unopened := _closing(rest, marks)) is not None:
        inner, _, rest = rest.partition(unopened.close)
        thoughts.append(inner.strip())
        last = unopened
    if last is None:
        bare = _answer_alone(text, marks)
        return Split(None, text if bare is None else bare)
    return Split("\n\n".join(part for part in thoughts if part), _bare(rest, last))


def answer_of(text: str, *, own: Sequence[Marks] = (), opened: str | None = None) -> str:
    """The text without its thoughts."""
    return split_thoughts(text, own=own, opened=opened).answer


def marks_of(template: str | None, tokens: Collection[str] = ()) -> tuple[Marks, ...]:
    """Marks that a chat template or a vocabulary names and that no family here has."""
    texts = {mark for each in FAMILIES for mark in (each.open, each.close)}
    marks: dict[str, Marks] = {}
    text = template or ""
    names = {match.group() for match in _TAG.finditer(text)}
    names |= {token for token in tokens if _TAG.fullmatch(token)}
    for name in sorted(names):
        close = f"{name[0]}/{name[1:]}"
        if name not in texts and (close in text or close in tokens):
            marks[name] = Marks(name, close, "named by the model")
    return tuple(marks.values())


def opened_by(prompt: str, *, own: Sequence[Marks] = ()) -> str | None:
    """The opening mark that a rendered prompt ends with, if it does."""
    end = prompt.rstrip()
    return next((each.open for each in (*own, *FAMILIES) if end.endswith(each.open)), None)


def _opening(text: str, marks: Sequence[Marks]) -> Marks | None:
    begin = text.lstrip()
    return next((each for each in marks if begin.startswith(each.open)), None)


def _closing(text: str, marks: Sequence[Marks]) -> Marks | None:
    """The closing mark that stands first in a text without its opening one."""
    there = [
        (text.find(each.close), at)
        for at, each in enumerate(marks)
        # Of Harmony's the closing mark ends an answer as well.
        if each.close in text and each.open not in text and not each.answer_open
        and not each.close.startswith("Here is")
    ]  # fmt: skip
    return marks[min(there)[1]] if there else None


def _without_lead(text: str, marks: Marks) -> str:
    begin = text.lstrip()
    for lead in marks.answer_open:
        if begin.startswith(lead):
            return begin[len(lead) :]
    return text


def _bare(text: str, marks: Marks) -> str:
    answer = text.strip()
    for tail in marks.answer_close:
        answer = answer.removesuffix(tail).rstrip()
    return answer


def _answer_alone(text: str, marks: Sequence[Marks]) -> str | None:
    """An answer in the marks of one that thought, where it did not think."""
    for each in marks:
        inside = _without_lead(text, each)
        if each.answer_open and inside is not text:
            return _bare(inside, each)
    return None
