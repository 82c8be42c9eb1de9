"""What a data set of the hub holds, and its first rows, asked of a process that knows the hub."""

from __future__ import annotations

import json
from typing import Any, Literal

from backend.contract.download import DownloadEnd
from backend.contract.hub_dataset import HubDataset, HubRows
from backend.contract.record import read_record, write_record
from backend.core.process import run_child
from backend.downloads.hub_environment import hub_endpoint, hub_environment
from backend.downloads.hub_schemas import HubDatasetInfo, HubRowsInfo
from backend.downloads.known_sets import KNOWN
from backend.downloads.refusals import refusal_of
from backend.downloads.schemas import DatasetSplitRequest
from backend.errors import HubUnreachable
from backend.settings import CHECKOUT, Settings

DEADLINE = 60.0
_READ_TIMEOUT = 20.0


async def describe_dataset(settings: Settings, request: DatasetSplitRequest) -> HubDatasetInfo:
    """Raises what a download of it would raise: NotFound, AccessRefused, BadContent and so on."""
    answer = await _ask(settings, "describe", request)
    info = HubDatasetInfo.model_validate(read_record(HubDataset, answer["dataset"]))
    info.known = next((each for each in KNOWN if each.repo_id == info.repo_id), None)
    return info


async def first_rows(settings: Settings, request: DatasetSplitRequest) -> HubRowsInfo:
    """Of the split that is asked for. Raises as `describe_dataset` does."""
    answer = await _ask(settings, "first_rows", request)
    return HubRowsInfo.model_validate(read_record(HubRows, answer["rows"]))


async def _ask(
    settings: Settings, module: Literal["describe", "first_rows"], question: DatasetSplitRequest
) -> dict[str, Any]:
    request = write_record(question.hub_request())
    child = await run_child(
        [str(settings.python), "-m", f"backend.engines.download.{module}"],
        cwd=CHECKOUT,
        env=hub_environment(settings),
        deadline=DEADLINE,
        stdin_json={**request, "endpoint": hub_endpoint(settings), "timeout": _READ_TIMEOUT},
    )
    if child.exit_code != 0 or child.overflowed:
        last = (child.stderr.strip().splitlines() or [f"exit code {child.exit_code}"])[-1]
        raise HubUnreachable(f"The hub can't be reached: {last[:300]}")
    answer: dict[str, Any] = json.loads(child.stdout)
    if "end" in answer:
        raise refusal_of(read_record(DownloadEnd, answer["end"]))
    return answer
