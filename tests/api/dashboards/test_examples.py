"""What lies in `examples/`, as users run it. The dashboard draws in `tests/e2e/mainJob.test.ts`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from backend.settings import CHECKOUT
from tests.api.live import Live

LISTENER = str(CHECKOUT / "examples" / "listen.py")


def test_the_listener_tells_a_run_line_by_line_and_leaves_with_it(live: Live) -> None:
    url = live.url.replace("http", "ws") + "/ws"
    with subprocess.Popen(
        [sys.executable, LISTENER, "--url", url, "--until-end"], stdout=subprocess.PIPE, text=True
    ) as listener:
        assert listener.stdout is not None
        first = listener.stdout.readline()
        session_id = live.start(steps=3, name="followed")
        rest, _ = listener.communicate(timeout=60)

    lines = rest.splitlines()
    assert first.startswith("The service is ")
    assert lines[0].endswith(f"started: {session_id}")
    assert [line.split(":")[0] for line in lines if line.startswith("step")][-1] == "step 3"
    assert listener.returncode == 0


def test_the_listener_says_why_it_is_refused(live: Live) -> None:
    url = live.url.replace("http", "ws") + "/nothing"
    done = subprocess.run(
        [sys.executable, LISTENER, "--url", url], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 2
    assert "The service refused" in done.stderr


@pytest.mark.parametrize("path", ["/examples/dashboard.html", "/api/examples/dashboard.html"])
def test_the_dashboard_may_run_its_own_script_and_no_other(live: Live, path: str) -> None:
    answer = live.client.get(path)

    assert answer.status_code == 200
    (policy,) = answer.headers.get_list("content-security-policy")
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert answer.headers["x-frame-options"] == "DENY"
