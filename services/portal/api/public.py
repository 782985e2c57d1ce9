"""Pages for everybody: what was sold today, this season and in former ones. They show what the public topics say, and
nothing of a person."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query, Request, Response

from services.portal.api.files import table_of
from services.portal.api.filters import FILES
from services.portal.api.pages import Pages
from services.portal.domain.island_map import IslandMap, map_of
from services.portal.store import PublicStream, PublicSum, outline, season_now
from shared.events.language import FIRST_YEAR, LAST_YEAR
from shared.http.problems import PageRefused
from shared.translation import tr
from shared.wording import Message

MADE_AGAIN_SECONDS = 2.0
SOLD_COLUMNS = ["code", "name", "today_qty", "qty", "rupiah"]
Season: TypeAlias = Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)]


@dataclass(frozen=True, slots=True)
class SoldSums:
    """What was sold under a code, e.g. of a facility: today and in the season. `name`: what the catalogue says."""

    code: str
    name: str
    today_qty: int
    qty: int
    rupiah: int


NOTHING_SOLD = SoldSums("", "", 0, 0, 0)


@dataclass(frozen=True, slots=True)
class SalesTable:
    """What was sold in a season, in all and by category, island, facility and festival. `former`: it is not the
    season of now; `seasons`: all of them."""

    season: int
    former: bool
    seasons: Sequence[int]
    total: SoldSums
    categories: Sequence[SoldSums]
    islands: Sequence[SoldSums]
    facilities: Sequence[SoldSums]
    festivals: Sequence[SoldSums]
    map: IslandMap


class SalesTables:
    """The tables of now, made at most every few seconds: strangers may ask as often as they like."""

    def __init__(self, stream: PublicStream) -> None:
        self._stream = stream
        self._made: dict[int, tuple[float, SalesTable]] = {}

    def current(self, season: int | None) -> SalesTable:
        """The table of the season; None: of the one that it is now. Raises PageRefused if nothing is known of it."""
        clock, now = asyncio.get_running_loop().time(), datetime.now(UTC)
        chosen = season if season is not None else season_now(now)
        made_at, sales = self._made.get(chosen, (float("-inf"), None))
        if sales is None or clock - made_at >= MADE_AGAIN_SECONDS:
            sales = self._table(chosen, now)
            self._made[chosen] = clock, sales
        return sales

    def _table(self, season: int, now: datetime) -> SalesTable:
        stream, names, seasons = self._stream, self._stream.names, self._stream.seasons(now)
        if season not in seasons:
            raise PageRefused(404, Message("Nothing was sold in the season of {season}.", season=str(season)))
        sums = list(stream.sums(now, season))
        facilities = rows_of(sums, lambda part: part.facility, names.facility)
        sold = {row.code: row.qty for row in facilities}
        return SalesTable(
            season=season,
            former=season != season_now(now),
            seasons=seasons,
            total=next(iter(rows_of(sums, lambda _: "")), NOTHING_SOLD),
            categories=rows_of(sums, lambda part: names.category_of(part.product), names.category),
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
    async def sales(request: Request, season: Season = None) -> Response:
        current = tables.current(season)
        festivals = [(row, stream.festival(row.code)) for row in current.festivals]
        files = {
            "categories": table_of(f"{tr('sales-by-kind')}-{current.season}", SOLD_COLUMNS, current.categories),
            "islands": table_of(f"{tr('sales-by-island')}-{current.season}", SOLD_COLUMNS, current.islands),
            "facilities": table_of(f"{tr('sales-by-facility')}-{current.season}", SOLD_COLUMNS, current.facilities),
            "festivals": table_of(f"{tr('sales-by-festival')}-{current.season}", SOLD_COLUMNS, current.festivals),
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
