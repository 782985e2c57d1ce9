"""A booth's facts in any order: pieces and money are conserved, and any two orders of the same facts end alike.

Festival, each till and each holder of a spool keep their own order; between them there is none. Records come twice.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sales.domain import Booth, Receipt, Settlement
from services.sales.domain.booth import BoothStatus
from shared.events.festival import BoothStocked, DisputeOutcome, VoidOrdered
from shared.events.language import Body
from shared.events.lot_number import LotNumber
from shared.events.sales import (
    AdjustmentPublished,
    PoolAdjusted,
    ReceiptIssued,
    ReceiptVoided,
    SaleAccounted,
    SalePublished,
    SaleShared,
    SettlementIssued,
)
from tests.support.books import check_books
from tests.support.builders.sales import (
    B1,
    B2,
    NOON,
    SalesWorld,
    a_cash_count,
    a_closing,
    a_count,
    a_drawer,
    a_drop,
    a_last_word,
    a_line,
    a_loss,
    a_move,
    a_receipt,
    a_stocking,
    a_void,
    a_withdrawal,
    a_word,
    an_opening,
    an_order,
    new_prices,
    record_id,
)
from tests.support.examples import examples

pytestmark = pytest.mark.property

# Real numbers: a count of a lot that is not here yet says its product by them. Two lots of one maker.
MADE = {
    name: LotNumber(facility, product, date(2023, 4, day), 1)
    for name, facility, product, day in [
        ("A1", "LP-AAA", "KTI", 2),
        ("A2", "LP-AAA", "KTI", 1),
        ("B1", "LP-BAA", "KTI", 1),
        ("C1", "LP-CAA", "KTI", 3),
        ("K1", "LP-AAA", "KUE", 1),
    ]
}
LOTS = {str(number): number for number in MADE.values()}
KTI = [lot for lot, number in LOTS.items() if number.product == "KTI"]
FACILITIES = sorted({number.facility for number in MADE.values()})
TILLS = ("T1", "T2")
lots = st.sampled_from(sorted(LOTS))
few = st.integers(1, 6)
prices = st.sampled_from([0, 1, 777, 10_001])
moments = st.integers(0, 90).map(lambda minutes: NOON + timedelta(minutes=minutes))


@dataclass(frozen=True)
class Fact:
    """One event as its writer sent it."""

    body: Body
    id: str
    source: str = "festival"


Stream: TypeAlias = list[Fact]


@dataclass(frozen=True)
class Facts:
    """All that festival and tills say of one booth, each writer in its own order."""

    booth: str
    festival: Stream
    tills: tuple[Stream, ...]

    @property
    def streams(self) -> list[Stream]:
        return [self.festival, *self.tills]

    @property
    def bodies(self) -> list[Body]:
        return [fact.body for stream in self.streams for fact in stream]


def stocking(lot: str, qty: int, booth: str) -> BoothStocked:
    number = LOTS[lot]
    made = {"facility": number.facility, "product": number.product, "made_on": number.made_on}
    return a_stocking(lot, qty, booth, **made)


@st.composite
def facts(
    draw: st.DrawFn, booth: str = B1, *, plenty: bool = False, less: bool = True, agreed: bool = False
) -> Facts:
    """`plenty`: of every lot there is more than all tills sell. `less`: pieces are also lost and moved. `agreed`: no
    more is voided of a line than it has; else of voids that are too many the one heard first stands."""
    festival: list[Body] = [an_opening(booth)]
    stocked = draw(st.lists(st.tuples(lots, few), max_size=5))
    if plenty:
        stocked += [(lot, 200) for lot in sorted(LOTS)]
    for lot, qty in stocked:
        festival.append(stocking(lot, qty, booth))
        more = draw(st.sampled_from(["", "", "lost", "moved", "withdrawn"] if less else ["", "withdrawn"]))
        if more == "lost":
            festival.append(a_loss(draw(st.integers(1, min(qty, 6))), lot, booth))
        elif more == "moved" and not plenty:
            festival.append(a_move(draw(st.integers(1, qty)), lot, booth))
        elif more == "withdrawn":
            festival.append(a_withdrawal(lot, booth))
    if draw(st.booleans()):
        festival.insert(draw(st.integers(1, len(festival))), new_prices(2, draw(moments), booth, KTI=9, KUE=8))
    tills = draw(_tills(booth, agreed=agreed))
    if draw(st.booleans()) and (void := draw(_voids(tills, agreed=agreed))) is not None:
        receipt, line, qty = void
        festival.append(an_order(receipt, qty, line, booth))
    festival_facts = [Fact(body, f"{booth}.f{n}") for n, body in enumerate(festival)]
    return Facts(booth, festival_facts, tuple(draw(_repeated(stream)) for stream in tills))


@st.composite
def _voids(draw: st.DrawFn, tills: Iterable[Stream], *, agreed: bool) -> tuple[str, int, int] | None:
    """Receipt, line and pieces of a void."""
    rest = {
        (fact.id, line.line): line.qty
        for stream in tills
        for fact in stream
        if isinstance(fact.body, ReceiptIssued)
        for line in fact.body.lines
    }
    for stream in tills:
        for fact in stream:
            if isinstance(fact.body, ReceiptVoided):
                for voided in fact.body.lines:
                    rest[fact.body.receipt, voided.line] -= voided.qty
    open_lines = sorted(place for place, qty in rest.items() if qty > 0 or not agreed)
    if not open_lines:
        return None
    receipt, line = draw(st.sampled_from(open_lines))
    return receipt, line, draw(st.integers(1, rest[receipt, line])) if agreed else draw(few)


@st.composite
def _tills(draw: st.DrawFn, booth: str, *, agreed: bool) -> list[Stream]:
    """Receipts of several lines, voids of any till's receipts, counts, a drawer's money, and a last word."""
    streams: dict[str, Stream] = {till: [] for till in TILLS}
    drawers: dict[str, str | None] = dict.fromkeys(TILLS)

    def issue(till: str, make: Any, *arguments: Any, **more: Any) -> None:
        seq = len(streams[till]) + 1
        body = make(*arguments, seq=seq, till=till, booth=booth, **more)
        streams[till].append(Fact(body, record_id(f"{booth}-{till}", seq), f"till/{booth}/{till}"))

    for till in TILLS:
        if draw(st.booleans()):
            issue(till, a_drawer, rupiah=draw(st.integers(0, 9)))
            drawers[till] = streams[till][0].id
    for till in draw(st.lists(st.sampled_from(TILLS), max_size=8)):
        kind = draw(st.sampled_from(["sell", "sell", "sell", "void", "count", "count", "cash"]))
        drawer = drawers[till]
        if kind == "sell":
            lines = draw(st.lists(_lines(), min_size=1, max_size=3))
            issue(till, _receipt, lines, draw(st.integers(0, 500)), draw(moments), drawer=drawer)
        elif kind == "void" and (void := draw(_voids(list(streams.values()), agreed=agreed))) is not None:
            receipt, line, qty = void
            issue(till, a_void, receipt, qty=qty, line=line, drawer=drawer)
        elif kind == "count":
            counted = draw(st.dictionaries(lots, st.integers(0, 6), max_size=4))
            products = draw(st.dictionaries(st.sampled_from(["KTI", "KUE"]), st.integers(0, 9), max_size=1))
            issue(till, a_count, at=draw(moments), final=draw(st.booleans()), products=products, **counted)
        elif kind == "cash" and drawer is not None:
            issue(till, a_drop, drawer=drawer, rupiah=draw(few))
            issue(till, a_cash_count, drawer=drawer, rupiah=draw(few), expected=0, at=draw(moments))
    for till in draw(st.sets(st.sampled_from(TILLS))):
        issue(till, a_last_word)
    return list(streams.values())


@st.composite
def _lines(draw: st.DrawFn) -> tuple[str | None, str, int, int]:
    """Lot on the label, product, pieces, price."""
    lot = draw(st.sampled_from([None, None, *sorted(LOTS)]))
    product = LOTS[lot].product if lot is not None else draw(st.sampled_from(["KTI", "KTI", "KUE"]))
    return lot, product, draw(few), draw(prices)


def _receipt(
    lines: list[tuple[str | None, str, int, int]], discount: int, sold_at: Any, **place: Any
) -> ReceiptIssued:
    made = [
        a_line(lot, qty, n, product=product, unit_price_rupiah=price)
        for n, (lot, product, qty, price) in enumerate(lines, 1)
    ]
    due = sum(line.gross_rupiah for line in made)
    seq = place.pop("seq")
    return a_receipt(seq, *made, discount_rupiah=min(discount, due), sold_at=sold_at, **place)


@st.composite
def _repeated(draw: st.DrawFn, stream: Stream) -> Stream:
    """Some records come again."""
    again = list(stream)
    for fact in draw(st.lists(st.sampled_from(stream), max_size=2)) if stream else []:
        again.insert(draw(st.integers(again.index(fact) + 1, len(again))), fact)
    return again


def interleaved(streams: Sequence[Stream], turns: Sequence[int]) -> Stream:
    """One order of all that keeps each one's own."""
    rest = [list(stream) for stream in streams]
    order: Stream = []
    for turn in turns:
        waiting = [stream for stream in rest if stream]
        if waiting:
            order.append(waiting[turn % len(waiting)].pop(0))
    return [*order, *(fact for stream in rest for fact in stream)]


