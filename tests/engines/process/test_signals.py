from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from backend.engines.process.signals import Control

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)


@pytest.fixture
def control() -> Iterator[Control]:
    before = [signal.getsignal(number) for number in SIGNALS]
    listening = Control()
    listening.listen()
    yield listening
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_term_asks_for_a_save_and_interrupt_for_none(control: Control) -> None:
    send(signal.SIGTERM)
    first = control.stop
    send(signal.SIGINT)

    assert [first, control.stop] == ["save", "discard"]


def test_a_stop_without_saving_is_not_taken_back(control: Control) -> None:
    send(signal.SIGINT)
    send(signal.SIGTERM)

    assert control.stop == "discard"


def test_pause_and_go_on(control: Control) -> None:
    send(signal.SIGUSR1)
    assert control.paused

    send(signal.SIGUSR2)
    assert not control.paused
    control.wait_while_paused()


def test_a_stop_ends_a_pause(control: Control) -> None:
    send(signal.SIGUSR1)
    send(signal.SIGTERM)

    control.wait_while_paused()

    assert control.paused
