"""Sales of a festival by booth, hour and product, and the decision of disputes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from services.portal.api.calendar import day as written_day
from services.portal.api.festival.desk import Desk
from services.portal.api.filters import FILES, declared, narrowed
from services.portal.api.forms import Sent
from services.portal.api.people import Person, Visited
from services.portal.domain.answers import FestivalRow
from services.portal.domain.sell_through import chart_of, product_sums, sold_by_day, sold_by_hour
from shared.wording import Message

# In the address: every day of the festival, a column for each.
ALL_DAYS = "all"


def routes(desk: Desk) -> APIRouter:
    """The router of sales."""
    router = APIRouter(dependencies=[FILES])

    async def page(
        request: Request, person: Person, festival: str, status: int = 200, problem: Message | None = None
    ) -> Response:
        query = request.query_params
        row = await desk.organiser.festival(person, festival)
        day, product = shown_day(row, query.get("day", ""), datetime.now(UTC)), query.get("product", "")
        zone = ZoneInfo(row.zone)
        booths = await desk.organiser.sell_through(person, festival, "" if day == ALL_DAYS else day)
        if day == ALL_DAYS:
            sold = sold_by_day(booths, zone, written_day, product)
        else:
            sold = sold_by_hour(booths, zone, product)
        sales = await desk.organiser.sales(person, festival)
        doubts, filters = narrowed(
            [(booth, sale) for booth in sales for sale in booth.sales],
            query,
            {"booth": lambda pair: pair[0].booth, "state": lambda pair: pair[1].state},
        )
        return await desk.show(
            request,
            "sales.html",
            person,
            festival,
            status,
            sales=sales,
            doubts=doubts,
            doubt_filters=filters,
            booths={booth.booth: booth for booth in await desk.organiser.booths(person, festival)},
            products=product_sums(booths),
            left={booth.booth: sum(row.unsold for row in booth.products) for booth in booths},
            sold=sold,
            chart=chart_of(sold),
            day_shown=day,
            product=product,
            festival_days=festival_days(row),
            problem=problem,
            is_live=True,
        )

    @router.get("/festivals/{festival}/sales", dependencies=[declared("day", "product", "booth", "state")])
    async def sales(request: Request, person: Visited, festival: str) -> Response:
        return await page(request, person, festival)

    @router.post("/festivals/{festival}/sales")
    async def resolve(request: Request, person: Visited, festival: str, sent: Sent) -> Response:
        async def again(status: int, message: Message) -> Response:
            return await page(request, person, festival, status, message)

        lot = sent.get("lot", "")
        body = {"booth": sent.get("booth", ""), "outcome": sent.get("outcome", "")} | ({"lot": lot} if lot else {})
        place = ("festivals", festival, "disputes", sent.get("sale", ""), "resolve")
        return await desk.give(person, sent, *place, body=body, then=f"/festivals/{festival}/sales", again=again)

    return router


def shown_day(festival: FestivalRow, asked: str, now: datetime) -> str:
    """The day that the page shows: the one that was asked for, today while the festival lasts, else all days."""
    if asked in {ALL_DAYS, *(day.isoformat() for day in festival_days(festival))}:
        return asked
    today = now.astimezone(ZoneInfo(festival.zone)).date()
    return today.isoformat() if festival.first_day <= today <= festival.last_day else ALL_DAYS


def festival_days(festival: FestivalRow) -> list[date]:
    """The days of the festival in their order."""
    count = (festival.last_day - festival.first_day).days + 1
    return [festival.first_day + timedelta(days=number) for number in range(count)]
