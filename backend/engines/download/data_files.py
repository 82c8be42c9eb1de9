"""Which files of a data set's repository are the rows of which configuration and split. Pure.

As the card says in `configs`; else by the hub's own branch of Parquet files
(`<config>/<split>/0000.parquet`); else by the names of the files, as the `datasets` library does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from backend.contract.download import HubFile
from backend.contract.hub_dataset import HubConfig, HubSplit

DEFAULT = "default"
TRAIN = "train"
_SUFFIXES = ("parquet", "jsonl", "json", "csv", "tsv")  # The first ones are preferred.
_SPLITS = {
    "train": TRAIN, "training": TRAIN,
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
_NO_ROWS = {"dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json"}
_PACKED = (".gz", ".zst", ".zip", ".bz2", ".xz", ".tar")
_CONVERTED = re.compile(r"([^/]+)/([^/]+)/\d{4}\.parquet")
_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]/]+\]|.", re.DOTALL)
_GLOBS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class NoData(Exception):
    """The repository holds no rows that can be read; the text says what it holds instead."""


class NoSuchPart(Exception):
    """The data set lacks the configuration or split that was asked for."""


@dataclass(frozen=True, slots=True)
class Split:
    name: str
    files: tuple[HubFile, ...]


@dataclass(frozen=True, slots=True)
class Config:
    name: str
    splits: tuple[Split, ...]


def configs_of(listed: Iterable[HubFile], card: Mapping[str, Any]) -> list[Config]:
    """The configurations that have files, in the card's order. Raises NoData."""
    everything = list(listed)
    files = [file for file in everything if _is_data(file.name)]
    result = _by_card(files, card) or _by_branch(files) or _by_name(files)
    if not result:
        raise NoData(_instead([file.name for file in everything]))
    return result


def choose_split(configs: Sequence[Config], config: str | None, split: str | None) -> Split:
    """Without a name, the default configuration or the first, and its training split or its
    first. Raises NoSuchPart.
    """
    config_choice = _named(configs, config, DEFAULT)
    if config_choice is None:
        raise NoSuchPart(f"It has no configuration {config!r}, only {_names(configs)}.")
    part = _named(config_choice.splits, split, TRAIN)
    if part is None:
        raise NoSuchPart(
            f"Its configuration {config_choice.name} has no split {split!r}, "
            f"only {_names(config_choice.splits)}."
        )
    return cast("Split", part)


def needed_files(
    files: Sequence[HubFile], limit: int | None, count: Callable[[HubFile], int | None]
) -> list[HubFile]:
    """The first files that hold `limit` rows together, by what `count` says of a Parquet file. All
    of them without a limit, of another kind, or where one can't be counted.
    """
    rows = 0
    for number, file in enumerate(files[:-1], 1):
        counted = count(file) if limit is not None and _suffix(file) == "parquet" else None
        if limit is None or counted is None:
            break
        rows += counted
        if rows >= limit:
            return list(files[:number])
    return list(files)


def describe(configs: Iterable[Config], card: Mapping[str, Any]) -> tuple[HubConfig, ...]:
    """The configurations with what the card says of their rows and columns."""
    facts = _facts(card)
    return tuple(
        HubConfig(
            name=config.name,
            columns=_columns(facts.get(config.name, {})),
            splits=tuple(
                HubSplit(
                    name=split.name,
                    files=len(split.files),
                    size_bytes=sum(file.size for file in split.files),
                    rows=_rows(facts.get(config.name, {}), split.name),
                )
                for split in config.splits
            ),
        )
        for config in configs
    )


def license_of(card: Mapping[str, Any]) -> str | None:
    """The licence that the card gives; of another one its name."""
    license = card.get("license")
    if license == "other" and isinstance(card.get("license_name"), str):
        license = card["license_name"]
    names = [each for each in _list(license) if isinstance(each, str) and each.strip()]
    return ", ".join(names)[:200] or None


def _is_data(name: str) -> bool:
    parts = name.split("/")
    if "\0" in name or any(part in ("", "..") or part.startswith(".") for part in parts):
        return False
    return parts[-1].rpartition(".")[2].lower() in _SUFFIXES and parts[-1] not in _NO_ROWS


def _by_card(files: Sequence[HubFile], card: Mapping[str, Any]) -> list[Config]:
    configs = []
    for each in _list(card.get("configs")):
        if not isinstance(each, Mapping):
            continue
        splits = _card_splits(files, each)
        if splits:
            config = Config(str(each.get("config_name") or DEFAULT), splits)
            configs.append((each.get("default") is not True, config))
    return [config for _, config in sorted(configs, key=lambda pair: pair[0])]


