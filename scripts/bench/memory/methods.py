"""`python -m scripts.bench.memory.methods`: the memory estimate of methods against measured peaks.

Random models with the demo's tokenizer take two steps in the app's own run process; its allocator's
peak stands beside what a preview shows. `--write` writes docs/memory-methods.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.api.services import Services
from backend.app import build_services
from backend.core.machine.blas import engine_environment
from backend.settings import CHECKOUT, Settings, read_settings
from backend.training.request.method_fields import EnhancedStart
from scripts.bench.app_peak import peak_of
from scripts.bench.machine import machine

PAGE = CHECKOUT / "docs" / "memory-methods.md"
UNDER, OVER = 0.9, 1.25
_WORDS = "How much is nine and six and seven and two more "
_HEAD = """# The memory estimate of training methods against measured peaks

Written by `python -m scripts.bench.memory.methods --write`. Random models with the demo's tokenizer
take two steps in the run process, with answers that fill their length; *peak* is what its allocator
says, *estimate* what a preview shows. The factors are those of fine-tuning (`memory.py`), which
were fitted to other runs; how many rows at once, and what is added, was settled on these. Wanted:
never more than 10 % under, and at most 25 % over. Without gradient checkpointing it is too high
where only q and v are trained: inputs of frozen matrices need not be kept, which it does not know.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`prompt` is about how many tokens each prompt has, `answer` how many are sampled."""

    method: str
    hidden: int = 256
    layers: int = 6
    prompt: int = 64
    answer: int = 64
    batch: int = 2
    fields: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = [f"{self.method}, {self.hidden}×{self.layers}, batch {self.batch}"]
        said.append(f"{self.prompt} + {self.answer} tokens")
        said += [f"{name} {value}" for name, value in self.fields.items()]
        return ", ".join(said)


CASES = (
    Case(method="grpo"),
    Case(method="grpo", batch=4, fields={"group_size": 8}),
    Case(method="grpo", prompt=256, answer=128, batch=1),
    Case(method="grpo", prompt=256, answer=256, batch=1, fields={"group_size": 16}),
    Case(method="grpo", batch=4, fields={"grad_checkpoint": False}),
    Case(method="gspo", batch=4, answer=128, fields={"updates_per_rollout": 2}),
    Case(method="dr_grpo", hidden=512, fields={"lora_keys": "full"}),
    Case(method="grpo", hidden=512, answer=32, fields={"fine_tune_type": "full"}),
    Case(method="klpo", batch=4),
    Case(method="dpo", batch=4),
    Case(method="dpo", hidden=512, batch=4, fields={"grad_checkpoint": False}),
    Case(method="orpo", batch=8),
    Case(method="cpo", batch=4),
    Case(method="ftpo", batch=8),
    Case(method="online_dpo", fields={"reward_functions": "token_f1"}),
    Case(method="online_dpo", hidden=512, answer=32),
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.memory.methods")
    parser.add_argument("--write", action="store_true", help="write the page")
    write = parser.parse_args(argv).write
    lines, missed = asyncio.run(measure_all())
    if write:
        head = ["| run | peak | estimate | ratio | met |", "|---|---|---|---|---|"]
        text = _HEAD + machine() + "\n\n" + "\n".join([*head, *lines]) + "\n"
        PAGE.write_text(text, encoding="utf-8")
    return 1 if missed else 0


async def measure_all() -> tuple[list[str], int]:
    """A row of the table for each case, and how many miss their limits."""
    lines, missed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        settings = read_settings({"DROID_PYTHON": sys.executable}, data_dir=str(root / "data"))
        services = build_services(settings)
        for number, case in enumerate(CASES):
            model = _model(root / "models", settings, case)
            peak, estimate = await measure(services, model, root / str(number), case)
            met = UNDER <= estimate / peak <= OVER
            missed += not met
            print(f"  {case!s:<76} {peak / 1e6:7.1f} MB  × {estimate / peak:.2f}", flush=True)
            lines.append(
                f"| {case} | {peak / 1e6:.1f} MB | {estimate / 1e6:.1f} MB | "
                f"{estimate / peak:.2f} | {'yes' if met else '**no**'} |"
            )
    return lines, missed


async def measure(services: Services, model: Path, folder: Path, case: Case) -> tuple[float, float]:
    """Bytes: the allocator's peak of a run, and what its preview foretold."""
    rows = folder / "train.jsonl"
    folder.mkdir(parents=True)  # noqa: ASYNC240 - nothing else is going on
    rows.write_text("".join(json.dumps(row) + "\n" for row in _rows(case)), encoding="utf-8")
    request = EnhancedStart.model_validate(
        {
            "training_method": case.method, "model_path": str(model),
            "train_data_path": str(rows), "batch_size": case.batch,
            "max_completion_length": case.answer, "max_seq_length": 1024, "iterations": 2,
            "val_batches": 0, "steps_per_report": 1, "adapter_name": f"{folder.name}-run",
            "lora_scaling": "alpha_over_rank", "temperature": 1.5,
        }
        | case.fields
    )  # fmt: skip
    shown = await services.training.preview(request)
    assert shown.memory is not None  # noqa: S101 - the model is ours
    return await peak_of(services, request), shown.memory.estimate_gb * 1e9


def _rows(case: Case) -> Iterator[dict[str, Any]]:
    words = _WORDS.split()
    prompt = " ".join(words[number % len(words)] for number in range(case.prompt))
    answer = " ".join(words[number % len(words)] for number in range(case.answer))
    for number in range(24):
        yield {
            "prompt": f"{number} {prompt}", "answer": answer, "chosen": answer,
            "rejected": answer[::-1][: len(answer)], "system": "Count.",
            "context_with_chat_template": f"{number} {prompt}", "rejected_decoded": "a",
            "multi_chosen_decoded": ["b"],
        }  # fmt: skip


_MAKE = """
import json, shutil, sys
from pathlib import Path
import mlx.core as mx
from mlx.utils import tree_flatten
from backend.engines.modules.tree import build
demo, target = Path(sys.argv[1]), Path(sys.argv[2])
hidden, layers = int(sys.argv[3]), int(sys.argv[4])
shutil.copytree(demo, target, ignore=shutil.ignore_patterns("*.safetensors*"))
config = json.loads((demo / "config.json").read_text())
config |= {"hidden_size": hidden, "num_hidden_layers": layers, "intermediate_size": 2 * hidden,
           "num_attention_heads": hidden // 64, "num_key_value_heads": hidden // 128}
(target / "config.json").write_text(json.dumps(config))
model = build(config)
mx.eval(model.parameters())
mx.save_safetensors(str(target / "model.safetensors"), dict(tree_flatten(model.parameters())),
                    metadata={"format": "mlx"})
"""


def _model(folder: Path, settings: Settings, case: Case) -> Path:
    target = folder / f"random-{case.hidden}x{case.layers}"
    if target.exists():
        return target
    demo = CHECKOUT / "test_data" / "models" / "droid-demo"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, "-c", _MAKE, str(demo), str(target), str(case.hidden), str(case.layers)],
        cwd=CHECKOUT,
        env=engine_environment(settings),
        check=True,
    )
    return target


if __name__ == "__main__":
    sys.exit(main())
