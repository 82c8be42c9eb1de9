from __future__ import annotations

from scripts.training_methods import PAGE, main, page


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "docs/training-methods.md is old: run python -m scripts.training_methods"
    )
    assert main(["--check"]) == 0
