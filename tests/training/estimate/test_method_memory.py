"""The memory estimate of methods against peaks of real runs (`scripts.bench.memory.methods`)."""

from __future__ import annotations

from typing import Any

import pytest

from backend.models.schemas import LoraTargets
from backend.training.estimate.method_memory import estimate_method_memory
from backend.training.lora.groups import build_targets
from backend.training.plan.planner import coverage
from backend.training.request.method_fields import EnhancedStart
from backend.training.run_data.token_counts import TokenCounts
from backend.training.schemas import MemoryEstimate
from tests.training.requests import model, qwen_tree

VOCABULARY = 1280
# Method, hidden size of 6 layers, longest row, fields, measured peak in 10^6 bytes. On a CPU with
# mlx 0.32.4, rank 32, answers of 64 tokens.
MEASURED: tuple[tuple[str, int, int, dict[str, Any], float], ...] = (
    ("grpo", 256, 104, {"batch_size": 2}, 41.9),
    ("grpo", 256, 104, {"batch_size": 4, "group_size": 8}, 102.2),
    ("grpo", 256, 365, {"batch_size": 1, "max_completion_length": 128}, 52.7),
    (
        "grpo", 256, 365,
        {"batch_size": 1, "group_size": 16, "max_completion_length": 256}, 121.9,
    ),
    ("gspo", 256, 104, {"batch_size": 4, "max_completion_length": 128}, 75.9),
    ("dr_grpo", 512, 104, {"batch_size": 2, "lora_keys": "full"}, 132.1),
    (
        "grpo", 512, 104,
        {"batch_size": 2, "fine_tune_type": "full", "max_completion_length": 32}, 335.0,
    ),
    ("klpo", 256, 104, {"batch_size": 4}, 214.5),
    ("dpo", 256, 273, {"batch_size": 4}, 108.7),
    ("orpo", 256, 273, {"batch_size": 8}, 204.5),
    ("ftpo", 256, 70, {"batch_size": 8}, 52.3),
    ("online_dpo", 256, 97, {"batch_size": 2, "reward_functions": "token_f1"}, 59.1),
    ("online_dpo", 512, 97, {"batch_size": 2, "max_completion_length": 32}, 176.8),
)  # fmt: skip


def targets_of(hidden: int) -> LoraTargets:
    tree = qwen_tree(layers=6, hidden=hidden, inner=2 * hidden, kv=hidden // 2)
    block = 2 * hidden * hidden + 2 * hidden * (hidden // 2) + 6 * hidden * hidden
    tree |= {"block_parameters": [block] * 6, "parameters": 6 * block + VOCABULARY * hidden}
    return build_targets(tree, total_parameters=None)


def estimate(method: str, hidden: int, longest: int, fields: dict[str, Any]) -> MemoryEstimate:
    targets = targets_of(hidden)
    needed = {"training_method": method, "model_path": "m", "train_data_path": "d"}
    own = {"max_seq_length": 1024, "max_completion_length": 64}
    request = EnhancedStart.model_validate(needed | own | fields)
    _, _, trainable = coverage(request, targets)
    answer = estimate_method_memory(
        request,
        model(
            hidden_size=hidden, vocab_size=VOCABULARY, num_layers=6,
            size_bytes=4 * (targets.total_parameters or 0), parameters=targets.total_parameters,
        ),
        targets,
        trainable=trainable,
        config={"num_attention_heads": hidden // 64, "num_key_value_heads": hidden // 128},
        counts=TokenCounts(lengths=(longest,), starts=(longest // 2,)),
        available=None,
    )  # fmt: skip
    assert answer is not None
    return answer


@pytest.mark.parametrize(("method", "hidden", "longest", "fields", "peak"), MEASURED)
def test_the_estimate_is_near_what_was_measured(
    method: str, hidden: int, longest: int, fields: dict[str, Any], peak: float
) -> None:
    found = 1000 * estimate(method, hidden, longest, fields).estimate_gb

    assert 0.9 <= found / peak <= 1.25


def test_only_so_many_answers_are_decoded_together() -> None:
    one, four, sixteen = (
        estimate("grpo", 256, 104, {"batch_size": size, "group_size": 16, "beta": 0}).parts
        for size in (1, 4, 16)
    )

    assert one["answers"] < four["answers"]
    assert sixteen.get("answers", 0) < 4 * four["answers"]


def test_a_lora_run_needs_no_second_model_to_compare_with() -> None:
    assert "reference" not in estimate("dpo", 256, 104, {}).parts
    assert "reference" in estimate("dpo", 256, 104, {"fine_tune_type": "full"}).parts
    assert "reference" in estimate("dpo", 256, 104, {"reference_model_path": "other"}).parts
    assert (
        "reference" not in estimate("grpo", 256, 104, {"fine_tune_type": "full", "beta": 0}).parts
    )
    assert "judge" in estimate("xpo", 256, 104, {}).parts
    alone = {"fine_tune_type": "full", "dsla_loss": "orpo"}
    assert "reference" not in estimate("dsla", 256, 104, alone).parts


def test_klpo_holds_draws_over_the_vocabulary_unless_it_estimates_without() -> None:
    drawn = estimate("klpo", 256, 104, {"batch_size": 4}).parts["draws"]

    assert drawn == pytest.approx(4 * 64 * 128 * VOCABULARY * 4 / 1e9, rel=1e-3)
    assert "draws" not in estimate("klpo", 256, 104, {"klpo_kl_estimator": "binary"}).parts
