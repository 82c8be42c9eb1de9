"""Answers through the worker against fresh processes, into docs/benchmarks-inference.md."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from backend.cli.client import Client
from scripts.bench.asking import DEMO, PROMPT, ask, environment, make_models
from scripts.bench.machine import machine
from scripts.bench.measures import Measure
from scripts.bench.runs import service
from scripts.setup.stamps import CHECKOUT

PAGE = CHECKOUT / "docs" / "benchmarks-inference.md"
LAYERS, ADAPTERS, TOKENS = 17, 8, 64
_SPEED = re.compile(r"Generation: (\d+) tokens, ([\d.]+) tokens-per-sec")
_HEAD = """# Benchmarks of inference

Written by `npm run bench -- inference --write`, on a random model with adapters of rank 8 on all
seven matrices. *Fresh* is `mlx_lm generate` in a process of its own, as an app without a worker
would answer. Both sides run in the same environment, in turn. On a CPU the engine's loop computes
the second token before it hands out the first, so that a warm first token costs a large model two
passes (about 66 ms each at 100 million parameters here), and the ratio falls with the model's size.

"""


def bench_inference(*, pairs: int, write: bool) -> int:
    """Measure, print and with `write` keep it; 1 when a limit is missed."""
    found = []
    for measure in measures(pairs):
        print(f"  {measure.name:<64} {measure.value:8.3f} {measure.unit}   {_verdict(measure)}")
        found.append(measure)
    where = machine()
    print(f"\n  {where}")
    if write:
        PAGE.write_text(_HEAD + _table(found, where), encoding="utf-8")
        print(f"  wrote {PAGE.relative_to(CHECKOUT)}")
    return 0 if all(measure.good for measure in found) else 1


def measures(pairs: int) -> Iterator[Measure]:
    with tempfile.TemporaryDirectory(prefix="droid-bench-") as folder:
        root = Path(folder)
        size = make_models(root, layers=LAYERS, adapters=ADAPTERS)
        model = f"{size / 1e6:.0f}M parameters"
        with service(root) as (_, client, _pid):
            yield _first_token(client, DEMO, pairs, least=20)
            # Only sooner at all: see the page's head. In its conversation, since on a CPU a large
            # model reads a prompt as long as it is loaded.
            yield _first_token(
                client, root / "models" / "bench", pairs, least=1, conversation="bench"
            )
            yield from _swap(client, pairs, model)
            yield _memory(client, model)
            yield _speed(client, root, pairs, model)
            yield _together(client, pairs, model)


def _first_token(
    client: Client, path: Path, pairs: int, *, least: float, conversation: str | None = None
) -> Measure:
    # One token on both sides: a text of two waits for the second, which may change the first.
    asked = {"model_name": path.name, "max_tokens": 1, "conversation": conversation}
    ask(client.url, **asked)
    warm, fresh = [], []
    for _ in range(pairs):
        warm.append(ask(client.url, **asked).first)
        fresh.append(_fresh(path, tokens=1)[0])
    ratio = statistics.median(fresh) / statistics.median(warm)
    read = "was read before, in its conversation" if conversation else "is read"
    detail = (
        f"{statistics.median(fresh):.2f} s against {statistics.median(warm) * 1000:.0f} ms, "
        f"medians of {pairs}; the prompt {read}"
    )
    return Measure(f"first token of {path.name}, fresh process ÷ warm", ratio, "×", least,
                   at_least=True, detail=detail)  # fmt: skip


def _swap(client: Client, pairs: int, model: str) -> Iterator[Measure]:
    loads = []
    for _ in range(pairs):
        client.post("/models/unload", {})
        loads.append(ask(client.url, model_name="bench", max_tokens=1).done["stats"])
    load = statistics.median(stats["model_load_seconds"] for stats in loads)
    # Two in turn stay in memory; of all in turn, each has left it when it is asked again.
    for kind, among in (("kept in memory", 2), ("read from their files", ADAPTERS)):
        swaps = []
        for number in range(among + max(4 * pairs, among)):
            name = f"adapter-{number % among}"
            heard = ask(client.url, model_name="bench", adapter_name=name, max_tokens=1)
            if number >= among:
                swaps.append(heard.done["stats"]["swap_seconds"])
        swap = statistics.median(swaps)
        detail = (
            f"{model}; {load * 1000:.0f} ms against {swap * 1000:.1f} ms, medians of {pairs} and "
            f"{len(swaps)}; {among} adapters in turn"
        )
        yield Measure(f"loading the model ÷ swapping adapters {kind}", load / swap, "×", 15,
                      at_least=True, detail=detail)  # fmt: skip


def _memory(client: Client, model: str) -> Measure:
    client.post("/models/unload", {})
    ask(client.url, model_name="bench", max_tokens=4)
    base = client.get("/models/worker")
    for _ in range(2):
        for number in range(ADAPTERS):
            ask(client.url, model_name="bench", adapter_name=f"adapter-{number}", max_tokens=4)
    full = client.get("/models/worker")
    ratio = full["active_bytes"] / base["active_bytes"]
    resident = full["resident_bytes"] / base["resident_bytes"]
    detail = (
        f"{model}; {full['active_bytes'] / 1e6:.0f} against {base['active_bytes'] / 1e6:.0f} MB "
        f"of MLX, resident × {resident:.3f}; {len(full['adapters_known'])} of them in memory"
    )
    return Measure(f"memory with {ADAPTERS} adapters ÷ base", ratio, "×", 1.1, detail=detail)


def _speed(client: Client, root: Path, pairs: int, model: str) -> Measure:
    ours, plain = [], []
    for _ in range(pairs):
        heard = ask(client.url, model_name="bench", max_tokens=TOKENS)
        ours.append(float(heard.done["stats"]["tokens_per_second"]))
        plain.append(_fresh(root / "models" / "bench", tokens=TOKENS)[1])
    ratios = [a / b for a, b in zip(ours, plain, strict=True)]
    detail = (
        f"{model}; {statistics.median(ours):.1f} against {statistics.median(plain):.1f} tokens/s, "
        f"median of {pairs} pairs in turn"
    )
    return Measure("tokens per second, worker ÷ plain mlx_lm", statistics.median(ratios), "×",
                   0.97, at_least=True, detail=detail)  # fmt: skip


def _together(client: Client, pairs: int, model: str) -> Measure:
    targets = [{"model_name": "bench"}, {"model_name": "bench", "adapter_name": "adapter-0"}]
    body = {"prompt": PROMPT, "temperature": 0, "max_tokens": 32, "targets": targets}
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(pairs):
        for together in seconds:
            started = time.perf_counter()
            client.post("/models/compare", {**body, "together": together, "stream": False})
            seconds[together].append(time.perf_counter() - started)
    turn, batch = statistics.median(seconds[False]), statistics.median(seconds[True])
    detail = f"{model}; {turn:.2f} s against {batch:.2f} s for base and adapter, 32 tokens each"
    return Measure("comparison, in turn ÷ in one batch", turn / batch, "×", 1.0, at_least=True,
                   detail=detail)  # fmt: skip


def _fresh(model: Path, *, tokens: int) -> tuple[float, float]:
    """Seconds of the whole process, and the tokens per second it says, counted as ours are."""
    command = [
        sys.executable, "-m", "mlx_lm", "generate", "--model", str(model),
        "--prompt", PROMPT, "--max-tokens", str(tokens), "--temp", "0",
    ]  # fmt: skip
    started = time.perf_counter()
    said = subprocess.run(
        command, cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=True
    ).stdout
    seconds = time.perf_counter() - started
    found = _SPEED.search(said)
    if found is None:
        raise RuntimeError(f"mlx_lm generate did not say how fast it was:\n{said[-500:]}")
    count, speed = int(found[1]), float(found[2])
    # It divides all tokens by the time after the first; of that time, the first is not.
    return seconds, speed * (count - 1) / count


def _verdict(measure: Measure) -> str:
    limit = f"{'at least' if measure.at_least else 'at most'} {measure.limit:g} {measure.unit}"
    return f"{'ok' if measure.good else 'MISSED'} ({limit}; {measure.detail})"


def _table(found: list[Measure], where: str) -> str:
    rows = [
        f"| {m.name} | {m.value:.2f} {m.unit} | {'≥' if m.at_least else '≤'} {m.limit:g} "
        f"{m.unit} | {'yes' if m.good else '**no**'} | {m.detail} |"
        for m in found
    ]
    table = ["| measure | result | limit | met | how |", "|---|---|---|---|---|", *rows]
    return f"{where}\n\n" + "\n".join(table) + "\n"
