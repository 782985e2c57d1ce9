"""The cost of one line of a request in festival's rules, from plan to close, at two sizes of plan.

`python -m lab.bench.lines` prints the table. All quantities are made up. Each event is a batch of its own: its
documents are decoded, its rule runs, and changed documents are encoded, all in memory. It fails if a step of the
large plan costs more than `GROWTH` times as much for each line as one of the small plan.
"""

import argparse
import itertools
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from string import ascii_uppercase
from typing import Any

import bson
from bson.codec_options import CodecOptions

from lab.bench.planner import LAST_DAY, PlanCase, make_case
from services.festival.domain import StockView
from services.festival.handlers import FESTIVAL
from services.festival.store import STOCK
from shared.events.festival import (
    AnnounceFestival,
    CloseFestival,
    CountedLot,
    Demand,
    OpenBooth,
    Price,
    ReceiveShipment,
    RequestAllocation,
    SendShipment,
)
from shared.events.inventory import DispatchOrdered, ReservationRequested, StockDispatched, StockReserved
from shared.events.language import Body, Event, Publication
from shared.runtime.processor import Collection
from shared.runtime.state import Entities, KeyRange, Read, Ref, State

SMALL = PlanCase("50 facilities, 30 booths", 50, 40, 5, 6, 30, 8, 20, 40)
LARGE = PlanCase("500 facilities, 300 booths", 500, 40, 5, 6, 300, 8, 20, 40)
SIZES = (SMALL, LARGE)
# Planning itself and the index of a larger database cost a little more for each line.
GROWTH = 1.5
AT = datetime.combine(LAST_DAY - timedelta(days=9), datetime.min.time(), UTC)
NAME, REQUEST = "NASIONAL", "R1"
STEPS = ("plan", "reserve", "send", "leave", "receive", "close")
_UTC = CodecOptions[Mapping[str, Any]](tz_aware=True, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StepCost:
    """The cost of one step at one size, for each line: CPU time, and documents and bytes read and written."""

    case: str
    lines: int
    step: str
    microseconds: float
    documents_read: float
    documents_written: float
    bytes_written: float


class MemoryFestival:
    """Festival's rules with its documents in memory: each event loads what it reads, as BSON, and stores changes."""

    def __init__(self) -> None:
        self.read = self.written = self.bytes = 0
        self._documents: dict[type[Any], dict[str, bytes]] = defaultdict(dict)
        self._index: dict[tuple[type[Any], str, str], set[str]] = defaultdict(set)
        self._keys: dict[tuple[type[Any], str], list[tuple[type[Any], str, str]]] = {}
        self._foreign = frozenset(view.collection.entity for view in FESTIVAL.views)
        self._count = 0

    def give(self, body: Body) -> list[Body]:
        """The bodies of the events that answer this one."""
        self._count += 1
        key = next(topic.key_of(body) for topic in FESTIVAL.topics if type(body) in topic.bodies)
        event = Event(f"e{self._count}", "bench", key, AT, AT, body)
        reads = FESTIVAL.reads(event)
        state, outputs = FESTIVAL.decide(self._state(reads), event)
        for (kind, id), entity in state.changes.items():
            self.keep(FESTIVAL.readable[kind], id, entity)
        return [output.body for output in outputs if isinstance(output, Publication)]

    def keep(self, collection: Collection[Any], id: str, entity: Any) -> None:
        """Store the document of an entity."""
        kind, document = collection.entity, {"_id": id, **collection.to_document(entity)}
        raw = bson.encode(document)
        self._documents[kind][id] = raw
        for key in self._keys.pop((kind, id), ()):
            self._index[key].discard(id)
        keys: list[tuple[type[Any], str, str]] = []
        for name in (*collection.indexes, *collection.sparse, *collection.listed_by):
            value: Any = document.get(name)
            keys += [(kind, name, element) for element in (value if isinstance(value, list) else [value])]
        for key in keys:
            self._index[key].add(id)
        self._keys[kind, id] = keys
        self.written += 1
        self.bytes += len(raw)

    def _state(self, reads: tuple[Read, ...]) -> State:
        loaded: dict[tuple[type[Any], str], Any] = {}
        results: dict[Any, list[str]] = {}
        for read in reads:
            if isinstance(read, Ref):
                loaded[read] = self._load(read.entity, read.id)
                continue
            if isinstance(read, KeyRange):
                raise NotImplementedError("No rule of a request reads a range of keys.")
            ids = sorted(self._index[read.entity, read.field, read.value])
            results[read] = ids
            for id in ids:
                loaded[read.entity, id] = self._load(read.entity, id)
        return State(Entities(loaded, results, self._foreign), reads)

    def _load(self, kind: type[Any], id: str) -> Any:
        raw = self._documents[kind].get(id)
        if raw is None:
            return None
        self.read += 1
        return FESTIVAL.readable[kind].from_document(bson.decode(raw, _UTC))


def measure(size: PlanCase) -> list[StepCost]:
    """The cost of each step of a request of this size."""
    festival, demands = a_festival(size)
    costs: list[StepCost] = []

    def step(name: str, lines: int, work: Callable[[], list[Body]]) -> list[Body]:
        before = festival.read, festival.written, festival.bytes
        start = time.process_time()
        bodies = work()
        seconds = time.process_time() - start
        count = lines or sum(isinstance(body, ReservationRequested) for body in bodies)
        read, written, size_written = (
            festival.read - before[0],
            festival.written - before[1],
            festival.bytes - before[2],
        )
        costs.append(
            StepCost(
                size.name,
                count,
                name,
                round(seconds / count * 1e6, 1),
                round(read / count, 2),
                round(written / count, 2),
                round(size_written / count, 1),
            )
        )
        return bodies

    request = RequestAllocation(festival=NAME, request=REQUEST, demands=demands, consent=True)
    orders = [
        event for event in step("plan", 0, lambda: festival.give(request)) if isinstance(event, ReservationRequested)
    ]
    lines = len(orders)
    facility_of = {order.reservation: order.lot.partition("-")[0] for order in orders}
    step("reserve", lines, lambda: _all(festival, map(_reserved, orders)))
    by_route: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for order in orders:
        by_route[order.booth, facility_of[order.reservation]][order.lot] += order.qty
    routes = {f"S{number}": route for number, route in enumerate(sorted(by_route), 1)}
    sends = [
        SendShipment(festival=NAME, request=REQUEST, shipment=name, facility=facility, booth=booth)
        for name, (booth, facility) in routes.items()
    ]
    dispatches = step("send", lines, lambda: _all(festival, sends))
    order_of = {order.reservation: order for order in orders}
    departures = [
        _left(event, order_of[event.reservation]) for event in dispatches if isinstance(event, DispatchOrdered)
    ]
    assert len(departures) == lines, "every line was sent"
    step("leave", lines, lambda: _all(festival, departures))
    counts = [
        ReceiveShipment(
            festival=NAME,
            shipment=name,
            booth=route[0],
            counted=tuple(CountedLot(lot=lot, qty=qty) for lot, qty in by_route[route].items()),
        )
        for name, route in routes.items()
    ]
    step("receive", lines, lambda: _all(festival, counts))
    step("close", lines, lambda: festival.give(CloseFestival(festival=NAME)))
    return costs


def a_festival(size: PlanCase) -> tuple[MemoryFestival, tuple[Demand, ...]]:
    """A festival with its booths and the stock, and what it asks for."""
    wanted, stock, rules = make_case(size)
    codes = dict(zip((f"P{n:02}" for n in range(size.products)), _codes(), strict=False))
    festival = MemoryFestival()
    festival.give(
        AnnounceFestival(
            festival=NAME,
            name="National",
            place="Kupang",
            zone="Asia/Makassar",
            first_day=LAST_DAY - timedelta(days=2),
            last_day=rules.last_day or LAST_DAY,
        )
    )
    prices = tuple(Price(product=code, price_rupiah=10_000) for code in codes.values())
    for booth in sorted({want.booth for want in wanted}):
        opened = OpenBooth(festival=NAME, booth=f"{NAME}.{booth}", name=booth, prices=prices, tills=(f"{booth}.T1",))
        festival.give(opened)
    for lot in stock:
        view = StockView(
            lot.lot,
            1,
            lot.facility,
            codes[lot.product],
            lot.made_on,
            lot.best_before,
            recalled=False,
            on_hand=lot.qty,
        )
        festival.keep(STOCK, lot.lot, view)
    demands = (Demand(booth=f"{NAME}.{want.booth}", product=codes[want.product], qty=want.qty) for want in wanted)
    return festival, tuple(demands)


def quickest(runs: Iterable[list[StepCost]]) -> list[StepCost]:
    """Of each step the run that took the least time: other programs can only add to it."""
    return [min(costs, key=lambda cost: cost.microseconds) for costs in zip(*runs, strict=True)]


def grown(costs: Iterable[StepCost], cost: Callable[[StepCost], float]) -> dict[str, float]:
    """By step, the cost for a line of the largest plan ÷ that of the smallest."""
    by_step: dict[str, list[float]] = defaultdict(list)
    for step_cost in sorted(costs, key=lambda step_cost: step_cost.lines):
        by_step[step_cost.step].append(cost(step_cost))
    return {step: values[-1] / values[0] for step, values in by_step.items()}


def _all(festival: MemoryFestival, bodies: Iterable[Body]) -> list[Body]:
    return [answer for body in bodies for answer in festival.give(body)]


def _reserved(order: ReservationRequested) -> StockReserved:
    return StockReserved(
        festival=order.festival,
        request=order.request,
        reservation=order.reservation,
        lot=order.lot,
        booth=order.booth,
        qty=order.qty,
    )


def _left(dispatch: DispatchOrdered, order: ReservationRequested) -> StockDispatched:
    return StockDispatched(
        festival=order.festival,
        request=order.request,
        reservation=order.reservation,
        shipment=dispatch.shipment,
        lot=order.lot,
        booth=order.booth,
        qty=order.qty,
    )


def _codes() -> Iterator[str]:
    return ("".join(letters) for letters in itertools.product(ascii_uppercase, repeat=3))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=1, help="take the quickest of so many runs of each size")
    options = parser.parse_args()
    costs = [cost for size in SIZES for cost in quickest(measure(size) for _ in range(options.runs))]
    if options.json:
        print(json.dumps([asdict(cost) for cost in costs], indent=2))
    else:
        row = "{:28} {:>6}  {:8} {:>9} {:>10} {:>10} {:>10}".format
        print(row("case", "lines", "step", "µs a line", "docs read", "written", "bytes"))
        for cost in costs:
            counts = (cost.documents_read, cost.documents_written, cost.bytes_written)
            print(row(cost.case, cost.lines, cost.step, cost.microseconds, *counts))
    return 0 if all(times <= GROWTH for times in grown(costs, lambda cost: cost.microseconds).values()) else 1


if __name__ == "__main__":
    sys.exit(main())
