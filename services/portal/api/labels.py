"""Labels of a facility's lots, to print on sheets of A4 or on a roll of 58 mm."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.portal.api.organiser import Organiser
from services.portal.api.pages import Pages
from services.portal.api.people import Visited
from services.portal.api.public_lots import lot_address, qr_code
from services.portal.domain.answers import LotRow
from services.portal.store import PublicStream
from shared.http.problems import PageRefused
from shared.wording import Message

MOST_LABELS = 240
# So many of the newest lots are offered; the others have an address of their own on the page of the facility.
MOST_OFFERED = 60
UNKNOWN_LOT = Message("No lot of this number is known here.")
TOO_MANY = Message("So many labels are too much for one page: print at most {most}.", most=MOST_LABELS)


class Paper(StrEnum):
    """A sheet with three by eight labels, or a roll with one after another."""

    A4 = "a4"
    ROLL = "58"


@dataclass(frozen=True, slots=True)
class Label:
    """A lot's label. `code`: the QR code of its page for everybody, as SVG."""

    lot: LotRow
    product: str
    facility: str
    code: str


def routes(pages: Pages, organiser: Organiser, stream: PublicStream) -> APIRouter:
    """The router of labels."""
    router = APIRouter()

    def label_of(request: Request, row: LotRow) -> Label:
        names = stream.names
        code = qr_code(lot_address(request, row.lot))
        return Label(row, names.product(row.product), names.facility(row.facility), code)

    @router.get("/facilities/{facility}/labels")
    async def labels(
        request: Request,
        person: Visited,
        facility: str,
        lot: Annotated[Sequence[str], Query()] = (),
        copies: Annotated[int, Query(ge=1, le=MOST_LABELS)] = 1,
        paper: Paper = Paper.A4,
    ) -> Response:
        if len(set(lot)) * copies > MOST_LABELS:
            raise PageRefused(422, TOO_MANY)
        rows = {row.lot: row for row in await organiser.lots(person, facility) if not row.withdrawn}
        if not rows.keys() >= set(lot):
            raise PageRefused(404, UNKNOWN_LOT)
        return pages.render(
            request,
            "labels.html",
            person=person,
            facility=facility,
            facility_name=stream.names.facility(facility),
            # Nothing recalled is to be labelled anew, unless somebody names it.
            offered=[row for row in rows.values() if row.lot in lot or not row.recalled][:MOST_OFFERED],
            chosen=set(lot),
            labels=[label_of(request, rows[name]) for name in dict.fromkeys(lot)],
            copies=copies,
            paper=paper,
            product=stream.names.product,
        )

    return router
