"""llama.cpp itself (the wheel xllamacpp) loads GGUF exports and answers as MLX does."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import mlx.core as mx
import pytest
from mlx.utils import tree_flatten
from mlx_lm import load
from mlx_lm.generate import generate_step

from backend.engines.export.gguf_reading import llama_server
from tests.engines.architectures import make_adapter
from tests.engines.export.exporting import KEYS, request, result
from tests.engines.export.gguf_models import KINDS, gguf_model
from tests.exports.conftest import Record
from tests.house.sources import CHECKOUT

pytestmark = pytest.mark.exports
DEMO = CHECKOUT / "test_data" / "models" / "droid-demo"
TOKENS = 32
TEXT = "Tell me: 3 and 42 are the numbers, aren't they?"


def post(server: Any, path: str, **asked: Any) -> dict[str, Any]:
    """The server's own API, which tells token ids; it listens on this machine only."""
    request = Request(  # noqa: S310 - an address of ours
        f"{server.listening_address}{path}",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        found: dict[str, Any] = json.load(answer)
    return found


@pytest.mark.parametrize("kind", list(KINDS))
def test_llama_cpp_answers_as_mlx_does(
    tmp_path: Path, record: Record, run_export: Any, kind: str
) -> None:
    model = gguf_model(tmp_path / "model", kind)
    run_export(request(tmp_path, model, format="gguf_f16"))
    network, tokenizer = load(str(model))
    prompt = tokenizer.encode(TEXT, add_special_tokens=False)
    expected = [
        int(token) for token, _ in generate_step(mx.array(prompt), network, max_tokens=TOKENS)
    ]
    assert len(set(expected)) > 5, "an answer of one token would prove little"
    (file,) = (tmp_path / "exports" / "mine").glob("*.gguf")

    server = llama_server(file)
    tokens = post(server, "/tokenize", content=TEXT)["tokens"]
    asked = {"prompt": prompt, "n_predict": TOKENS, "temperature": 0.0, "ignore_eos": True}
    answer = post(server, "/completion", return_tokens=True, **asked)

    assert tokens == prompt, "llama.cpp splits the text otherwise"
    same = answer["tokens"] == expected
    program = f"xllamacpp {version('xllamacpp')}"
    record("gguf_f16", program, kind, f"{TOKENS} greedy tokens", "equal" if same else "differ")
    assert same


@pytest.mark.parametrize("form", ["gguf_q8", "gguf_q5", "gguf_q4"])
def test_llama_cpp_loads_the_quantised_forms_and_answers(
    tmp_path: Path, record: Record, run_export: Any, form: str
) -> None:
    model = gguf_model(tmp_path / "model", "qwen3")

    run_export(request(tmp_path, model, format=form))

    found = result(tmp_path)
    assert found.quantisation is not None
    assert found.smoke.program.startswith("xllamacpp ")
    assert found.smoke.tokens > 0
    how = f"{found.quantisation.type} by {found.quantisation.program}"
    record(form, found.smoke.program, "qwen3", how, f"loads, answers {found.smoke.tokens} tokens")


@pytest.mark.parametrize("form", ["gguf_f16", "gguf_q8"])
def test_llama_cpp_answers_as_mlx_does_with_the_adapter(
    tmp_path: Path, record: Record, run_export: Any, form: str
) -> None:
    model = gguf_model(tmp_path / "model", "llama")
    adapter = make_adapter(tmp_path / "adapter", model, keys=KEYS, scale=8.0)

    run_export(request(tmp_path, model, adapter, format=form, prompt="Once"))

    found = result(tmp_path)
    assert found.merged_modules == 2 * len(KEYS)
    what = "adapter merged: loads and answers"
    record(form, found.smoke.program, "llama", what, f"{found.smoke.tokens} tokens")


QUESTIONS = ("What is the sea like?", "Tell me a story about an island.", "Who are you?")


def test_llama_cpp_answers_as_mlx_does_with_the_trained_demo_model(
    tmp_path: Path, record: Record, run_export: Any
) -> None:
    """Real learned weights, the chat template, and answers that come to their own end."""
    run_export(request(tmp_path, DEMO, format="gguf_f16"))
    network, tokenizer = load(str(DEMO))
    weights = tree_flatten(network.parameters())
    # As the file has them: what is compared is the program, not the rounding to 16 bits.
    network.load_weights([(k, v.astype(mx.float16).astype(mx.float32)) for k, v in weights])
    (file,) = (tmp_path / "exports" / "mine").glob("*.gguf")
    server = llama_server(file)

    counts = []
    for question in QUESTIONS:
        message = [{"role": "user", "content": question}]
        prompt = tokenizer.apply_chat_template(message, add_generation_prompt=True)
        tokens = [int(t) for t, _ in generate_step(mx.array(prompt), network, max_tokens=TOKENS)]
        end = tokens.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in tokens else TOKENS
        asked = {"prompt": prompt, "n_predict": TOKENS, "temperature": 0.0}
        answer = post(server, "/completion", return_tokens=True, **asked)["tokens"]
        assert [t for t in answer if t != tokenizer.eos_token_id] == tokens[:end], question
        counts.append(end)

    assert min(counts) > 5
    what = f"the trained demo model: {len(QUESTIONS)} whole answers, {sum(counts)} greedy tokens"
    record("gguf_f16", f"xllamacpp {version('xllamacpp')}", "qwen2", what, "equal")
