"""A bad start is refused with a sentence, starts nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.server import CHECKOUT, DEMO, Server, running_server

CHAT = CHECKOUT / "test_data" / "demo" / "chat"
ROW = (
    '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n'
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("refusals")) as server:
        yield server


def files_under(root: Path) -> set[str]:
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] in {"sessions", "adapters"}
    }


def broken(tmp_path: Path, content: str) -> str:
    path = tmp_path / "train.jsonl"
    path.write_text(content, encoding="utf-8")
    return str(path)


CASES: list[tuple[str, dict[str, Any], int, str]] = [
    ("missing file", {"train_data_path": "/nowhere/rows.jsonl"}, 4, "/nowhere/rows.jsonl"),
    ("unknown model", {"model_path": "no-such-model"}, 404, "no-such-model"),
    ("batch larger than the data", {"batch_size": 100_000}, 4, "100"),
    ("rank 0", {"lora_rank": 0}, 422, "lora_rank"),
    ("unknown field", {"lora_rnk": 8}, 422, "lora_rank"),
    ("a name with a slash", {"adapter_name": "../evil"}, 422, "adapter_name"),
    ("a number as text", {"iterations": "ten"}, 422, "iterations"),
    ("dropout 1", {"lora_dropout": 1.0}, 422, "lora_dropout"),
    ("more layers than there are", {"lora_num_layers": 99}, 422, "99"),
    ("an unknown matrix", {"lora_keys": ["self_attn.q_prj"]}, 422, "self_attn.q_proj"),
    ("longer than the context", {"max_seq_length": 10_000_000}, 422, "max_seq_length"),
]


@pytest.mark.parametrize(
    ("fields", "status", "named"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_it_is_refused_with_a_sentence_that_names_the_value(
    shared: Server, fields: dict[str, Any], status: int, named: str
) -> None:
    request = {"model_path": str(DEMO), "train_data_path": str(CHAT / "train.jsonl"), **fields}
    assert_refused(shared, request, status, named)


BAD_FILES: list[tuple[str, str, str]] = [
    ("an empty file", "", "empty"),
    ("wrong JSON on line 7", ROW * 6 + '{"messages": [\n' + ROW * 3, "ine 7"),
    ("a later row without the key", ROW * 4 + '{"text": "no messages"}\n' + ROW, "ine 5"),
    ("unknown columns", '{"foo": 1}\n' * 5, "foo"),
]


@pytest.mark.parametrize(
    ("content", "named"), [case[1:] for case in BAD_FILES], ids=[c[0] for c in BAD_FILES]
)
def test_a_bad_file_is_refused_with_its_line(
    shared: Server, tmp_path: Path, content: str, named: str
) -> None:
    request = {"model_path": str(DEMO), "train_data_path": broken(tmp_path, content)}
    assert_refused(shared, request, 4, named)


def assert_refused(server: Server, request: dict[str, Any], status: int, named: str) -> None:
    before = files_under(server.data_dir)

    answer = server.client.post("/training/start", json=request)

    assert answer.status_code // 100 == 4, answer.text
    assert status in {4, answer.status_code}, answer.text
    body = answer.json()
    assert len(body["detail"]) > 20
    assert named in answer.text
    assert server.get("/training/status")["state"] == "idle"
    assert files_under(server.data_dir) == before
