"""Says a season to a running Karya: as terminals and tills to their topics, as organisers to festival's HTTP API, and
many commands of theirs at once to its topic.

Between the parts of the day it waits until Karya is quiet. So the same seed ends in the same sums, however fast the
services are and however many of them run.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from types import TracebackType
from typing import Any, Protocol, Self

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from lab.simulate.goods import CAKES
from lab.simulate.market import Counting, Market, Trouble, interleaved
from lab.simulate.season import FestivalPlan, Season, Spoken, new_id, speak
from ops.verify.log import TopicLog
from ops.verify.quiescence import Observation, topic_names, wait_until_quiet
from shared import envelope
from shared.errors import KaryaError
from shared.events.festival import (
    BOOTH_STOCK,
    FESTIVAL,
    ORGANISER,
    BoothStocked,
    ChangePrice,
    CloseFestival,
    CommandRefused,
    CountedLot,
    DisputeOutcome,
    ReceiveReturn,
    ReceiveShipment,
    ReceiveTransfer,
    Replenish,
    ReplenishmentProposed,
    ResolveDispute,
    SendShipment,
    SendTransfer,
)
from shared.events.language import Body, Event, Topic
from shared.events.production import ANSWERS, ReportAccepted
from shared.events.sales import SALES, SaleAccounted, VoidRefused
from shared.kafka import partition_for, producer, reader, topic_name
from shared.mongo import Mongo
from shared.settings import Settings

WINDOW = 1000
QUIET_WITHIN = 300.0
OPENS, NOON, AFTERNOON, CHEAPER, CLOSES = 8.0, 12.0, 13.0, 15.0, 17.0
CHEAPER_CAKES = 3_500  # rupiah, made up
# What happens to the second tills of a festival's booths in turn, and how they are counted in the evening.
TROUBLES = (Trouble.OFFLINE, Trouble.REPLACED, Trouble.LOST, Trouble.NONE)
COUNTINGS = (Counting.BY_LABEL, Counting.BY_LABEL, Counting.BY_PRODUCT, Counting.BY_LABEL, Counting.NOT)


class SeasonBroken(KaryaError):
    """The season can't go on: Karya did not do what the scenario stands on."""


class Stage(Protocol):
    """A part of the season on its way; call it with how much more is done, and say what it waits for."""

    def __call__(self, more: int) -> None: ...
    def waits_for(self, what: str) -> None: ...


@dataclass(slots=True)
class Told:
    """What was said and heard, in numbers. `sales` are lines of `receipts`; `unlabelled` pieces of them had no label;
    `lost` sales are those that vanished with a device."""

    reports: int = 0
    accepted: int = 0
    rejected: int = 0
    receipts: int = 0
    sales: int = 0
    unlabelled: int = 0
    lost: int = 0
    records: int = 0
    disputed: int = 0
    sold_out: dict[str, dict[str, datetime]] = field(default_factory=dict)


