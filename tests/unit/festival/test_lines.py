"""Lines in pages: sums follow each change, one change touches one page, and what is not loaded is not guessed."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.festival.domain.allocation.lines import PAGE_LINES, Lines, StatusSum, StoredLines
from services.festival.domain.line import AllocationLine, LineStatus


def a_line(n: int, status: LineStatus = LineStatus.ASKED, qty: int = 2) -> AllocationLine:
    return AllocationLine(f"F/R.{n + 1}", "F.B", "KTI", "PR-KPG", f"L{n}", date(2026, 4, 1), qty, 1, status)


def many(count: int) -> Lines:
    return Lines.of(a_line(n) for n in range(count))


def nonzero(lines: Lines) -> dict[LineStatus, StatusSum]:
    return {status: tally for status, tally in lines.tallies.items() if tally.lines}


@given(
    st.integers(1, 3 * PAGE_LINES),
    st.lists(st.tuples(st.integers(0, 999), st.sampled_from(LineStatus), st.integers(0, 2)), max_size=20),
    st.integers(0, PAGE_LINES + 1),
)
def test_the_sums_are_those_of_the_lines(count: int, changes: list[tuple[int, LineStatus, int]], more: int) -> None:
    lines = many(count)
    for n, status, lost in changes:
        index = n % len(lines)
        lines = lines.with_line(index, replace(lines[index], status=status, lost=lost))
    lines += [a_line(n, LineStatus.PLANNED) for n in range(count, count + more)]
    assert [line.reservation for line in lines] == [f"F/R.{n + 1}" for n in range(count + more)]
    assert nonzero(lines) == Lines.of(lines).tallies
    assert len(lines) == count + more


def test_a_change_of_one_line_touches_its_page_alone() -> None:
    page = StoredLines("p", "F/R", "F", 1, tuple(many(300)[PAGE_LINES : 2 * PAGE_LINES]))
    lines = many(300).bare().with_pages([page])
    changed = lines.with_line(PAGE_LINES, replace(lines[PAGE_LINES], status=LineStatus.RESERVED))
    assert changed.changed == {1}
    assert list(changed.pages) == [1]
    assert nonzero(changed) == {LineStatus.ASKED: StatusSum(299, 598), LineStatus.RESERVED: StatusSum(1, 2)}
    assert not changed.at_rest


def test_a_page_that_is_not_loaded_is_not_taken_for_empty() -> None:
    lines, more = many(PAGE_LINES + 9).bare(), (a_line(PAGE_LINES + 9),)
    assert len(lines) == PAGE_LINES + 9
    for look in (lambda: list(lines), lambda: lines[7], lambda: lines + more, lambda: lines.find(PAGE_LINES + 8)):
        with pytest.raises(LookupError):
            look()
    assert lines.find(PAGE_LINES + 9) is None
    assert not lines.whole
    assert list(lines.loaded) == []


def test_nothing_has_no_pages() -> None:
    assert Lines().whole
    assert list(Lines()) == []
    assert Lines() == ()
