"""Two booths of a festival in any order that Kafka could deliver: every sale ends once, every rupiah counts once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sales.domain import Booth, Demand, Sale, Settlement
from services.sales.domain.booth import BoothStatus
from services.sales.domain.sale import SaleStatus
from shared.events.festival import DisputeOutcome
from shared.events.language import Body
from shared.events.sales import (
    DemandSignalled,
    SaleDisputed,
    SalePublished,
    SaleRecorded,
    SaleReported,
    SaleVoided,
    SaleVoidRecorded,
    SaleWithdrawn,
    SellThroughCounted,
    SettlementIssued,
    ShareEarned,
    ShareReversed,
)
from tests.unit.sales.builders import (
    B1,
    B2,
    World,
    a_closing,
    a_count,
    a_last_word,
    a_loss,
    a_sale,
    a_stocking,
    a_void,
    a_withdrawal,
    a_word,
    an_opening,
)

# Lots are (facility, product, day made).
LOTS = {"L1": ("LP-A", "KTI", 1), "L2": ("LP-B", "KTI", 2), "K1": ("LP-A", "KUE", 1)}
TILLS = ("T1", "T2")
PRICES = (0, 1, 9_999, 10_001)

T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """One event as its writer sent it."""

    body: Body
    id: str
    source: str


@dataclass(frozen=True)
class Story:
    """What festival and tills said of one booth, each in its own order, and when which of them was heard.
    `late` comes after the deadline; `words` answer disputes."""

    festival: tuple[Record, ...]
    tills: tuple[Record, ...]
    late: int
    turns: tuple[bool, ...]
    words: tuple[DisputeOutcome, ...]


@st.composite
def stories(draw: st.DrawFn, booth: str) -> Story:
    stocked = draw(st.lists(st.tuples(st.sampled_from(sorted(LOTS)), st.integers(1, 9)), max_size=5))
    festival: list[Body] = [an_opening(booth)]
    for lot, qty in stocked:
        facility, product, day = LOTS[lot]
        made_on = date(2023, 4, day)
        festival.append(a_stocking(lot, qty, booth, facility=facility, product=product, made_on=made_on))
        more = draw(st.sampled_from(["", "", "", "lost", "withdrawn"]))
        if more == "lost":
            festival.append(a_loss(draw(st.integers(1, qty)), lot, booth))
        elif more == "withdrawn":
            festival.append(a_withdrawal(lot, booth))
    festival.append(a_closing(booth))
    told = [Record(body, f"{booth}.f{n}", "festival") for n, body in enumerate(festival)]
    said = draw(_said(booth))
    return Story(
        festival=tuple(draw(_repeated(told))),
        tills=tuple(draw(_repeated(said))),
        late=draw(st.integers(0, 6)),
        turns=tuple(draw(st.lists(st.booleans(), max_size=40))),
        words=tuple(draw(st.lists(st.sampled_from(DisputeOutcome), max_size=6))),
    )


@st.composite
def _said(draw: st.DrawFn, booth: str) -> list[Record]:
    """What the tills say. A void of another till may come before the sale."""
    numbers = dict.fromkeys(TILLS, 0)
    records: list[Record] = []
    for _ in range(draw(st.integers(0, 12))):
        till = draw(st.sampled_from(TILLS))
        numbers[till] += 1
        lot = draw(st.sampled_from([*sorted(LOTS), None, "ELSE"]))
        product = LOTS[lot][1] if lot in LOTS else draw(st.sampled_from(["KTI", "KUE"]))
        body: Body = a_sale(
            numbers[till],
            lot,
            draw(st.integers(1, 4)),
            booth=booth,
            till=till,
            product=product,
            unit_price_rupiah=draw(st.sampled_from(PRICES)),
        )
        records.append(Record(body, f"{booth}.{till}.{numbers[till]}", f"till/{booth}/{till}"))
    sales = [(record.id, record.body.till) for record in records if isinstance(record.body, SaleReported)]
    for sale, till in draw(st.lists(st.sampled_from(sales), max_size=5)) if sales else []:
        voider = draw(st.sampled_from(TILLS))
        numbers[voider] += 1
        record = Record(a_void(sale, numbers[voider], voider, booth), f"{booth}.v{len(records)}", f"till/{voider}")
        first = 0 if voider != till else len(records)
        records.insert(draw(st.integers(first, len(records))), record)
    for till in TILLS:
        if draw(st.booleans()):
            records.append(Record(a_count(numbers[till] + 1, till, booth, L1=3), f"{booth}.{till}.c", till))
            numbers[till] += 1
        if draw(st.integers(0, 3)):
            records.append(Record(a_last_word(numbers[till] + 1, till, booth), f"{booth}.{till}.z", till))
    return records


@st.composite
def _repeated(draw: st.DrawFn, records: list[Record]) -> list[Record]:
    """Some come again: from the same source as redelivered, sales also from another source."""
    again = list(records)
    for record in draw(st.lists(st.sampled_from(records), max_size=4)) if records else []:
        copied = isinstance(record.body, SaleReported) and draw(st.booleans())
        source = "a copy" if copied else record.source
        again.insert(draw(st.integers(again.index(record) + 1, len(again))), Record(record.body, record.id, source))
    return again


def interleave(festival: Sequence[T], tills: Sequence[T], turns: Sequence[bool]) -> list[T]:
    """One order of both that keeps each one's own; when the turns run out, first the one and then the other."""
    left, right, order = list(festival), list(tills), []
    for turn in turns:
        stream = left if turn else right
        if stream:
            order.append(stream.pop(0))
    return [*order, *left, *right]


