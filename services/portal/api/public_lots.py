"""The story of a lot for everybody, and the QR code that leads to it."""

from io import BytesIO
from typing import Annotated

import segno
from fastapi import APIRouter, Query, Request, Response

from services.portal.api.pages import NOT_KEPT, Pages, redirect
from services.portal.store import PublicFestival, PublicLot, PublicStream
from shared import typed
from shared.errors import WrongEntry
from shared.http.problems import PageRefused
from shared.wording import Message

UNKNOWN_LOT = Message("No lot of this number is known here.")
# A label may be scratched: a seventh of the code can be lost.
CORRECTION = "m"
MOST_TYPED = 60


def routes(pages: Pages, stream: PublicStream) -> APIRouter:
    """The router of lots for everybody."""
    router = APIRouter()

    def found(number: str) -> PublicLot:
        """The lot of a typed number. Raises PageRefused."""
        try:
            lot = stream.lot(typed.lot(number))
        except WrongEntry:
            lot = None
        if lot is None or lot.withdrawn:
            raise PageRefused(404, UNKNOWN_LOT)
        return lot

    @router.get("/public/lots")
    async def search(number: Annotated[str, Query(max_length=MOST_TYPED)] = "") -> Response:
        return redirect(f"/public/lots/{found(number).lot}") if number.strip() else redirect("/public")

    @router.get("/public/lots/{lot}")
    async def lot_page(request: Request, lot: str) -> Response:
        shown, names = found(lot), stream.names
        festivals: list[tuple[str, int, PublicFestival | None]] = [
            (festival, qty, stream.festival(festival)) for festival, qty in stream.sold_of(shown.lot).items()
        ]
        return pages.render(
            request,
            "public_lot.html",
            lot=shown,
            product=names.product(shown.product),
            category=names.category(shown.category),
            facility=names.facility(shown.facility),
            island=names.island(names.island_of(shown.facility)),
            festivals=festivals,
        )

    @router.get("/public/lots/{lot}/qr.svg")
    async def code(request: Request, lot: str) -> Response:
        shown = found(lot)
        return Response(qr_code(lot_address(request, shown.lot)), media_type="image/svg+xml", headers=NOT_KEPT)

    return router


def lot_address(request: Request, lot: str) -> str:
    """The address of the lot's page, as the reader's browser reaches the portal."""
    return f"{str(request.base_url).rstrip('/')}/public/lots/{lot}"


def qr_code(text: str) -> str:
    """The QR code as an SVG of its own, black on white in every theme."""
    picture = BytesIO()
    segno.make(text, error=CORRECTION, micro=False).save(
        picture,
        kind="svg",
        border=4,
        omitsize=True,
        xmldecl=False,
        nl=False,
        dark="#000",
        light="#fff",
        svgclass=None,
    )
    return picture.getvalue().decode("ascii")
