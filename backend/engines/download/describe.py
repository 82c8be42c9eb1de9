"""`python -m backend.engines.download.describe`: what a data set of the hub holds.

Reads a request on stdin; answers with the description on stdout, or with how it failed. Nothing is
fetched but the list of its files and its card.
"""

from __future__ import annotations

import sys

from backend.contract.download import HubRequest
from backend.contract.hub_dataset import HubDataset
from backend.engines.download.answer import answer_request
from backend.engines.download.data_files import configs_of, describe, license_of
from backend.engines.download.hub import list_repository, use_guard


def main() -> int:
    return answer_request("dataset", describe_dataset)


def describe_dataset(request: HubRequest) -> HubDataset:
    """Raises NoData, and what the library raises."""
    use_guard(request.endpoint)
    repository = list_repository(request)
    return HubDataset(
        repo_id=request.repo_id,
        revision=request.revision,
        commit=repository.commit,
        license=license_of(repository.card),
        gated=repository.gated,
        configs=describe(configs_of(repository.files, repository.card), repository.card),
    )


if __name__ == "__main__":
    sys.exit(main())
