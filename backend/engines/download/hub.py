"""What the hub is asked for: what a repository holds, and where its files are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huggingface_hub import (
    HfApi,
    close_session,
    get_session,
    get_token,
    hf_hub_url,
    hf_raise_for_status,
)

from backend.contract.download import HubFile, HubRequest
from backend.engines.download.fetch import guard


@dataclass(frozen=True, slots=True)
class Repository:
    """One commit: its files, and what its card says."""

    commit: str
    files: tuple[HubFile, ...]
    card: Mapping[str, Any]
    gated: bool


def use_guard(endpoint: str) -> None:
    """From now on no request leads into the own network, save to the hub itself."""
    close_session()  # One of before would be guarded for another place.
    client = get_session()
    hooks = client.event_hooks
    client.event_hooks = {**hooks, "request": [*hooks["request"], guard(endpoint)]}


def list_repository(request: HubRequest) -> Repository:
    """Raises what the library raises."""
    api = HfApi(endpoint=request.endpoint)
    ask = api.model_info if request.dataset is None else api.dataset_info
    info = ask(
        request.repo_id, revision=request.revision, files_metadata=True, timeout=request.timeout
    )
    files = tuple(
        HubFile(
            name=each.rfilename,
            size=each.lfs.size if each.lfs else each.size,
            digest=each.lfs.sha256 if each.lfs else str(each.blob_id),
            large=each.lfs is not None,
        )
        for each in info.siblings or []
        if each.size is not None
    )
    card = info.card_data
    return Repository(
        str(info.sha), files, dict(vars(card)) if card is not None else {}, bool(info.gated)
    )


def check_access(request: HubRequest, commit: str, file: HubFile) -> None:
    """Anyone may see the list of a gated repository; its files only who accepted its terms."""
    answer = get_session().head(
        address(request, commit, file.name), headers=headers(), timeout=request.timeout
    )
    hf_raise_for_status(answer)


def headers() -> dict[str, str]:
    token = get_token()  # HF_TOKEN, or the one that `hf auth login` keeps.
    return {"authorization": f"Bearer {token}"} if token else {}


def address(request: HubRequest, commit: str, name: str) -> str:
    return hf_hub_url(
        request.repo_id,
        name,
        repo_type=request.repo_type,
        revision=commit,
        endpoint=request.endpoint,
    )
