"""Pages for everybody: what was sold today and this season. They show what the public topics say, and nothing of a
person."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from services.portal.api.files import table_of
from services.portal.api.filters import FILES
from services.portal.api.pages import Pages
from services.portal.domain.island_map import IslandMap, map_of
from services.portal.store import PublicStream, PublicSum, outline
from shared.translation import tr

MADE_AGAIN_SECONDS = 2.0
SOLD_COLUMNS = ["code", "name", "today_qty", "qty", "rupiah"]


@dataclass(frozen=True, slots=True)
class SoldSums:
    """What was sold under a code, e.g. of a facility: today and this season. `name`: what the catalogue calls it."""

    code: str
    name: str
    today_qty: int
    qty: int
    rupiah: int


NOTHING_SOLD = SoldSums("", "", 0, 0, 0)


@dataclass(frozen=True, slots=True)
class SalesTable:
    """What was sold, in all and by category, island, facility and festival."""

    total: SoldSums
    categories: Sequence[SoldSums]
    islands: Sequence[SoldSums]
    facilities: Sequence[SoldSums]
    festivals: Sequence[SoldSums]
    map: IslandMap


class SalesTables:
    """The table of now, made at most every few seconds: strangers may ask as often as they like."""

    def __init__(self, stream: PublicStream) -> None:
        self._stream = stream
        self._made_at = float("-inf")
        self._table: SalesTable | None = None

    def current(self) -> SalesTable:
        clock = asyncio.get_running_loop().time()
        if self._table is None or clock - self._made_at >= MADE_AGAIN_SECONDS:
            self._table, self._made_at = self._made(datetime.now(UTC)), clock
        return self._table

    def _made(self, now: datetime) -> SalesTable:
        stream, names = self._stream, self._stream.names
        sums = list(stream.sums(now))
        facilities = rows_of(sums, lambda part: part.facility, names.facility)
        sold = {row.code: row.qty for row in facilities}
        return SalesTable(
            total=next(iter(rows_of(sums, lambda _: "")), NOTHING_SOLD),
            categories=rows_of(sums, lambda part: part.category, names.category),
            islands=rows_of(sums, lambda part: names.island_of(part.facility), names.island),
            facilities=facilities,
            festivals=rows_of(sums, lambda part: part.festival, stream.festival_name),
            map=map_of(
                outline.load(),
                ((code, names.island_of(code), sold.get(code, 0)) for code in {*names.facilities(), *sold}),
            ),
        )


def routes(pages: Pages, stream: PublicStream) -> APIRouter:
    """The router of public sales."""
    router = APIRouter()
    tables = SalesTables(stream)

    @router.get("/public", dependencies=[FILES])
    async def sales(request: Request) -> Response:
        current = tables.current()
        festivals = [(row, stream.festival(row.code)) for row in current.festivals]
        files = {
            "categories": table_of(tr("sales-by-kind"), SOLD_COLUMNS, current.categories),
            "islands": table_of(tr("sales-by-island"), SOLD_COLUMNS, current.islands),
            "facilities": table_of(tr("sales-by-facility"), SOLD_COLUMNS, current.facilities),
            "festivals": table_of(tr("sales-by-festival"), SOLD_COLUMNS, current.festivals),
        }
        return pages.render(
            request, "public.html", table=current, festivals=festivals, is_whole=stream.is_whole, files=files
        )

    return router


def rows_of(
    parts: Iterable[PublicSum],
    code_of: Callable[[PublicSum], str],
    name_of: Callable[[str], str] = str,
) -> list[SoldSums]:
    """The parts summed by code, the most rupiah first."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for part in parts:
        row = sums[code_of(part)]
        row[0] += part.today_qty
        row[1] += part.qty
        row[2] += part.rupiah
    rows = [SoldSums(code, name_of(code), *numbers) for code, numbers in sums.items() if any(numbers)]
    return sorted(rows, key=lambda row: (-row.rupiah, row.code))
