"""What a field of a start request tells the form: its card, level and unit, and when it applies.

The mark `when`, such as `{"optimizer": ["adam", "adamw"]}`, says where a field has an effect: each
field that it names must have one of those values. Elsewhere the form hides the field; an option of
another optimizer is refused too (`training/plan/checks.py`).
"""

from __future__ import annotations

from typing import Any

When = dict[str, list[Any]]
ADAPTERS: When = {"fine_tune_type": ["lora", "dora"]}


def form(
    group: str, *, level: str = "simple", unit: str | None = None, when: When | None = None
) -> dict[str, Any]:
    """The card `group`, shown in Simple or only in Advanced. The group `run` has no card: its
    fields have places of their own, or are a question at the start. `ranks` is the card of a run of
    several processes.
    """
    extra = {"unit": unit, "when": when}
    return {"group": group, "level": level, **{key: item for key, item in extra.items() if item}}


def texts(group: str) -> dict[str, Any]:
    """A list of texts of several lines, each with a box of its own."""
    return {**form(group), "texts": True}


def only(*optimizers: str, **more: list[Any]) -> dict[str, Any]:
    """An option of those optimizers."""
    return form("parameters", level="advanced", when={"optimizer": list(optimizers), **more})
