"""The pages of a facility: what it made, where that is now, and what it is owed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace

from fastapi import APIRouter, Request, Response

from services.portal.api.codes import GivenCode, give_code
from services.portal.api.files import csv_file
from services.portal.api.forms import Sent
from services.portal.api.organiser import Organiser
from services.portal.api.pages import NOT_KEPT, Pages, redirect
from services.portal.api.people import Person, Visited
from services.portal.clients import Services
from services.portal.domain.answers import SettlementRow
from services.portal.store import Amounts, Statement, Statements
from shared.access.rights import Action, Limit
from shared.http.access import NO_RIGHT
from shared.http.problems import PageRefused
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


NOT_ISSUED = Message("This settlement is not issued yet: its figures may still change.")
NO_STATEMENT = Message("There is no such statement.")


def routes(pages: Pages, organiser: Organiser, services: Services, statements: Statements) -> APIRouter:
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

    async def facility_page(
        request: Request, person: Person, facility: str, status: int = 200, problem: Message | None = None
    ) -> Response:
        # Asked first: whoever may not read settlements gets no statement either.
        settlements = await organiser.settlements(person, facility=facility)
        issued = await statements.of_facility(facility)
        return pages.render(
            request,
            "facility.html",
            status=status,
            person=person,
            facility=facility,
            lots=await organiser.lots(person, facility),
            settlements=settlements,
            shares=await organiser.shares(person, facility),
            demand=await organiser.demand(person, facility),
            statements=issued,
            to_issue=_to_issue(settlements, issued) if may_issue(person, facility) else [],
            zone=await organiser.facility_zone(person, facility),
            problem=problem,
        )

    async def statement_of(person: Person, facility: str, number: int) -> Statement:
        """The statement, for whoever may read the facility's settlements. Raises PageRefused."""
        await organiser.settlements(person, facility=facility)
        found = await statements.find(facility, number)
        if found is None:
            raise PageRefused(404, NO_STATEMENT)
        return found

    @router.post("/facilities/{facility}/statements")
    async def issue(request: Request, person: Visited, facility: str, sent: Sent) -> Response:
        if not may_issue(person, facility):
            raise PageRefused(403, NO_RIGHT)
        rows = await organiser.settlements(person, facility=facility, festival=sent.get("festival", ""))
        if not rows or not rows[0].issued:
            return await facility_page(request, person, facility, 409, NOT_ISSUED)
        row = rows[0]
        statement = await statements.issue(facility, row.festival, row.revision, amounts_of(row), datetime.now(UTC))
        if statement is None:
            return redirect(f"/facilities/{facility}")
        return redirect(f"/facilities/{facility}/statements/{statement.number}")

    @router.get("/facilities/{facility}/statements/{number}")
    async def statement_page(request: Request, person: Visited, facility: str, number: int) -> Response:
        statement = await statement_of(person, facility, number)
        return pages.render(
            request,
            "statement.html",
            person=person,
            statement=statement,
            zone=await organiser.facility_zone(person, facility),
        )

    @router.get("/facilities/{facility}/statements/{number}/file.csv")
    async def statement_file(person: Visited, facility: str, number: int) -> Response:
        statement = await statement_of(person, facility, number)
        row = {name: getattr(statement, name) for name in ("name", "festival", "kind", "issued_at")}
        amounts = asdict(statement.amounts)
        return table(statement.name, NOTE_COLUMNS, [SimpleNamespace(**row, **amounts)])

    @router.get("/facilities/{facility}")
    async def show(request: Request, person: Visited, facility: str) -> Response:
        return await facility_page(request, person, facility)

    @router.get("/facilities/{facility}/lots.csv")
    async def lots(person: Visited, facility: str) -> Response:
        rows = await organiser.lots(person, facility)
        return table(f"{facility}-lots", LOT_COLUMNS, rows)

    @router.get("/facilities/{facility}/statement.csv")
    async def statement(person: Visited, facility: str) -> Response:
        rows = await organiser.settlements(person, facility=facility)
        return table(f"{facility}-statement", STATEMENT_COLUMNS, rows)

    return router


def may_issue(person: Person, facility: str) -> bool:
    """Whether the person issues statements of the facility, as its staff does."""
    return person.caller.may(Action.KEEP_FACILITY, {Limit.FACILITY: facility})


def amounts_of(row: SettlementRow) -> Amounts:
    """The amounts of a settlement."""
    return Amounts(
        qty=row.qty,
        sold_rupiah=row.sold_rupiah,
        facility_rupiah=row.facility_rupiah,
        maker_premium_rupiah=row.maker_premium_rupiah,
        programme_rupiah=row.programme_rupiah,
    )


def _to_issue(settlements: Sequence[SettlementRow], issued: Sequence[Statement]) -> list[str]:
    """The festivals whose settlement was issued and has other figures than its latest statement."""
    latest = {statement.festival: statement.total for statement in issued}
    return [row.festival for row in settlements if row.issued and latest.get(row.festival) != amounts_of(row)]


def table(name: str, columns: Sequence[str], rows: Iterable[object]) -> Response:
    """The rows as a CSV file with their headings."""
    values = [[getattr(row, column) for column in columns] for row in rows]
    return csv_file(name, [[heading(column) for column in columns], *values], NOT_KEPT)
