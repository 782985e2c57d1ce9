"""What an organiser's pages show of festivals, read from the festival service."""

import asyncio
from collections.abc import Mapping, Sequence

from services.portal.api.people import Person
from services.portal.clients import Services, answers
from services.portal.domain.answers import (
    BoothRow,
    BoothSalesRow,
    DemandPage,
    DeviceRow,
    FacilityShareRow,
    FestivalRow,
    LotRow,
    OpenStepRow,
    PlanIf,
    PlanPage,
    ProductRow,
    RequestRow,
    SettlementRow,
    ShipmentRow,
    StockLotRow,
    StockRow,
)
from services.portal.domain.sales_answers import BoothTakings, ReceiptRow, SellingBoothRow, StrayRow
from services.portal.domain.sell_through import SellThroughRow
from services.portal.domain.steps import CANCELLED, CLOSED, Progress
from services.portal.domain.stock_answers import RefillProposals, TransferRow
from shared.events.identity import Role

FESTIVAL = "festival"
SALES = "sales"
IDENTITY = "identity"
# Of a facility that the catalogue does not have.
DEFAULT_ZONE = "Asia/Jakarta"
# So many are shown on a page.
RECEIPTS_AT_ONCE = 50
# So many festivals are asked for at once.
_AT_ONCE = 4


