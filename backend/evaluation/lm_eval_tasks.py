"""Tasks of lm-eval that an evaluation asks for: found, checked, and kept with its request.

Only tasks whose rows are files of this machine: an evaluation's process has no way to the network.
A task file is read as plain data, so that none of its tags can run code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.contract.jobs.evaluation import LmEvalTask
from backend.core.disk.files import NAME
from backend.core.disk.stored_files import DamagedFile, read_yaml
from backend.core.machine.versions import engine_versions
from backend.errors import BadContent, EngineMissing, NotFound
from backend.settings import CHECKOUT, Settings

PACKAGE = "lm-eval"
VERSION = "0.4.13"  # The one that was tried with the engine; pyproject.toml has the same.
INSTALL = f".venv/bin/uv pip install --python .venv/bin/python {PACKAGE}=={VERSION}"

_SHIPPED = CHECKOUT / "test_data" / "tasks"
_LOCAL_KINDS = ("json", "csv", "parquet", "text")
_CAP = 1024 * 1024
_RUNS_CODE = ("include", "custom_dataset", "process_docs", "class", "unsafe_code")


class Tasks:
    """`<data>/tasks/<name>.yaml`, the shipped ones, or a file by its path. Blocking."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def version(self) -> str | None:
        """Of the installed lm-eval; None without it."""
        return engine_versions(self._settings)[1].get(PACKAGE)

    def names(self) -> list[str]:
        """The tasks that can be asked for by name."""
        folders = (self._settings.data_dir / "tasks", _SHIPPED)
        return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})

    def chosen(self, asked_names: Sequence[str]) -> list[LmEvalTask]:
        """Each with its data files by their whole path.

        Raises EngineMissing without lm-eval, NotFound or BadContent with a sentence.
        """
        if not asked_names:
            return []
        if self.version() is None:
            raise EngineMissing(
                f"Tasks are asked by {PACKAGE}, which is not installed.",
                hint=f"Install it beside the engines: {INSTALL}",
            )
        tasks = [_read(self._file(one)) for one in asked_names]
        names = [task.name for task in tasks]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise BadContent(f"The task {twice} is asked for twice.", hint="Name it once.")
        return tasks

    def _file(self, name: str) -> Path:
        if NAME.fullmatch(name) and not name.endswith((".yaml", ".yml")):
            for folder in (self._settings.data_dir / "tasks", _SHIPPED):
                if (folder / f"{name}.yaml").is_file():
                    return folder / f"{name}.yaml"
            raise NotFound(
                f"There is no task {name!r} on this machine.",
                hint="A task of the lm-eval library would download its rows, and an evaluation "
                f"works offline. Here are: {', '.join(self.names())}; or give the path of a YAML "
                "file whose data_files are on this machine.",
            )
        path = self._settings.data_dir / Path(name).expanduser()
        if path.suffix not in {".yaml", ".yml"} or not path.is_file():
            raise NotFound(f"{name[:200]!r} is no YAML file of a task.")
        return path


def _read(path: Path) -> LmEvalTask:
    try:
        config = read_yaml(path, most=_CAP)
        config = json.loads(json.dumps(config, allow_nan=False))  # As it is kept in the request.
    except (OSError, ValueError, TypeError, DamagedFile) as problem:
        reason = " ".join(str(problem).split())[:300]
        raise BadContent(
            f"The task {path} can't be read: {reason}.",
            hint="It is read as plain YAML: tags such as !function, which run code, are not taken.",
        ) from problem
    if not isinstance(config, dict):
        raise BadContent(f"The task {path} can't be used: it is no mapping of fields.")
    name = config.get("task")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadContent(f"The task {path} can't be used: it has no `task`, which is its name.")
    _refuse_code(name, config)
    local = config | {"dataset_kwargs": _local_data(path, name, config)}
    return LmEvalTask(name=name, config=local)


def _refuse_code(name: str, config: Mapping[str, Any]) -> None:
    metrics = config.get("metric_list")
    asks_hub = isinstance(metrics, list) and any(
        isinstance(metric, dict) and metric.get("hf_evaluate") for metric in metrics
    )
    used = "hf_evaluate" if asks_hub else next((key for key in _RUNS_CODE if config.get(key)), None)
    if used is not None:
        raise BadContent(
            f"The task {name} can't be used: its {used} needs code from elsewhere.",
            hint="Only tasks that are written whole in one YAML file are asked.",
        )


def _local_data(path: Path, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    kind, options = config.get("dataset_path"), config.get("dataset_kwargs")
    files = options.get("data_files") if isinstance(options, dict) else None
    if kind not in _LOCAL_KINDS or not files:
        raise BadContent(
            f"The task {name} reads its rows from {kind!r} of the Hugging Face Hub, and an "
            "evaluation works offline.",
            hint=f"Save its rows as a file, and give dataset_path ({', '.join(_LOCAL_KINDS)}) and "
            "dataset_kwargs.data_files.",
        )
    splits = files if isinstance(files, dict) else {"train": files}
    placed = {
        str(split): [_data_file(path, name, one) for one in _several(paths)]
        for split, paths in splits.items()
    }
    return dict(options or {}) | {"data_files": placed}


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _data_file(path: Path, name: str, value: Any) -> str:
    place = path.parent / Path(str(value)).expanduser()
    if not place.is_file():
        raise NotFound(
            f"The task {name} names the data file {value!r}, and {place} is not there.",
            hint="A relative path begins at the task's own folder.",
        )
    return str(place.resolve())