turns = st.lists(st.integers(0, 3), max_size=40)


def tell(world: SalesWorld, order: Iterable[Fact], *, check: bool = True) -> None:
    for fact in order:
        world.tell(fact.body, fact.id, fact.source)
        if check:
            check_booth(world, next(topic for topic in (B1, B2) if topic == fact.body.booth))  # type: ignore[attr-defined]


def check_booth(world: SalesWorld, booth: str) -> None:
    receipts = [receipt for receipt in world.all(Receipt) if receipt.booth == booth]
    check_books(world.booth(booth), receipts)


def finish(world: SalesWorld, booth: str = B1) -> None:
    """The booth closes, its deadline passes, and facilities hear all of it."""
    world.give(a_closing(booth))
    if booth in world.deadlines:
        world.fire(booth)
    assert world.booth(booth).status is BoothStatus.SETTLED
    check_booth(world, booth)


# what was said


def check_publications(world: SalesWorld) -> None:
    """Snapshots and changes add up to the books, whoever reads which."""
    for receipt in world.all(Receipt):
        for sale in receipt.sales:
            snapshots = [
                snapshot
                for snapshot in world.bodies(SaleAccounted)
                if (snapshot.booth, snapshot.sale) == (receipt.booth, receipt.sale_id(sale))
            ]
            assert [snapshot.revision for snapshot in snapshots] == list(range(1, sale.revision + 1))
            last = snapshots[-1]
            assert [(part.lot, part.qty) for part in last.parts] == [(part.lot, part.qty) for part in sale.parts]
            assert (last.waiting, last.disputed, last.rejected, last.voided) == (
                sale.waiting,
                sale.disputed,
                sale.rejected,
                sale.voided,
            )
            assert last.open_rupiah == sale.open_rupiah
            assert last.returned_rupiah == sale.returned_rupiah
    for facility in FACILITIES:
        check_facility(world, facility)


