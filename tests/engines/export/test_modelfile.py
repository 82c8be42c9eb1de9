"""The Modelfile says in Ollama's words what the model's own template says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from jinja2 import Environment

from backend.engines.export.modelfile import Message, Roles, go_template, modelfile, roles_of
from tests.engines.export.gguf_models import gguf_model
from tests.engines.tiny_model import CHATML

pytestmark = pytest.mark.engine
DEFAULT = CHATML.replace(
    "{% for",
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}"
    "{% for",
    1,
)
LLAMA3 = (
    "{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
    "{{ m['content'] }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
COUNTING = "{% for m in messages %}{{ loop.index }}: {{ m['content'] }}\n{% endfor %}"


def roles(template: str) -> Roles | None:
    made = Environment(autoescape=False).from_string(template)  # noqa: S701 - no HTML

    def render(messages: Sequence[Message], answering: bool) -> str:
        return made.render(messages=messages, add_generation_prompt=answering)

    return roles_of(render)


def test_the_texts_around_each_role_are_read_off() -> None:
    found = roles(LLAMA3)

    assert found is not None
    head = "<|start_header_id|>user<|end_header_id|>\n\n"
    assert (found.user[0].endswith(head), found.opening) == (True, "")
    assert found.assistant[0] == "<|start_header_id|>assistant<|end_header_id|>\n\n"


def test_a_system_message_of_the_template_itself_stands_where_none_is_given() -> None:
    found = roles(DEFAULT)

    assert found is not None
    assert "Be kind." in found.opening
    assert "{{ if not .System }}" in go_template(found)


def test_a_template_that_does_more_is_left_to_the_file() -> None:
    assert roles(COUNTING) is None
    assert roles("{{ raise_exception('no') }}") is None


def test_the_modelfile_has_the_stop_tokens_and_the_models_own_sampling(tmp_path: Path) -> None:
    model = gguf_model(tmp_path / "model", "qwen2")
    (model / "generation_config.json").write_text(json.dumps({"temperature": 0.7, "top_k": 20}))
    stored = json.loads((model / "tokenizer.json").read_text())["added_tokens"]

    text = modelfile(model, "mine-Q8_0.gguf", [stored[-1]["id"]])

    assert text.startswith("FROM ./mine-Q8_0.gguf\n")
    assert 'PARAMETER stop "<|im_end|>"' in text
    assert "PARAMETER temperature 0.7" in text
    assert "PARAMETER top_k 20" in text
    assert '{{ if eq .Role "system" }}<|im_start|>system\n{{ .Content }}' in text
    assert text.count("<|im_start|>assistant\n") == 2
