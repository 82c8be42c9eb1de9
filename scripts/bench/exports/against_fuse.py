"""Exports of a 0.5B-sized model against plain `mlx_lm fuse`, into docs/benchmarks.md."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from backend.contract.export.request import ExportFormat, ExportRequest
from backend.contract.record import write_record
from backend.contract.run.folder import EVENTS
from scripts.bench.asking import environment
from scripts.bench.exports.watched import Watched, watch
from scripts.bench.machine import machine
from scripts.bench.measures import Measure
from scripts.bench.page import shown_value, table, write_section
from scripts.setup.stamps import CHECKOUT

SECTION = "Exports"
TIME_LIMIT, MEMORY_LIMIT = 1.5, 1.3
WRITTEN = "testing"  # The phase of an export that begins when its files are on the disk.
_FORMATS: tuple[ExportFormat, ...] = ("merged", "merged_q4", "gguf_q8")
_HEAD = """Written by `npm run bench -- exports --write`, on a random bfloat16 model of the shape of
Qwen2 0.5B with an adapter of rank 16 on seven matrices. The process of the app's export and plain
`mlx_lm fuse` run in turn, in the same environment. *Written* is from the start of the process to
the files on disk, which is all that `fuse` does; *tested* adds the fresh process that loads the
files and asks them. Memory is the largest sum of the resident bytes of all processes of the export,
the test included, against the bytes of the base's weights.

"""


def bench_exports(*, pairs: int, write: bool) -> int:
    """Measure, print and with `write` keep it; 1 when a limit is missed."""
    with tempfile.TemporaryDirectory(prefix="droid-exports-") as folder:
        found = list(measures(Path(folder), pairs))
    where = machine()
    print(f"\n  {where}")
    if write:
        write_section(SECTION, f"{_HEAD}{where}\n\n{table(found)}")
    return 0 if all(measure.good for measure in found) else 1


def measures(root: Path, pairs: int) -> Iterator[Measure]:
    """Time and memory of each format; the time against the plain command only where that can."""
    weights = _make_models(root)
    ours: list[Watched] = []
    plain: list[Watched] = []
    for _ in range(pairs):
        plain.append(_fuse(root))
        ours.append(_export(root, "merged"))
    written = [a.marks[WRITTEN] / b.seconds for a, b in zip(ours, plain, strict=True)]
    tested = [a.seconds / b.seconds for a, b in zip(ours, plain, strict=True)]
    times = (
        f"{_median(a.marks[WRITTEN] for a in ours):.1f} s, tested "
        f"{_median(a.seconds for a in ours):.1f} s ({_median(tested):.2f} ×), against "
        f"{_median(b.seconds for b in plain):.1f} s; of CPU, tested, "
        f"{_median(a.cpu_seconds for a in ours):.1f} s against "
        f"{_median(b.cpu_seconds for b in plain):.1f} s; medians of {pairs} pairs"
    )
    yield _shown(
        Measure("merged written ÷ mlx_lm fuse", _median(written), "×", TIME_LIMIT, detail=times)
    )
    yield _shown(_memory("merged", ours, weights))
    for kind in _FORMATS[1:]:
        yield _shown(_memory(kind, [_export(root, kind)], weights))
    bare = max(each.peak_bytes for each in plain) / weights
    print(f"  for comparison: mlx_lm fuse takes {bare:.2f} × the weights")


def _memory(kind: str, runs: Sequence[Watched], weights: int) -> Measure:
    peak = max(each.peak_bytes for each in runs)
    seconds = _median(each.marks[WRITTEN] for each in runs)
    detail = f"{peak / 1e9:.2f} GB of {weights / 1e9:.2f} GB; written after {seconds:.1f} s"
    return Measure(f"peak memory of {kind} ÷ weights", peak / weights, "×", MEMORY_LIMIT,
                   detail=detail)  # fmt: skip


def _make_models(root: Path) -> int:
    child = subprocess.run(
        [sys.executable, "-m", "scripts.bench.exports.models", str(root)],
        cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(child.stdout.splitlines()[-1])


def _fuse(root: Path) -> Watched:
    output = root / "fused"
    command = [
        sys.executable, "-m", "mlx_lm", "fuse", "--model", str(root / "model"),
        "--adapter-path", str(root / "adapter"), "--save-path", str(output),
    ]  # fmt: skip
    taken = watch(command, env=environment(), log=root / "fuse.log")
    shutil.rmtree(output)
    print(f"    mlx_lm fuse: {_said(taken)}", flush=True)
    return taken


def _export(root: Path, kind: ExportFormat) -> Watched:
    job, output = root / "job", root / "exports" / "made"
    job.mkdir()
    (job / "request.json").write_text(json.dumps(write_record(_request(root, kind, output))))
    events = job / EVENTS
    taken = watch(
        [sys.executable, "-m", "backend.engines.export", str(job)],
        env=environment(),
        log=job / "log",
        marks={WRITTEN: lambda: _has_begun(events, WRITTEN)},
    )
    shutil.rmtree(output)
    shutil.rmtree(job)
    print(f"    {kind}: {_said(taken)}, written after {taken.marks[WRITTEN]:.1f} s", flush=True)
    return taken


def _request(root: Path, kind: ExportFormat, output: Path) -> ExportRequest:
    config = json.loads((root / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    spec = {
        "key": "adapter", "name": "adapter", "kind": "lora",
        "file": str(root / "adapter" / "adapters.safetensors"),
        "scale": config["lora_parameters"]["scale"],
    }  # fmt: skip
    return ExportRequest(
        model=str(root / "model"),
        format=kind,
        output=str(output),
        staging=str(output.parent / ".exporting-bench"),
        adapter=spec,
        adapter_name="adapter",
        checkpoint="latest",
    )


def _has_begun(events: Path, phase: str) -> bool:
    try:
        return f'"{phase}"' in events.read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def _median(values: Iterator[float] | Sequence[float]) -> float:
    return statistics.median(values)


def _said(taken: Watched) -> str:
    cpu = f"{taken.cpu_seconds:.1f} s of CPU"
    return f"{taken.seconds:.1f} s, {cpu}, {taken.peak_bytes / 1e9:.2f} GB"


def _shown(measure: Measure) -> Measure:
    verdict = "ok" if measure.good else "MISSED"
    print(f"  {measure.name:<40} {shown_value(measure)}   {verdict} "
          f"(at most {measure.limit:g}; {measure.detail})", flush=True)  # fmt: skip
    return measure
