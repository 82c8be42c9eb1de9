from __future__ import annotations

from pathlib import Path

from backend.data.library import DEMO, list_datasets


def test_files_of_the_folder_the_demo_and_the_sessions_are_listed_once(tmp_path: Path) -> None:
    folder = tmp_path / "datasets"
    (folder / "split").mkdir(parents=True)
    (folder / "split" / "train.jsonl").write_text('{"text": "a"}\n\n{"text": "b"}\n')
    (folder / "split" / "valid.jsonl").write_text('{"text": "c"}\n')
    (folder / "rows.csv").write_text("prompt,answer\n1,2\n")
    (folder / "notes.txt").write_text("not data")
    used = tmp_path / "used.jsonl"
    used.write_text('{"text": "a"}\n')

    found = list_datasets(
        folder, [str(used), str(folder / "split"), str(tmp_path / "gone.jsonl")], lambda _: None
    )

    own = [(each.name, each.source, each.format, each.rows, each.has_valid) for each in found]
    assert own[:3] == [
        ("used.jsonl", "recent", "text", 1, False),
        ("split", "recent", "text", 2, True),
        ("rows.csv", "datasets", "grpo", None, False),
    ]
    assert {each.source for each in found[3:]} == {"demo"}
    assert len(found) - 3 == sum(path.is_dir() for path in DEMO.iterdir())


def test_a_file_that_cannot_be_read_is_listed_with_its_problem(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    (tmp_path / "b.jsonl").write_text("broken\n")

    found = {each.name: each for each in list_datasets(tmp_path, [], lambda _: None)}

    assert "Parquet" in (found["a.parquet"].problem or "")
    assert (found["b.jsonl"].format, found["b.jsonl"].rows) == (None, 1)
