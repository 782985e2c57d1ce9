"""A small season for pictures: one festival stops at noon with open work, the others are settled."""

from datetime import UTC, datetime, timedelta

from lab.simulate.goods import CAKES
from lab.simulate.scenario import CLOSES, NOON, OPENS, Scenario, SeasonCounts
from lab.simulate.season import FestivalPlan, Reports, Season
from shared.events.festival import Demand, Replenish, RequestAllocation

REPORTS = 700
FESTIVAL = "ODOP"
HOLD_HOURS = 48
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
        return self._counted()

    async def _leave_work(self, festival: FestivalPlan) -> None:
        """A refill of which half is on its way, and a plan that nobody has accepted."""
        rng, noon = self._season.rng("work"), self._season.local_time(festival, NOON)
        refill = Replenish(
            festival=festival.id,
            request="siang",
            until=max(self._season.local_time(festival, CLOSES), datetime.now(UTC) + timedelta(hours=4)),
            products=(CAKES,),
            consent=True,
            hold_hours=HOLD_HOURS,
        )
        await self._order(rng, [refill], noon)
        await self._wait_until_quiet()
        unsent = [shipment for shipment, _ in await self._organiser.unsent_shipments(festival.id)]
        await self._order(rng, unsent[::2], noon)
        prices = [
            (booth.booth, price.product) for booth in festival.booths[:MOST_DEMANDS] for price in booth.prices[:2]
        ]
        demands = tuple(Demand(booth=booth, product=product, qty=20) for booth, product in prices)
        sore = RequestAllocation(festival=festival.id, request="sore", demands=demands, hold_hours=HOLD_HOURS)
        await self._order(rng, [sore], noon)
        await self._wait_until_quiet()
