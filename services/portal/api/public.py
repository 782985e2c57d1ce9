"""Pages for everybody: what was sold today and this season, and the story of a lot. They show what the public topics
say, and nothing of a person."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from services.portal.api.pages import Pages
from services.portal.store.public_stream import PublicFestival, PublicPart, PublicStream
from shared import typed
from shared.errors import WrongEntry
from shared.http.problems import PageRefused
from shared.wording import Message

UNKNOWN_LOT = Message("No lot of this number is known here.")
MOST_ROWS = 100
MADE_AGAIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class SoldRow:
    """What was sold under a name, e.g. of a facility: today and this season."""

    name: str
    today_qty: int
    qty: int
    rupiah: int


NOTHING_SOLD = SoldRow("", 0, 0, 0)


@dataclass(frozen=True, slots=True)
class SalesTable:
    """What was sold, in all and by category, facility and festival."""

    total: SoldRow
    categories: Sequence[SoldRow]
    facilities: Sequence[SoldRow]
    festivals: Sequence[SoldRow]


class SalesTables:
    """The table of now, made at most every few seconds: strangers may ask as often as they like."""

    def __init__(self, stream: PublicStream) -> None:
        self._stream = stream
        self._made_at = float("-inf")
        self._table = SalesTable(NOTHING_SOLD, (), (), ())

    def current(self) -> SalesTable:
        clock = asyncio.get_running_loop().time()
        if clock - self._made_at >= MADE_AGAIN_SECONDS:
            self._table, self._made_at = self._made(datetime.now(UTC)), clock
        return self._table

    def _made(self, now: datetime) -> SalesTable:
        stream = self._stream
        parts = [(part, stream.is_of_today(part, now)) for part in stream.parts()]
        return SalesTable(
            total=next(iter(rows_of(parts, lambda _: "")), NOTHING_SOLD),
            categories=rows_of(parts, stream.category),
            facilities=rows_of(parts, lambda part: part.facility),
            festivals=rows_of(parts, lambda part: part.festival),
        )


def routes(pages: Pages, stream: PublicStream) -> APIRouter:
    """The router of public pages."""
    router = APIRouter()
    tables = SalesTables(stream)

    @router.get("/public")
    async def sales(request: Request) -> Response:
        table = tables.current()
        festivals = [(row, stream.festival(row.name)) for row in table.festivals]
        return pages.render(request, "public.html", table=table, festivals=festivals, is_whole=stream.is_whole)

    @router.get("/public/lots/{lot}")
    async def lot_page(request: Request, lot: str) -> Response:
        try:
            found = stream.lot(typed.lot(lot))
        except WrongEntry:
            found = None
        if found is None or found.withdrawn:
            raise PageRefused(404, UNKNOWN_LOT)
        festivals: list[tuple[str, int, PublicFestival | None]] = [
            (festival, qty, stream.festival(festival)) for festival, qty in stream.sold_of(found.lot).items()
        ]
        return pages.render(request, "public_lot.html", lot=found, festivals=festivals)

    return router


def rows_of(parts: Iterable[tuple[PublicPart, bool]], name_of: Callable[[PublicPart], str]) -> list[SoldRow]:
    """The parts, each with whether it is of today, summed by name, the most rupiah first."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for part, is_of_today in parts:
        row = sums[name_of(part)]
        row[0] += part.qty if is_of_today else 0
        row[1] += part.qty
        row[2] += part.rupiah
    rows = [SoldRow(name, *numbers) for name, numbers in sums.items() if any(numbers)]
    return sorted(rows, key=lambda row: (-row.rupiah, row.name))[:MOST_ROWS]
