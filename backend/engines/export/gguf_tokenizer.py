"""The tokenizer of a model folder as GGUF keeps it: tokens, their kinds, merges and special ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gguf import GGUFWriter, SpecialVocab, TokenType
from gguf.vocab import SentencePieceVocab

from backend.contract.export.gguf import SENTENCEPIECE, pre_tokenizer_name

_MORE_STOPS = ("add_eot_token_id", "add_eom_token_id")


def add_tokenizer(writer: GGUFWriter, model: Path, rows: int, stops: Sequence[int]) -> None:
    """Write the tokenizer; `rows` of the embedding that have no token are filled up."""
    plain = (model / SENTENCEPIECE).is_file()
    (_add_sentencepiece if plain else _add_byte_pairs)(writer, model, rows)
    special = SpecialVocab(model, load_merges=not plain, n_vocab=rows)
    special.special_token_ids.pop("eos", None)  # The configuration may list several.
    special.add_to_gguf(writer, quiet=True)
    if "bos" not in special.add_special_token:
        writer.add_add_bos_token(plain)
    if stops:
        writer.add_eos_token_id(stops[0])
    for name, stop in zip(_MORE_STOPS, stops[1:], strict=False):
        getattr(writer, name)(stop)


def tokenizer_json(model: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    return value


def _add_byte_pairs(writer: GGUFWriter, model: Path, rows: int) -> None:
    stored = tokenizer_json(model)
    texts: dict[int, str] = {number: text for text, number in stored["model"]["vocab"].items()}
    kinds: dict[int, TokenType] = {}
    for token in stored.get("added_tokens") or []:
        texts[token["id"]] = token["content"]
        kinds[token["id"]] = TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED
    unused = (n for n in range(rows) if n not in texts)
    kinds |= dict.fromkeys(unused, TokenType.UNUSED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(str(pre_tokenizer_name(stored)))
    writer.add_token_list([texts.get(n, f"[PAD{n}]") for n in range(rows)])
    writer.add_token_types([kinds.get(n, TokenType.NORMAL) for n in range(rows)])


def _add_sentencepiece(writer: GGUFWriter, model: Path, rows: int) -> None:
    tokens = list(SentencePieceVocab(model).all_tokens())[:rows]
    special = _special_tokens(model)
    texts: list[bytes] = [text for text, _, _ in tokens]
    kinds = [TokenType.CONTROL if n in special else kind for n, (_, _, kind) in enumerate(tokens)]
    scores = [score for _, score, _ in tokens]
    for number in range(len(tokens), rows):
        texts.append(special.get(number, f"[PAD{number}]").encode())
        kinds.append(TokenType.CONTROL if number in special else TokenType.UNUSED)
        scores.append(-1000.0)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(texts)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)


def _special_tokens(model: Path) -> dict[int, str]:
    if not (model / "tokenizer.json").is_file():
        return {}
    additions = tokenizer_json(model).get("added_tokens") or []
    return {token["id"]: token["content"] for token in additions if token["special"]}
