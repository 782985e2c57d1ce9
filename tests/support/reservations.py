"""Clients of inventory at work at the same time, and what each of them asked and heard, when."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeAlias
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared import envelope
from shared.errors import Unusable
from shared.events.inventory import (
    RESERVATIONS,
    STOCK_ORDERS,
    DispatchOrdered,
    LossRecorded,
    ReleaseRequested,
    ReservationRequested,
    ReturnReceived,
)
from shared.events.language import Body, Topic
from shared.events.production import LOT_ANSWERS, PRODUCTION, CorrectionRequested, LotRecalled
from shared.kafka import READ_COMMITTED, partition_for, producer, stop_producer, topic_name
from shared.settings import Settings
from tests.support.history.answers import answer_of
from tests.support.history.checker import Operation
from tests.support.history.spec import Answer, Kind, Order

Op: TypeAlias = Operation[Order, Answer]

FACILITY = "LP-KPG"
# Longer than a rebalance after a killed instance takes.
ANSWERED_WITHIN = 25.0
# What is not answered where nothing is to be done: who asks doesn't wait for it.
OFTEN_SILENT = (Kind.RELEASE, Kind.RECALL)


@dataclass(slots=True)
class Recorder:
    """Operations by lot. An order is called when it is handed to Kafka's client, and answered when its answer (by its
    `causationid`) was read. All clocks are this process's one."""

    operations: dict[str, dict[str, Op]] = field(default_factory=lambda: defaultdict(dict))
    arrivals: dict[str, asyncio.Event] = field(default_factory=dict)
    _bodies: dict[str, dict[str, Body]] = field(default_factory=lambda: defaultdict(dict))
    _lots: dict[str, str] = field(default_factory=dict)

    def calls(self, lot: str, id: str, order: Order) -> None:
        self._lots[id] = lot
        self.arrivals[id] = asyncio.Event()
        self.operations[lot][id] = Operation(order, time.monotonic())

    def answers(self, id: str, answer: Answer) -> None:
        operations = self.operations[self._lots[id]]
        operations[id] = replace(operations[id], answer=answer, answered=time.monotonic())
        self.arrivals[id].set()

    def receive(self, cause: str, event: str, body: Body) -> None:
        """One event of an answer: the relay may say it twice, and a recall is answered by several."""
        if cause not in self._lots or event in self._bodies[cause]:
            return
        self._bodies[cause][event] = body
        operation = self.operations[self._lots[cause]][cause]
        recalled = operation.what.kind is Kind.RECALL
        if recalled and type(body).__name__ != "LotRecallReached":
            return  # of several the last one
        self.answers(cause, answer_of(list(self._bodies[cause].values())))

    def history(self, lot: str) -> list[Op]:
        return list(self.operations[lot].values())

    @property
    def count(self) -> int:
        return sum(map(len, self.operations.values()))

    @property
    def answered(self) -> int:
        return sum(operation.answered is not None for lot in self.operations.values() for operation in lot.values())