def tell(world: World, booth: str, story: Story) -> None:
    """All that was in time, the deadline, what was late, and the organiser's words."""
    on_time = len(story.tills) - story.late
    for record in interleave(story.festival, story.tills[: max(0, on_time)], story.turns):
        world.tell(record.body, record.id, record.source)
        check_sums(world, booth)
    if booth in world.deadlines:
        world.fire(booth)
    for record in story.tills[max(0, on_time) :]:
        world.tell(record.body, record.id, record.source)
        check_sums(world, booth)
    for outcome in story.words:
        disputed = world.booth(booth).disputed
        if disputed:
            world.give(a_word(disputed[0], outcome, booth))
            check_sums(world, booth)


def check_sums(world: World, id: str) -> None:
    """What holds after every event."""
    booth = world.booth(id)
    sales = [sale for sale in world.all(Sale) if sale.booth == id]
    standing = [sale for sale in sales if sale.status is SaleStatus.RECORDED]
    for lot in booth.lots:
        mine = [sale for sale in standing if sale.lot == lot.lot]
        assert lot.sold == sum(sale.qty for sale in mine)
        assert lot.sold_rupiah == sum(sale.amount_rupiah for sale in mine)
        assert lot.stocked + lot.beyond == lot.sold + lot.lost + lot.unsold
        assert not (lot.beyond and lot.unsold)
        if not any(sale.dispute_accepted for sale in mine):
            assert lot.sold <= lot.stocked
    assert all(booth.holds(sale.lot or "") for sale in standing)
    assert Counter(booth.waiting) == Counter(sale.sale for sale in sales if sale.status is SaleStatus.WAITING)
    assert Counter(booth.disputed) == Counter(sale.sale for sale in sales if sale.status is SaleStatus.DISPUTED)
    if booth.status is BoothStatus.SETTLED:
        assert booth.waiting == ()


def check_end(world: World, id: str, story: Story) -> None:
    reported = {record.id: record.body for record in story.tills if isinstance(record.body, SaleReported)}
    voided = {record.body.sale for record in story.tills if isinstance(record.body, SaleVoided)}
    sales = {sale.sale: sale for sale in world.all(Sale) if sale.booth == id}
    booth = world.booth(id)
    assert booth.status is BoothStatus.SETTLED
    assert sales.keys() == reported.keys()
    assert booth.early_voids == ()
    for name, sale in sales.items():
        assert (sale.status is SaleStatus.VOIDED) == (name in voided)
        assert sale.amount_rupiah == reported[name].qty * reported[name].unit_price_rupiah
        recorded = [body for body in world.heard(SaleRecorded) if (body.booth, body.sale) == (id, name)]
        disputed = [body for body in world.heard(SaleDisputed) if (body.booth, body.sale) == (id, name)]
        ended = [body for body in world.heard(SaleVoidRecorded) if (body.booth, body.sale) == (id, name)]
        assert max(len(recorded), len(disputed)) <= 1
        assert len(ended) == (name in voided)
        assert recorded or disputed or ended
        if recorded and disputed:
            assert recorded[0].dispute_accepted
    check_report(world, booth)
    check_that_labels_win(booth, reported, voided, sales)


