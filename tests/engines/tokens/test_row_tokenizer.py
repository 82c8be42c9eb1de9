"""What is encoded once for many callers are the tokens that the tokenizer itself gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mlx_lm.utils import load_tokenizer

import backend.engines.tokens.__main__ as tokens
from backend.engines.rl.hooks import allow_cpu
from backend.engines.tokens.answer_spans import tokens_and_spans
from backend.engines.tokens.omissions import omitted_parts
from backend.engines.tokens.row_tokenizer import RowTokenizer, row_tokenizer
from backend.settings import CHECKOUT

pytestmark = pytest.mark.engine

DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"
TEMPLATES = {
    "its own": None,
    # What asks for an answer ends in blanks, which an answer may go on with.
    "blanks": "{% for m in messages %}<|im_start|>{{ m.role }}\n\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n\n{% endif %}",
    # No mark stands anywhere near a border.
    "no marks": "{% for m in messages %}{{ m.role }}: {{ m.content }}  \n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}",
    # Asks with more than it writes down.
    "thoughts": "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}",
}
ANSWERS = (
    "Ahoy!",
    " Ahoy",
    "\n\n  Ahoy",
    "  \tAhoy\n",
    "é🎉",
    "1",
    "assistant\n",
    "<|im_end|>",
    "",
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(DEMO)


@pytest.mark.parametrize("name", TEMPLATES)
def test_rows_have_the_tokens_and_borders_that_the_tokenizer_gives(
    tokenizer: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if TEMPLATES[name]:
        monkeypatch.setattr(tokenizer._tokenizer, "chat_template", TEMPLATES[name])
    fast = row_tokenizer(tokenizer, lambda _: True)
    assert isinstance(fast, RowTokenizer)
    rows: list[dict[str, Any]] = [
        {"messages": [
            {"role": "user", "content": f"Q{answer}"}, {"role": "assistant", "content": answer},
            {"role": "user", "content": "And?"}, {"role": "assistant", "content": f"{answer}2"},
        ]}
        for answer in ANSWERS
    ]  # fmt: skip
    texts = [fast.apply_chat_template(row["messages"], tokenize=False) for row in rows]
    fast.prepare(texts)

    for row in rows:
        assert tokens_and_spans(fast, row, mask=True) == tokens_and_spans(tokenizer, row, mask=True)


def test_each_row_is_tokenised_once(
    tmp_path: Path, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces that its answers are looked for in are not encoded by themselves."""
    allow_cpu()
    pair = {"prompt": "Who?", "chosen": "Pip, the cat.", "rejected": "Nobody at all."}
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(pair)}\n" * 40)
    singly: list[str] = []
    real = tokenizer._tokenizer._encode_plus

    def encode(_: Any, text: str, **options: Any) -> Any:
        singly.append(text)
        return real(text, **options)

    monkeypatch.setattr(type(tokenizer._tokenizer), "_encode_plus", encode)

    tokens.measure(tokenizer, path, tmp_path / "out", needs="preference")

    assert len(singly) < 40  # The first rows are compared with the tokenizer's own way.


def test_rows_that_are_rendered_together_are_bounded_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text((json.dumps({"text": "a" * 1_500_000}) + "\n") * 5)

    assert [len(batch) for batch in tokens._batches(tokens._number(path))] == [2, 2, 1]


def test_a_long_answer_without_thoughts_is_looked_through_once() -> None:
    """The search for thoughts took the square of the length: minutes for such a row."""
    turns = [{"role": "assistant", "content": "a" * 400_000}]

    assert omitted_parts(turns, None, turns[0]["content"], lambda _, __: "other") == []
