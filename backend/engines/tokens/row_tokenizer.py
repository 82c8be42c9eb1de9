"""A tokenizer that renders and encodes each text of a few rows once.

To find the answers of a row, the row is rendered up to one turn or another. Such a piece is the
beginning of the whole, so its tokens are the first of the whole's wherever that can be shown; else
it is encoded by itself. Callers get the very tokens that the tokenizer would give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_TAIL = 32  # Tokens before a border among which a mark is looked for.
_TAILS = 512


class RowTokenizer:
    """`tokenizer`, with its texts encoded by `backend`, its own `tokenizers.Tokenizer`."""

    def __init__(self, tokenizer: Any, backend: Any) -> None:
        self._tokenizer = tokenizer
        self._backend = backend
        self._marks = set(tokenizer.added_tokens_decoder)
        self._encodings: dict[str, Any] = {}
        self._whole = ""  # Whose tokens were asked for last.
        self._prose: dict[str, list[int]] = {}
        self._texts: dict[object, str] = {}
        self._tails: dict[str, list[int]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def forget(self) -> None:
        """Begin with other rows."""
        self._encodings, self._prose, self._texts, self._whole = {}, {}, {}, ""

    def prepare(self, texts: Sequence[str]) -> None:
        """Encode rendered texts of the next rows, all at once."""
        codes = self._backend.encode_batch(texts, add_special_tokens=False)
        self._encodings.update(zip(texts, codes, strict=True))

    def prepare_prose(self, texts: Sequence[str]) -> None:
        """Encode texts that get the tokenizer's own marks around them, all at once."""
        for text, code in zip(texts, self._backend.encode_batch(texts), strict=True):
            self._prose[text] = code.ids

    def encode(self, text: str, add_special_tokens: bool = True) -> list[int]:
        ids = self._prose.get(text) if add_special_tokens else None
        if ids is None:
            ids = self._tokenizer.encode(text, add_special_tokens=add_special_tokens)
        return list(ids)

    def apply_chat_template(self, turns: Any, tokenize: bool = True, **options: Any) -> Any:
        """As the tokenizer's own, which the engine's datasets call with `return_dict` or not."""
        options.pop("return_dict", None)
        text = self._render(turns, options)
        return self._ids(text) if tokenize else text

    def _render(self, turns: Any, options: Mapping[str, Any]) -> str:
        key = _key(turns, options)
        text = self._texts.get(key) if key is not None else None
        if text is None:
            text = self._tokenizer.apply_chat_template(turns, tokenize=False, **options)
            if key is not None:
                self._texts[key] = text
        return text

    def _ids(self, text: str) -> list[int]:
        code = self._encodings.get(text)
        if code is not None:
            self._whole = text
        else:
            whole = self._whole
            if len(whole) > len(text) and whole.startswith(text):
                beginning = self._beginning(text, self._encodings[whole])
                if beginning is not None:
                    return beginning
            code = self._backend.encode(text, add_special_tokens=False)
            self._encodings[text] = code
        ids: list[int] = code.ids
        return ids

    def _beginning(self, text: str, whole: Any) -> list[int] | None:
        """The tokens of a text that another begins with; None where only encoding it can tell.

        A mark parts a text: nothing before it has to do with what follows. So the text has the
        other's tokens where what stands behind its last mark has.
        """
        border = whole.char_to_token(len(text))
        if border is None:
            return None
        ids: list[int] = whole.ids[:border]
        mark = next(
            (at for at in range(border - 1, max(-1, border - _TAIL), -1) if ids[at] in self._marks),
            None,
        )
        if mark is None:
            return None
        tail = text[whole.token_to_chars(mark)[0] :]
        if tail not in self._tails:
            if len(self._tails) >= _TAILS:
                self._tails.clear()
            self._tails[tail] = self._backend.encode(tail, add_special_tokens=False).ids
        return ids if self._tails[tail] == ids[mark:] else None


def row_tokenizer(tokenizer: Any, agrees: Callable[[Any], bool]) -> Any:
    """A RowTokenizer where the tokenizer allows it and `agrees` with it; else the tokenizer."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return tokenizer
    backend.no_truncation()
    backend.no_padding()
    fast = RowTokenizer(tokenizer, backend)
    return fast if agrees(fast) else tokenizer


def _key(turns: Any, options: Mapping[str, Any]) -> object:
    """What a rendering depends on; None where that is more than texts."""
    if any(not isinstance(value, (bool, str, type(None))) for value in options.values()):
        return None
    parts: list[object] = [*sorted(options.items())]
    for turn in turns:
        for name, value in turn.items():
            if not isinstance(value, str):
                return None
            parts += (name, value)
        parts.append(None)
    return tuple(parts)
