from __future__ import annotations

from array import array
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backend.data.inspect.lengths import MOST_BINS, Measured, measured_rows, summarise
from backend.data.inspect.rendered import REFUSED, Note, Notes, unpack_rendered
from backend.data.schemas import LineProblem, TokenLengths


def measured(lengths: list[int], starts: list[int] | None = None) -> Measured:
    return Measured(lengths, starts or [0] * len(lengths), list(range(1, len(lengths) + 1)))


def told(of: Measured, *, rows: int | None = None, limit: int | None = None) -> TokenLengths:
    count = len(of.lengths) + of.refused
    found = summarise(of, model="demo", rows=count if rows is None else rows, limit=limit)
    assert found is not None
    return found


def test_the_numbers_are_those_of_the_rows() -> None:
    found = told(measured([10, 20, 30, 400]))

    assert (found.total_tokens, found.shortest, found.longest) == (460, 10, 400)
    assert (found.mean, found.median, found.sampled) == (115, 20, False)


def test_a_limit_says_what_it_would_cut() -> None:
    found = told(measured([10, 20, 30, 400]), limit=25)

    assert (found.truncated_rows, found.truncated_share, found.cut_tokens) == (2, 0.5, 380)


def test_a_row_whose_prompt_fills_the_limit_has_nothing_to_learn() -> None:
    found = told(measured([50, 50, 50, 1], [20, 30, 49, 0]), limit=30)

    assert found.without_target == 3  # The last one has a single token, which nothing precedes.
    assert found.without_target_lines == [2, 3, 4]


def test_a_sample_is_scaled_to_the_file() -> None:
    found = told(measured([10, 20]), rows=100, limit=16)

    assert (found.sampled, found.measured, found.rows) == (True, 2, 100)
    assert (found.total_tokens, found.truncated_rows) == (1500, 50)


def test_refused_rows_are_left_out_and_counted() -> None:
    raw = array("I", [5, 2, 1, 0, 0, 0, 2, REFUSED, 9, 3, 3, 0]).tobytes()

    found = told(measured_rows(unpack_rendered(raw, Notes())))

    assert (found.refused_rows, found.longest, found.measured) == (1, 9, 3)


def test_nothing_measured_is_no_answer() -> None:
    assert summarise(measured([]), model="demo", rows=0) is None


@given(
    st.lists(st.integers(1, 200_000), min_size=1, max_size=30), st.none() | st.integers(16, 100_000)
)
def test_every_row_is_in_one_bin_and_bins_follow_each_other(
    lengths: list[int], limit: int | None
) -> None:
    bins = told(measured(lengths), limit=limit).bins

    assert 1 <= len(bins) <= MOST_BINS + 1
    assert sum(each.rows for each in bins) == len(lengths)
    for each in bins:
        assert each.rows == sum(each.start <= length < each.end for length in lengths)
    for one, next_one in pairwise(bins):
        assert one.end == next_one.start


def test_what_is_counted_in_a_sample_is_said_to_be_an_estimate() -> None:
    notes = Notes(notes={"tools": Note(count=3, first=[LineProblem(line=2, message="")])})

    (every,), (some,) = notes.omitted(10), notes.omitted(40, scale=4.0)

    assert every.message.startswith("3 of 10 rows: ")
    assert some.message.startswith("about 12 of 40 rows: ")
