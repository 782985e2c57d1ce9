"""A small season for pictures: one festival stops at noon with open work, the others are settled."""

from datetime import UTC, datetime, timedelta

from lab.simulate.goods import CAKES
from lab.simulate.records import GeneratedRecord
from lab.simulate.scenario import CLOSES, NOON, OPENS, Scenario, SeasonCounts
from lab.simulate.season import FestivalPlan, Reports, Season
from shared.events.festival import CountedLot, Demand, Replenish, RequestAllocation, SendTransfer
from shared.events.production import TERMINAL

REPORTS = 700
FESTIVAL = "ODOP"
HOLD_HOURS = 48
MOVED = 5
REFILL, PLAN = "siang", "sore"
MOST_DEMANDS = 3


class SmallSeason(Season):
    """A season of few reports, so that a page shows what a festival of one day has."""

    def reports(self) -> Reports:
        return self._reports("first", REPORTS, self._draw_lot)


class PicturedScenario(Scenario):
    """The season until noon at its first festival. The other festivals are played to their end."""

    async def run(self) -> SeasonCounts:
        pieces = await self._produce()
        await self._open_festivals()
        await self._allocate(pieces)
        await self._deliver("Morning deliveries", OPENS - 1)
        await self._sell("Morning sales", 0.5, OPENS, NOON)
        await self._pause_at_noon()
        await self._bake_more_cakes()
        first = self._first
        await self._leave_work(first)
        await self._recall_lot()
        self._season.festivals = [festival for festival in self._festivals if festival is not first]
        await self._sell("Afternoon sales", 0.8, NOON, CLOSES)
        await self._close_festivals()
        await self._resolve_disputes()
        await self._bring_home()
        await self._send_unusable()
        return self._counted()

    async def _send_unusable(self) -> None:
        """A record that no service can use: a dead letter."""
        value = b'{"facility": "PR-KPG", "product": "KBS", "qty": "satu lusin", "terminal": "T1"}'
        headers: list[tuple[str, bytes | None]] = [("ce_type", b"ProductionReported.v1")]
        await self._sender.send([GeneratedRecord(TERMINAL, "PR-KPG", value, headers)])

    async def _leave_work(self, festival: FestivalPlan) -> None:
        """A refill, parcels and a transfer on their way, and a plan that nobody has accepted."""
        rng, noon = self._season.rng("work"), self._season.local_time(festival, NOON)
        refill = Replenish(
            festival=festival.id,
            request=REFILL,
            until=max(self._season.local_time(festival, CLOSES), datetime.now(UTC) + timedelta(hours=4)),
            products=(CAKES,),
            hold_hours=HOLD_HOURS,
        )
        from_booth, to_booth = festival.booths[:2]
        market = self._markets[from_booth.booth]
        lot = market.largest_lot().lot
        moved = (CountedLot(lot=lot, qty=market.remove(lot, MOVED)),)
        transfer = SendTransfer(
            festival=festival.id, transfer="antar-1", booth=from_booth.booth, to=to_booth.booth, lots=moved
        )
        booths = festival.booths[:MOST_DEMANDS]
        demands = tuple(
            Demand(booth=booth.booth, product=price.product, qty=20) for booth in booths for price in booth.prices[:2]
        )
        more = self._asked(festival, "tambahan", demands[::2], consent=True)
        await self._order(rng, [refill, transfer, more], noon)
        await self._wait_until_quiet()
        unsent = [shipment for shipment, _ in await self._organiser.unsent_shipments(festival.id)]
        await self._order(rng, unsent[::2], noon)
        await self._order(rng, [self._asked(festival, PLAN, demands)], noon)
        await self._wait_until_quiet()

    def _asked(
        self, festival: FestivalPlan, request: str, demands: tuple[Demand, ...], *, consent: bool = False
    ) -> RequestAllocation:
        return RequestAllocation(
            festival=festival.id, request=request, demands=demands, consent=consent, hold_hours=HOLD_HOURS
        )
