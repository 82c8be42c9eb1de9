"""Ollama's Modelfile: the model's own template, stop tokens and sampling.

A chat template is a program; Ollama's is another language. The texts around each role are read off
what the model's template renders, and the result is used only if it renders the same conversations.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx_lm.utils import load_tokenizer

_PARAMETERS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repetition_penalty": "repeat_penalty",
}
_SYSTEM, _USER, _ANSWER, _LAST = "«s»", "«u»", "«a»", "«v»"

Message = dict[str, str]
Render = Callable[[Sequence[Message], bool], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The texts around a message of each role; `opening` stands where no system message does."""

    opening: str
    system: tuple[str, str]
    user: tuple[str, str]
    assistant: tuple[str, str]

    def render(self, messages: Sequence[Message], answering: bool) -> str:
        first = messages[0]["role"] if messages else ""
        text = "" if first == "system" else self.opening
        around = {"system": self.system, "user": self.user, "assistant": self.assistant}
        for message in messages:
            before, after = around[message["role"]]
            text += before + message["content"] + after
        return text + (self.assistant[0] if answering else "")


def modelfile(model: Path, file: str, stops: Sequence[int]) -> str:
    """The text of a Modelfile for the GGUF file of that name beside it."""
    tokenizer = load_tokenizer(model)
    lines = [f"FROM ./{file}", ""]
    roles = roles_of(_renderer(tokenizer)) if tokenizer.chat_template else None
    if roles is not None:
        lines += [f'TEMPLATE """{go_template(roles)}"""', ""]
    else:
        lines += ["# The chat template is in the GGUF file itself; Ollama has no equal of it.", ""]
    for stop in stops:
        text = tokenizer.decode([stop])
        lines.append(f"PARAMETER stop {json.dumps(text, ensure_ascii=False)}")
    lines += [f"PARAMETER {name} {value}" for name, value in _sampling(model).items()]
    return "\n".join(lines) + "\n"


def roles_of(render: Render) -> Roles | None:
    """What the template puts around the roles, or None when that does not say all it does."""
    try:
        roles = _read_off(render)
        same = all(
            roles.render(chat, answering) == render(chat, answering)
            for chat, answering in _conversations()
        )
    except Exception:  # noqa: BLE001 - a chat template is the model's own program
        return None
    texts = (roles.opening, *roles.system, *roles.user, *roles.assistant)
    plain = not any(mark in text for text in texts for mark in ("{{", "}}", '"""'))
    return roles if same and plain else None


def go_template(roles: Roles) -> str:
    """The same as a template of Ollama, which is one of Go's."""
    around = {"system": roles.system, "user": roles.user, "assistant": roles.assistant}
    cases = [
        f'if eq .Role "{role}" }}}}{before}{{{{ .Content }}}}{after}{{{{ '
        for role, (before, after) in around.items()
    ]
    body = "{{ " + "else ".join(cases) + "end }}"
    # Ollama hands a system message of the Modelfile over as the first of the messages.
    opening = ""
    if roles.opening:
        opening = f"{{{{ if not .System }}}}{roles.opening}{{{{ end }}}}"
    return f"{opening}{{{{ range .Messages }}}}{body}{{{{ end }}}}{roles.assistant[0]}"


def _read_off(render: Render) -> Roles:
    whole = render([_message("system", _SYSTEM), _message("user", _USER)], False)
    system, before_user = _split(whole, _SYSTEM, _USER)[:2]
    bare = render([_message("user", _USER)], False)
    start, user_end = bare.split(_USER)
    answering = render([_message("user", _USER)], True)
    assistant = answering.removeprefix(bare)
    chat = [_message("user", _USER), _message("assistant", _ANSWER), _message("user", _LAST)]
    between = _split(render(chat, False), _USER, _ANSWER, _LAST)[2]
    user = _common_end(between, before_user, start)
    return Roles(
        opening=start.removesuffix(user),
        system=(system, before_user.removesuffix(user)),
        user=(user, user_end),
        assistant=(assistant, between.removesuffix(user)),
    )


def _conversations() -> list[tuple[list[Message], bool]]:
    user, answer, last = (
        _message("user", "Hi there"),
        _message("assistant", "Hello."),
        _message("user", "And now?"),
    )
    system = _message("system", "Be brief.")
    chats = [[user], [user, answer, last], [system, user], [system, user, answer, last]]
    return [(chat, True) for chat in chats]


def _split(text: str, *marks: str) -> list[str]:
    parts = []
    for mark in marks:
        before, text = text.split(mark)
        parts.append(before)
    return [*parts, text]


def _common_end(*texts: str) -> str:
    shortest = min(texts, key=len)
    for start in range(len(shortest) + 1):
        if all(text.endswith(shortest[start:]) for text in texts):
            return shortest[start:]
    return ""


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _renderer(tokenizer: Any) -> Render:
    bos = tokenizer.bos_token or ""

    def render(messages: Sequence[Message], answering: bool) -> str:
        text: str = tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=answering, tokenize=False
        )
        return text.removeprefix(bos)  # llama.cpp puts it there itself.

    return render


def _sampling(model: Path) -> Mapping[str, float]:
    path = model / "generation_config.json"
    if not path.is_file():
        return {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: stored[key]
        for key, name in _PARAMETERS.items()
        if isinstance(stored.get(key), int | float)
    }
