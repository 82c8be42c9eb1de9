from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.data.rows.content_hash import ContentIndex, content_hash


def test_rows_that_train_alike_are_the_same_whatever_else_they_hold() -> None:
    one = content_hash({"id": 1, "text": "Hello"}, "text")

    assert one == content_hash({"text": "Hello", "id": 2}, "text")
    assert one != content_hash({"text": "hello", "id": 1}, "text")
    assert content_hash({"prompt": "ab", "completion": "c"}, "completions") != content_hash(
        {"prompt": "a", "completion": "bc"}, "completions"
    )


def test_the_order_of_keys_in_a_message_does_not_matter() -> None:
    one = {"messages": [{"role": "user", "content": "Hi"}]}
    two = {"messages": [{"content": "Hi", "role": "user"}]}

    assert content_hash(one, "chat") == content_hash(two, "chat")


@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)))
def test_repeats_and_shared_rows_are_found_as_by_comparing_all(
    mine: list[int], theirs: list[int]
) -> None:
    index, other = ContentIndex(), ContentIndex()
    for line, value in enumerate(mine, start=1):
        index.add(value, line)
    for line, value in enumerate(theirs, start=1):
        other.add(value, line)

    expected = {
        tuple(line for line, each in enumerate(mine, start=1) if each == value)
        for value in mine
        if mine.count(value) > 1
    }
    assert {tuple(lines) for lines in index.repeated()} == expected
    assert sorted(index.shared(other)) == sorted(
        (mine.index(value) + 1, line) for line, value in enumerate(theirs, start=1) if value in mine
    )


def test_a_full_index_says_so_and_holds_no_more() -> None:
    index = ContentIndex(most=2)

    for line in (1, 2, 3):
        index.add(7, line)

    assert index.full
    assert list(index.repeated()) == [[1, 2]]
