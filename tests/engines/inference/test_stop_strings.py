from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.engines.inference.stop_strings import StopTexts

LETTERS = st.text(alphabet="ab", max_size=12)


def through(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    cutter = StopTexts(stops)
    shown = "".join(cutter.feed(piece) for piece in pieces)
    return (shown if cutter.reached else shown + cutter.rest()), cutter.reached


def test_a_stop_that_comes_in_pieces_is_never_shown() -> None:
    cutter = StopTexts(["\nUser:"])

    assert [cutter.feed(piece) for piece in ("Yes.", "\nUs", "er", ": and")] == ["Yes.", "", "", ""]
    assert cutter.reached


def test_what_only_looked_like_a_stop_is_shown_after_all() -> None:
    cutter = StopTexts(["END"])

    assert cutter.feed("E") == ""
    assert cutter.feed("N.") == "EN."
    assert cutter.feed("E") + cutter.rest() == "E"
    assert not cutter.reached


@given(st.lists(st.text(alphabet="ab", min_size=1, max_size=4), max_size=3), st.lists(LETTERS))
def test_pieces_end_where_the_whole_text_has_its_first_stop(
    stops: list[str], pieces: list[str]
) -> None:
    text = "".join(pieces)
    shown, reached = through(stops, pieces)

    assert reached == any(stop in text for stop in stops)
    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    if not reached:
        assert shown == text
