"""One season as a story against a running Karya: records to its gateway, commands to festival's HTTP API.

Between its parts the scenario waits until Karya is quiet. So the same seed ends in the same sums, however fast the
services are and however many instances run.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Protocol, Self

from deploy.topics import topic_names
from lab.simulate import commands
from lab.simulate.errors import ScenarioFailed
from lab.simulate.fleet import Owners, a_fleet
from lab.simulate.goods import CAKES
from lab.simulate.kafka import RecordSender, TopicReader
from lab.simulate.market import Counting, Market, Trouble
from lab.simulate.organiser import OrganiserApi
from lab.simulate.records import GeneratedRecord, interleaved, make_record, new_id
from lab.simulate.restored import PIECES, RestoredTill
from lab.simulate.season import FestivalPlan, Season
from ops.verify.log import TopicLog
from ops.verify.quiescence import Observation, wait_until_quiet
from shared.access.rights import Grant
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    ORGANISER,
    AddTill,
    BoothStocked,
    CloseBooth,
    CloseFestival,
    CommandRefused,
    ReopenBooth,
    Replenish,
    ReplenishmentProposed,
)
from shared.events.identity import Role
from shared.events.language import Body
from shared.events.production import ANSWERS, ReportAccepted
from shared.events.sales import SALES, SaleAccounted, VoidRefused
from shared.mongo import Mongo
from shared.settings import Settings

QUIET_WITHIN = 300.0
# Hours of the first day on the festival's clock.
OPENS, NOON, AFTERNOON, CHEAPER, CLOSES = 8.0, 12.0, 13.0, 15.0, 17.0
CHEAPER_CAKES = 3_500  # rupiah, made up
PRICE_NOTICE = timedelta(minutes=1)
REFILL_NOTICE = timedelta(hours=1)
# The gateway's reason.
DEVICE_REVOKED = "device_revoked"
# The trouble of each booth's second till in turn, and the kind of its final count.
TROUBLES = (Trouble.OFFLINE, Trouble.REPLACED, Trouble.LOST, Trouble.NONE)
COUNTINGS = (Counting.BY_LABEL, Counting.BY_LABEL, Counting.BY_PRODUCT, Counting.BY_LABEL, Counting.NOT)


class StageProgress(Protocol):
    """The progress of one part of the season. A call adds what is done; `waits_for` shows what it waits for."""

    def __call__(self, more: int) -> None: ...
    def waits_for(self, condition: str) -> None: ...


@dataclass(slots=True)
class SeasonCounts:
    """How much was sent and received. `sales` are lines of `receipts`; `unlabelled` of their pieces had no label;
    `lost` sales vanished with a device. `unusable`: damaged records that the gateway did not take. `enrolled`:
    devices. `held`: records of lost ones. `sent_again`: those of a restored one. `sold_out`: booth, product,
    moment."""

    reports: int = 0
    accepted: int = 0
    rejected: int = 0
    receipts: int = 0
    sales: int = 0
    unlabelled: int = 0
    lost: int = 0
    records: int = 0
    unusable: int = 0
    enrolled: int = 0
    held: int = 0
    sent_again: int = 0
    disputed: int = 0
    sold_out: dict[str, dict[str, datetime]] = field(default_factory=dict)


class Scenario:
    """One season. As a context manager it opens its clients and closes them."""

    def __init__(
        self,
        season: Season,
        settings: Settings,
        urls: Mapping[str, str],
        owners: Owners,
        folder: Path,
        begin_stage: Callable[[str, int | None], StageProgress],
    ) -> None:
        """`urls`: the address of each service. `owners`: `tills` is an account that may announce festivals. `folder`
        keeps the records of the tills that are restored.

        `begin_stage` gets the name of a part, and how much there is to do (None: not known).
        """
        self._season = season
        self._settings = settings
        self._begin_stage = begin_stage
        self._stack = AsyncExitStack()
        self._sender = RecordSender(settings)
        self._reader = TopicReader(settings, (ANSWERS, BOOTH_STOCK, SALES, FESTIVAL))
        self._mongo = Mongo(settings)
        self._log = TopicLog(settings, topic_names())
        self._urls = urls
        self._owners = owners
        self._folder = folder
        self._organiser = OrganiserApi(urls["festival"], owners.tills)
        self._counts = SeasonCounts()
        self._markets = {
            booth.booth: Market(
                booth,
                season.rng(f"market {booth.booth}"),
                TROUBLES[n % len(TROUBLES)],
                COUNTINGS[n % len(COUNTINGS)],
            )
            for festival in season.festivals
            for n, booth in enumerate(festival.booths)
        }

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(self._mongo.close)
        self._stack.push_async_callback(self._organiser.close)
        self._stack.push_async_callback(self._sender.stop)
        await self._sender.start()
        self._stack.push_async_callback(self._reader.stop)
        await self._reader.start(self._sender)
        await self._stack.enter_async_context(self._log)
        self._fleet = await self._stack.enter_async_context(a_fleet(self._urls, self._owners))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def run(self) -> SeasonCounts:
        """Play the whole season. Raises ScenarioFailed, or a client's own error when a server is gone."""
        pieces = await self._produce()
        await self._open_festivals()
        await self._allocate(pieces)
        await self._sell_before_stock()
        await self._deliver("Morning deliveries", OPENS - 1)
        await self._restore_till()
        await self._sell("Morning sales", 0.5, OPENS, NOON)
        await self._pause_at_noon()
        await self._bake_more_cakes()
        await self._replenish(self._first)
        await self._deliver("Afternoon deliveries", AFTERNOON)
        await self._recall_lot()
        await self._lower_price()
        await self._sell("Afternoon sales", 0.8, AFTERNOON, CLOSES)
        await self._close_wrong_booth()
        await self._close_festivals()
        await self._resolve_disputes()
        await self._bring_home()
        return self._counted()

    @property
    def _festivals(self) -> list[FestivalPlan]:
        return self._season.festivals

    @property
    def _first(self) -> FestivalPlan:
        return self._season.festivals[0]

    def _counted(self) -> SeasonCounts:
        counts = self._counts
        counts.records = self._sender.sent + self._fleet.stored
        counts.unusable, counts.enrolled = self._fleet.unusable, self._fleet.enrolled + 1
        for name, market in self._markets.items():
            counts.sold_out[name] = market.sold_out
            counts.receipts += market.receipts
            counts.sales += market.sales
            counts.unlabelled += market.unlabelled
            counts.lost += market.lost
        return counts

    # --- before the festivals open

    async def _produce(self) -> dict[str, int]:
        """Reports of all facilities, then corrections of some. Returns the pieces of each product."""
        first = self._season.reports()
        await self._send("Production reports", first.records)
        if self._fleet.unusable != first.damaged:
            raise ScenarioFailed(f"{first.damaged} reports were damaged, and {self._fleet.unusable} not taken.")
        await self._wait_until_quiet()
        answers = [event.body for event in await self._reader.all(ANSWERS)]
        lots = [(body.facility, body.lot) for body in answers if isinstance(body, ReportAccepted)]
        corrections = self._season.corrections(lots)
        await self._send("Corrections", corrections.records)
        await self._wait_until_quiet()
        self._counts.reports = first.answered + corrections.answered
        return first.pieces

    async def _open_festivals(self) -> None:
        stage = self._begin_stage("Festivals and booths", len(self._markets) + len(self._festivals))
        for festival in self._festivals:
            await self._organiser.command("/festivals", festival.announcement)
            await self._organiser.wait_for_role(str(Grant(Role.ORGANISER, festival.id)))
            stage(1)
            path = f"/festivals/{festival.id}/booths"
            await asyncio.gather(*(self._organiser.command(path, booth) for booth in festival.booths))
            stage(len(festival.booths))

    async def _allocate(self, pieces: dict[str, int]) -> None:
        requests = {festival.id: self._season.requests(festival, pieces) for festival in self._festivals}
        stage = self._begin_stage("Plans and reservations", sum(map(len, requests.values())))
        for festival, requests_of_festival in requests.items():
            for request in requests_of_festival:
                await self._organiser.command(f"/festivals/{festival}/requests", request)
                # The next plan must see what this one reserved, or the sums would depend on which was faster.
                await self._wait_until_quiet(stage)
                stage(1)

    async def _deliver(self, stage_name: str, hour: float) -> None:
        """Send what is reserved, count it in, and put it on the shelves."""
        at = self._season.local_time(self._first, hour)
        stage = self._begin_stage(stage_name, None)
        shipments = [
            shipment
            for festival in self._festivals
            for shipment in await self._organiser.unsent_shipments(festival.id)
        ]
        rng = self._season.rng(stage_name)
        await self._order(rng, [shipment for shipment, _ in shipments], at)
        await self._wait_until_quiet(stage)
        await self._order(rng, [commands.receive_shipment(rng, shipment, lots) for shipment, lots in shipments], at)
        await self._wait_until_quiet(stage)
        for event in await self._reader.new(BOOTH_STOCK):
            if isinstance(event.body, BoothStocked):
                stocked = event.body
                self._markets[stocked.booth].stock(stocked.lot, stocked.product, stocked.made_on, stocked.qty)
        for event in await self._reader.new(SALES):
            if isinstance(event.body, SaleAccounted):
                for part in event.body.parts:
                    self._markets[event.body.booth].remove(part.lot, part.qty)

    # --- the day

    async def _sell_before_stock(self) -> None:
        """A few sales reach the sales service before the booth's stock does: they wait, and are accounted later."""
        at = self._season.local_time(self._first, OPENS)
        booths = [b.booth for b in self._first.booths if any(price.product == CAKES for price in b.prices)]
        records = [record for booth in booths for record in self._markets[booth].sell_before_stock(CAKES, at)]
        await self._send("Early sales", records)

    async def _sell(self, stage_name: str, part: float, start: float, end: float) -> None:
        streams = [
            self._markets[booth.booth].sell(
                part, self._season.local_time(festival, start), self._season.local_time(festival, end)
            )
            for festival in self._festivals
            for booth in festival.booths
        ]
        await self._send(stage_name, interleaved(streams))
        await self._wait_until_quiet()
        await self._void_mistyped(self._season.local_time(self._first, end))
        # These sales left the shelves already: the next delivery must not remove them again.
        await self._reader.new(SALES)

    async def _void_mistyped(self, at: datetime) -> None:
        """The organisers look through the receipts and void pieces that nobody can have bought."""
        voids = [void for market in self._markets.values() for void in market.void_mistyped()]
        await self._order(self._season.rng(f"voids {at}"), voids, at)
        await self._wait_until_quiet()

    async def _pause_at_noon(self) -> None:
        """Interim counts; broken devices are replaced, lost ones are struck and revoked."""
        at = self._season.local_time(self._first, NOON)
        await self._send("Noon", interleaved([market.pause_at_noon(at) for market in self._markets.values()]))
        orders = [order for market in self._markets.values() for order in market.replace_lost_device()]
        await self._order(self._season.rng("lost tills"), orders, at)
        for device in self._lost_records:
            await self._fleet.revoke(device, Role.TILL)
        await self._wait_until_quiet()
        await self._offer_lost_records()

    @property
    def _lost_records(self) -> dict[str, list[GeneratedRecord]]:
        markets = self._markets.values()
        return {device: records for market in markets for device, records in market.lost_records.items()}

    async def _offer_lost_records(self) -> None:
        """Lost tills turn up, and somebody sends what they had recorded: the gateway holds all of it."""
        for device, records in self._lost_records.items():
            answers = await self._fleet.offer_by(self._owners.tills, device, records)
            if answers.keys() - {DEVICE_REVOKED}:
                raise ScenarioFailed(f"Records of a lost till were answered {dict(answers)}.")
            self._counts.held += answers[DEVICE_REVOKED]
        if not self._counts.held:
            raise ScenarioFailed("No till was lost with records that nobody had sent.")

    async def _restore_till(self) -> None:
        """A third till of one booth breaks, and another tablet goes on from a copy of its folder."""
        booth, at = self._first.booths[1], self._season.local_time(self._first, OPENS)
        market, till = self._markets[booth.booth], RestoredTill(self._folder, booth.booth, "T9")
        stage = self._begin_stage("A till is restored from a backup", None)
        add = AddTill(festival=self._first.id, booth=booth.booth, till=till.name)
        await self._order(self._season.rng("restored till"), [add], at)
        await self._wait_until_quiet(stage)
        lot = market.largest_lot().lot
        if market.remove(lot, PIECES) < PIECES:
            raise ScenarioFailed(f"Booth {booth.booth} has no lot of {PIECES} pieces for a restored till.")
        self._counts.sent_again = await till.play(
            self._fleet.enrolments[Role.TILL], self._urls["identity"], self._urls["gateway"], lot, at
        )
        if not self._counts.sent_again:
            raise ScenarioFailed("A restored till had no record to send again.")
        await self._wait_until_quiet(stage)
        sold = {
            (event.body.receipt, part.lot): part.qty
            for event in await self._reader.all(SALES)
            if isinstance(event.body, SaleAccounted) and event.body.till == till.name
            for part in event.body.parts
        }
        if sum(sold.values()) != PIECES:
            raise ScenarioFailed(f"A restored till sold {PIECES} pieces, and {sum(sold.values())} are accounted.")

    async def _bake_more_cakes(self) -> None:
        if not any(CAKES in market.sold_out for market in self._markets.values()):
            raise ScenarioFailed("No booth sold out its cakes before noon, and the scenario depends on that.")
        cakes = self._season.cakes()
        await self._send("Cakes for the afternoon", cakes.records)
        await self._wait_until_quiet()
        self._counts.reports += cakes.answered

    async def _replenish(self, festival: FestivalPlan) -> None:
        """Ask for a replenishment, and carry out its transfers with the pieces that are still on the shelves."""
        stage = self._begin_stage("A refill", None)
        rng, noon = self._season.rng("refill"), self._season.local_time(festival, NOON)
        replenish = Replenish(
            festival=festival.id,
            request="siang",
            # In the evening the booths of the play are open for a while longer.
            until=max(self._season.local_time(festival, CLOSES), datetime.now(UTC) + REFILL_NOTICE),
            products=(CAKES,),
            consent=True,
            hold_hours=48,
        )
        await self._order(rng, [replenish], noon)
        await self._wait_until_quiet(stage)
        [proposal] = [
            event.body for event in await self._reader.all(FESTIVAL) if isinstance(event.body, ReplenishmentProposed)
        ]
        transfers = commands.send_transfers(festival.id, proposal.transfers, self._markets)
        await self._order(rng, transfers, noon)
        await self._wait_until_quiet(stage)
        received = commands.receive_transfers(transfers)
        await self._order(rng, received, self._season.local_time(festival, AFTERNOON))
        await self._wait_until_quiet(stage)
        stage(len(received))

    async def _recall_lot(self) -> None:
        """A facility recalls one lot; a piece of it was sold before the till received the recall."""
        market = self._markets[self._first.booths[0].booth]
        shelf_lot = market.largest_lot()
        await self._send("A recall", [self._season.recall(shelf_lot.lot)])
        await self._wait_until_quiet()
        self._counts.reports += 1
        at = self._season.local_time(self._first, AFTERNOON)
        await self._send("A recalled sale", market.sell_withdrawn(shelf_lot, at))
        for market in self._markets.values():
            market.withdraw(shelf_lot.lot)

    async def _lower_price(self) -> None:
        """Cakes cost less at the first festival in the afternoon. Tills without a network keep the old price."""
        at, wished = (self._season.local_time(self._first, hour) for hour in (AFTERNOON, CHEAPER))
        # Festival takes no price for a moment that has passed: in the evening the list changes too late for a sale.
        valid_from = max(wished, datetime.now(UTC) + PRICE_NOTICE)
        changes = commands.change_prices(self._first, self._markets, CAKES, CHEAPER_CAKES, valid_from)
        await self._order(self._season.rng("cheaper cakes"), changes, at)
        await self._wait_until_quiet()

    # --- after the last sale

    async def _close_wrong_booth(self) -> None:
        """An organiser closes a booth too early and takes it back; it closes again with its festival."""
        festival, booth = self._first.id, self._first.booths[0].booth
        rng, at = self._season.rng("wrong booth"), self._season.local_time(self._first, CLOSES)
        for command in (CloseBooth(festival=festival, booth=booth), ReopenBooth(festival=festival, booth=booth)):
            await self._order(rng, [command], at)
            await self._wait_until_quiet()
        self._markets[booth].opening += 1

    async def _close_festivals(self) -> None:
        """Final counts and closing records. Offline tills send theirs later, at the last festival too late."""
        streams: list[list[GeneratedRecord]] = []
        in_time: list[list[GeneratedRecord]] = []
        too_late: list[list[GeneratedRecord]] = []
        late_festival = self._festivals[-1].id
        for festival in self._festivals:
            at = self._season.local_time(festival, CLOSES)
            for booth in festival.booths:
                market = self._markets[booth.booth]
                streams.append(market.close(at))
                (too_late if festival.id == late_festival else in_time).append(market.late_records)
        await self._send("Last words of the tills", interleaved(streams))
        await self._wait_until_quiet()
        for festival in self._festivals:
            close = CloseFestival(festival=festival.id, till_hours=0 if festival.id == late_festival else 48)
            await self._organiser.command(f"/festivals/{festival.id}/close", close)
        await self._send("Late tills", interleaved(in_time))
        await self._wait_until_quiet()
        await self._send("Tills after the deadline", interleaved(too_late))
        await self._wait_until_quiet()

    async def _resolve_disputes(self) -> None:
        """Void what nobody bought, then decide every sale in dispute."""
        await self._void_mistyped(self._season.local_time(self._festivals[-1], CLOSES))
        decisions = [
            commands.resolve_dispute(festival.id, booth["booth"], sale, self._markets[booth["booth"]])
            for festival in self._festivals
            for booth in await self._organiser.booths(festival.id)
            for sale in booth["disputed"]
        ]
        stage = self._begin_stage("Disputes", None)
        await self._order(self._season.rng("disputes"), decisions)
        await self._wait_until_quiet(stage)
        self._counts.disputed = len(decisions)
        for event in await self._reader.all(SALES):
            if isinstance(event.body, VoidRefused):
                raise ScenarioFailed(f"A void was refused: {event.body}")

    async def _bring_home(self) -> None:
        rng = self._season.rng("home")
        returns = [
            command
            for festival in self._festivals
            for command in commands.receive_returns(
                rng, festival.id, await self._organiser.booths(festival.id), self._markets
            )
        ]
        stage = self._begin_stage("Unsold stock goes home", None)
        await self._order(rng, returns)
        await self._wait_until_quiet(stage)

    # --- sending and waiting

    async def _send(self, stage_name: str, records: Sequence[GeneratedRecord]) -> None:
        await self._fleet.send(records, self._begin_stage(stage_name, len(records)))

    async def _order(self, rng: Random, bodies: Iterable[Body], at: datetime | None = None) -> None:
        """Send many of the organisers' commands at once, as the events that festival's HTTP API makes of them."""
        records = [
            make_record(ORGANISER, body, id=new_id(rng), source="simulate/organiser", at=at or self._season.now)
            for body in bodies
        ]
        await self._sender.send(records)

    async def _wait_until_quiet(self, stage: StageProgress | None = None) -> None:
        """Raises ScenarioFailed if Karya is not quiet in time, or has refused a command."""
        stage = stage or self._begin_stage("Karya works", None)

        def on_wait(look: Observation) -> None:
            stage.waits_for(str(look.waits[0]) if look.waits else "")

        last = await wait_until_quiet(
            self._settings, self._mongo, self._log, within=QUIET_WITHIN, on_wait=on_wait, every=0.2
        )
        if last.waits:
            raise ScenarioFailed(
                f"Karya was not done after {QUIET_WITHIN:.0f} s: {'; '.join(map(str, last.waits[:5]))}."
            )
        for event in await self._reader.new(FESTIVAL):
            if isinstance(event.body, CommandRefused):
                raise ScenarioFailed(f"An organiser's command was refused: {event.body.message}")
        stage.waits_for("")
