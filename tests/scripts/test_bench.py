from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from scripts.bench.exports.watched import watch
from scripts.bench.first_run import RUNNING, seconds_to_running
from scripts.bench.lengths import verdict
from scripts.bench.measures import Measure
from scripts.bench.page import with_head, with_section
from scripts.bench.ranks.scaling import Scaled, losses_apart
from scripts.bench.requests import kept_connection, new_connections
from scripts.bench.runs import rows
from scripts.setup.stamps import CHECKOUT

# As mlx_lm 0.32 writes it into a pipe.
TABLE = (
    "Trainable parameters: 19.481% (0.524M/2.691M)\n"
    "  \x1b[1miter   train_loss     tok/s     tokens\x1b[0m\n"
    "  \x1b[38m   1\x1b[0m    \x1b[1mval\x1b[0m \x1b[1m4.505\x1b[0m    \x1b[2m0.31s\x1b[0m\n"
    "  \x1b[38m   8\x1b[0m    \x1b[1;32m2.736 ▼\x1b[0m    \x1b[1m  719\x1b[0m      1.7k\x1b[0m\n"
    "  \x1b[38m  16\x1b[0m    \x1b[1;31m2.800 ▲\x1b[0m    \x1b[1m1,907\x1b[0m      3.4k\x1b[0m\n"
)


def test_speeds_are_read_from_the_engines_table_and_validations_are_not() -> None:
    assert rows(TABLE) == [719.0, 1907.0]


def test_a_table_that_has_no_row_yet_has_no_speed() -> None:
    assert rows("Loading pretrained model\n") == []


def test_a_ratio_must_reach_its_limit_and_a_cost_stay_under_it() -> None:
    assert not Measure("ratio", 0.9, "×", 0.98, at_least=True).good
    assert Measure("cost", 0.9, "s", 1.0).good


def test_losses_are_called_equal_only_within_the_noise_of_their_means() -> None:
    plain = [0.530, 0.532, 0.534, 0.536]

    assert "within two standard errors" in verdict([0.531, 0.533, 0.535, 0.537], plain)
    assert "more than two standard errors" in verdict([0.550, 0.552, 0.554, 0.556], plain)
    assert verdict([0.53], [0.53]) == "One seed says nothing of the noise."


def test_a_start_is_timed_to_the_line_that_says_it_is_healthy(tmp_path: Path) -> None:
    """And what was started is ended: the command itself hears SIGTERM."""
    ended = tmp_path / "ended"
    script = tmp_path / "start"
    script.write_text(
        f"#!/bin/sh\ntrap 'echo > {ended}; exit 0' TERM\necho Setting up\n"
        f"echo '{RUNNING}http://127.0.0.1:1'\nwhile :; do sleep 0.05; done\n"
    )
    script.chmod(0o755)

    assert seconds_to_running([str(script)], os.environ) > 0
    assert ended.exists()


def test_a_start_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Setup stopped"):
        seconds_to_running(["/bin/sh", "-c", "echo Setup stopped"], os.environ)


def test_the_line_that_is_waited_for_is_the_one_that_is_said() -> None:
    said = (CHECKOUT / "scripts" / "start" / "serve.py").read_text(encoding="utf-8")
    assert f'"{RUNNING}{{client.url}}"' in said


def test_requests_are_timed_over_one_kept_connection_and_over_new_ones() -> None:
    clients: list[int] = []

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            clients.append(self.client_address[1])
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"127.0.0.1:{server.server_port}"
        kept, first = kept_connection(address, "/", count=5), len(set(clients))
        clients.clear()
        new, second = new_connections(address, "/", count=3), len(set(clients))
        server.shutdown()
        thread.join()

    assert (len(kept), first) == (5, 1)
    assert (len(new), second) == (3, 3)


def test_a_section_of_the_page_is_replaced_or_added_and_the_rest_stays() -> None:
    page = with_section("# Benchmarks\n\nold head\n", "Exports", "| a |")
    both = with_section(page, "Several processes", "| b |")

    again = with_section(with_head(both, "# Benchmarks\n\nnew head\n"), "Exports", "| c |")

    assert again == (
        "# Benchmarks\n\nnew head\n\n## Exports\n\n| c |\n\n## Several processes\n\n| b |\n"
    )


def test_the_memory_of_a_program_counts_what_it_started(tmp_path: Path) -> None:
    """The shell waits for a child that holds 60 MB, which it has not itself."""
    holds = "import time; kept = bytearray(60_000_000); time.sleep(0.5)"
    ready = tmp_path / "ready"

    taken = watch(
        ["/bin/sh", "-c", f'touch {ready}; {sys.executable} -c "{holds}"; true'],
        env=os.environ,
        log=tmp_path / "log",
        marks={"ready": ready.exists},
    )

    assert taken.peak_bytes > 60_000_000
    assert taken.marks["ready"] < taken.seconds
    with pytest.raises(RuntimeError, match="ended with 3"):
        watch(["/bin/sh", "-c", "exit 3"], env=os.environ, log=tmp_path / "log")


def test_losses_of_one_and_of_two_processes_are_compared_report_by_report() -> None:
    one = Scaled(speed=1.0, losses=(2.0, 1.0), memory=0.1)
    two = Scaled(speed=1.0, losses=(2.0, 1.01), memory=0.1)

    assert losses_apart([one], [two]) == pytest.approx(0.01)
