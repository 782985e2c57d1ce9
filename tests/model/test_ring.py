"""The commit log as a ring: no violation in any state of it, and each thing that is left out of it is found."""

import pytest

from tests.model.ring import BREAKS, HARMLESS, RingModel
from tests.model.search import search

# Far beyond what any search here sees: a search that is cut off proves nothing.
MOST = 2_000_000

# Records of each lane, processes, unanswered messages, documents of a ring, and whether a recovery reads a snapshot.
WHOLE = [
    (("ab",), 2, 0, 2, False),
    (("aab",), 1, 1, 2, False),
    (("papa",), 2, 0, 2, True),
    (("s",), 2, 1, 2, True),
    (("sa",), 2, 0, 2, False),
    (("ab",), 2, 1, 1, True),
    (("abc",), 2, 0, 3, True),
    (("a", "b"), 2, 0, 2, True),
    (("a", "v"), 1, 1, 2, True),
]
LONG = [
    (("ab",), 2, 1, 2, False),
    (("papa",), 2, 0, 2, False),
    (("ab",), 3, 0, 2, False),
    (("a",), 2, 2, 2, True),
    (("sa",), 2, 1, 2, True),
    (("pap",), 2, 1, 2, True),
    (("abc",), 2, 1, 2, True),
    (("a", "b"), 2, 1, 2, True),
    (("a", "v"), 2, 0, 2, True),
]
# The smallest world in which each of them does harm.
HARM = {
    "no-compare": (("abc",), 2, 0, False),
    "overwrites-unapplied": (("abc",), 1, 0, False),
    "overwrites-unpublished": (("abc",), 1, 0, False),
    "stands-behind-a-gap": (("abc",), 2, 0, False),
    "lane-read-last": (("ab",), 2, 0, False),
    "sends-ahead": (("abc",), 1, 1, False),
    "unfenced-apply": (("ab",), 2, 1, False),
    "told-too-much": (("ab",), 1, 0, False),
    "some-taken-for-all": (("ab", "c"), 2, 0, True),
    "filter-forgets": (("aab",), 1, 0, False),
    "timers-of-documents": (("sa",), 1, 0, False),
    "parked-of-documents": (("pa",), 1, 0, False),
    "shared-ledger": (("a", "a"), 1, 0, True),
    "views-of-documents": (("a", "v"), 1, 0, True),
}


def _no_violation(records: tuple[str, ...], processes: int, unanswered: int, size: int, snapshot: bool) -> None:
    model = RingModel(*records, processes=processes, unanswered=unanswered, size=size, snapshot=snapshot)
    searched = search(model, MOST)
    assert searched.violation is None, "\n".join(searched.trace)
    assert searched.whole


@pytest.mark.parametrize(("records", "processes", "unanswered", "size", "snapshot"), WHOLE)
def test_every_state_is_right(
    records: tuple[str, ...], processes: int, unanswered: int, size: int, snapshot: bool
) -> None:
    _no_violation(records, processes, unanswered, size, snapshot)


@pytest.mark.slow
@pytest.mark.parametrize(("records", "processes", "unanswered", "size", "snapshot"), LONG)
def test_every_state_of_larger_worlds_is_right(
    records: tuple[str, ...], processes: int, unanswered: int, size: int, snapshot: bool
) -> None:
    _no_violation(records, processes, unanswered, size, snapshot)


@pytest.mark.parametrize("broken", sorted(BREAKS.keys() - HARMLESS))
def test_what_is_left_out_is_found(broken: str) -> None:
    records, processes, unanswered, snapshot = HARM[broken]
    model = RingModel(*records, processes=processes, unanswered=unanswered, snapshot=snapshot, broken=[broken])
    searched = search(model, MOST)
    assert searched.violation is not None, f"{searched.states} states, and {BREAKS[broken]}"
    sound = RingModel(*records, processes=processes, unanswered=unanswered, snapshot=snapshot)
    assert search(sound, 10 * searched.states + 1000).violation is None, "the world itself is wrong"


@pytest.mark.parametrize("harmless", sorted(HARMLESS))
def test_no_number_is_written_twice_however_late_a_write_comes(harmless: str) -> None:
    searched = search(RingModel("ab", processes=2, unanswered=1, snapshot=True, broken=[harmless]), MOST)
    assert searched.violation is None, "\n".join(searched.trace)
    assert searched.whole