class Organiser:
    """The festivals, as the person may read them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def festivals(self, person: Person) -> list[FestivalRow]:
        """All festivals, the latest first."""
        rows = await self._services.rows(person.token, FESTIVAL, "festivals")
        return sorted(
            answers.FESTIVALS.validate_python(rows), key=lambda row: (row.first_day, row.festival), reverse=True
        )

    async def festival(self, person: Person, festival: str) -> FestivalRow:
        page = await self._services.page(person.token, FESTIVAL, "festivals", festival)
        return answers.FESTIVAL.validate_python(page)

    async def progress(self, person: Person, festival: FestivalRow) -> Progress:
        """The festival with its booths, requests, parcels and open steps."""
        booths, requests, shipments, missing, transfers, sales = await asyncio.gather(
            self.booths(person, festival.festival),
            self.requests(person, festival.festival),
            self.shipments(person, festival.festival),
            self.missing(person, festival.festival),
            self.transfers(person, festival.festival),
            self.sales(person, festival.festival),
        )
        return Progress(festival, booths, requests, shipments, missing, transfers, sales)

    async def booths(self, person: Person, festival: str) -> list[BoothRow]:
        rows = await self._services.rows(person.token, FESTIVAL, "festivals", festival, "booths")
        return sorted(answers.BOOTHS.validate_python(rows), key=lambda booth: booth.booth)

    async def booth(self, person: Person, festival: str, booth: str) -> BoothRow:
        page = await self._services.page(person.token, FESTIVAL, "festivals", festival, "booths", booth)
        return answers.BOOTH.validate_python(page)

    async def requests(self, person: Person, festival: str) -> list[RequestRow]:
        rows = await self._services.rows(person.token, FESTIVAL, "festivals", festival, "requests")
        return answers.REQUESTS.validate_python(rows)

    async def plan(self, person: Person, festival: str, request: str) -> PlanPage:
        page = await self._services.page(person.token, FESTIVAL, "festivals", festival, "requests", request)
        return answers.PLAN.validate_python(page)

    async def plan_if(
        self, person: Person, festival: str, request: str, terms: Mapping[str, str | Sequence[str]]
    ) -> PlanIf:
        """What other terms would change in a plan that waits."""
        place = ("festivals", festival, "requests", request, "what-if")
        page = await self._services.page(person.token, FESTIVAL, *place, **terms)
        return answers.PLAN_IF.validate_python(page)

    async def plans(self, person: Person, festival: str) -> list[PlanPage]:
        """The plans of all requests."""
        requests = await self.requests(person, festival)
        return [await self.plan(person, festival, row.request) for row in requests]

    async def shipments(self, person: Person, festival: str) -> list[ShipmentRow]:
        rows = await self._services.rows(person.token, FESTIVAL, "festivals", festival, "shipments")
        return answers.SHIPMENTS.validate_python(rows)

    async def shipment(self, person: Person, festival: str, shipment: str) -> ShipmentRow:
        page = await self._services.page(person.token, FESTIVAL, "festivals", festival, "shipments", shipment)
        return answers.SHIPMENT.validate_python(page)

    async def products(self, person: Person) -> list[ProductRow]:
        """The products that the catalogue has now."""
        rows = await self._services.page(person.token, "production", "products")
        return [row for row in answers.PRODUCTS.validate_python(rows) if row.retired_at is None]

    async def stock(self, person: Person, festival: str, day: str = "") -> dict[str, StockRow]:
        """What can be planned for the festival, or for one day of it, by product."""
        filters = {"festival": festival} | ({"day": day} if day else {})
        rows = await self._services.page(person.token, FESTIVAL, "stock", **filters)
        return {row.product: row for row in answers.STOCK.validate_python(rows)}

    async def stock_lots(self, person: Person, festival: str, product: str, day: str = "") -> list[StockLotRow]:
        """The lots of a product in stock, by facility."""
        filters = {"festival": festival} | ({"day": day} if day else {})
        rows = await self._services.rows(person.token, FESTIVAL, "stock", product, **filters)
        return sorted(answers.STOCK_LOTS.validate_python(rows), key=lambda row: (row.facility, row.lot))

    async def sales(self, person: Person, festival: str) -> list[BoothSalesRow]:
        rows = await self._services.rows(person.token, SALES, "disputes", festival=festival)
        return sorted(answers.BOOTH_SALES.validate_python(rows), key=lambda booth: booth.booth)

    async def sell_through(self, person: Person, festival: str, day: str = "") -> list[SellThroughRow]:
        """What the booths sold by product and hour. `day`: the hours of this day alone."""
        filters = {"festival": festival} | ({"day": day} if day else {})
        rows = await self._services.rows(person.token, SALES, "sell-through", **filters)
        return sorted(answers.SELL_THROUGH.validate_python(rows), key=lambda booth: booth.booth)

    async def settlements(self, person: Person, **filters: str) -> list[SettlementRow]:
        rows = await self._services.rows(person.token, SALES, "settlements", **filters)
        return sorted(answers.SETTLEMENTS.validate_python(rows), key=lambda row: (row.festival, row.facility))

    async def transfers(self, person: Person, festival: str) -> list[TransferRow]:
        rows = await self._services.rows(person.token, FESTIVAL, "festivals", festival, "transfers")
        return answers.TRANSFERS.validate_python(rows)

    async def transfer(self, person: Person, festival: str, transfer: str) -> TransferRow:
        page = await self._services.page(person.token, FESTIVAL, "festivals", festival, "transfers", transfer)
        return answers.TRANSFER.validate_python(page)

    async def refill(self, person: Person, festival: str, request: str) -> RefillProposals | None:
        """What was proposed under this name while booths sold, or None if the request is another one."""
        page = await self._services.find(person.token, FESTIVAL, "festivals", festival, "replenishments", request)
        return None if page is None else answers.REFILL.validate_python(page)

    async def receipts(
        self, person: Person, booth: str, after: str, status: str = ""
    ) -> tuple[list[ReceiptRow], str | None]:
        """A part of the receipts of a booth, as they arrived, and where the next part begins. `status`: only those
        with such a sale."""
        filters = {"status": status} if status else {}
        rows, following = await self._services.part(
            person.token, SALES, "booths", booth, "receipts", after=after, limit=RECEIPTS_AT_ONCE, **filters
        )
        return answers.RECEIPTS.validate_python(rows), following

    async def all_receipts(self, person: Person, booth: str, status: str = "") -> list[ReceiptRow]:
        """All receipts of a booth, as they arrived."""
        filters = {"status": status} if status else {}
        rows = await self._services.rows(person.token, SALES, "booths", booth, "receipts", **filters)
        return answers.RECEIPTS.validate_python(rows)

    async def takings(self, person: Person, booth: str) -> BoothTakings | None:
        """The takings of a booth, or None before its first sale."""
        page = await self._services.find(person.token, SALES, "booths", booth, "takings")
        return None if page is None else answers.TAKINGS.validate_python(page)

    async def selling_booth(self, person: Person, booth: str) -> SellingBoothRow | None:
        """The booth as sales knows it, or None before it heard of it."""
        page = await self._services.find(person.token, SALES, "booths", booth)
        return None if page is None else answers.SELLING_BOOTH.validate_python(page)

    async def selling_booths(self, person: Person, festival: str) -> list[SellingBoothRow]:
        rows = await self._services.rows(person.token, SALES, "booths", festival=festival)
        return answers.SELLING_BOOTHS.validate_python(rows)

    async def strays(self, person: Person) -> list[StrayRow]:
        """The booths with sales that nobody has opened, of all festivals."""
        rows = await self._services.rows(person.token, SALES, "strays")
        return sorted(answers.STRAYS.validate_python(rows), key=lambda stray: stray.booth)

    async def lots(self, person: Person, facility: str) -> list[LotRow]:
        rows = await self._services.rows(person.token, "inventory", "lots", facility=facility)
        return sorted(answers.LOTS.validate_python(rows), key=lambda lot: (lot.made_on, lot.lot), reverse=True)

    async def facility_zone(self, person: Person, facility: str) -> str:
        """The time zone of the facility's place, by the catalogue."""
        rows = answers.FACILITIES.validate_python(await self._services.page(person.token, "production", "facilities"))
        return next((row.zone for row in rows if row.code == facility), DEFAULT_ZONE)

    async def shares(self, person: Person, facility: str) -> list[FacilityShareRow]:
        """The facility's share in each plan."""
        rows = await self._services.page(person.token, FESTIVAL, "facilities", facility, "shares")
        return answers.SHARES.validate_python(rows)

    async def devices(self, person: Person, **filters: str) -> list[DeviceRow]:
        rows = await self._services.rows(person.token, IDENTITY, "devices", **filters)
        return sorted(answers.DEVICES.validate_python(rows), key=lambda device: device.enrolled_at)

    async def demand(self, person: Person, facility: str) -> list[DemandPage]:
        rows = await self._services.rows(person.token, SALES, "facilities", facility, "demand")
        return sorted(answers.DEMANDS.validate_python(rows), key=lambda page: page.festival)

    async def missing(self, person: Person, festival: str) -> tuple[OpenStepRow, ...]:
        page = await self._services.page(person.token, FESTIVAL, "festivals", festival, "missing")
        return answers.OPEN_STEPS.validate_python(page).missing

    async def own_festivals(self, person: Person) -> list[FestivalRow]:
        """The person's festivals that are not over, the latest first."""
        scopes = None if person.caller.subject is None else set(person.scopes(Role.ORGANISER))
        rows = await self.festivals(person)
        lasting = [row for row in rows if row.status not in (CLOSED, CANCELLED)]
        return [row for row in lasting if scopes is None or row.festival in scopes]

    async def all_progress(self, person: Person) -> list[Progress]:
        """The person's festivals that are not over, with what their steps follow from."""
        own = await self.own_festivals(person)
        progress: list[Progress] = []
        for start in range(0, len(own), _AT_ONCE):
            progress += await self._several(person, own[start : start + _AT_ONCE])
        return progress

    async def _several(self, person: Person, festivals: Sequence[FestivalRow]) -> list[Progress]:
        return list(await asyncio.gather(*(self.progress(person, festival) for festival in festivals)))