def _card_splits(files: Sequence[HubFile], config: Mapping[str, Any]) -> tuple[Split, ...]:
    folder = str(config.get("data_dir") or "").strip("./")
    start = f"{folder}/" if folder else ""
    if config.get("data_files") is None:
        return _splits_by_name([file for file in files if file.name.startswith(start)])
    patterns: dict[str, list[str]] = {}
    for each in _list(config["data_files"]):
        one = each if isinstance(each, Mapping) else {"split": TRAIN, "path": each}
        target = [start + path for path in _list(one.get("path")) if isinstance(path, str)]
        patterns.setdefault(str(one.get("split") or TRAIN), []).extend(target)
    splits = []
    for name, globs in patterns.items():
        regexes = [_regex(glob) for glob in globs]
        matched = tuple(f for f in files if any(regex.fullmatch(f.name) for regex in regexes))
        if matched:
            splits.append(Split(name, matched))
    return tuple(splits)


def _regex(glob: str) -> re.Pattern[str]:
    parts = (match.group() for match in _GLOB.finditer(glob.removeprefix("./")))
    text = "".join(
        _GLOBS.get(part) or (part.replace("[!", "[^") if len(part) > 1 else re.escape(part))
        for part in parts
    )
    try:
        return re.compile(text)
    except re.error:
        return re.compile(re.escape(glob))


def _by_branch(files: Sequence[HubFile]) -> list[Config]:
    placed = [(_CONVERTED.fullmatch(file.name), file) for file in files]
    branches: dict[str, dict[str, list[HubFile]]] = {}
    for match, file in placed:
        if match is None:
            return []
        branches.setdefault(match[1], {}).setdefault(match[2], []).append(file)
    return [Config(name, _splits(splits)) for name, splits in branches.items()]


def _by_name(files: Sequence[HubFile]) -> list[Config]:
    splits = _splits_by_name(files)
    return [Config(DEFAULT, splits)] if splits else []


def _splits_by_name(files: Sequence[HubFile]) -> tuple[Split, ...]:
    """One kind of files only: the same rows are often there in several."""
    kinds = Counter(_suffix(file) for file in files)
    if not kinds:
        return ()
    kind = max(kinds, key=lambda suffix: (kinds[suffix], -_SUFFIXES.index(suffix)))
    files_by_split: dict[str, list[HubFile]] = {}
    for file in files:
        if _suffix(file) == kind:
            files_by_split.setdefault(_split_name(file.name), []).append(file)
    return _splits(dict(sorted(files_by_split.items(), key=lambda item: item[0] != TRAIN)))


def _splits(files_by_split: Mapping[str, Sequence[HubFile]]) -> tuple[Split, ...]:
    return tuple(Split(name, tuple(files)) for name, files in files_by_split.items())


def _suffix(file: HubFile) -> str:
    return file.name.rpartition(".")[2].lower()


def _split_name(path: str) -> str:
    for part in reversed(path.lower().rpartition(".")[0].split("/")):
        for word in re.split(r"[^a-z]+", part):
            if word in _SPLITS:
                return _SPLITS[word]
    return TRAIN


def _named(parts: Sequence[Any], name: str | None, usual: str) -> Any:
    if name is not None:
        return next((part for part in parts if part.name == name), None)
    return next((part for part in parts if part.name == usual), parts[0])


def _names(parts: Sequence[Any]) -> str:
    names = ", ".join(part.name for part in parts[:12])
    return names if len(parts) <= 12 else f"{names} and {len(parts) - 12} more"


def _facts(card: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """`dataset_info` of the card, by configuration."""
    listed = [each for each in _list(card.get("dataset_info")) if isinstance(each, Mapping)]
    return {str(each.get("config_name") or DEFAULT): each for each in listed}


def _columns(facts: Mapping[str, Any]) -> tuple[str, ...]:
    features = [each for each in _list(facts.get("features")) if isinstance(each, Mapping)]
    return tuple(str(each["name"]) for each in features if each.get("name"))


def _rows(facts: Mapping[str, Any], split: str) -> int | None:
    for each in _list(facts.get("splits")):
        if isinstance(each, Mapping) and each.get("name") == split:
            rows = each.get("num_examples")
            return rows if isinstance(rows, int) and rows >= 0 else None
    return None


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _instead(names: Sequence[str]) -> str:
    if any(name.lower().endswith(_PACKED) for name in names):
        return "Its files are packed (.gz, .zip, …), which are not unpacked here."
    if any(name.endswith(".py") for name in names):
        return "Its rows are made by a script, and code from the hub is never run."
    return f"It has no files of rows ({', '.join('.' + suffix for suffix in _SUFFIXES)})."
