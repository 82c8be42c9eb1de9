"""A question as the model sees it, with a template that writes calls and variables, and without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mlx_lm.utils import load_tokenizer

from backend.contract.inference_frames import ModelInput
from backend.engines.inference.prompt import encode, opened_in
from backend.engines.inference.protocol import QuestionRefused
from tests.engines.tiny_model import CHATML, build_tiny_model

pytestmark = pytest.mark.engine

CALLING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
    "{% for c in m.tool_calls or [] %}{{ c.function.name }}("
    "{% for k, v in c.function.arguments | items %}{{ k }}={{ v }}{% endfor %}){% endfor %}"
    "<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}no{% endif %}<think>\n"
)
CALL = {"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
HISTORY: list[dict[str, Any]] = [
    {"role": "user", "content": "Add."},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
]


def tokenizer(folder: Path, template: str) -> Any:
    build_tiny_model(folder)
    (folder / "chat_template.jinja").write_text(template)
    return load_tokenizer(folder)


def test_calls_in_the_history_are_in_the_prompt_and_variables_reach_the_template(
    tmp_path: Path,
) -> None:
    made = tokenizer(tmp_path / "calls", CALLING)
    asked = ModelInput(messages=tuple(HISTORY), template_variables={"enable_thinking": False})

    prompt = encode(made, asked)

    text = made.decode(prompt.tokens)
    assert "add(a=1)" in text
    assert text.endswith("no<think>")
    assert opened_in(made, prompt.tokens, ()) == "<think>"


def test_calls_that_the_template_would_drop_are_refused_by_name(tmp_path: Path) -> None:
    made = tokenizer(tmp_path / "plain", CHATML)

    with pytest.raises(QuestionRefused, match="tool_calls"):
        encode(made, ModelInput(messages=tuple(HISTORY)))


def test_a_prompt_that_holds_the_templates_marks_already_is_noticed(tmp_path: Path) -> None:
    made = tokenizer(tmp_path / "plain", CHATML)

    twice = encode(made, ModelInput(prompt="<|im_start|>user\nHello<|im_end|>"))
    assert twice.repeated_mark == "<|im_end|>"
    assert encode(made, ModelInput(prompt="Hello")).repeated_mark is None
