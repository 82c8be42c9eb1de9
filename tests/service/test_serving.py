"""Real answers from a real server: base, adapters, other programs, and what must not break it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import mlx.core as mx
import openai
import pytest

from backend.core.machine.blas import engine_environment
from backend.settings import read_settings
from tests.engines.architectures import CONFIGS, make_adapter, make_model
from tests.service.live import frames_until, listening
from tests.service.server import CHECKOUT, DEMO, Server, running_server
from tests.service.test_enhanced import asked

pytestmark = pytest.mark.engine

ASK = {"model_name": "droid-demo", "prompt": "Who are you?", "max_tokens": 8, "temperature": 0}
FENCE = re.compile(r"```(bash|python)\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("serving")
    adapters = root / "adapters"
    make_adapter(adapters / "captain", DEMO, seed=1, scale=20.0)
    make_adapter(adapters / "other", DEMO, seed=2, rank=8, layers=2, scale=20.0, dora=True)
    half = make_adapter(adapters / "half", DEMO) / "adapters.safetensors"
    half.write_bytes(half.read_bytes()[:-1000])
    make_adapter(adapters / "foreign", make_model(root / "elsewhere" / "foreign", CONFIGS["qwen2"]))
    with running_server(root, env={"OPENBLAS_NUM_THREADS": "1"}) as server:
        yield server


def ask(server: Server, **changed: Any) -> Any:
    return server.post("/models/inference", {**ASK, **changed})


def files_of(server: Server) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(server.data_dir)): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in server.data_dir.rglob("*")
        if path.is_file() and path.relative_to(server.data_dir).parts[0] not in {"logs", ".cache"}
    }


def test_base_and_adapters_answer_differently_and_change_no_file(served: Server) -> None:
    before = files_of(served)

    texts = [
        ask(served, adapter_name=name)["response"]
        for name in (None, "captain", "other", None, "captain")
    ]
    worker = served.get("/models/worker")

    assert texts[:2] == texts[3:]
    assert len(set(texts[:3])) == 3
    assert worker["adapter"] == "captain"
    assert files_of(served) == before


def test_only_an_adapter_that_was_not_on_takes_time_to_be_put_on(served: Server) -> None:
    took = [
        ask(served, adapter_name=name)["stats"]["swap_seconds"]
        for name in ("other", "captain", "captain")
    ]

    assert took[1] > 0
    assert took[2] == 0


def test_a_comparison_is_one_batch_where_it_can_be_and_agrees_with_single_answers(
    served: Server,
) -> None:
    names: list[str | None] = [None, "captain", "other"]
    singles = [ask(served, adapter_name=name)["response"] for name in names]
    question = {name: ASK[name] for name in ("prompt", "max_tokens", "temperature")}

    def compare(*chosen: str | None) -> Any:
        targets = [{"model_name": "droid-demo", "adapter_name": name} for name in chosen]
        return served.post("/models/compare", {**question, "targets": targets, "stream": False})

    pair, three = compare(None, "captain"), compare(*names)

    assert pair["mode"] == "batch"
    assert [one["answer"]["response"] for one in pair["answers"]] == singles[:2]
    assert (three["mode"], "dora" in three["reason"]) == ("in_turn", True)
    assert [one["answer"]["response"] for one in three["answers"]] == singles


@pytest.mark.parametrize(
    "prompt", ["\"\"\"'''", "C:\\new\\table\\", "\U0001f680 \u0000 \u2028 {x} %s $HOME `id`"]
)
def test_a_prompt_is_never_anything_but_text(served: Server, prompt: str) -> None:
    answer = ask(served, prompt=prompt)

    assert answer["prompt"] == prompt
    assert answer["stats"]["completion_tokens"] > 0


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"prompt": "x" * 100_000}, 400, "the model's context is 1024"),
        ({"adapter_name": "half"}, 400, "adapters.safetensors holds"),
        ({"adapter_name": "foreign"}, 400, "elsewhere/foreign, and not on"),
        ({"adapter_name": "nothing"}, 404, "no adapter 'nothing'"),
        ({"max_tokens": 0}, 422, "at least 1"),
        ({"max_tokens": "ten"}, 422, "whole number"),
    ],
)
def test_what_can_not_be_answered_is_said_and_the_next_request_works(
    served: Server, changed: dict[str, Any], status: int, words: str
) -> None:
    refused = served.client.post("/models/inference", json={**ASK, **changed})

    assert (refused.status_code, words in refused.json()["detail"]) == (status, True)
    assert ask(served)["success"] is True


def test_a_worker_killed_in_the_middle_of_an_answer_is_told_and_replaced(served: Server) -> None:
    # These random weights find no end, and 900 tokens take longer than a signal.
    body = {**ASK, "adapter_name": "captain", "max_tokens": 900, "stream": True}
    first = ask(served)["response"]
    worker = served.get("/models/worker")["pid"]
    with served.client.stream("POST", "/models/inference", json=body) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: token"
        os.kill(worker, signal.SIGKILL)
        rest = list(lines)

    told = [line for line in rest if line.startswith("event: ")]
    assert told[-1] == "event: error"
    assert ask(served)["response"] == first


def test_a_worker_killed_as_it_sat_idle_is_replaced_without_a_word(served: Server) -> None:
    first = ask(served)["response"]
    worker = served.get("/models/worker")["pid"]

    os.kill(worker, signal.SIGSTOP)  # It takes the question, and dies before it says anything.
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, served)
        while served.get("/models/worker")["state"] != "busy":
            pass
        os.kill(worker, signal.SIGKILL)

    assert answer.result()["response"] == first
    assert served.get("/models/worker")["pid"] != worker


def test_the_official_client_works_unchanged(served: Server) -> None:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key="unused") as client:
        names = [model.id for model in client.models.list()]
        asked: dict[str, Any] = {
            "model": "droid-demo+captain",
            "messages": [{"role": "user", "content": ASK["prompt"]}],
            "max_tokens": 8,
            "temperature": 0,
        }
        whole = client.chat.completions.create(**asked)
        said = whole.choices[0].message.content or ""
        pieces = list(client.chat.completions.create(**asked, stream=True))
        stopped = client.chat.completions.create(**asked, stop=[said[2:4]])

    assert {"droid-demo", "droid-demo+captain"} <= set(names)
    assert "droid-demo+foreign" not in names
    assert said == ask(served, adapter_name="captain")["response"]
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == said
    assert stopped.choices[0].message.content == said[: said.index(said[2:4])]
    assert whole.usage is not None
    assert whole.usage.completion_tokens <= 8


def test_the_examples_of_the_document_run(served: Server) -> None:
    text = (CHECKOUT / "docs" / "serving.md").read_text(encoding="utf-8")
    examples = [
        (kind, code.replace("http://127.0.0.1:8000", served.url))
        for kind, code in FENCE.findall(text)
    ]
    run = {"bash": ["bash", "-c"], "python": [sys.executable, "-c"]}

    answers = {
        kind: subprocess.run(
            [*run[kind], code], capture_output=True, text=True, check=True, timeout=120
        ).stdout
        for kind, code in examples
    }

    assert set(answers) == {"bash", "python"}
    assert '"object":"chat.completion"' in answers["bash"]
    assert answers["python"].strip()


def as_the_reference_app(folder: Path) -> None:
    """With a path of its author's Mac, and with numbers where that app puts them."""
    config = {
        "model": "/Volumes/Mac/models/droid-demo", "fine_tune_type": "lora",
        "lora_alpha": 4.0, "lora_dropout": 0.0, "lora_rank": 4, "early_stop": True,
        "lora_parameters": {"rank": 4, "scale": 20.0, "dropout": 0.0, "num_layers": -1},
    }  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(config))


