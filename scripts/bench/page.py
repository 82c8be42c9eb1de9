"""The page of benchmarks: a head that one command writes, and a section for each other one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from scripts.bench.measures import Measure
from scripts.setup.stamps import CHECKOUT

PAGE = CHECKOUT / "docs" / "benchmarks.md"
_DIGITS = {"×": 3, "s": 3, "ms": 1}


def with_head(text: str, head: str) -> str:
    """The page with everything before its first section replaced."""
    _, mark, sections = text.partition("\n## ")
    return head + mark + sections


def with_section(text: str, title: str, body: str) -> str:
    """The page with the section of this title replaced, or added at its end."""
    section = f"## {title}\n\n{body.strip()}\n"
    there = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if there.search(text) is None:
        return f"{text.rstrip()}\n\n{section}"
    return there.sub(lambda _: f"{section}\n", text).rstrip() + "\n"


def write_section(title: str, body: str, page: Path = PAGE) -> None:
    page.write_text(with_section(page.read_text(encoding="utf-8"), title, body), encoding="utf-8")
    print(f"  wrote {title} of {page.name}")


def shown_value(measure: Measure) -> str:
    return f"{measure.value:.{_DIGITS.get(measure.unit, 0)}f} {measure.unit}"


def table(measures: Sequence[Measure]) -> str:
    """Markdown, a row each."""
    rows = [
        f"| {m.name} | {shown_value(m)} | {'≥' if m.at_least else '≤'} {m.limit:g} {m.unit} | "
        f"{'yes' if m.good else '**no**'} | {m.detail} |"
        for m in measures
    ]
    head = ["| measure | result | limit | met | how |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"
