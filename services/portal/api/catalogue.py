"""The catalogue as it is now: products with usual prices, facilities, and lead times between islands."""

from fastapi import APIRouter, Request, Response

from services.portal.api.filters import FILES, declared, narrowed
from services.portal.api.pages import Pages
from services.portal.api.people import Visited
from services.portal.clients import Services, answers
from services.portal.domain.catalogue_answers import shown_catalogue
from services.portal.store import PublicNames


def routes(pages: Pages, services: Services, names: PublicNames) -> APIRouter:
    """The router of the catalogue."""
    router = APIRouter(dependencies=[FILES])

    @router.get("/catalogue", dependencies=[declared("category", "island")])
    async def catalogue(request: Request, person: Visited) -> Response:
        page = await services.page(person.token, "production", "catalogue")
        shown = shown_catalogue(answers.CATALOGUE.validate_python(page).entries)
        query = request.query_params
        products, by_category = narrowed(shown.products, query, {"category": lambda row: row.category or ""})
        facilities, by_island = narrowed(shown.facilities, query, {"island": lambda row: row.island or ""})
        return pages.render(
            request,
            "catalogue.html",
            person=person,
            shown=shown,
            products=products,
            facilities=facilities,
            filters=[*by_category, *by_island],
            names=names,
        )

    return router