def as_plain_mlx_lm_lora(folder: Path) -> None:
    """Which names no base."""
    parameters = {"rank": 4, "scale": 20.0, "dropout": 0.0, "use_dora": False, "num_layers": -1}
    config = {"lora_parameters": parameters, "num_layers": -1}
    (folder / "adapter_config.json").write_text(json.dumps(config))


def as_peft(folder: Path) -> None:
    parts = {"lora_a": "lora_A", "lora_b": "lora_B"}
    turned = {}
    weights = cast("dict[str, mx.array]", mx.load(str(folder / "adapters.safetensors")))
    for name, value in weights.items():
        module, _, part = name.rpartition(".")
        turned[f"base_model.model.{module}.{parts[part]}.weight"] = mx.contiguous(value.T)
    mx.save_safetensors(str(folder / "adapter_model.safetensors"), turned, {"format": "pt"})
    (folder / "adapters.safetensors").unlink()
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 80, "base_model_name_or_path": str(DEMO)}
    (folder / "adapter_config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("origin", [as_the_reference_app, as_plain_mlx_lm_lora, as_peft])
def test_an_adapter_of_another_program_answers_as_the_same_weights_of_ours_do(
    served: Server, origin: Callable[[Path], None], tmp_path: Path
) -> None:
    name = origin.__name__.replace("_", "-")
    source = tmp_path / "from elsewhere"
    shutil.copytree(served.data_dir / "adapters" / "captain", source)
    origin(source)

    taken = served.post("/adapters/import", {"path": str(source), "name": name})
    answer = ask(served, adapter_name=name)

    assert (taken["problem"], taken["scale"]) == (None, 20.0)
    assert answer["response"] == ask(served, adapter_name="captain")["response"]
    names = {model["id"] for model in served.get("/v1/models")["data"]}
    assert f"droid-demo+{name}" in names


def plain_answer(adapter: Path, tmp_path: Path) -> str:
    """What plain mlx_lm says with it, after a fresh load."""
    prompts = tmp_path / "prompts.json"
    prompts.write_text(json.dumps([ASK["prompt"]]))
    script = CHECKOUT / "tests" / "service" / "speak.py"
    child = subprocess.run(
        [sys.executable, str(script), str(DEMO), str(prompts), str(adapter)],
        env=engine_environment(read_settings()), capture_output=True, text=True, check=True,
    )  # fmt: skip
    (answer,) = json.loads(child.stdout.splitlines()[-1])
    return str(answer)


def test_an_adapter_trained_by_plain_mlx_lm_answers_as_it_does_there(
    served: Server, tmp_path: Path
) -> None:
    folder = served.data_dir / "adapters" / "by-mlx-lm"
    command = [
        sys.executable, "-m", "mlx_lm", "lora", "--train", "--model", str(DEMO), "--data",
        str(CHECKOUT / "test_data" / "demo" / "chat"), "--adapter-path", str(folder),
        "--iters", "4", "--batch-size", "2", "--num-layers", "2", "--val-batches", "1",
        "--learning-rate", "1e-3",
    ]  # fmt: skip
    subprocess.run(command, env=engine_environment(read_settings()), check=True, timeout=120)

    answer = ask(served, adapter_name="by-mlx-lm", max_tokens=60)

    assert answer["response"].strip() == plain_answer(folder, tmp_path).strip()
    assert answer["model_info"]["adapter_details"]["warnings"] == [
        "Adapter covers 2 layers; model has 4."
    ]


def test_an_adapter_of_preference_training_answers_as_plain_mlx_lm_does(
    served: Server, tmp_path: Path
) -> None:
    with listening(served) as socket:
        served.post("/api/training/start-enhanced", asked("dpo", adapter_name="by-dpo"))
        frames_until(socket, lambda frame: frame["type"] == "training_completed")

    answer = ask(served, adapter_name="by-dpo", checkpoint="latest", max_tokens=60)

    folder = served.data_dir / "adapters" / "by-dpo"
    assert answer["response"].strip() == plain_answer(folder, tmp_path).strip()
    details = answer["model_info"]["adapter_details"]
    covers = "Adapter covers 2 of the model's 7 kinds of matrices: q_proj, v_proj."
    assert (details["type"], details["warnings"]) == ("lora", [covers])


def test_the_loaded_sessions_base_and_adapter_answer_after_a_run(
    served: Server, demo_request: dict[str, Any]
) -> None:
    ask(served)
    with listening(served) as socket:
        served.post("/training/start", {**demo_request, "adapter_name": "just-trained"})
        meanwhile = served.client.post("/models/inference", json=ASK)
        worker = served.get("/models/worker")
        frames_until(socket, lambda frame: frame["type"] == "training_completed")
    assert (meanwhile.status_code, worker["state"]) == (409, "none")  # The run has the memory.
    question = {"prompt": "Who are you?", "max_tokens": 8, "temperature": 0}

    tuned = served.post("/model/test", question)["model_info"]
    plain = served.post("/model/test-base", question)["model_info"]

    assert (tuned["adapter"], tuned["adapter_type"]) == ("just-trained", "best")
    assert tuned["adapter_details"]["warnings"] == []
    assert (plain["base_model"], plain["adapter_type"]) == ("droid-demo", "none")
    assert "just-trained" in {
        one["name"]
        for model in served.get("/models/available")["models"]
        if Path(model["path"]) == DEMO
        for one in model["adapters"]
    }
