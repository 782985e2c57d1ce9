"""Records of a simulated booth's tills: numbered without gaps, no more than the stock, settled to the piece."""

from collections import defaultdict
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from lab.simulate.device import SimulatedDevice
from lab.simulate.market import Counting, Market, Trouble
from lab.simulate.records import GeneratedRecord
from services.sales.domain.booth import BoothStatus
from shared.events.festival import (
    BoothClosing,
    BoothOpened,
    BoothStocked,
    DisputeOutcome,
    DisputeResolved,
    OpenBooth,
    Price,
    StrikeTill,
    TillAdded,
    TillStruck,
    VoidOrdered,
)
from shared.events.sales import (
    TILL,
    CashCounted,
    PaymentKind,
    ReceiptIssued,
    ReceiptVoided,
    TillClosed,
    TillRecord,
    VoidedLine,
    VoidRefused,
)
from tests.support.builders.sales import NOON, SalesWorld

pytestmark = pytest.mark.unit

BOOTH = "ODOP.B01"
PRICES = {"SVR": 20_000, "KKG": 4_000}
LOTS = {
    "A": ("LP-KPG", "SVR", 24),
    "B": ("PR-KPG", "SVR", 30),
    "C": ("RT-KPG", "SVR", 9),
    "D": ("LP-KPG", "KKG", 40),
    "E": ("LP-BAA", "KKG", 20),
}
MADE_ON = date(2023, 4, 1)
MORNING, EVENING = NOON - timedelta(hours=4), NOON + timedelta(hours=5)


def a_market(trouble: Trouble, seed: int, counting: Counting = Counting.BY_LABEL) -> Market:
    prices = tuple(Price(product=product, price_rupiah=price) for product, price in PRICES.items())
    booth = OpenBooth(festival="ODOP", booth=BOOTH, name="Stan 1", prices=prices, tills=("T1", "T2"))
    market = Market(booth, Random(seed), trouble, counting)
    for lot, (_, product, qty) in LOTS.items():
        market.stock(lot, product, MADE_ON, qty)
    return market


