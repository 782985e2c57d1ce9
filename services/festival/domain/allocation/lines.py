"""The lines of a request, in pages: a change of one line touches one page and the sums."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

from services.festival.domain.line import COUNTED, OPEN, PROMISED, AllocationLine, LineStatus, has_promised

# A page is written anew for each change in it, and small pages cost more reads.
PAGE_LINES = 50


class StatusSum(NamedTuple):
    """The number of lines of one status, and their pieces less those lost on the way."""

    lines: int = 0
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class StoredLines:
    """Page number `number` of the lines of a request, as stored.

    `booths`: the booths of its lines. `coming_to`: the booths to which pieces of its lines are still to come.
    `promising`: the festival, while pieces are still to come.
    """

    id: str
    request: str
    festival: str
    number: int
    lines: tuple[AllocationLine, ...]

    @property
    def booths(self) -> tuple[str, ...]:
        return tuple(sorted({line.booth for line in self.lines}))

    @property
    def coming_to(self) -> tuple[str, ...]:
        return tuple(sorted({line.booth for line in self.lines if line.status in PROMISED}))

    @property
    def promising(self) -> str | None:
        return self.festival if has_promised(self.lines) else None


class Lines(Sequence[AllocationLine]):
    """All lines of a request in the order of their numbers, of which some pages may not be loaded.

    `tallies`, by status, and the length count all lines. Access to a page that is not loaded raises LookupError: a
    rule must not take a part for the whole. Immutable.
    """

    __slots__ = ("_pages", "_size", "changed", "tallies")

    def __init__(
        self,
        size: int = 0,
        tallies: Mapping[LineStatus, StatusSum] | None = None,
        pages: Mapping[int, tuple[AllocationLine, ...]] | None = None,
        changed: frozenset[int] = frozenset(),
    ) -> None:
        """`pages`: the loaded ones by number, from 0. `changed`: those that differ from the stored ones."""
        self._size = size
        self.tallies: Mapping[LineStatus, StatusSum] = tallies or {}
        self._pages: Mapping[int, tuple[AllocationLine, ...]] = pages or {}
        self.changed = changed

    @classmethod
    def of(cls, lines: Iterable[AllocationLine]) -> "Lines":
        """The lines of a request, all loaded."""
        return cls() + tuple(lines)

    @property
    def whole(self) -> bool:
        """Whether every page is loaded."""
        return len(self._pages) == -(-self._size // PAGE_LINES)

    @property
    def pages(self) -> Mapping[int, tuple[AllocationLine, ...]]:
        """The loaded pages by number."""
        return self._pages

    @property
    def loaded(self) -> Iterator[AllocationLine]:
        """The lines of the loaded pages, in order."""
        for _, page in sorted(self._pages.items()):
            yield from page

    def with_pages(self, pages: Iterable[StoredLines]) -> "Lines":
        """The same lines with these pages loaded."""
        return Lines(self._size, self.tallies, {page.number: page.lines for page in pages})

    def bare(self) -> "Lines":
        """The same lines without a loaded page."""
        return Lines(self._size, self.tallies)

    def count(self, statuses: Iterable[LineStatus]) -> int:
        """The number of lines with these statuses."""
        return sum(self.tallies.get(status, StatusSum()).lines for status in statuses)

    def pieces(self, statuses: Iterable[LineStatus] = COUNTED) -> int:
        """The pieces of the lines with these statuses, less those lost on the way."""
        return sum(self.tallies.get(status, StatusSum()).pieces for status in statuses)

    @property
    def at_rest(self) -> bool:
        """Whether inventory owes no answer, so that the missing pieces are known."""
        return not self.count(OPEN)

    def find(self, index: int) -> AllocationLine | None:
        """The line at this index, or None if there is none. Raises LookupError if its page is not loaded."""
        return self[index] if 0 <= index < self._size else None

    def with_line(self, index: int, line: AllocationLine) -> "Lines":
        """The lines with this one at its index."""
        return self.with_all({index: line})

    def with_all(self, change: Mapping[int, AllocationLine]) -> "Lines":
        """The lines with these in place of those at their indexes."""
        tallies, pages = dict(self.tallies), dict(self._pages)
        by_page: dict[int, list[AllocationLine]] = {}
        for index, line in change.items():
            number, place = divmod(index, PAGE_LINES)
            page = by_page.setdefault(number, list(self._page(number)))
            _add(tallies, page[place], -1)
            _add(tallies, line, 1)
            page[place] = line
        pages.update((number, tuple(page)) for number, page in by_page.items())
        return Lines(self._size, tallies, pages, self.changed | by_page.keys())

    def __add__(self, more: Iterable[AllocationLine]) -> "Lines":
        tallies, pages, size, changed_pages = dict(self.tallies), dict(self._pages), self._size, set(self.changed)
        number, fill = divmod(size, PAGE_LINES)
        page = list(self._page(number)) if fill else []
        for line in more:
            _add(tallies, line, 1)
            page.append(line)
            size += 1
            changed_pages.add(number)
            if len(page) == PAGE_LINES:
                pages[number] = tuple(page)
                number, page = number + 1, []
        if page:
            pages[number] = tuple(page)
        return Lines(size, tallies, pages, frozenset(changed_pages))

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> AllocationLine: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[AllocationLine, ...]: ...

    def __getitem__(self, index: int | slice) -> AllocationLine | tuple[AllocationLine, ...]:
        if isinstance(index, slice):
            return tuple(self[n] for n in range(*index.indices(self._size)))
        if index < 0:
            index += self._size
        if not 0 <= index < self._size:
            raise IndexError(index)
        number, place = divmod(index, PAGE_LINES)
        return self._page(number)[place]

    def __iter__(self) -> Iterator[AllocationLine]:
        for number in range(-(-self._size // PAGE_LINES)):
            yield from self._page(number)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, tuple):
            return self.whole and tuple(self) == other
        if not isinstance(other, Lines):
            return NotImplemented
        return (
            self._size == other._size
            and {status: tally for status, tally in self.tallies.items() if tally.lines}
            == {status: tally for status, tally in other.tallies.items() if tally.lines}
            and self._pages == other._pages
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Lines({self._size}, loaded={list(self.loaded)!r})"

    def _page(self, number: int) -> tuple[AllocationLine, ...]:
        page = self._pages.get(number)
        if page is None:
            raise LookupError(f"Page {number} of the lines is not loaded.")
        return page


def _add(tallies: dict[LineStatus, StatusSum], line: AllocationLine, sign: int) -> None:
    tally = tallies.get(line.status, StatusSum())
    tallies[line.status] = StatusSum(tally.lines + sign, tally.pieces + sign * (line.qty - line.lost))
