"""The machines that a run is to be trained on, read from its host file and checked before it."""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from backend.core.disk.stored_files import DamagedFile, read_json
from backend.errors import FieldProblem
from backend.training.request.sft_fields import DistributedTraining, StandardStart

HERE = "127.0.0.1"  # What the launcher takes for this machine; any other name goes through ssh.
_BYTES = 1_000_000


class Host(BaseModel):
    """An entry of a host file, as far as it is looked at."""

    model_config = ConfigDict(extra="ignore")

    ssh: str
    ips: list[str] = []
    rdma: list[str | list[str] | None] = []


_LIST: TypeAdapter[list[Host]] = TypeAdapter(list[Host])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """How many processes train together, and how many of them on this machine."""

    all: int
    here: int


def ranks_of(distributed: DistributedTraining | None) -> Ranks:
    """Raises OSError or DamagedFile for a host file that can't be read. Blocking."""
    if distributed is None:
        return Ranks(all=1, here=1)
    if distributed.hostfile is None:
        count = distributed.processes or 1
        return Ranks(all=count, here=count)
    hosts = read_hosts(Path(distributed.hostfile))
    return Ranks(all=len(hosts), here=sum(host.ssh == HERE for host in hosts))


def read_hosts(path: Path) -> list[Host]:
    """Raises OSError or DamagedFile."""
    value = read_json(path, most=_BYTES)
    try:
        return _LIST.validate_python(value["hosts"] if isinstance(value, dict) else value)
    except KeyError:
        raise DamagedFile(f'{path.name} has no "hosts".') from None
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise DamagedFile(
            f"{path.name} is no host file: {where}: {first['msg']}. Each entry is "
            '{"ssh": name, "ips": [address]}.'
        ) from problem


def distributed_problems(request: StandardStart) -> Iterator[FieldProblem]:
    """Why the launcher would fail, or the ranks would have no rows. Blocking."""
    setting = request.distributed
    if setting is None:
        return
    try:
        hosts = read_hosts(Path(setting.hostfile)) if setting.hostfile else []
        ranks = ranks_of(setting)
    except FileNotFoundError:
        yield _problem(
            f"There is no host file {setting.hostfile}. Name the JSON file with the hosts."
        )
        return
    except (OSError, DamagedFile) as problem:
        yield _problem(f"The host file can't be used. {problem}")
        return
    for text in _host_problems(hosts, setting) if setting.hostfile else ():
        yield _problem(text)
    if ranks.all > 1 and request.batch_size % ranks.all:
        fitting = -(-request.batch_size // ranks.all) * ranks.all
        text = f"A batch of {request.batch_size} rows can't be divided among {ranks.all} processes "
        yield FieldProblem("batch_size", text + f"evenly; use {fitting}, or another multiple.")


def _host_problems(hosts: list[Host], setting: DistributedTraining) -> Iterator[str]:
    name = Path(setting.hostfile or "").name
    if len(hosts) < 2:
        yield f"{name} names {len(hosts)} hosts; training together takes at least 2."
        return
    if hosts[0].ssh != HERE:
        yield (
            f"The first host of {name} is {hosts[0].ssh!r}, but the first process keeps the run's "
            f'files on this machine; let its "ssh" be {HERE}.'
        )
    for host in hosts:
        if not host.ssh or host.ssh.startswith("-") or any(map(str.isspace, host.ssh)):
            yield f"{host.ssh!r} in {name} is no name of a machine."
        for address in host.ips:
            if not _is_address(address):
                yield f"{address!r} of {host.ssh} in {name} is no IP address."
    if setting.backend == "ring":
        yield from (
            f"{host.ssh} in {name} has no ips; the ring backend needs one of every host."
            for host in hosts
            if not host.ips
        )
    if setting.backend == "jaccl":
        if not hosts[0].ips:
            yield f"The first host in {name} has no ips; the others reach it there with jaccl."
        yield from (
            f"{host.ssh} in {name} has {len(host.rdma)} entries in rdma; jaccl needs {len(hosts)}, "
            "one per host, with null for itself."
            for host in hosts
            if len(host.rdma) != len(hosts)
        )
    if setting.backend == "mpi" and shutil.which("mpirun") is None:
        yield "The mpi backend needs mpirun, which was not found. Install Open MPI, or use ring."


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _problem(text: str) -> FieldProblem:
    return FieldProblem("distributed", text)