def check_facility(world: SalesWorld, facility: str) -> None:
    """What a facility was told in changes, in snapshots and in public, and what it is owed, are its lots' sums."""
    mine = [lot for booth in world.all(Booth) for lot in booth.lots if lot.facility == facility]
    owed = (sum(lot.sold for lot in mine), sum(lot.sold_rupiah for lot in mine))
    changes = [world.earned(facility, booth.id) for booth in world.all(Booth)]
    assert (sum(qty for qty, _ in changes), sum(rupiah for _, rupiah in changes)) == owed
    snapshots: dict[object, SaleShared | PoolAdjusted] = {}
    for snapshot in (*world.bodies(SaleShared), *world.bodies(PoolAdjusted)):
        if snapshot.facility == facility:
            name = (
                (snapshot.booth, snapshot.sale)
                if isinstance(snapshot, SaleShared)
                else (snapshot.booth, "*", snapshot.product)
            )
            assert name not in snapshots or snapshots[name].revision < snapshot.revision
            snapshots[name] = snapshot
    amounts = [
        (snapshot.qty, snapshot.amount_rupiah)
        if isinstance(snapshot, SaleShared)
        else (snapshot.adjusted_qty, snapshot.adjusted_rupiah)
        for snapshot in snapshots.values()
    ]
    assert (sum(qty for qty, _ in amounts), sum(rupiah for _, rupiah in amounts)) == owed
    public: dict[object, SalePublished | AdjustmentPublished] = {}
    publications = [body for body in world.published if isinstance(body, SalePublished | AdjustmentPublished)]
    publications = [publication for publication in publications if publication.facility == facility]
    assert [publication.sequence for publication in publications] == list(range(1, len(publications) + 1))
    for event in publications:
        public[event.sale if isinstance(event, SalePublished) else event.adjustment] = event
    assert sum(publication.qty for publication in public.values()) == owed[0]
    assert sum(publication.amount_rupiah for publication in public.values()) == owed[1]
    check_settlement(world, facility, owed)