class Play:
    """One season. `stage` begins a part: its name, and how much there is to do (None: not known)."""

    def __init__(
        self, season: Season, settings: Settings, festival_url: str, stage: Callable[[str, int | None], Stage]
    ) -> None:
        self._season = season
        self._settings = settings
        self._url = festival_url
        self._begin = stage
        self._stack = AsyncExitStack()
        self._producer: AIOKafkaProducer = producer(settings)
        self._hearing = Hearing(settings, (ANSWERS, BOOTH_STOCK, SALES, FESTIVAL))
        self._mongo = Mongo(settings)
        self._log = TopicLog(settings, topic_names())
        self._http = httpx.AsyncClient(base_url=festival_url, timeout=60)
        self.told = Told()
        self.markets = {
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
        self._stack.push_async_callback(self._http.aclose)
        for client in (self._producer, self._hearing.consumer):
            self._stack.push_async_callback(client.stop)
            await client.start()
        await self._hearing.begin(self._producer)
        await self._stack.enter_async_context(self._log)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def play(self) -> Told:
        """The whole season. Raises SeasonBroken, or a client's own error when a server is gone."""
        pieces = await self._produce()
        await self._open()
        await self._allocate({festival.id: self._season.requests(festival, pieces) for festival in self._festivals})
        await self._sell_early()
        await self._deliver("Morning deliveries", OPENS - 1)
        await self._sell("Morning sales", 0.5, OPENS, NOON)
        await self._noon()
        await self._replenish()
        await self._recall()
        await self._cheaper()
        await self._sell("Afternoon sales", 0.8, AFTERNOON, CLOSES)
        await self._close()
        await self._bring_home()
        for name, market in self.markets.items():
            self.told.sold_out[name] = market.sold_out
            self.told.receipts += market.receipts
            self.told.sales += market.sales
            self.told.unlabelled += market.unlabelled
            self.told.lost += market.lost
        return self.told

    @property
    def _festivals(self) -> list[FestivalPlan]:
        return self._season.festivals

    # --- the parts of the season

    async def _produce(self) -> dict[str, int]:
        first = self._season.reports()
        await self._send("Production reports", first.spoken)
        await self._quiet()
        answers = [event.body for event in await self._hearing.all(ANSWERS)]
        lots = [(body.facility, body.lot) for body in answers if isinstance(body, ReportAccepted)]
        corrections = self._season.corrections(lots)
        await self._send("Corrections", corrections.spoken)
        await self._quiet()
        self.told.reports = first.answered + corrections.answered
        return first.pieces

    async def _open(self) -> None:
        stage = self._begin("Festivals and booths", len(self.markets) + len(self._festivals))
        for festival in self._festivals:
            await self._command("/festivals", festival.announced)
            stage(1)
            path = f"/festivals/{festival.id}/booths"
            await asyncio.gather(*(self._command(path, booth) for booth in festival.booths))
            stage(len(festival.booths))

    async def _allocate(self, wanted: dict[str, Sequence[Body]]) -> None:
        stage = self._begin("Plans and reservations", sum(map(len, wanted.values())))
        for festival, requests in wanted.items():
            for request in requests:
                await self._command(f"/festivals/{festival}/requests", request)
                # The next plan has to see what this one took, or the sums would depend on who was faster.
                await self._quiet(stage)
                stage(1)

    async def _sell_early(self) -> None:
        """A few sales come before sales has heard that the booth holds anything: they wait, and are settled."""
        odop = self._festivals[0]
        at = self._season.local(odop, OPENS)
        sellers = [b.booth for b in odop.booths if any(price.product == CAKES for price in b.prices)]
        early = [record for booth in sellers for record in self.markets[booth].early(CAKES, at)]
        await self._send("Early sales", early)

    async def _deliver(self, name: str, hour: float) -> None:
        """Send what is reserved, receive it (now and then a piece is missing), and put it on the shelves."""
        at = self._season.local(self._festivals[0], hour)
        stage = self._begin(name, None)
        sent = [order for festival in self._festivals for order in await self._reserved(festival.id)]
        rng = self._season.rng(name)
        await self._order(rng, [shipment for shipment, _ in sent], at)
        await self._quiet(stage)
        await self._order(rng, [_received(rng, shipment, lots) for shipment, lots in sent], at)
        await self._quiet(stage)
        for event in await self._hearing.news(BOOTH_STOCK):
            if isinstance(event.body, BoothStocked):
                stocked = event.body
                self.markets[stocked.booth].stock(stocked.lot, stocked.product, stocked.made_on, stocked.qty)
        for event in await self._hearing.news(SALES):
            if isinstance(event.body, SaleAccounted):
                for part in event.body.parts:
                    self.markets[event.body.booth].take(part.lot, part.qty)

    async def _sell(self, name: str, part: float, start: float, end: float) -> None:
        streams = [
            self.markets[booth.booth].sell(
                part, self._season.local(festival, start), self._season.local(festival, end)
            )
            for festival in self._festivals
            for booth in festival.booths
        ]
        await self._send(name, interleaved(streams))
        await self._quiet()
        await self._void_mistyped(self._season.local(self._festivals[0], end))
        await self._hearing.news(SALES)

    async def _void_mistyped(self, at: datetime) -> None:
        """The organisers look through the receipts and void what nobody can have bought."""
        voids = [void for market in self.markets.values() for void in market.mistyped()]
        await self._order(self._season.rng(f"voids {at}"), voids, at)
        await self._quiet()

    async def _noon(self) -> None:
        """Goods are counted for information; broken devices are replaced, lost ones struck."""
        at = self._season.local(self._festivals[0], NOON)
        await self._send("Noon", interleaved([market.noon(at) for market in self.markets.values()]))
        found = [order for market in self.markets.values() for order in market.found_lost()]
        await self._order(self._season.rng("lost tills"), found, at)
        await self._quiet()

    async def _cheaper(self) -> None:
        """From a moment in the afternoon on cakes are cheaper at the first festival. Tills without a network go on at
        the old price."""
        odop = self._festivals[0]
        at, valid_from = self._season.local(odop, AFTERNOON), self._season.local(odop, CHEAPER)
        changes = []
        for booth in odop.booths:
            if any(price.product == CAKES for price in booth.prices):
                self.markets[booth.booth].reprice(CAKES, CHEAPER_CAKES, valid_from)
                changes.append(
                    ChangePrice(
                        festival=odop.id,
                        booth=booth.booth,
                        product=CAKES,
                        price_rupiah=CHEAPER_CAKES,
                        valid_from=valid_from,
                    )
                )
        await self._order(self._season.rng("cheaper cakes"), changes, at)
        await self._quiet()

    async def _replenish(self) -> None:
        """The cakes were gone before noon: more are baked. What booths will lack until closing comes from there and
        from other booths."""
        if not any(CAKES in market.sold_out for market in self.markets.values()):
            raise SeasonBroken("No booth sold out its cakes before noon: the scenario stands on that.")
        cakes = self._season.cakes()
        await self._send("Cakes for the afternoon", cakes.spoken)
        await self._quiet()
        self.told.reports += cakes.answered
        odop = self._festivals[0]
        await self._refill(odop)
        await self._deliver("Afternoon deliveries", AFTERNOON)

    async def _refill(self, festival: FestivalPlan) -> None:
        """Ask what to do, and carry between booths what is proposed, as far as people find it on the shelf."""
        stage = self._begin("A refill", None)
        rng, noon = self._season.rng("refill"), self._season.local(festival, NOON)
        ask = Replenish(
            festival=festival.id,
            request="siang",
            until=self._season.local(festival, CLOSES),
            products=(CAKES,),
            consent=True,
            hold_hours=48,
        )
        await self._order(rng, [ask], noon)
        await self._quiet(stage)
        [proposed] = [
            event.body for event in await self._hearing.all(FESTIVAL) if isinstance(event.body, ReplenishmentProposed)
        ]
        walks: dict[tuple[str, str], list[CountedLot]] = defaultdict(list)
        for one in proposed.transfers:
            if took := self.markets[one.booth].take(one.lot, one.qty):
                walks[one.booth, one.to].append(CountedLot(lot=one.lot, qty=took))
        sent = [
            SendTransfer(festival=festival.id, transfer=f"siang-{n:03}", booth=booth, to=to, lots=tuple(lots))
            for n, ((booth, to), lots) in enumerate(sorted(walks.items()), 1)
        ]
        await self._order(rng, sent, noon)
        await self._quiet(stage)
        come = [
            ReceiveTransfer(festival=one.festival, transfer=one.transfer, booth=one.to, counted=one.lots)
            for one in sent
        ]
        await self._order(rng, come, self._season.local(festival, AFTERNOON))
        await self._quiet(stage)
        stage(len(come))

    async def _recall(self) -> None:
        """One lot turns out to be bad; a piece of it was sold before the till had heard of it."""
        odop = self._festivals[0]
        booth = self.markets[odop.booths[0].booth]
        shelf = booth.fullest()
        await self._send("A recall", [self._season.recall(shelf.lot)])
        await self._quiet()
        self.told.reports += 1
        at = self._season.local(odop, AFTERNOON)
        await self._send("A recalled sale", booth.sell_withdrawn(shelf, at))
        for market in self.markets.values():
            market.withdraw(shelf.lot)

    async def _close(self) -> None:
        """Tills say their last words; those without network do so later, at one festival too late."""
        streams: list[list[Spoken]] = []
        late: list[list[Spoken]] = []
        for festival in self._festivals:
            at = self._season.local(festival, CLOSES)
            for booth in festival.booths:
                market = self.markets[booth.booth]
                streams.append(market.close(at))
                late.append(market.held)
        await self._send("Last words of the tills", interleaved(streams))
        await self._quiet()
        too_late = self._festivals[-1].id
        in_time = [stream for stream in late if stream and not stream[0].key.startswith(f"{too_late}.")]
        after = [stream for stream in late if stream and stream[0].key.startswith(f"{too_late}.")]
        for festival in self._festivals:
            close = CloseFestival(festival=festival.id, till_hours=0 if festival.id == too_late else 48)
            await self._command(f"/festivals/{festival.id}/close", close)
        await self._send("Late tills", interleaved(in_time))
        await self._quiet()
        await self._send("Tills after the deadline", interleaved(after))
        await self._quiet()
        await self._resolve()

    async def _resolve(self) -> None:
        """What nobody bought is voided. Where a label was read wrongly, the organiser names the right lot, or rejects
        the sale if there was none. All other pieces in dispute are believed."""
        await self._void_mistyped(self._season.local(self._festivals[-1], CLOSES))
        disputed = [
            (festival.id, booth["booth"], sale)
            for festival in self._festivals
            for booth in await self._get(f"/festivals/{festival.id}/booths", limit=500)
            for sale in booth["disputed"]
        ]
        stage = self._begin("Disputes", None)
        words = [self._resolved(festival, booth, sale) for festival, booth, sale in disputed]
        await self._order(self._season.rng("disputes"), words)
        await self._quiet(stage)
        self.told.disputed = len(disputed)
        for event in await self._hearing.all(SALES):
            if isinstance(event.body, VoidRefused):
                raise SeasonBroken(f"A void was refused: {event.body}")

    def _resolved(self, festival: str, booth: str, sale: str) -> ResolveDispute:
        misread = self.markets[booth].misread
        lot = misread.get(sale)
        rejected = sale in misread and lot is None
        outcome = DisputeOutcome.REJECTED if rejected else DisputeOutcome.ACCEPTED
        return ResolveDispute(festival=festival, booth=booth, sale=sale, outcome=outcome, lot=lot)

    async def _bring_home(self) -> None:
        """What is physically there goes home, but for a piece now and then."""
        rng = self._season.rng("home")
        returns = []
        for festival in self._festivals:
            for booth in await self._get(f"/festivals/{festival.id}/booths", limit=500):
                there = self.markets[booth["booth"]].there
                for lot in booth["lots"]:
                    qty = there.get(lot["lot"], 0)
                    if qty or lot["left"] > 0:
                        gone = 1 if qty and rng.randrange(200) == 0 else 0
                        returns.append(
                            ReceiveReturn(festival=festival.id, booth=booth["booth"], lot=lot["lot"], qty=qty - gone)
                        )
        stage = self._begin("Unsold stock goes home", None)
        await self._order(rng, returns)
        await self._quiet(stage)

    # --- speaking and hearing

    async def _send(self, name: str, records: Sequence[Spoken]) -> None:
        stage = self._begin(name, len(records))
        await self._say(records, stage)

    async def _order(self, rng: Random, commands: Sequence[Body], at: datetime | None = None) -> None:
        """Many of the organisers' commands at once, as events on their topic: what the HTTP API makes of one."""
        orders = [
            speak(ORGANISER, body, id=new_id(rng), source="simulate/organiser", at=at or self._season.now)
            for body in commands
        ]
        await self._say(orders)

    async def _say(self, records: Sequence[Spoken], said: Callable[[int], None] = lambda _: None) -> None:
        for start in range(0, len(records), WINDOW):
            window = records[start : start + WINDOW]
            waiting = []
            for record in window:
                topic = topic_name(self._settings, record.topic.name)
                partition = partition_for(record.key, len(await self._producer.partitions_for(topic)))
                waiting.append(
                    await self._producer.send(
                        topic, record.value, record.key.encode(), partition, headers=record.headers
                    )
                )
            await asyncio.gather(*waiting)
            said(len(window))
        self.told.records += len(records)

    async def _quiet(self, stage: Stage | None = None) -> None:
        stage = stage or self._begin("Karya works", None)

        def on_wait(look: Observation) -> None:
            stage.waits_for(look.waits[0] if look.waits else "")

        last = await wait_until_quiet(
            self._settings, self._mongo, self._log, within=QUIET_WITHIN, on_wait=on_wait, every=0.2
        )
        if last.waits:
            raise SeasonBroken(f"Karya was not done after {QUIET_WITHIN:.0f} s: {'; '.join(last.waits[:5])}.")
        for event in await self._hearing.news(FESTIVAL):
            if isinstance(event.body, CommandRefused):
                raise SeasonBroken(f"An organiser's command was refused: {event.body.message}")
        stage.waits_for("")

    async def _command(self, path: str, body: Body) -> None:
        answer = await self._http.post(path, json=body.model_dump(mode="json"), headers={"Prefer": "wait=30"})
        if answer.status_code != 200:
            raise SeasonBroken(f"The organiser's command {path} was answered {answer.status_code}: {answer.text}")

    async def _get(self, path: str, **query: Any) -> Any:
        answer = await self._http.get(path, params=query)
        if answer.status_code != 200:
            raise SeasonBroken(f"{path} was answered {answer.status_code}: {answer.text}")
        return answer.json()

    async def _reserved(self, festival: str) -> list[tuple[SendShipment, Mapping[str, int]]]:
        """What is held and not sent yet, as shipments to send, each with its pieces by lot."""
        orders: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
        for summary in await self._get(f"/festivals/{festival}/requests", limit=500):
            request = await self._get(f"/festivals/{festival}/requests/{summary['request']}")
            for line in request["lines"]:
                if line["status"] == "reserved":
                    lots = orders[request["request"], line["facility"], line["booth"]]
                    lots[line["lot"]] = lots.get(line["lot"], 0) + line["qty"]
        shipments: list[tuple[SendShipment, Mapping[str, int]]] = []
        for n, ((request, facility, booth), lots) in enumerate(sorted(orders.items()), 1):
            shipment = SendShipment(
                festival=festival, request=request, shipment=f"{request}-{n:03}", facility=facility, booth=booth
            )
            shipments.append((shipment, lots))
        return shipments


def _received(rng: Random, sent: SendShipment, lots: Mapping[str, int]) -> ReceiveShipment:
    """What was sent, but for a piece now and then."""
    counted = tuple(
        CountedLot(lot=lot, qty=qty - (1 if rng.randrange(100) == 0 else 0)) for lot, qty in sorted(lots.items())
    )
    return ReceiveShipment(festival=sent.festival, shipment=sent.shipment, booth=sent.booth, counted=counted)


class Hearing:
    """Everything that was said on some topics, each event once, in the order of each partition."""

    def __init__(self, settings: Settings, topics: Sequence[Topic]) -> None:
        self.consumer: AIOKafkaConsumer = reader(
            settings,
            # Only what is there is asked for: waiting for more would delay the next part of the season.
            fetch_max_wait_ms=10,
        )
        self._topics = {topic_name(settings, topic.name): topic for topic in topics}
        self._events: dict[str, dict[str, Event]] = {topic.name: {} for topic in topics}
        self._told: dict[str, int] = {topic.name: 0 for topic in topics}

    async def begin(self, client: AIOKafkaProducer) -> None:
        """`client` knows the partitions."""
        parts = [TopicPartition(name, p) for name in self._topics for p in await client.partitions_for(name)]
        self.consumer.assign(parts)
        await self.consumer.seek_to_beginning(*parts)
        self.consumer.pause(*parts)

    async def all(self, topic: Topic) -> list[Event]:
        """Every event so far."""
        await self._catch_up()
        return list(self._events[topic.name].values())

    async def news(self, topic: Topic) -> list[Event]:
        """Every event since the last time."""
        events = await self.all(topic)
        start, self._told[topic.name] = self._told[topic.name], len(events)
        return events[start:]

    async def _catch_up(self) -> None:
        ends: dict[TopicPartition, int] = await self.consumer.end_offsets(list(self.consumer.assignment()))
        self.consumer.resume(*ends)
        while any([await self.consumer.position(part) < end for part, end in ends.items()]):
            for part, records in (await self.consumer.getmany(timeout_ms=200)).items():
                topic = self._topics[part.topic]
                for record in records:
                    event = envelope.decode(topic, record)
                    self._events[topic.name].setdefault(f"{event.source} {event.id}", event)
        self.consumer.pause(*ends)
