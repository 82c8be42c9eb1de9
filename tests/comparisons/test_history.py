"""The history of comparisons and the sets of prompts: there after a restart, gone when deleted."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend.comparisons import history
from backend.comparisons.history import ComparisonIn, Notebook, PromptSet, Rating, SavedAnswer
from backend.core.disk.trash import Trash
from backend.errors import Invalid, NotFound, TooLarge

HARD = 'quotes """ backslash \\ emoji 🙂 null \x00 end'


def compared(prompt: str = "Who are you?") -> ComparisonIn:
    sides = [
        SavedAnswer(model_name="demo", text="A model."),
        SavedAnswer(model_name="demo", adapter_name="captain", checkpoint="best", text=HARD),
    ]
    return ComparisonIn(prompt=prompt, answers=sides)


def test_what_was_kept_is_there_after_a_restart_newest_first(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    first, second = book.keep(compared(HARD)), book.keep(compared("second"))
    found = Notebook(tmp_path).page(10, None)
    assert [one.id for one in found.comparisons] == [second.id, first.id]
    assert found.comparisons[1].prompt == HARD
    assert found.comparisons[1].answers[1].text == HARD


def test_pages_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    ids = [book.keep(compared(str(n))).id for n in range(5)][::-1]
    seen, cursor = [], None
    while True:
        page = book.page(2, cursor)
        seen += [one.id for one in page.comparisons]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids


def test_a_rating_is_kept_and_can_be_taken_back(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    made = book.keep(compared())
    book.rate(made.id, Rating(answer=1, rating=4))
    assert book.page(1, None).comparisons[0].answers[1].rating == 4
    book.rate(made.id, Rating(answer=1, rating=None))
    assert book.page(1, None).comparisons[0].answers[1].rating is None
    with pytest.raises(NotFound, match="2 answers"):
        book.rate(made.id, Rating(answer=2, rating=1))


def test_stars_given_to_both_answers_at_once_are_both_kept(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    ids = [book.keep(compared(str(n))).id for n in range(20)]
    together = threading.Barrier(2)

    def rate(answer: int) -> None:
        for one in ids:
            together.wait(10)
            book.rate(one, Rating(answer=answer, rating=answer + 3))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(rate, (0, 1)))

    stars = [[a.rating for a in one.answers] for one in book.page(50, None).comparisons]
    assert stars == [[3, 4]] * 20


def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    made = book.keep(compared())
    book.forget(made.id)
    with pytest.raises(NotFound):
        book.forget(made.id)
    book.keep(compared())
    assert book.forget_all()[0] == 1
    assert book.page(1, None).comparisons == []


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        Notebook(tmp_path).forget("../secret")
    Notebook(tmp_path).keep_prompts("../x", PromptSet(prompts=["a"]))
    assert [path.parent for path in tmp_path.rglob("*.json")] == [tmp_path / "prompt_sets"]


def test_there_is_an_end_to_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_COMPARISONS", 1)
    book = Notebook(tmp_path)
    book.keep(compared())
    with pytest.raises(TooLarge, match="1 comparisons"):
        book.keep(compared())


def test_a_damaged_record_hides_nothing_else(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    kept = book.keep(compared())
    (tmp_path / "comparisons" / "20990101_000000_000000_ff.json").write_text("{half")
    assert [one.id for one in book.page(5, None).comparisons] == [kept.id]


def test_a_prompt_set_has_any_line_of_text_as_its_name(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    names = ["support questions", "Größe 大小?", "a/b", "x" * 100]
    for name in names:
        book.keep_prompts(name, PromptSet(prompts=["first"]))
        assert book.keep_prompts(f" {name} ", PromptSet(prompts=["second"])).name == name
    found = book.prompt_sets().prompt_sets
    assert [(one.name, one.prompts) for one in found] == [
        (name, ["second"]) for name in sorted(names, key=str.casefold)
    ]
    for name in names:
        book.forget_prompts(name)
    assert book.prompt_sets().prompt_sets == []
    for name in ("", "  ", "two\nlines", "x" * 101):
        with pytest.raises(Invalid):
            book.keep_prompts(name, PromptSet(prompts=["a"]))


def test_prompt_sets_are_kept_by_name(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    book.keep_prompts("greetings", PromptSet(prompts=["Hello?", HARD]))
    book.keep_prompts("greetings", PromptSet(prompts=["Hello!"]))
    (found,) = Notebook(tmp_path).prompt_sets().prompt_sets
    assert (found.name, found.prompts) == ("greetings", ["Hello!"])
    book.forget_prompts("greetings")
    assert book.prompt_sets().prompt_sets == []
    with pytest.raises(NotFound, match="greetings"):
        book.forget_prompts("greetings")


def test_files_of_somebody_else_do_not_hide_the_history(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    made = book.keep(compared())
    folder = tmp_path / "comparisons"
    (folder / "a copy.json").write_bytes((folder / f"{made.id}.json").read_bytes())
    (folder / "outside.json").symlink_to(tmp_path / "elsewhere.json")

    assert [one.id for one in book.page(10, None).comparisons] == [made.id]
    assert book.forget_all()[0] == 1
    assert (folder / "a copy.json").is_file()


def test_what_was_deleted_comes_back_with_its_stars(tmp_path: Path) -> None:
    trash = Trash(tmp_path)
    book = Notebook(tmp_path, trash)
    first, second = book.keep(compared("one")), book.keep(compared("two"))
    book.rate(first.id, Rating(answer=1, rating=5))
    book.keep_prompts("support questions", PromptSet(prompts=["Who?"]))

    undo = [book.forget(second.id), book.forget_all()[1], book.forget_prompts("support questions")]
    assert book.page(10, None).comparisons == []
    assert book.prompt_sets().prompt_sets == []

    for one in undo:
        assert one is not None
        trash.restore(one)
    found = book.page(10, None).comparisons
    assert [one.id for one in found] == [second.id, first.id]
    assert found[1].answers[1].rating == 5
    assert [one.name for one in book.prompt_sets().prompt_sets] == ["support questions"]
