"""The files between a download's process and the server keep their keys, whoever reads them."""

from __future__ import annotations

from backend.contract.download import DownloadEnd, DownloadPlan, HubFile, HubRequest, write_end
from backend.contract.record import read_record, write_record


def test_a_good_end_says_nothing_but_that() -> None:
    end = DownloadEnd(ok=True)

    assert write_end(end) == {"ok": True}
    assert read_record(DownloadEnd, write_end(end)).ok


def test_a_failure_keeps_its_kind_reason_and_remedy() -> None:
    end = DownloadEnd(ok=False, kind="disk", error="Full.", hint="Free some space.", retry=True)

    assert write_end(end) == {
        "ok": False, "kind": "disk", "error": "Full.", "hint": "Free some space.", "retry": True,
    }  # fmt: skip
    assert read_record(DownloadEnd, write_end(end)) == end


def test_a_plan_keeps_the_keys_of_its_files() -> None:
    file = HubFile(name="config.json", size=2, digest="ab", large=False)
    plan = DownloadPlan(commit="c", total=2, files=(file,))

    assert write_record(plan) == {
        "commit": "c",
        "total": 2,
        "files": ({"name": "config.json", "size": 2, "digest": "ab", "large": False},),
        "files_left": 0,
    }
    assert read_record(DownloadPlan, write_record(plan)).names == ("config.json",)


def test_a_request_is_known_by_its_repository_and_revision() -> None:
    request = read_record(HubRequest, {"repo_id": "acme/tiny", "revision": "main"})

    assert (request.repo_id, request.revision) == ("acme/tiny", "main")
