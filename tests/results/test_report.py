"""A run as a document: what it holds in both forms, and that nothing of a run becomes code."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from backend.core.disk.files import append_jsonl
from backend.errors import NotFound
from backend.jobs.run.schemas import SessionRecord
from backend.jobs.run.state import RunState
from backend.jobs.run.store import SessionStore
from backend.results.report import write_report
from backend.results.report_chart import Curve, draw_chart, ticks

NAME = "a<b> | c"


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    made = SessionStore(tmp_path / "sessions", tmp_path / "adapters")
    made.open()
    state = RunState.COMPLETED
    made.save(
        SessionRecord(
            session_id="one", timestamp=datetime(2026, 1, 1, tzinfo=UTC), training_state=state,
            state=state, method="sft", name=NAME, command="python -m mlx_lm lora --config x",
            config={"adapter_name": "mine", "learning_rate": 1e-4, "lora_keys": ["q", "v"]},
            metrics={"train_loss": 0.25, "trained_tokens": 12345, "val_loss": None},
            best_model={"step": 20, "path": "x", "val_loss": 0.75, "value": 0.75},
        )
    )  # fmt: skip
    made.folder("one").mkdir(parents=True, exist_ok=True)
    for seq, (step, loss) in enumerate([(10, 2.0), (20, 0.5)], start=1):
        append_jsonl(
            made.folder("one") / "events.jsonl",
            {"seq": seq, "at": "2026-01-01T00:00:00+00:00", "type": "metrics", "step": step,
             "train_loss": loss, "learning_rate": 1e-4},
        )  # fmt: skip
    return made


def pictures(text: str) -> Sequence[ElementTree.Element]:
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    return [ElementTree.fromstring(svg) for svg in drawings]  # noqa: S314 - our own


def test_a_report_is_one_page_with_curves_numbers_settings_and_the_command(
    store: SessionStore,
) -> None:
    page = write_report(store, "one", "html")

    assert "<title>a&lt;b&gt; | c</title>" in page
    assert "<b>" not in page
    assert "<tr><th>train_loss<td>0.25" in page
    assert "<tr><th>trained_tokens<td>12,345" in page
    assert '<tr><th>lora_keys<td>["q", "v"]'.replace('"', "&quot;") in page
    assert "<pre>python -m mlx_lm lora --config x</pre>" in page
    loss, _rate = pictures(page)
    line = loss.find("{http://www.w3.org/2000/svg}polyline")
    assert line is not None
    assert len(line.attrib["points"].split()) == 2
    assert "http" not in re.sub(r'xmlns="[^"]+"', "", page)  # Nothing is fetched.


def test_the_same_as_markdown_has_the_curves_as_pictures(store: SessionStore) -> None:
    text = write_report(store, "one", "markdown")

    assert text.startswith("# a&lt;b> \\| c\n")
    assert "| train_loss | 0.25 |" in text
    svgs = re.findall(r"!\[(.+)\]\(data:image/svg\+xml;base64,(.+)\)", text)
    assert [name for name, _ in svgs] == ["Loss", "Learning rate"]
    assert len(pictures(base64.b64decode(svgs[0][1]).decode())) == 1


def test_a_run_without_reports_has_a_report_all_the_same(store: SessionStore) -> None:
    (store.folder("one") / "events.jsonl").unlink()

    assert "<h2>Settings</h2>" in write_report(store, "one", "html")
    with pytest.raises(NotFound):
        write_report(store, "two", "html")


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (3.0, 3.0), (0.0, 0.0), (-2.5, 0.3), (1e-5, 3e-5), (0, 100_000)]
)
def test_an_axis_covers_its_values_in_a_few_round_steps(low: float, high: float) -> None:
    marks = ticks(low, high)

    assert marks[0] <= low
    assert marks[-1] >= high
    assert 2 <= len(marks) <= 8


def test_names_in_a_chart_are_text() -> None:
    (picture,) = pictures(draw_chart([Curve("<x>", [(1.0, 2.0)])]))
    assert "<x>" in "".join(picture.itertext())