def check_report(world: World, booth: Booth) -> None:
    """Festival's last word from the booth is how it stands; revisions rise by one."""
    reports = [report for report in world.heard(SellThroughCounted) if report.booth == booth.id]
    assert [report.revision for report in reports] == list(range(1, len(reports) + 1))
    assert reports[-1].disputed == booth.disputed
    assert [(lot.lot, lot.sold, lot.unsold) for lot in reports[-1].lots] == [
        (lot.lot, lot.sold, lot.unsold) for lot in booth.lots
    ]


def check_that_labels_win(
    booth: Booth, reported: dict[str, SaleReported], voided: set[str], sales: dict[str, Sale]
) -> None:
    """Where every sale of a product has a label, and they are no more than the lot had, none is in doubt, in
    whatever order all came."""
    if voided:
        return  # a void that is late leaves its pieces too late for who waited
    for lot in booth.lots:
        mine = {name: sale for name, sale in reported.items() if sale.product == lot.product}
        here = {name: sale for name, sale in mine.items() if sale.lot == lot.lot}
        enough = sum(sale.qty for sale in here.values()) <= lot.stocked - lot.lost
        if enough and all(sale.lot for sale in mine.values()):
            assert {sales[name].status for name in here} <= {SaleStatus.RECORDED}


def check_money(world: World) -> None:
    """Per facility: shares = recorded = public = settled."""
    standing = [sale for sale in world.all(Sale) if sale.status is SaleStatus.RECORDED]
    for facility in {facility for facility, _, _ in LOTS.values()}:
        owed = sum(sale.amount_rupiah for sale in standing if sale.facility == facility)
        earned = _sum(world, ShareEarned, facility) - _sum(world, ShareReversed, facility)
        public = _sum(world, SalePublished, facility) - _sum(world, SaleWithdrawn, facility)
        assert earned == public == owed
        check_settlement(world, facility, owed)


def check_demand(world: World) -> None:
    """Each facility's pieces are those of its recorded sales, by booth and product, and were said last."""
    standing = [sale for sale in world.all(Sale) if sale.status is SaleStatus.RECORDED]
    for demand in world.all(Demand):
        assert demand.complete
        sold: Counter[tuple[str, str]] = Counter()
        for sale in standing:
            if sale.facility == demand.facility:
                sold[sale.booth, sale.product] += sale.qty
        lines = [line for booth in demand.booths for line in booth.lines or ()]
        assert {(line.booth, line.product): line.sold for line in lines if line.sold} == sold
        said = [one for one in world.heard(DemandSignalled) if one.facility == demand.facility]
        assert [one.revision for one in said] == list(range(1, demand.revision + 1))
        assert sum(one.sold for one in said[-1].products) == sold.total()


def _sum(world: World, kind: type[ShareEarned | ShareReversed | SalePublished | SaleWithdrawn], facility: str) -> int:
    return sum(body.amount_rupiah for body in world.heard(kind) if body.facility == facility)


def check_settlement(world: World, facility: str, owed: int) -> None:
    settlements = [one for one in world.all(Settlement) if one.facility == facility]
    said = [body for body in world.said if isinstance(body, SettlementIssued) and body.facility == facility]
    if not settlements:
        assert (owed, said) == (0, [])
        return
    [settlement] = settlements
    assert settlement.complete
    assert [body.revision for body in said] == list(range(1, len(said) + 1))
    assert [type(body) for body in said].count(SettlementIssued) == 1
    last = said[-1]
    assert last.sold_rupiah == settlement.sold_rupiah == owed
    assert last.facility_rupiah + last.maker_premium_rupiah + last.programme_rupiah == owed


@settings(max_examples=80)
@given(stories(B1), stories(B2), st.lists(st.sampled_from([B1, B2]), max_size=60))
def test_whatever_the_order_every_sale_ends_once_and_every_rupiah_is_counted_once(
    one: Story, other: Story, turns: list[str]
) -> None:
    world = World()
    tell(world, B1, one)
    tell(world, B2, other)
    for booth in turns:
        if world.shares[booth]:
            world.pass_on(booth)
            assert all(share.qty >= 0 <= share.sold_rupiah for s in world.all(Settlement) for share in s.booths)
    world.pass_all_on()
    check_end(world, B1, one)
    check_end(world, B2, other)
    check_money(world)
    check_demand(world)
