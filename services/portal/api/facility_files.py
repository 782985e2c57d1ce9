"""The tables of a facility as files for spreadsheets."""

from collections.abc import Iterator
from dataclasses import asdict
from types import SimpleNamespace

from fastapi import APIRouter, Response

from services.portal.api.organiser import Organiser
from services.portal.api.pages import either
from services.portal.api.people import Visited
from services.portal.api.tables import table
from services.portal.store import PublicStream, Statement, Statements
from shared.http.problems import PageRefused
from shared.wording import Message

NOT_WHOLE = Message(
    "What was sold is still being read, so that the file would not be whole. Please try again in a moment."
)
LOT_COLUMNS = [
    "lot",
    "product",
    "made_on",
    "recorded",
    "corrected",
    "on_hand",
    "reserved",
    "dispatched",
    "returned",
    "written_off",
    "sold",
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
NOTE_COLUMNS = [
    "name",
    "festival",
    "kind",
    "issued_at",
    "qty",
    "sold_rupiah",
    "facility_rupiah",
    "maker_premium_rupiah",
    "programme_rupiah",
]
SHARE_COLUMNS = ["festival", "request", "day", "status", "offered", "allocated", "reason"]
DEMAND_COLUMNS = ["festival", "product", "stocked", "sold", "unsold", "sold_rupiah", "ran_out", "lost_sales"]


def routes(organiser: Organiser, statements: Statements, stream: PublicStream) -> APIRouter:
    """The router of a facility's files."""
    router = APIRouter()

    @router.get("/facilities/{facility}/lots.csv")
    async def lots(person: Visited, facility: str) -> Response:
        if not stream.is_whole:
            raise PageRefused(503, NOT_WHOLE)
        rows = [
            SimpleNamespace(**asdict(row), sold=stream.pieces_sold(row.lot))
            for row in await organiser.lots(person, facility)
        ]
        return table(f"{facility}-lots", LOT_COLUMNS, rows)

    @router.get("/facilities/{facility}/statement.csv")
    async def statement(person: Visited, facility: str) -> Response:
        rows = await organiser.settlements(person, facility=facility)
        return table(f"{facility}-statement", STATEMENT_COLUMNS, rows)

    @router.get("/facilities/{facility}/statements.csv")
    async def notes(person: Visited, facility: str) -> Response:
        # Asked first: whoever may not read settlements gets no statement either.
        await organiser.settlements(person, facility=facility)
        issued = await statements.of_facility(facility)
        return table(f"{facility}-statements", NOTE_COLUMNS, map(note_row, issued))

    @router.get("/facilities/{facility}/shares.csv")
    async def shares(person: Visited, facility: str) -> Response:
        rows = [
            SimpleNamespace(**asdict(row) | {"reason": either(row.reason, row.reason_id)})
            for row in await organiser.shares(person, facility)
        ]
        return table(f"{facility}-shares", SHARE_COLUMNS, rows)

    @router.get("/facilities/{facility}/demand.csv")
    async def demand(person: Visited, facility: str) -> Response:
        def rows() -> Iterator[SimpleNamespace]:
            for page in pages:
                for row in page.products:
                    yield SimpleNamespace(**asdict(row), ran_out=row.ran_out, festival=page.festival)

        pages = await organiser.demand(person, facility)
        return table(f"{facility}-demand", DEMAND_COLUMNS, rows())

    return router


def note_row(statement: Statement) -> SimpleNamespace:
    """The statement as a row of a file, with the amounts that it is about."""
    row = {name: getattr(statement, name) for name in ("name", "festival", "kind", "issued_at")}
    return SimpleNamespace(**row, **asdict(statement.amounts))