@dataclass(slots=True)
class Client:
    """One client with one order at a time, over a few lots; `urls` are where the balance can be read."""

    name: str
    random: Random
    lots: Sequence[str]
    settings: Settings
    recorder: Recorder
    producer: AIOKafkaProducer
    http: httpx.AsyncClient
    urls: Sequence[str]
    mine: list[tuple[str, str]] = field(default_factory=list)
    recalls: bool = False

    async def work(self, orders: int) -> None:
        for n in range(orders):
            lot = self.random.choice(self.lots)
            if self.recalls and n == orders * 2 // 3:
                await self.order(self.lots[-1], Order(Kind.RECALL))
                continue
            kind = self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
            if kind is Kind.READ:
                await self.read(lot)
            else:
                await self.order(*self.choose(kind, lot))

    def choose(self, kind: Kind, lot: str) -> tuple[str, Order]:
        if kind in (Kind.RELEASE, Kind.DISPATCH) and self.mine:
            # Now and then another client's, or one that is gone already.
            lot, reservation = self.random.choice(self.mine)
            return lot, Order(kind, reservation)
        if kind is Kind.CORRECT:
            return lot, Order(kind, qty=self.random.randint(-4, 5))
        if kind in (Kind.RETURN, Kind.LOSE):
            return lot, Order(kind, qty=self.random.randint(1, 2))
        reservation = f"F1/{self.name}.{len(self.mine)}"
        self.mine.append((lot, reservation))
        return lot, Order(Kind.RESERVE, reservation, self.random.randint(1, 4))

    async def order(self, lot: str, order: Order) -> None:
        id = str(uuid4())
        topic, body = event_of(lot, order, id)
        headers = envelope.headers(id=id, source=f"karya/{self.name}", topic=topic, body=body, time=envelope.EPOCH)
        name = topic_name(self.settings, topic.name)
        partition = partition_for(lot, self.settings.partitions)
        self.recorder.calls(lot, id, order)
        # As a festival's relay after a crash would: some are sent twice.
        for _ in range(1 + (self.random.random() < 0.1)):
            await self.producer.send_and_wait(name, envelope.encode(body), lot.encode(), partition, headers=headers)
        if order.kind not in OFTEN_SILENT:
            async with asyncio.timeout(ANSWERED_WITHIN):
                await self.recorder.arrivals[id].wait()

    async def read(self, lot: str) -> None:
        """The balance over HTTP, from either instance; a read that fails saw nothing and is no operation."""
        id = str(uuid4())
        called = time.monotonic()
        try:
            answer = await self.http.get(f"{self.random.choice(self.urls)}/lots/{lot}")
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            self.recorder.calls(lot, id, Order(Kind.READ))
            self.recorder.operations[lot][id] = Operation(Order(Kind.READ), called)
            page = answer.json()
            pieces = (page["on_hand"], page["reserved"], page["dispatched"], page["returned"], page["recalled"])
            self.recorder.answers(id, ("seen", *pieces))


_WEIGHTS = {
    Kind.RESERVE: 35,
    Kind.RELEASE: 12,
    Kind.DISPATCH: 15,
    Kind.RETURN: 6,
    Kind.LOSE: 6,
    Kind.CORRECT: 12,
    Kind.READ: 14,
}


def event_of(lot: str, order: Order, id: str) -> tuple[Topic, Body]:
    """The event that asks this of inventory, and where it goes."""
    match order.kind:
        case Kind.RESERVE:
            return STOCK_ORDERS, ReservationRequested(
                lot=lot, reservation=order.reservation, festival="F1", booth="F1.B1", request="q", qty=order.qty
            )
        case Kind.RELEASE:
            return STOCK_ORDERS, ReleaseRequested(lot=lot, reservation=order.reservation, festival="F1")
        case Kind.DISPATCH:
            return STOCK_ORDERS, DispatchOrdered(lot=lot, reservation=order.reservation, festival="F1", shipment="S1")
        case Kind.RETURN:
            return STOCK_ORDERS, ReturnReceived(lot=lot, order=id, festival="F1", booth="F1.B1", qty=order.qty)
        case Kind.LOSE:
            return STOCK_ORDERS, LossRecorded(lot=lot, order=id, festival="F1", qty=order.qty)
        case Kind.CORRECT:
            return PRODUCTION, CorrectionRequested(lot=lot, facility=FACILITY, correction=id, change=order.qty)
        case Kind.RECALL:
            return PRODUCTION, LotRecalled(lot=lot, facility=FACILITY, reason="made up")
        case Kind.READ:
            raise ValueError("a read is no event")


@asynccontextmanager
async def record_answers(settings: Settings, recorder: Recorder) -> AsyncIterator[None]:
    """Hear inventory's answers as long as the block lasts."""
    topics = {topic_name(settings, topic.name): topic for topic in (RESERVATIONS, LOT_ANSWERS)}
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=settings.kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=READ_COMMITTED,
    )
    await consumer.start()

    async def listen() -> None:
        async for record in consumer:
            try:
                event = envelope.decode(topics[record.topic], record)
            except Unusable as bad:
                raise AssertionError(f"inventory said what can't be read: {bad}") from None
            recorder.receive(envelope.header(record.headers, "causationid") or "", event.id, event.body)

    task = asyncio.create_task(listen())
    try:
        yield
    finally:
        task.cancel()
        [ended] = await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()
        if not isinstance(ended, asyncio.CancelledError):
            raise AssertionError("inventory's answers could not be followed") from ended


@asynccontextmanager
async def a_producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    client = producer(settings)
    await client.start()
    try:
        yield client
    finally:
        await stop_producer(client)
