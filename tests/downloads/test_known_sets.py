"""The catalog, and the description of a set that is asked of the hub."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.data.write.convert import convert_files
from backend.downloads.hub_listing import describe_dataset
from backend.downloads.known_sets import KNOWN, complete
from backend.downloads.schemas import DatasetDownloadRequest
from backend.errors import HubUnreachable, NotFound
from backend.settings import read_settings
from tests.fakes.hub import FakeHub, running_hub

CHAT = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
VALUES: dict[str, Any] = {
    "messages": CHAT,
    "conversations": [{"from": "user", "value": "Why?"}, {"from": "assistant", "value": "So."}],
}
# The text columns that hold a whole solution end in each of the marks.
SOLUTION = "So it is. The answer is: #### \\boxed{12}"
FORMS = [(known, form) for known in KNOWN for form in known.forms]


@pytest.mark.parametrize(("known", "form"), FORMS, ids=lambda each: getattr(each, "repo_id", ""))
def test_each_form_of_a_known_set_is_written_from_its_columns(
    known: Any, form: Any, tmp_path: Path
) -> None:
    row = {name: VALUES.get(name, f"{name}: {SOLUTION}") for name in known.columns}
    if known.repo_id == "HuggingFaceH4/ultrafeedback_binarized":
        row |= {"chosen": CHAT, "rejected": [CHAT[0], {"role": "assistant", "content": "No."}]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    asked = DatasetDownloadRequest(repo_id=known.repo_id, to=form.to)

    asked = complete(asked)
    answer = convert_files(
        [tmp_path / "rows.jsonl"],
        tmp_path / "out.jsonl",
        form.to,
        mapping=asked.mapping,
        answer_after=asked.answer_after,
    )

    assert (answer.rows, answer.format) == (1, form.to)
    assert (asked.config, asked.split) == (known.config, known.split)
    assert set((form.mapping or {}).values()) <= set(known.columns)


def test_what_is_asked_for_by_name_is_not_changed() -> None:
    own = DatasetDownloadRequest(
        repo_id="openai/gsm8k", config="socratic", split="test", to="grpo", mapping=None
    )

    assert complete(own) == own


async def test_a_set_is_described_without_fetching_rows(tmp_path: Path) -> None:
    card = {
        "license": "mit",
        "dataset_info": {"splits": [{"name": "train", "num_examples": 2}]},
    }
    fake = FakeHub(
        {"train.jsonl": b'{"a": 1}\n' * 2, "test.jsonl": b'{"a": 1}\n'},
        repo="acme/sums",
        repo_type="dataset",
        card=card,
    )
    with running_hub(fake) as hub:
        environment = {"HF_ENDPOINT": hub.url, "DROID_PYTHON": sys.executable}
        settings = read_settings(environment, data_dir=str(tmp_path / "root"))
        asked = DatasetDownloadRequest(repo_id="acme/sums")

        found = await describe_dataset(settings, asked)
        with pytest.raises(NotFound, match="no data set acme/none"):
            await describe_dataset(settings, DatasetDownloadRequest(repo_id="acme/none"))
        hub.busy = True
        with pytest.raises(HubUnreachable, match="busy or down"):
            await describe_dataset(settings, asked)

    assert (found.license, found.gated, found.known) == ("mit", False, None)
    assert [(s.name, s.files, s.size_bytes, s.rows) for s in found.configs[0].splits] == [
        ("train", 1, 18, 2),
        ("test", 1, 9, None),
    ]
    assert not any("resolve" in path for _, path, _ in hub.requests)
