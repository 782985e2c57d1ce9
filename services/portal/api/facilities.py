"""The pages of a facility: what it made, where that is now, and what it is owed."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from fastapi import APIRouter, Request, Response

from services.portal.api.codes import GivenCode, give_code
from services.portal.api.forms import Sent
from services.portal.api.organiser import Organiser
from services.portal.api.pages import NOT_KEPT, Pages
from services.portal.api.people import Person, Visited
from services.portal.clients import Services
from shared.translation import heading
from shared.wording import Message

LOT_COLUMNS = [
    "lot",
    "product",
    "made_on",
    "recorded",
    "on_hand",
    "reserved",
    "dispatched",
    "returned",
    "written_off",
]
STATEMENT_COLUMNS = [
    "festival",
    "qty",
    "sold_rupiah",
    "facility_rupiah",
    "maker_premium_rupiah",
    "programme_rupiah",
    "provisional_qty",
    "issued",
]


def routes(pages: Pages, organiser: Organiser, services: Services) -> APIRouter:
    """The router of facilities."""
    router = APIRouter()

    async def members_page(
        request: Request,
        person: Person,
        facility: str,
        status: int = 200,
        given: GivenCode | None = None,
        problem: Message | None = None,
    ) -> Response:
        return pages.render(
            request,
            "facility_members.html",
            status=status,
            person=person,
            facility=facility,
            devices=await organiser.devices(person, facility=facility),
            given=given,
            problem=problem,
        )

    @router.get("/facilities/{facility}/people")
    async def members(request: Request, person: Visited, facility: str) -> Response:
        return await members_page(request, person, facility)

    @router.post("/facilities/{facility}/people")
    async def invite(request: Request, person: Visited, facility: str, sent: Sent) -> Response:
        given = await give_code(services, person, sent)
        if isinstance(given, Message):
            return await members_page(request, person, facility, 409, problem=given)
        return await members_page(request, person, facility, given=given)

    @router.get("/facilities/{facility}")
    async def show(request: Request, person: Visited, facility: str) -> Response:
        return pages.render(
            request,
            "facility.html",
            person=person,
            facility=facility,
            lots=await organiser.lots(person, facility),
            settlements=await organiser.settlements(person, facility=facility),
            demand=await organiser.demand(person, facility),
        )

    @router.get("/facilities/{facility}/lots.csv")
    async def lots(person: Visited, facility: str) -> Response:
        rows = await organiser.lots(person, facility)
        return table(f"{facility}-lots.csv", LOT_COLUMNS, rows)

    @router.get("/facilities/{facility}/statement.csv")
    async def statement(person: Visited, facility: str) -> Response:
        rows = await organiser.settlements(person, facility=facility)
        return table(f"{facility}-statement.csv", STATEMENT_COLUMNS, rows)

    return router


def table(name: str, columns: Sequence[str], rows: Iterable[object]) -> Response:
    """The rows as a CSV file that spreadsheets open with their headings."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([heading(column) for column in columns])
    writer.writerows([_cell(getattr(row, column)) for column in columns] for row in rows)
    # Without this mark spreadsheets take the text for another encoding.
    content = "\ufeff" + text.getvalue()
    headers = {**NOT_KEPT, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: object) -> object:
    """The value as a cell. A spreadsheet must not take a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
