"""One run as a document: how it ended, its numbers and curves, its settings, and how to repeat it.

As HTML in one file that prints well, or as Markdown with the charts as pictures inside.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Literal

from backend.jobs.run.reward_numbers import SampleData
from backend.jobs.run.schemas import Series, SessionRecord
from backend.jobs.run.store import SessionStore
from backend.results.report_chart import Curve, draw_chart

ReportForm = Literal["html", "markdown"]
Rows = Sequence[tuple[str, str]]
MOST_POINTS = 2000
_SAMPLES = 6
_NONE = "—"
# Each chart: its title, the columns that it draws, and their names.
_CHARTS = (
    ("Loss", (("train", "train_loss", "Training"), ("validation", "val_loss", "Validation"))),
    ("Reward", (("train", "avg_reward", "Training"), ("validation", "val_reward", "Validation"))),
    ("Accuracy of pairs", (("train", "accuracy", "Training"),
                           ("validation", "val_accuracy", "Validation"))),
    ("Learning rate", (("train", "learning_rate", "Learning rate"),)),
    ("Tokens per second", (("train", "tokens_per_second", "Tokens per second"),)),
)  # fmt: skip
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #777 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { margin-bottom: .2rem } h2 { margin-top: 2rem; border-bottom: 1px solid var(--line) }
p.soft { color: var(--soft); margin: 0 } figure { margin: 1rem 0 }
table { border-collapse: collapse; width: 100% } th { text-align: left; font-weight: 500 }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere } th { width: 16rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8881; padding: .75rem }
svg { width: 100%; height: auto } @media print { body { margin: 0 } h2 { break-after: avoid } }
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what is below it: rows, charts or quoted texts."""

    title: str
    rows: Rows = ()
    charts: Sequence[tuple[str, str]] = ()  # Title and SVG.
    texts: Sequence[tuple[str, str]] = ()


def write_report(store: SessionStore, session_id: str, form: ReportForm) -> str:
    """The document. Blocking. Raises NotFound, or BadContent where the record is damaged."""
    record = store.record(session_id)
    series = store.series(session_id, 0, MOST_POINTS)
    sections = list(_sections(record, series, store.samples(session_id)))
    title = record.title or session_id
    ending = record.exit.message if record.exit else f"The run is {record.state}."
    return (_as_html if form == "html" else _as_markdown)(title, ending, sections)


def _sections(
    record: SessionRecord, series: Series, samples: Sequence[SampleData]
) -> Iterable[Section]:
    charts = [(title, svg) for title, columns in _CHARTS if (svg := _chart(series, columns))]
    if charts:
        yield Section("Curves", charts=charts)
    yield Section("Run", rows=_run_rows(record))
    yield Section("Result", rows=_result_rows(record))
    if record.alerts:
        alerts = [
            (f"{alert.level}{'' if alert.step is None else f', iteration {alert.step}'}",
             " ".join(filter(None, (alert.message, alert.hint))))
            for alert in record.alerts
        ]  # fmt: skip
        yield Section("Warnings", rows=alerts)
    if record.data is not None:
        yield Section("Data", rows=_data_rows(record))
    yield Section("Settings", rows=[(key, _text(v)) for key, v in sorted(record.config.items())])
    if samples:
        yield Section("Last answers", texts=[_sample(one) for one in samples[-_SAMPLES:]])
    repeat = [("Command", record.command)] if record.command else []
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    yield Section("To repeat it", rows=[("Versions", versions or _NONE)], texts=repeat)


def _run_rows(record: SessionRecord) -> Rows:
    lora = record.lora
    return [
        ("Session", record.session_id),
        ("Name", record.title or _NONE),
        ("State", record.state),
        ("Health", record.health or _NONE),
        ("Method", record.method),
        ("Base model", record.model.path if record.model else _NONE),
        ("Trainable parameters", f"{lora.trainable_parameters:,} of {lora.total_parameters:,} "
         f"({lora.percent:.3g} %)" if lora else _NONE),
        ("Adapter", record.adapter_path or _NONE),
        ("Started", _time(record.started_at)),
        ("Ended", _time(record.ended_at)),
        ("Tags", ", ".join(record.tags) or _NONE),
        ("Notes", record.notes or _NONE),
    ]  # fmt: skip


def _result_rows(record: SessionRecord) -> Rows:
    best = record.best_model
    rows = [("Best", f"{best.metric} {best.value:.6g} at iteration {best.step}" if best else _NONE)]
    numbers = {k: v for k, v in record.metrics.items() if isinstance(v, int | float) and v == v}
    return rows + [(name, _number(value)) for name, value in sorted(numbers.items())]


def _data_rows(record: SessionRecord) -> Rows:
    data = record.data
    files = [(n, getattr(data, n)) for n in ("train", "valid", "test")] if data else []
    return [("Format", (data and data.format) or _NONE)] + [
        (name, f"{file.path}: {file.rows:,} rows, {file.skipped:,} left out, SHA256 {file.sha256}")
        for name, file in files
        if file is not None
    ]


def _chart(series: Series, columns: Iterable[tuple[str, str, str]]) -> str | None:
    curves = []
    for kind, column, name in columns:
        table: dict[str, list[float | None]] = getattr(series, kind)
        points = [
            (x, y)
            for x, y in zip(table.get("step", []), table.get(column, []), strict=False)
            if x is not None and y is not None
        ]
        if points:
            curves.append(Curve(name, points))
    return draw_chart(curves) if curves else None


def _sample(sample: SampleData) -> tuple[str, str]:
    return f"Iteration {sample.step}", f"{sample.prompt}\n\n→ {sample.text}"


def _as_html(title: str, ending: str, sections: Sequence[Section]) -> str:
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f"<h1>{escape(title)}</h1><p class=soft>{escape(ending)}</p>",
    ]
    for section in sections:
        parts.append(f"<h2>{escape(section.title)}</h2>")
        parts += [
            f"<figure><figcaption>{escape(name)}</figcaption>{svg}</figure>"
            for name, svg in section.charts
        ]
        if section.rows:
            rows = (f"<tr><th>{escape(k)}<td>{escape(v)}" for k, v in section.rows)
            parts.append(f"<table>{''.join(rows)}</table>")
        parts += [f"<p>{escape(k)}</p><pre>{escape(v)}</pre>" for k, v in section.texts]
    return "\n".join(parts) + "\n"


def _as_markdown(title: str, ending: str, sections: Sequence[Section]) -> str:
    parts = [f"# {_cell(title)}", ending]
    for section in sections:
        parts.append(f"## {section.title}")
        for name, svg in section.charts:
            data = base64.b64encode(svg.encode()).decode()
            parts.append(f"![{name}](data:image/svg+xml;base64,{data})")
        if section.rows:
            rows = [f"| {_cell(k)} | {_cell(v)} |" for k, v in section.rows]
            parts.append("\n".join(["| | |", "|---|---|", *rows]))
        parts += [f"{_cell(k)}\n\n{_indented(v)}" for k, v in section.texts]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _indented(text: str) -> str:
    """A code block that nothing in the text can end."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def _time(at: datetime | None) -> str:
    return at.isoformat(sep=" ", timespec="seconds") if at else _NONE


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _text(value: Any) -> str:
    if value is None or value == "":
        return _NONE
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
