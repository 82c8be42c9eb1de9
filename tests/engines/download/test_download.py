"""The real library against a hub on loopback; the real hub was never asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from backend.contract.download import HubRequest
from backend.engines.download.__main__ import main
from backend.engines.download.explain import NoSpace, explain
from backend.engines.download.fetch import HubRefused, guard
from tests.fakes.hub import FakeHub, running_hub

WEIGHTS = bytes(range(256)) * 64
FILES = {
    "config.json": b'{"model_type": "qwen2"}',
    "tokenizer.json": b"{}",
    "model.safetensors": WEIGHTS,
    "modeling_tiny.py": b"raise SystemExit('ran')",
    "pytorch_model.bin": b"pickle" * 1000,
}
WANTED = {"config.json", "tokenizer.json", "model.safetensors"}


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with running_hub(FakeHub(dict(FILES))) as running:
        yield running


@pytest.fixture
def job(tmp_path: Path, hub: FakeHub) -> Path:
    return ask(tmp_path, hub)


def ask(folder: Path, hub: FakeHub, **changes: Any) -> Path:
    asked = {"repo_id": hub.repo, "revision": "main", "endpoint": hub.url, "timeout": 5.0}
    (folder / "request.json").write_text(json.dumps({**asked, **changes}))
    return folder


def end(job: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((job / "end.json").read_text())
    return said


def arrived(job: Path) -> set[str]:
    return {path.name for path in (job / "files").iterdir()}


def test_what_trains_is_fetched_and_code_and_pickles_are_not(job: Path, hub: FakeHub) -> None:
    assert main(job) == 0

    assert end(job) == {"ok": True}
    assert arrived(job) == WANTED
    assert (job / "files" / "model.safetensors").read_bytes() == WEIGHTS
    plan = json.loads((job / "plan.json").read_text())
    assert plan["total"] == sum(len(FILES[name]) for name in WANTED)


def test_a_cut_connection_keeps_its_bytes_and_only_the_rest_is_asked_for(
    job: Path, hub: FakeHub
) -> None:
    hub.cut_after = 5000
    main(job)
    cut = end(job)
    hub.cut_after = None

    assert main(job) == 0

    assert (cut["kind"], cut["retry"]) == ("connection", True)
    assert [ranged for _, ranged in hub.bodies()] == [None, "bytes=5000-"]
    assert (job / "files" / "model.safetensors").read_bytes() == WEIGHTS


def test_a_hub_that_ignores_ranges_is_read_from_the_start(job: Path, hub: FakeHub) -> None:
    hub.cut_after = 5000
    main(job)
    hub.cut_after, hub.no_ranges = None, True

    assert main(job) == 0

    assert (job / "files" / "model.safetensors").read_bytes() == WEIGHTS


def test_a_damaged_file_is_fetched_once_more_and_then_told(job: Path, hub: FakeHub) -> None:
    hub.damaged = {"model.safetensors"}

    assert main(job) == 1

    assert "checksum" in end(job)["error"]
    assert len(hub.bodies()) == 2
    assert "model.safetensors" not in arrived(job)


def test_a_part_of_an_older_version_is_not_continued(job: Path, hub: FakeHub) -> None:
    hub.cut_after = 5000
    main(job)
    hub.cut_after = None
    hub.files["model.safetensors"], hub.commit = WEIGHTS[::-1], "6" * 40

    assert main(job) == 0

    assert (job / "files" / "model.safetensors").read_bytes() == WEIGHTS[::-1]
    assert hub.bodies()[-1][1] is None


def test_a_file_that_is_there_is_not_fetched_again(job: Path, hub: FakeHub) -> None:
    main(job)
    hub.requests.clear()

    assert main(job) == 0

    assert hub.bodies() == []


def test_a_gated_model_is_explained_with_the_page_to_accept_it_on(job: Path, hub: FakeHub) -> None:
    hub.gated_for = "token-of-another"

    assert main(job) == 1

    said = end(job)
    assert said["kind"] == "gated"
    assert f"{hub.url}/acme/tiny" in said["hint"]
    assert "HF_TOKEN" in said["hint"]
    assert hub.bodies() == []


def test_a_token_opens_a_gated_model_and_is_written_nowhere(
    job: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.gated_for = "token-in-this-test"
    monkeypatch.setenv("HF_TOKEN", hub.gated_for)

    assert main(job) == 0

    texts = [path.read_bytes() for path in job.rglob("*") if path.is_file()]
    assert not [text for text in texts if b"token-in-this-test" in text]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ({"private": True}, "missing", "or it is private"),
        ({"busy": True}, "connection", "busy or down"),
        ({"sizes": {"model.safetensors": 10**18}}, "disk", "1,000,000,000.0 GB more, but only"),
        ({"files": {"config.json": b"{}", "a.gguf": b"x"}}, "unusable", "GGUF"),
        ({"files": {"config.json": b"{}", "pytorch_model.bin": b"x"}}, "unusable", "pickles"),
        ({"files": {"adapter_config.json": b"{}"}}, "unusable", "adapter"),
    ],
)
def test_what_can_not_be_fetched_is_told_before_a_byte_comes(
    job: Path, hub: FakeHub, fault: dict[str, Any], kind: str, words: str
) -> None:
    for name, value in fault.items():
        setattr(hub, name, value)

    assert main(job) == 1

    assert end(job)["kind"] == kind
    assert words in end(job)["error"]
    assert hub.bodies() == []


def test_an_unknown_revision_is_named(tmp_path: Path, hub: FakeHub) -> None:
    main(ask(tmp_path, hub, revision="v9"))

    assert "no revision 'v9'" in end(tmp_path)["error"]


def test_a_hub_that_is_not_there_is_told(tmp_path: Path, hub: FakeHub) -> None:
    main(ask(tmp_path, hub, endpoint="http://127.0.0.1:9"))

    said = end(tmp_path)
    assert (said["kind"], said["retry"]) == ("connection", True)
    assert "can't be reached" in said["error"]


def test_a_redirect_into_the_own_network_is_not_followed(job: Path, hub: FakeHub) -> None:
    with running_hub(FakeHub(dict(FILES))) as trap:
        hub.redirect_to = trap.url

        assert main(job) == 1

        assert end(job)["kind"] == "refused"
        assert trap.requests == []


@pytest.mark.parametrize(
    "address",
    ["https://127.0.0.1/x", "https://10.0.0.7/x", "https://169.254.169.254/x", "https://[::1]/x",
     "https://[::ffff:10.0.0.1]/x", "http://93.184.216.34/x"],
)  # fmt: skip
def test_no_address_of_the_own_network_is_asked(address: str) -> None:
    with pytest.raises(HubRefused):
        guard("https://hub.example")(httpx2.Request("GET", address))


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", (address, 443)) for address in ("93.184.216.34", "192.168.1.4")]

    monkeypatch.setattr("socket.getaddrinfo", both)

    with pytest.raises(HubRefused):
        guard("https://hub.example")(httpx2.Request("GET", "https://store.example/x"))


def test_a_full_disk_is_told_with_both_numbers() -> None:
    asked = HubRequest(repo_id="a/b", revision="main", endpoint="https://h", timeout=1)

    said = explain(NoSpace(7_300_000_000, 2_100_000_000), asked)

    assert said.error == "a/b needs 7.3 GB more, but only 2.1 GB are free."
