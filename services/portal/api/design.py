"""The page that shows every component of the stylesheet."""

from fastapi import APIRouter, Request, Response

from services.portal.api.pages import Pages


def routes(pages: Pages) -> APIRouter:
    """The router of the design."""
    router = APIRouter()

    @router.get("/design")
    async def design(request: Request) -> Response:
        return pages.render(request, "design.html")

    return router
