"""What people bring, to its end: thoughts that a template writes into the learned answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.live import frames_until, has_ended, listening
from tests.service.server import DEMO, Server, running_server
from tests.service.test_evaluation import evaluate

pytestmark = pytest.mark.engine

# As the Qwen3 family does: the last answer gets an empty block of thoughts.
THINKS = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['role'] == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("field")
    with running_server(root / "data root", env={"OPENBLAS_NUM_THREADS": "1"}) as running:
        yield running


def test_an_answer_behind_an_empty_block_of_thoughts_is_the_answer(
    server: Server, tmp_path: Path
) -> None:
    model = tmp_path / "thinks"
    shutil.copytree(DEMO, model)
    (model / "chat_template.jinja").write_text(THINKS)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(
        json.dumps({"prompt": f"what is {n}?", "completion": "the river"}) + "\n"
        for n in range(24)
    ))  # fmt: skip
    request = {
        "model_path": str(model), "train_data_path": str(rows), "adapter_name": "thinks",
        "iterations": 60, "batch_size": 4, "max_seq_length": 64, "learning_rate": 1e-3,
        "steps_per_eval": 30, "mask_prompt": True, "lora_rank": 8, "lora_alpha": 16.0,
        "lora_scaling": "alpha_over_rank",
    }  # fmt: skip

    with listening(server) as socket:
        server.post("/training/start", request)
        frames_until(socket, lambda frame: frame["type"] == "training_started")
        assert frames_until(socket, has_ended)[-1]["type"] == "training_completed"
    body = {"adapter_name": "thinks", "num_questions": 2, "max_tokens": 24}
    started, _ = evaluate(server, "/api/evaluation/start", body)
    result = server.get(f"/api/evaluation/{started['evaluation_id']}")

    scores = {each["id"]: each["values"][0] for each in result["metrics"]}
    means = [scores[name]["mean"] for name in ("exact_match", "token_f1")]
    assert means == [1.0, 1.0], json.dumps(result["questions"])[:1500]
    assert "</think>" in json.dumps(result["questions"])  # It was written, and set apart.
