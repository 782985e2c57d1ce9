"""What is in stock for a festival: by product, or lot by lot, with what keeps pieces out of its plans."""

from fastapi import APIRouter, Request, Response

from services.portal.api.festival.desk import Desk
from services.portal.api.festival.sales import festival_days
from services.portal.api.filters import FILES
from services.portal.api.people import Person, Visited


def routes(desk: Desk) -> APIRouter:
    """The router of the stock."""
    router = APIRouter(dependencies=[FILES])

    async def page(request: Request, person: Person, festival: str, product: str, day: str) -> Response:
        row = await desk.organiser.festival(person, festival)
        days = festival_days(row)
        chosen = day if day in {str(one) for one in days} else ""
        stock = await desk.organiser.stock(person, festival, chosen)
        return await desk.show(
            request,
            "stock.html",
            person,
            festival,
            stock=stock,
            product=product,
            lots=await desk.organiser.stock_lots(person, festival, product, chosen) if product else [],
            names={product.code: product.name for product in await desk.organiser.products(person)},
            day_shown=chosen,
            festival_days=days,
        )

    @router.get("/festivals/{festival}/stock")
    async def stock(request: Request, person: Visited, festival: str, product: str = "", day: str = "") -> Response:
        return await page(request, person, festival, product, day)

    return router
