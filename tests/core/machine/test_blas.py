from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from backend.core.errand import run_errand
from backend.core.machine import blas
from backend.core.machine.blas import (
    engine_environment,
    exports_gemm,
    find_blas,
    report_keys,
    system_libraries,
)
from backend.core.schemas import BlasInfo
from backend.settings import Settings, read_settings

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="macOS uses Accelerate")

_MULTIPLY = """
import mlx.core as mx, numpy as np
a = np.random.default_rng(0).standard_normal((64, 48)).astype(np.float32)
print(float(np.abs(np.array(mx.array(a) @ mx.array(a.T), copy=False) - a @ a.T).max()))
print({line.split("/")[-1].strip() for line in open("/proc/self/maps") if "openblas" in line})
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({}, data_dir=str(tmp_path))


def _library(path: Path, *, names: str = "cblas_sgemm cblas_dgemm cblas_cgemm") -> Path:
    """The header of this machine's own programs, and a table of names."""
    header = Path(sys.executable).read_bytes()[:64]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + b"\0" + names.replace(" ", "\0").encode() + b"\0")
    return path


def test_a_library_with_the_three_functions_is_one_that_mlx_can_call(tmp_path: Path) -> None:
    assert exports_gemm(_library(tmp_path / "good.so"))


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF\x01" + b"\0cblas_sgemm\0cblas_dgemm\0cblas_cgemm\0" * 2, b"text" * 40],
)
def test_what_is_no_library_of_this_machine_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.so"
    path.write_bytes(content)

    assert not exports_gemm(path)


def test_a_library_under_other_names_is_refused(tmp_path: Path) -> None:
    renamed = "scipy_cblas_sgemm scipy_cblas_dgemm scipy_cblas_cgemm"

    assert not exports_gemm(_library(tmp_path / "scipy.so", names=renamed))


def test_the_systems_openblas_is_found_threaded_before_serial(tmp_path: Path) -> None:
    folder = tmp_path / "usr" / "lib" / "x86_64-linux-gnu"
    serial = _library(folder / "openblas-serial" / "libopenblas.so.0")
    threaded = _library(folder / "openblas-pthread" / "libopenblas.so.0")
    (folder / "libopenblas.so.0").symlink_to(threaded)

    assert list(system_libraries(tmp_path)) == [threaded, serial]


def test_an_openblas_that_counts_in_64_bits_is_left_alone(tmp_path: Path) -> None:
    _library(tmp_path / "usr" / "lib64" / "libopenblas64_.so.0")

    assert list(system_libraries(tmp_path)) == []


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("DROID_JUDGE_KEY", True),
        ("DROID_JUDGE_PASS", True),
        ("OPENAI_KEY", True),
        ("OPENAI_API_KEY", True),
        ("PGPASSWORD", True),
        ("MYSQL_PWD_PASSWD", True),
        ("GITHUB_TOKEN", True),
        ("SMTP_PASS", True),
        ("SSLKEY_PASSPHRASE", True),
        ("PASSWORD_FILE", True),
        ("TOKENIZERS_PARALLELISM", False),
        ("KEYBOARD", False),
        ("COMPASS_HOME", False),
        ("BYPASS", False),
        ("OMP_NUM_THREADS", False),
    ],
)
def test_a_secret_is_known_by_its_name(settings: Settings, name: str, is_secret: bool) -> None:
    assert (name not in engine_environment(settings, {name: "x"})) is is_secret


def test_only_a_run_that_reports_gets_the_key_of_its_service() -> None:
    given = {"WANDB_API_KEY": "w", "SWANLAB_API_KEY": "s", "HF_TOKEN": "h"}
    assert report_keys(None, given) == {}
    assert report_keys("wandb", given) == {"WANDB_API_KEY": "w"}
    assert report_keys("wandb,swanlab", given) == {"WANDB_API_KEY": "w", "SWANLAB_API_KEY": "s"}
    assert report_keys("swanlab", {}) == {}


