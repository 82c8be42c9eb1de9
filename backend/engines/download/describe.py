"""`python -m backend.engines.download.describe`: what a data set of the hub holds.

Reads a request on stdin; answers with the description on stdout, or with how it failed. Nothing is
fetched but the list of its files and its card.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from backend.contract.download import HubRequest, write_end
from backend.contract.hub_dataset import HubDataset
from backend.contract.record import read_record, write_record
from backend.engines.download.data_files import configs_of, describe, license_of
from backend.engines.download.explain import explain
from backend.engines.download.hub import list_repository, use_guard


def main() -> int:
    asked = read_record(HubRequest, json.load(sys.stdin))
    try:
        answer: dict[str, Any] = {"dataset": write_record(describe_dataset(asked))}
    except Exception as problem:  # noqa: BLE001 - the one top-level handler of this process
        answer = {"end": write_end(explain(problem, asked))}
    sys.stdout.write(json.dumps(answer))
    return 0


def describe_dataset(asked: HubRequest) -> HubDataset:
    """Raises NoData, and what the library raises."""
    use_guard(asked.endpoint)
    found = list_repository(asked)
    return HubDataset(
        repo_id=asked.repo_id,
        revision=asked.revision,
        commit=found.commit,
        license=license_of(found.card),
        gated=found.gated,
        configs=describe(configs_of(found.files, found.card), found.card),
    )


if __name__ == "__main__":
    sys.exit(main())