class Day:
    """A day at the booth: records sent in time, records sent late, and the organiser's commands."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.sent = market.sell(0.6, MORNING, NOON)
        self.sent += market.pause_at_noon(NOON)
        self.orders = market.replace_lost_device()
        self.sent += market.sell(0.8, NOON, EVENING)
        self.sent += market.close(EVENING)
        self.late = market.late_records

    @property
    def bodies(self) -> list[TillRecord]:
        return [read(record)[1] for record in (*self.sent, *self.late)]


def read(record: GeneratedRecord) -> tuple[str, TillRecord]:
    headers = dict(record.headers)
    id, kind = headers["ce_id"], headers["ce_type"]
    assert id is not None
    assert kind is not None
    assert record.value is not None
    body = TILL.by_type[kind.decode()].model_validate_json(record.value)
    assert isinstance(body, TillRecord)
    return id.decode(), body


CASES = [(trouble, seed) for trouble in Trouble for seed in range(3)]


@pytest.mark.parametrize(("trouble", "seed"), CASES)
def test_each_device_numbers_its_records_and_names_the_one_before(trouble: Trouble, seed: int) -> None:
    day = Day(a_market(trouble, seed))
    devices: dict[str, dict[int, tuple[str, str | None]]] = defaultdict(dict)
    for record in (*day.sent, *day.late):
        id, body = read(record)
        link = id, body.previous
        assert devices[body.device].setdefault(body.seq, link) == link
    for records in devices.values():
        assert sorted(records) == list(range(1, len(records) + 1))
        assert [records[seq][1] for seq in sorted(records)] == [None, *(records[seq][0] for seq in sorted(records))][
            :-1
        ]
    assert len(devices) == (2 if trouble in (Trouble.NONE, Trouble.OFFLINE) else 3)


def test_a_lost_device_says_no_last_word_and_a_replaced_one_says_it_late() -> None:
    lost, replaced = Day(a_market(Trouble.LOST, 1)), Day(a_market(Trouble.REPLACED, 1))
    [strike, _] = lost.orders
    assert isinstance(strike, StrikeTill)
    assert strike.device not in {body.device for body in lost.bodies if isinstance(body, TillClosed)}
    assert lost.late == []
    assert lost.market.lost > 0
    assert isinstance(read(replaced.late[-1])[1], TillClosed)
    assert {read(record)[1].till for record in replaced.late} == {"T2"}


def test_who_has_no_network_sells_at_the_old_price() -> None:
    market = a_market(Trouble.OFFLINE, 1)
    market.reprice("KKG", 3_000, NOON)
    day = Day(market)
    lists = {(receipt.till, receipt.price_list, receipt.sold_at >= NOON) for receipt in of(day, ReceiptIssued)}
    assert lists == {("T1", 1, False), ("T1", 2, True), ("T2", 1, False), ("T2", 1, True)}


def test_a_drawer_holds_what_its_device_expects_but_for_slips() -> None:
    slips = [
        count.counted_rupiah - count.expected_rupiah for count in of(Day(a_market(Trouble.NONE, 1)), CashCounted)
    ]
    assert len(slips) == 2
    assert all(abs(slip) <= 10_000 for slip in slips)


def test_cash_that_is_not_there_is_not_paid_back_from_the_drawer() -> None:
    device = SimulatedDevice(BOOTH, "T1", "D1", Random(1))
    lines = (VoidedLine(line=1, qty=1),)
    device.void(NOON, PaymentKind.CASH, 10**9, receipt="R1", lines=lines)
    device.void(NOON, PaymentKind.CASH, 1_000, receipt="R2", lines=lines)
    voids = [body for _, body in map(read, device.drain()) if isinstance(body, ReceiptVoided)]
    assert [void.refund for void in voids[:1] + voids[-1:]] == [PaymentKind.OTHER, PaymentKind.CASH]


def of(day: Day, kind: type[Any]) -> list[Any]:
    return [body for body in day.bodies if isinstance(body, kind)]


@pytest.mark.parametrize(("trouble", "seed"), CASES)
def test_all_that_is_sold_is_covered_and_settled_to_the_piece(trouble: Trouble, seed: int) -> None:
    world, market = SalesWorld(), a_market(trouble, seed)
    prices = tuple(Price(product=product, price_rupiah=price) for product, price in PRICES.items())
    world.give(BoothOpened(booth=BOOTH, festival="ODOP", name="Stan 1", prices=prices, tills=("T1", "T2")))
    for lot, (facility, product, qty) in LOTS.items():
        stocked = {"lot": lot, "facility": facility, "product": product, "made_on": MADE_ON, "qty": qty}
        world.give(BoothStocked(booth=BOOTH, festival="ODOP", **stocked))
    day = Day(market)
    world.give(BoothClosing(booth=BOOTH, festival="ODOP", deadline=EVENING + timedelta(hours=48)))
    for record in (*day.sent, *day.late):
        id, body = read(record)
        world.tell(body, id, f"till/{body.till}")
    for order in day.orders:
        if isinstance(order, StrikeTill):
            world.give(TillStruck(booth=BOOTH, till=order.till, device=order.device))
        else:
            world.give(TillAdded(booth=BOOTH, till="T3"))
    for void in market.void_mistyped():
        world.give(VoidOrdered(booth=BOOTH, receipt=void.receipt, line=void.line, qty=void.qty))
    assert world.booth(BOOTH).status is BoothStatus.SETTLED
    for sale in world.booth(BOOTH).disputed:
        lot = market.misread.get(sale)
        outcome = DisputeOutcome.REJECTED if sale in market.misread and lot is None else DisputeOutcome.ACCEPTED
        world.give(DisputeResolved(booth=BOOTH, sale=sale, outcome=outcome, lot=lot))
    booth = world.booth(BOOTH)
    assert (booth.waiting, booth.disputed, booth.early_voids) == ((), (), ())
    assert world.bodies(VoidRefused) == []
    if trouble is not Trouble.LOST:
        # Whose pieces they were is known exactly: all that is gone was sold, and what is left was counted.
        assert {lot.lot: lot.unsold for lot in booth.lots} == market.physical_stock


def test_the_same_seed_gives_the_same_day() -> None:
    first, second = (Day(a_market(Trouble.REPLACED, 5)) for _ in range(2))
    assert first.sent == second.sent
    assert first.late == second.late