def test_engines_get_no_secret_and_nothing_that_misleads_python(settings: Settings) -> None:
    given = {
        "PATH": "/usr/bin",
        "HF_TOKEN": "x",
        "WANDB_API_KEY": "x",
        "DROID_TOKEN": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "DB_PASSWORD": "x",
        "PYTHONHOME": "/elsewhere",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ELECTRON_RUN_AS_NODE": "1",
        "LANG": "C.UTF-8",
    }

    env = engine_environment(settings, given)

    assert {"HF_TOKEN", "WANDB_API_KEY", "DROID_TOKEN"}.isdisjoint(env)
    assert {"AWS_SECRET_ACCESS_KEY", "DB_PASSWORD"}.isdisjoint(env)
    assert {"PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "ELECTRON_RUN_AS_NODE"}.isdisjoint(env)
    assert env["PATH"] == "/usr/bin"
    assert env["LANG"] == "C.UTF-8"
    assert env["TOKENIZERS_PARALLELISM"] == "true"
    assert env["HF_HUB_OFFLINE"] == "1"


def test_on_a_mac_nothing_about_the_matrix_library_is_touched(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    env = engine_environment(settings, {})

    assert find_blas(settings) == BlasInfo(name="accelerate", source="macOS", path=None)
    assert {"LD_PRELOAD", "LD_LIBRARY_PATH", "MLX_DISABLE_COMPILE"}.isdisjoint(env)


@linux_only
def test_without_any_openblas_engines_still_get_an_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = BlasInfo(name="reference", source="mlx's own", path=None)
    monkeypatch.setattr(blas, "find_blas", lambda settings: reference)

    env = engine_environment(settings, {})

    assert "LD_PRELOAD" not in env
    assert env["PYTHONUNBUFFERED"] == "1"


@linux_only
def test_the_users_own_preloads_and_choices_are_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = BlasInfo(name="openblas", source="here", path="/a folder/libopenblas.so")
    monkeypatch.setattr(blas, "find_blas", lambda settings: found)
    given = {"LD_PRELOAD": "libother.so", "OPENBLAS_NUM_THREADS": "1", "MLX_DISABLE_COMPILE": "0"}

    env = engine_environment(settings, given)

    assert env["LD_PRELOAD"] == "libopenblas.so:libother.so"
    assert env["LD_LIBRARY_PATH"] == "/a folder"
    assert env["OPENBLAS_NUM_THREADS"] == "1"
    assert env["MLX_DISABLE_COMPILE"] == "0"


@linux_only
@pytest.mark.engine
def test_mlx_multiplies_rightly_with_the_library_of_a_folder_with_a_blank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blas, "CHECKOUT", tmp_path / "a folder")
    monkeypatch.setattr(blas, "system_libraries", lambda root: iter(()))
    blas._search.cache_clear()
    settings = read_settings({}, data_dir=str(tmp_path / "data"))
    chosen = find_blas(settings)
    env = engine_environment(settings)
    preload = [f"{name}={env[name]}" for name in ("LD_PRELOAD", "LD_LIBRARY_PATH")]

    done = run_errand(["/usr/bin/env", *preload, sys.executable, "-c", _MULTIPLY])
    blas._search.cache_clear()

    difference, loaded = done.stdout.decode().splitlines()
    assert chosen.name == "openblas"
    assert float(difference) < 1e-4
    assert Path(str(chosen.path)).name in loaded


@linux_only
def test_a_cache_folder_that_cannot_be_written_leaves_the_reference_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(blas, "CHECKOUT", tmp_path / "file")
    monkeypatch.setattr(blas, "system_libraries", lambda root: iter(()))
    blas._search.cache_clear()
    settings = replace(read_settings({}), data_dir=tmp_path / "file")

    found = find_blas(settings)
    blas._search.cache_clear()

    assert found.name == "reference"
    assert found.path is None


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No library of the system, and nothing made from the wheel yet."""
    monkeypatch.setattr(blas, "CHECKOUT", tmp_path)
    monkeypatch.setattr(blas, "system_libraries", lambda root: iter(()))
    blas._search.cache_clear()
    yield tmp_path / ".cache" / "blas"
    blas._search.cache_clear()


@linux_only
def test_many_that_ask_at_once_get_one_library_with_the_right_names(
    settings: Settings, empty_cache: Path
) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: find_blas(settings).path, range(4)))

    assert len(found) == 1
    assert exports_gemm(Path(str(found.pop())))
    assert [path.suffix for path in empty_cache.iterdir()] == [".so"]


@linux_only
def test_a_kept_library_under_other_names_is_made_again(
    settings: Settings, empty_cache: Path
) -> None:
    made = Path(str(find_blas(settings).path))
    _library(made, names="scipy_cblas_sgemm scipy_cblas_dgemm scipy_cblas_cgemm")
    blas._search.cache_clear()

    assert exports_gemm(Path(str(find_blas(settings).path)))


@linux_only
def test_a_library_that_could_not_be_made_is_tried_again(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / ".cache"
    in_the_way.write_text("no folder")
    settings = replace(read_settings({}), data_dir=tmp_path)
    monkeypatch.setattr(blas, "SEARCH_AGAIN", 0.0)
    assert find_blas(settings).name == "reference"

    in_the_way.unlink()

    assert find_blas(settings).name == "openblas"
