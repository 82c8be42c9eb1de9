"""`python -m scripts.bench.loss.held_out <adapter> <data>`: loss per token on valid.jsonl."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

import mlx.core as mx
from mlx_lm.tuner.datasets import CacheDataset, load_local_dataset
from mlx_lm.tuner.trainer import evaluate
from mlx_lm.utils import load

from scripts.experiments.runs import MODEL


def main() -> int:
    mx.set_default_device(mx.cpu)
    adapter, data = sys.argv[1:]
    model, tokenizer = load(str(MODEL), adapter_path=adapter)
    _, valid, _ = load_local_dataset(Path(data), tokenizer, Namespace(mask_prompt=False))
    loss = evaluate(
        model=model, dataset=CacheDataset(valid), batch_size=4, num_batches=-1, max_seq_length=512
    )
    sys.stdout.write("\n" + json.dumps({"loss": float(loss)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
