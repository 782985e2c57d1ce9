"""The pages of a facility: what it made, where that is now, and what it is owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.portal.api.codes import GivenCode, give_code
from services.portal.api.facility_files import facility_tables, statement_tables
from services.portal.api.filters import FILES
from services.portal.api.forms import Sent
from services.portal.api.organiser import Organiser
from services.portal.api.pages import Pages, redirect
from services.portal.api.people import Person, Visited
from services.portal.clients import Services
from services.portal.domain.answers import SettlementRow
from services.portal.domain.facility import LotFilter, filtered, next_products, places_of, run_out
from services.portal.store import Amounts, PublicStream, Statement, Statements, corrected_by
from shared.access.rights import Action, Limit
from shared.http.access import NO_RIGHT
from shared.http.problems import PageRefused
from shared.wording import Message

# So many lots are shown, the newest first; the file has all.
MOST_LOTS = 40
MOST_TYPED = 60
NOT_ISSUED = Message("This settlement is not issued yet: its figures may still change.")
NO_STATEMENT = Message("There is no such statement.")


@dataclass(frozen=True, slots=True)
class LotSearch:
    """Which lots the page shows, as its address says."""

    product: str = ""
    only: LotFilter = LotFilter.ALL


ALL_LOTS = LotSearch()


def routes(
    pages: Pages, organiser: Organiser, services: Services, statements: Statements, stream: PublicStream
) -> APIRouter:
    """The router of facilities."""
    router = APIRouter(dependencies=[FILES])

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
            facility_name=stream.names.facility(facility),
            devices=await organiser.devices(person, facility=facility),
            given=given,
            zone=await organiser.facility_zone(person, facility),
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
        request: Request,
        person: Person,
        facility: str,
        status: int = 200,
        problem: Message | None = None,
        search: LotSearch = ALL_LOTS,
    ) -> Response:
        # Asked first: whoever may not read settlements gets no statement either.
        settlements = await organiser.settlements(person, facility=facility)
        issued = await statements.of_facility(facility)
        rows = await organiser.lots(person, facility)
        lots = places_of(rows, {row.lot: stream.pieces_sold(row.lot) for row in rows})
        found = filtered(lots, search.product, search.only)
        demand = await organiser.demand(person, facility)
        shares = await organiser.shares(person, facility)
        found_lots = {row.lot for row in found}
        return pages.render(
            request,
            "facility.html",
            status=status,
            person=person,
            facility=facility,
            names=stream.names,
            is_whole=stream.is_whole,
            festival_name=stream.festival_name,
            lots=lots,
            found=found,
            shown=found[:MOST_LOTS],
            search=search,
            settlements=settlements,
            shares=shares,
            demand=demand,
            ran_out=run_out(demand),
            next_products=next_products(demand, lots),
            statements=issued,
            to_issue=_to_issue(settlements, issued) if may_issue(person, facility) else [],
            zone=await organiser.facility_zone(person, facility),
            problem=problem,
            files=facility_tables(
                facility,
                stream,
                lots=(row for row in rows if row.lot in found_lots),
                settlements=settlements,
                statements=issued,
                shares=shares,
                demand=demand,
            ),
        )

    @router.post("/facilities/{facility}/statements")
    async def issue(request: Request, person: Visited, facility: str, sent: Sent) -> Response:
        if not may_issue(person, facility):
            raise PageRefused(403, NO_RIGHT)
        rows = await organiser.settlements(person, facility=facility, festival=sent.get("festival", ""))
        if not rows or not rows[0].final:
            return await facility_page(request, person, facility, 409, NOT_ISSUED)
        row = rows[0]
        statement = await statements.issue(facility, row.festival, row.revision, amounts_of(row), datetime.now(UTC))
        if statement is None:
            return redirect(f"/facilities/{facility}")
        return redirect(f"/facilities/{facility}/statements/{statement.number}")

    @router.get("/facilities/{facility}/statements/{number}")
    async def statement_page(request: Request, person: Visited, facility: str, number: int) -> Response:
        # Asked first: whoever may not read settlements gets no statement either.
        await organiser.settlements(person, facility=facility)
        issued = await statements.of_facility(facility)
        statement = next((row for row in issued if row.number == number), None)
        if statement is None:
            raise PageRefused(404, NO_STATEMENT)
        return pages.render(
            request,
            "statement.html",
            person=person,
            statement=statement,
            corrected=corrected_by(statement, issued),
            facility_name=stream.names.facility(facility),
            festival_name=stream.festival_name(statement.festival),
            zone=await organiser.facility_zone(person, facility),
            files=statement_tables(statement),
        )

    @router.get("/facilities/{facility}")
    async def show(
        request: Request,
        person: Visited,
        facility: str,
        product: Annotated[str, Query(max_length=MOST_TYPED)] = "",
        only: LotFilter = LotFilter.ALL,
    ) -> Response:
        return await facility_page(request, person, facility, search=LotSearch(product, only))

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
    """The festivals whose settlement is final and has other figures than its latest statement."""
    latest = {statement.festival: statement.total for statement in issued}
    return [row.festival for row in settlements if row.final and latest.get(row.festival) != amounts_of(row)]
