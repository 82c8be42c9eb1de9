"""Host files and process counts that the launcher would fail on are refused before a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from backend.errors import Invalid
from backend.training.plan.checks import refuse_impossible
from backend.training.plan.hosts import Ranks, ranks_of
from tests.training.requests import model, request, targets

HERE = {"ssh": "127.0.0.1", "ips": ["192.168.0.1"]}
OTHER = {"ssh": "studio.local", "ips": ["192.168.0.2"]}


def refused(batch_size: int = 4, **distributed: Any) -> tuple[str, str]:
    asked = request(max_seq_length=128, batch_size=batch_size, distributed=distributed)
    with pytest.raises(Invalid) as refusal:
        refuse_impossible(asked, model(), targets(), 100)
    return refusal.value.errors[0].field, refusal.value.detail


def host_file(tmp_path: Path, hosts: Any) -> str:
    path = tmp_path / "hosts.json"
    path.write_text(hosts if isinstance(hosts, str) else json.dumps(hosts))
    return str(path)


@pytest.mark.parametrize("hosts", [[HERE, OTHER], {"backend": "ring", "hosts": [HERE, OTHER]}])
def test_a_good_host_file_is_taken(tmp_path: Path, hosts: Any) -> None:
    asked = request(
        max_seq_length=128, batch_size=4, distributed={"hostfile": host_file(tmp_path, hosts)}
    )

    refuse_impossible(asked, model(), targets(), 100)
    assert ranks_of(asked.distributed) == Ranks(all=2, here=1)


def test_a_batch_must_divide_among_the_processes() -> None:
    field, detail = refused(batch_size=5, processes=2)

    assert field == "batch_size"
    assert "5 rows" in detail and "2 processes" in detail and "use 6" in detail


BAD: list[tuple[Any, str, str]] = [
    ([HERE], "ring", "names 1 hosts"),
    ([OTHER, HERE], "ring", "'studio.local'"),
    ([HERE, {"ssh": "-oProxyCommand=x", "ips": ["10.0.0.1"]}], "ring", "no name of a machine"),
    ([HERE, {"ssh": "a", "ips": ["nowhere"]}], "ring", "'nowhere'"),
    ([HERE, {"ssh": "a"}], "ring", "a in hosts.json has no ips"),
    ([HERE, OTHER], "jaccl", "0 entries in rdma"),
    ([{"ip": 1}], "ring", "0.ssh"),
    ({"machines": []}, "ring", '"hosts"'),
    ("{", "ring", "not valid JSON"),
]


@pytest.mark.parametrize(("hosts", "backend", "named"), BAD, ids=[row[2] for row in BAD])
def test_a_host_file_that_can_not_work_is_refused_with_the_reason(
    tmp_path: Path, hosts: Any, backend: str, named: str
) -> None:
    field, detail = refused(hostfile=host_file(tmp_path, hosts), backend=backend)

    assert field == "distributed"
    assert named in detail


def test_a_host_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    _, detail = refused(hostfile=str(tmp_path / "none.json"))

    assert "There is no host file" in detail and "none.json" in detail


def test_mpi_needs_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    _, detail = refused(hostfile=host_file(tmp_path, [HERE, OTHER]), backend="mpi")

    assert "mpirun" in detail


@pytest.mark.parametrize(
    "distributed",
    [{}, {"processes": 1}, {"processes": 2, "hostfile": "h"}, {"processes": 2, "backend": "mpi"},
     {"processes": 2, "rank": 0}],
)  # fmt: skip
def test_what_names_no_processes_or_both_is_refused(distributed: Any) -> None:
    with pytest.raises(ValidationError):
        request(distributed=distributed)
