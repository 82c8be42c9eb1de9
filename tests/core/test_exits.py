from __future__ import annotations

import pytest

from backend.core.exits import Cause, explain, explain_job

TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "x.py", line 1, in <module>',
    "ValueError: Model type foo not supported.",
]
METAL = "libc++abi: terminating due to uncaught exception of type std::runtime_error: [METAL] "

HISTORIES: list[tuple[int | None, list[str], Cause, str]] = [
    (-9, [], "killed", "SIGKILL"),
    (137, [], "killed", "SIGKILL"),
    (-11, [], "crashed", "SIGSEGV"),
    (-6, [], "crashed", "SIGABRT"),
    (-15, [], "killed", "SIGTERM"),
    (-99, [], "killed", "signal 99"),
    (
        -6,
        [METAL + "Command buffer execution failed: Insufficient Memory "
         "(00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)"],
        "out_of_memory", "graphics processor ran out of memory",
    ),
    (
        -6,
        [METAL + "Command buffer execution failed: Impacting Interactivity "
         "(0000000e:kIOGPUCommandBufferCallbackErrorImpactingInteractivity)"],
        "watchdog", "too long",
    ),
    (1, ["RuntimeError: [metal::malloc] Resource limit (499000) exceeded"],
     "out_of_memory", "Metal ran out of buffers"),
    (1, ["MemoryError"], "out_of_memory", "ran out of memory"),
    (1, ["OSError: [Errno 28] No space left on device"], "failed", "disk is full"),
    (1, TRACEBACK, "failed", "ValueError: Model type foo not supported."),
    (1, ["nothing useful"], "failed", "exit code 1"),
    (0, [], "unknown", "without reporting a result"),
    (None, [], "unknown", "without saying why"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "tail", "cause", "said"), HISTORIES)
def test_an_exit_is_told_with_its_cause_and_a_remedy(
    code: int | None, tail: list[str], cause: Cause, said: str
) -> None:
    explained = explain(code, tail)
    assert explained.cause == cause
    assert said in explained.message
    assert explained.hint


@pytest.mark.parametrize("code", [0, 1, -9, -15, None])
def test_an_end_that_was_asked_for_is_no_error(code: int | None) -> None:
    assert explain(code, TRACEBACK, stopping=True).cause == "stopped"


@pytest.mark.parametrize(("code", "tail", "cause", "said"), HISTORIES)
def test_a_job_that_is_no_training_gets_no_advice_for_training(
    code: int | None, tail: list[str], cause: Cause, said: str
) -> None:
    explained = explain_job(code, tail)

    assert explained.cause == cause
    assert not any(
        word in (explained.hint or "") for word in ("batch", "checkpoint", "sequence", "layers")
    )
