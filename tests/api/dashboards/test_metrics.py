"""`/metrics`, read by Prometheus' own library, beside what the other routes say."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from backend.core.exposition import Measurement, exposition
from tests.api.live import Live, frames_until


def read(text: str) -> dict[str, float]:
    """By name and labels, as `name{label="value"}`."""
    return {
        sample.name + "".join(f",{k}={v}" for k, v in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_run_queue_memory_and_worker_are_numbers_of_prometheus(live: Live) -> None:
    before = read(live.client.get("/metrics").text)
    assert "droid_run_train_loss" not in before, "what is not known is left out"
    with live.listening() as client:
        session_id = live.start(steps=4, name="scraped")
        frames_until(client, "training_completed")

    answer = live.client.get("/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    numbers = read(answer.text)
    metrics = live.client.get("/training/status").json()["metrics"]
    assert numbers["droid_run_step"] == metrics["current_step"] == 4
    assert numbers["droid_run_train_loss"] == metrics["train_loss"]
    assert numbers["droid_run_state,state=completed"] == 1
    assert numbers["droid_run_state,state=running"] == 0
    assert numbers[f"droid_run_info,method=sft,session_id={session_id}"] == 1
    assert numbers["droid_queue_length"] == 0
    assert numbers["droid_worker_state,state=none"] == 1
    assert numbers["droid_worker_answered_total"] == 0
    assert numbers["droid_memory_total_bytes"] > numbers["droid_server_resident_bytes"] > 1e6


def test_labels_and_odd_numbers_survive_the_text() -> None:
    odd = 'a "b"\\c\nd'
    text = exposition(
        [
            Measurement("droid_odd", "Help\nin lines", (({"name": odd}, 1e-7), ({}, float("inf")))),
            Measurement("droid_unknown", "Never", (({}, None),)),
        ]
    )

    (family,) = text_string_to_metric_families(text)
    assert [(s.labels, s.value) for s in family.samples] == [
        ({"name": odd}, 1e-7),
        ({}, float("inf")),
    ]
