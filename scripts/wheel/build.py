"""Build the wheel and the sdist: the wheel from the sdist, so that either holds all it needs."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.setup.terminal import run
from scripts.wheel.contents import problems

# A fixed time in the archives, so that two builds of the same files are the same bytes.
_EPOCH = "1577836800"


@dataclass(frozen=True, slots=True)
class Package:
    """The two files of one build."""

    wheel: Path
    sdist: Path


class BadPackage(Exception):
    """What was built is not what is to be published; says every fault."""


def build(checkout: Path, output: Path, *, python: str) -> Package:
    """Build both into the folder `output`, whose earlier packages are removed. The page is built
    already. Raises BadPackage when a file is missing or one too many.
    """
    shutil.rmtree(output, ignore_errors=True)
    # The pinned backend of this environment: nothing is fetched, and all see the same build.
    run([python, "-m", "uv", "build", "--quiet", "--no-build-isolation", "--python", python,
         "--out-dir", output, checkout], env={"SOURCE_DATE_EPOCH": _EPOCH})  # fmt: skip
    package = Package(_only(output, "*.whl"), _only(output, "*.tar.gz"))
    faults = [
        *(f"{package.wheel.name}: {fault}" for fault in problems(wheel_names(package.wheel))),
        *(f"{package.sdist.name}: {fault}" for fault in problems(sdist_names(package.sdist))),
    ]
    if faults:
        raise BadPackage("\n".join(faults))
    return package


def _only(folder: Path, pattern: str) -> Path:
    (file,) = folder.glob(pattern)
    return file


def wheel_names(wheel: Path) -> list[str]:
    """The names in it, those of a checkout without the package's folder before them."""
    with zipfile.ZipFile(wheel) as archive:
        return [name.removeprefix("droid_finetuning/") for name in archive.namelist()]


def sdist_names(sdist: Path) -> list[str]:
    """The names in it, without the folder that all of them are in."""
    with tarfile.open(sdist) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def sizes(package: Package) -> Mapping[str, float]:
    """Megabytes of each file, and of the wheel when it is installed."""
    with zipfile.ZipFile(package.wheel) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    return {
        package.wheel.name: package.wheel.stat().st_size / 1e6,
        package.sdist.name: package.sdist.stat().st_size / 1e6,
        "installed": unpacked / 1e6,
    }
