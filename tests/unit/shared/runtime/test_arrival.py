"""Going on from a cursor misses nothing, whatever arrives in between, and sees nothing twice."""

from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.arrival import CURSOR, arrival, cursor_of, lane_of, read_on, read_up_to

NUMBERS = st.builds(arrival, st.integers(0, 255), st.integers(0, 10**10 - 1), st.integers(0, 10**6 - 1))


@given(st.lists(NUMBERS, unique=True), st.integers(1, 5), st.data())
def test_pages_while_more_arrives_hold_each_once(later: list[str], limit: int, data: st.DataObject) -> None:
    # Within a lane they arrive in order; between lanes in any.
    coming = {lane: sorted(n for n in later if lane_of(n) == lane) for lane in map(lane_of, later)}
    there: list[str] = []
    names: list[str] = []
    cursor = ""
    while len(names) < len(later):
        if any(coming.values()):
            lane = data.draw(st.sampled_from(sorted(lane for lane, rest in coming.items() if rest)))
            there.append(coming[lane].pop(0))
        read = read_up_to(cursor)
        page = sorted(n for n in there if n > read.get(lane_of(n), ""))[:limit]
        names += page
        cursor = cursor_of(read_on(read, page))
        assert CURSOR.fullmatch(cursor)
    assert sorted(names) == sorted(later)


@given(st.lists(NUMBERS))
def test_a_cursor_is_read_as_it_was_made(numbers: list[str]) -> None:
    read = read_on({}, numbers)
    assert read_up_to(cursor_of(read)) == read
