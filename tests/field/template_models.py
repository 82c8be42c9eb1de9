"""Bases that differ by what their chat template takes, writes, or leaves out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_OPEN = "<|im_start|>{{ message['role'] }}\n"
_CLOSE = "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
_EACH = "{% for message in messages %}"
_ALTERNATE = (
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant') }}{% endif %}"
)
_NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
)
_ONLY_KNOWN = (
    "{% if message['role'] not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('Unknown role ' + message['role']) }}{% endif %}"
)
_TEXT = "{{ message['content'] or '' }}"
_CUT = "{% set text = message['content'] or '' %}{{ text.split('</think>')[-1] }}"

TEMPLATES: Mapping[str, str] = {
    "nosystem": _NO_SYSTEM + _EACH + _ALTERNATE + _OPEN + "{{ message['content'] }}" + _CLOSE,
    "knownroles": _EACH + _ONLY_KNOWN + _OPEN + _TEXT + _CLOSE,
    "textonly": _EACH + _OPEN + _TEXT + _CLOSE,
    "cuts": _EACH + _OPEN + _CUT + _CLOSE,
    "usersonly": _EACH
    + "{% if message['role'] != 'tool' %}" + _OPEN + _TEXT + "{% endif %}" + _CLOSE,
}  # fmt: skip


def add_first_token(folder: Path) -> None:
    """Let the tokenizer put <|endoftext|> before every text."""
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    mark = {"id": "<|endoftext|>", "type_id": 0}
    number = next(t["id"] for t in tokenizer["added_tokens"] if t["content"] == mark["id"])
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": mark}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"SpecialToken": mark}, {"Sequence": {"id": "A", "type_id": 0}},
                 {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            mark["id"]: {"id": mark["id"], "ids": [number], "tokens": [mark["id"]]}
        },
    }  # fmt: skip
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
