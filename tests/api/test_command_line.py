"""`python -m backend` as a shell sees it: one line when ready, one sentence when it can't be."""

from __future__ import annotations

import ast
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from backend.__main__ import local_url
from backend.core.guard import known_names
from backend.settings import CHECKOUT, read_settings

WIDE = "0.0.0.0"  # noqa: S104 - never bound
FORBIDDEN = ("mlx", "mlx_lm", "transformers", "torch", "datasets", "numpy")


def backend(*flags: str) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("DROID_")}
    return subprocess.Popen(
        [sys.executable, "-m", "backend", *flags],
        cwd=CHECKOUT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ready_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Listening on http://127.0.0.1:"), process.communicate()
    return line.removeprefix("Listening on ").strip()


def test_a_server_starts_refuses_a_second_and_ends_on_request(tmp_path: Path) -> None:
    """F15, F36."""
    root = str(tmp_path / "not there yet")
    first = backend("--port", "0", "--data-dir", root)
    try:
        url = ready_url(first)
        assert httpx.get(url + "/health", trust_env=False).json()["status"] == "healthy"
        second = backend("--port", "0", "--data-dir", root)
        out, said = second.communicate(timeout=20)
        assert second.returncode == 1
        assert out == ""
        assert said.count("\n") == 1
        assert str(first.pid) in said
        assert url in said
    finally:
        first.send_signal(signal.SIGTERM)
        _, said = first.communicate(timeout=20)
    assert first.returncode == 0
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("host", "url"),
    [(WIDE, "http://127.0.0.1:7"), ("::", "http://[::1]:7"), ("10.0.0.5", "http://10.0.0.5:7")],
)
def test_the_announced_address_is_one_that_can_be_called(
    tmp_path: Path, host: str, url: str
) -> None:
    """Nobody is called 0.0.0.0: the guard would refuse it as a host, and the starter gave up."""
    settings = read_settings({}, data_dir=str(tmp_path), host=host, port=7, token="t" * 22)

    assert local_url(settings) == url
    assert url.removeprefix("http://").removesuffix(":7") in known_names(settings)


def test_a_port_in_use_is_one_sentence_and_its_holder_lives_on(tmp_path: Path) -> None:
    """F14."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        process = backend("--port", port, "--data-dir", str(tmp_path))
        out, said = process.communicate(timeout=20)
        assert process.returncode == 1
        assert out == ""
        assert said.count("\n") == 1
        assert port in said
        assert "--port" in said


BAD_FLAGS: list[tuple[list[str], str]] = [
    (["--host", WIDE], "--token"),
    (["--host", WIDE, "--token", "short"], "22"),
    (["--port", "70000"], "70000"),
]


@pytest.mark.parametrize(("flags", "named"), BAD_FLAGS, ids=[" ".join(c[0]) for c in BAD_FLAGS])
def test_settings_that_cannot_be_are_refused(tmp_path: Path, flags: list[str], named: str) -> None:
    """T8."""
    process = backend("--data-dir", str(tmp_path), *flags)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    assert named in said
    assert "Traceback" not in said


def test_a_data_root_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """F34."""
    (tmp_path / "file").write_text("in the way")
    process = backend("--port", "0", "--data-dir", str(tmp_path / "file"))
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "--data-dir" in said
    assert "Traceback" not in said


def test_importing_the_server_imports_no_engine() -> None:
    code = "import sys, backend.app; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert loaded & set(FORBIDDEN) == set()


def test_the_default_address_is_this_computer_only() -> None:
    """T8: as it stands in the source."""
    tree = ast.parse((CHECKOUT / "backend" / "settings.py").read_text(encoding="utf-8"))
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert not {WIDE, "::"} & {value for value in constants if isinstance(value, str)}


def test_a_server_that_can_write_no_byte_starts_and_lets_the_user_make_room(
    tmp_path: Path,
) -> None:
    """As with 0 bytes free, its output led to the same disk; a limit of the process stands in."""
    root = tmp_path / "root"
    for folder in ("sessions/s1", "adapters/old", "logs"):
        (root / folder).mkdir(parents=True)
    (root / "sessions/session_s1.json").write_text('{"session_id": "s1"}')
    (root / "sessions/s1/events.jsonl").touch()  # Without it nothing tells that a run made it.
    (root / "adapters/old/adapter_config.json").write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (root / "logs/server.out").open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-c", NO_ROOM, "--port", str(port), "--data-dir", str(root)],
            cwd=CHECKOUT, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            until_healthy(client, server)
            full = client.put("/api/prompt-sets/mine", json={"prompts": ["x"]})
            deleted = [client.delete(path) for path in ("/sessions/s1", "/adapters/old")]
            assert (full.status_code, str(root) in full.text) == (507, True)
            assert [answer.status_code for answer in deleted] == [200, 200]
            assert not [*root.glob("sessions/*s1*"), *root.glob("adapters/[!.]*")]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
    assert server.returncode == 0


NO_ROOM = """
import resource, sys
from backend.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
sys.exit(main())
"""


def until_healthy(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server did not start"
        with suppress(httpx.TransportError):
            if client.get("/health").is_success:
                return
        time.sleep(0.05)
