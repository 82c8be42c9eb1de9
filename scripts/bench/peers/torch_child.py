"""`python -m scripts.bench.peers.torch_child <run folder>`: the same run by transformers and PEFT.

A bare loop on CPU PyTorch, in a Python that has torch; nothing of this app is needed there. Notes
of each step go into `notes-peft.jsonl`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import yaml
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from scripts.bench.peers.notes import Notes

_MATRICES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def main() -> int:
    folder = Path(sys.argv[1])
    values = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    notes = Notes(folder / "notes-peft.jsonl")
    torch.manual_seed(values["seed"])
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(values["model"], dtype=torch.float32)
    lora = values["lora_parameters"]
    model = get_peft_model(
        model,
        LoraConfig(
            r=lora["rank"], lora_alpha=lora["scale"] * lora["rank"], target_modules=_MATRICES,
            task_type="CAUSAL_LM",
        ),
    )  # fmt: skip
    if values["grad_checkpoint"]:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    model.train()
    trained = [value for value in model.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=values["learning_rate"], weight_decay=0.01)
    rows = _rows(folder, values)
    tokens, batch = 0, values["batch_size"]
    order = torch.randperm(len(rows)).tolist()
    for step in range(1, values["iters"] + 1):
        first = (step - 1) * batch
        chosen = [rows[order[at % len(rows)]] for at in range(first, first + batch)]
        width = max(map(len, chosen))
        inputs = torch.zeros((batch, width), dtype=torch.long)
        labels = torch.full((batch, width), -100)
        for at, row in enumerate(chosen):
            inputs[at, : len(row)] = labels[at, : len(row)] = torch.tensor(row)
        mask = torch.tensor([[at < len(row) for at in range(width)] for row in chosen])
        loss = model(input_ids=inputs, attention_mask=mask, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        tokens += sum(len(row) - 1 for row in chosen)
        notes.add(step, float(loss.detach()), tokens)
    return 0


def _rows(folder: Path, values: dict[str, Any]) -> list[list[int]]:
    tokenizer = AutoTokenizer.from_pretrained(values["model"])
    lines = (folder / "data" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [
        tokenizer.apply_chat_template(json.loads(line)["messages"], tokenize=False)
        for line in lines
    ]
    limit = values["max_seq_length"]
    return [tokenizer.encode(text, add_special_tokens=False)[:limit] for text in texts]


if __name__ == "__main__":
    sys.exit(main())
