"""Token counts through the real child, against the engine's own counting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.errors import BadContent
from backend.settings import read_settings
from backend.training.run_data.files import DataFiles
from backend.training.run_data.prepare import plan_data
from backend.training.run_data.rendered_files import Rendering
from backend.training.run_data.token_counts import TokenCounter, TokenCounts
from tests.training.requests import model, request, write_rows

pytestmark = pytest.mark.engine

# ChatML in the tiny model's bytes: "<|im_start|>", "user\n", text, "<|im_end|>", "\n".
FRAME_USER, FRAME_ASSISTANT = 1 + 5 + 1 + 1, 1 + 10 + 1 + 1


async def counted(root: Path, folder: Path, rows: Any, **fields: Any) -> TokenCounts:
    path = write_rows(root / "rows.jsonl", rows)
    asked = request(train_data_path=str(path), val_data_path=str(path), **fields)
    plan = plan_data(asked, DataFiles(), chat_template=True)
    counter = TokenCounter(read_settings(data_dir=str(root)))
    return told(await counter.count(model(path=str(folder)), plan, mask=asked.mask_prompt))


def told(counts: TokenCounts | Rendering) -> TokenCounts:
    assert isinstance(counts, TokenCounts)
    return counts


async def test_rows_are_counted_with_the_models_own_template(
    tmp_path: Path, tiny_model: Path
) -> None:
    rows = [{"prompt": "abc", "answer": "de"}, {"prompt": "a", "answer": "d"}]

    counts = await counted(tmp_path, tiny_model, rows, mask_prompt=True)

    assert counts.lengths == (
        FRAME_USER + 3 + FRAME_ASSISTANT + 2,
        FRAME_USER + FRAME_ASSISTANT + 2,
    )
    assert counts.starts == (FRAME_USER + 3 + 11, FRAME_USER + 1 + 11)
    assert counts.over(25) == 1
    assert counts.without_target(20) == 2


async def test_rows_of_any_kind_of_file_are_counted_as_the_run_gets_them(
    tmp_path: Path, tiny_model: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("instruction,output,id\nabc,de,1\na,d,2\n")
    plan = plan_data(
        request(train_data_path=str(path), val_data_path=str(path)), DataFiles(), chat_template=True
    )
    counter = TokenCounter(read_settings(data_dir=str(tmp_path)))

    counts = told(await counter.count(model(path=str(tiny_model)), plan, mask=False))

    assert counts.lengths == (
        FRAME_USER + 3 + FRAME_ASSISTANT + 2,
        FRAME_USER + FRAME_ASSISTANT + 2,
    )


@pytest.mark.parametrize("held_out", [False, True])
async def test_validation_rows_are_counted_too_where_that_is_asked(
    tmp_path: Path, tiny_model: Path, held_out: bool
) -> None:
    rows = [{"prompt": "abc" * n, "answer": "de"} for n in range(1, 5)]
    valid = write_rows(tmp_path / "valid.jsonl", [{"prompt": "a" * 50, "answer": "d"}])
    asked = request(
        train_data_path=str(write_rows(tmp_path / "rows.jsonl", rows)),
        val_data_path="" if held_out else str(valid),
    )
    plan = plan_data(asked, DataFiles(), chat_template=True)
    counter = TokenCounter(read_settings(data_dir=str(tmp_path)))

    counts = told(await counter.count(model(path=str(tiny_model)), plan, mask=False))

    frame = FRAME_USER + FRAME_ASSISTANT
    if held_out:
        (row,) = plan.held_out
        assert counts.valid == (frame + 3 * (row + 1) + 2,)
        assert len(counts.lengths) == 3
    else:
        assert counts.valid == (frame + 50 + 1,)


async def test_rows_that_the_template_refuses_are_told_before_a_run(
    tmp_path: Path, tiny_model: Path
) -> None:
    settings = tiny_model / "tokenizer_config.json"
    before = settings.read_text()
    settings.write_text(before.replace("{% for", "{{ raise_exception('Roles!') }}{% for"))
    try:
        with pytest.raises(BadContent, match="Roles!"):
            await counted(tmp_path, tiny_model, 2)
    finally:
        settings.write_text(before)