def check_settlement(world: SalesWorld, facility: str, owed: tuple[int, int]) -> None:
    snapshots = [snapshot for snapshot in world.bodies(SettlementIssued) if snapshot.facility == facility]
    settlements = [settlement for settlement in world.all(Settlement) if settlement.facility == facility]
    if not settlements:
        assert (owed, snapshots) == ((0, 0), [])
        return
    [settlement] = settlements
    assert (settlement.qty, settlement.sold_rupiah) == owed
    assert [snapshot.revision for snapshot in snapshots] == list(range(1, len(snapshots) + 1))
    if not settlement.complete:
        return
    last = snapshots[-1]
    assert (last.qty, last.sold_rupiah) == owed
    assert last.facility_rupiah + last.maker_premium_rupiah + last.programme_rupiah == last.sold_rupiah
    shares = [
        (lot.pool_qty, lot.pool_rupiah)
        for booth in world.all(Booth)
        for lot in booth.lots
        if lot.facility == facility and (pool := booth.pool(lot.product)) is not None and not pool.counted
    ]
    assert (last.provisional_qty, last.provisional_rupiah) == (
        sum(qty for qty, _ in shares),
        sum(rupiah for _, rupiah in shares),
    )


def end(world: SalesWorld) -> object:
    """What must not depend on the order: lots and pools to the rupiah, settlements, drawers and devices. Which of
    several voids of one line returns a rupiah that was rounded does depend on it, so refunds are left out."""
    booth = world.booth()
    pools = {pool.product: (pool.qty, pool.rupiah, pool.after_qty, pool.final, pool.latest) for pool in booth.pools}
    settled = {
        settlement.facility: (
            settlement.qty,
            settlement.sold_rupiah,
            settlement.provisional_qty,
            settlement.provisional_rupiah,
        )
        for settlement in world.all(Settlement)
    }
    takings = [replace(taking, refunded_rupiah=0) for drawer in booth.drawers for taking in drawer.takings]
    return (
        {lot.lot: lot for lot in booth.lots},
        {product: sums for product, sums in pools.items() if sums[0] or sums[3] or sums[4]},
        {pool.product: pool.counted for pool in booth.pools if pool.qty},
        settled,
        Counter(taking for taking in takings if taking.receipts),
        {drawer.id: (drawer.cashier, drawer.float_rupiah, drawer.dropped_rupiah) for drawer in booth.drawers},
        {drawer.id: (drawer.counted_rupiah, drawer.counted_at) for drawer in booth.drawers if drawer.counted_at},
        {device.device: device.complete for device in booth.devices},
    )


def world_after(order: Stream) -> SalesWorld:
    world = SalesWorld()
    tell(world, order, check=False)
    check_booth(world, B1)
    finish(world)
    world.pass_all_on()
    return world


# any order is right


@examples(150)
@given(
    facts(),
    turns,
    st.integers(0, 20),
    st.lists(st.tuples(st.sampled_from(DisputeOutcome), lots | st.none()), max_size=4),
)
def test_pieces_and_money_are_conserved_in_any_order(
    story: Facts, turns: list[int], late: int, words: list[tuple[DisputeOutcome, str | None]]
) -> None:
    order = interleaved(story.streams, turns)
    # Festival has said all before it closes the booth; of tills' records so many come too late.
    festival_facts = [fact for fact in order if fact.source == "festival"]
    tail = [fact for fact in order[len(order) - late :] if late and fact not in festival_facts]
    world = SalesWorld()
    tell(world, [fact for fact in order if fact not in tail])
    finish(world)
    tell(world, tail)
    for outcome, lot in words:
        if disputed := world.booth().disputed:
            world.give(a_word(disputed[0], outcome, lot=lot))
            check_booth(world, B1)
    world.pass_all_on()
    check_publications(world)
    voids = {fact.id: fact.body for fact in order if isinstance(fact.body, ReceiptVoided)}
    assert refunded(world) == sum(void.refund_rupiah for void in voids.values()), (
        "what tills paid back is as they told"
    )


@examples(60)
@given(facts(B1), facts(B2), turns, turns, st.lists(st.sampled_from([B1, B2]), max_size=60))
def test_facilities_may_hear_booths_in_any_order(
    first_story: Facts, second_story: Facts, first: list[int], second: list[int], passed_booths: list[str]
) -> None:
    world = SalesWorld()
    for story, order in ((first_story, first), (second_story, second)):
        tell(world, interleaved(story.streams, order), check=False)
        finish(world, story.booth)
    for booth in passed_booths:
        if world.shares[booth]:
            world.pass_on(booth)
    world.pass_all_on()
    check_publications(world)


@examples(150)
@given(facts(plenty=True, agreed=True), turns, turns)
def test_any_two_orders_of_facts_that_the_stock_covers_end_alike(
    story: Facts, first: list[int], second: list[int]
) -> None:
    first_world, second_world = (world_after(interleaved(story.streams, order)) for order in (first, second))
    assert end(first_world) == end(second_world)
    if not any(isinstance(body, VoidOrdered) for body in story.bodies):
        # No drawer pays for the organiser's voids; all others together return what was voided.
        assert refunded(first_world) == refunded(second_world)


def refunded(world: SalesWorld) -> int:
    return sum(taking.refunded_rupiah for drawer in world.booth().drawers for taking in drawer.takings)


@examples(150)
@given(facts(less=False, agreed=True), turns, turns)
def test_when_it_is_oversold_any_two_orders_leave_the_same_pieces_in_doubt(
    story: Facts, first: list[int], second: list[int]
) -> None:
    """First heard is first served, so which receipt is in doubt depends on the order. How many pieces of a product
    are does not, and nothing of a product that is short is left over."""
    first_world, second_world = (world_after(interleaved(story.streams, order)) for order in (first, second))
    assert pieces_in_doubt(first_world) == pieces_in_doubt(second_world)


def pieces_in_doubt(world: SalesWorld) -> object:
    """Pieces in dispute and recorded by product, and pieces by lot."""
    disputed: Counter[str] = Counter()
    for receipt in world.all(Receipt):
        for sale in receipt.sales:
            disputed[sale.product] += sale.disputed
    lots = {lot.lot: lot.sold for lot in world.booth().lots}
    return disputed, lots
