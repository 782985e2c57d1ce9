"""Sales under anything that festival and tills say: every sale ends once, and every rupiah is counted once."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from services.sales.domain import Booth, Demand, Sale, Settlement
from services.sales.domain.booth import BoothStatus
from services.sales.domain.missed import counted, openings
from services.sales.domain.sale import SaleStatus
from services.sales.handlers import FAMILIES
from shared.events.festival import (
    BOOTH_STOCK,
    BoothClosing,
    BoothOpened,
    BoothStocked,
    BoothStockLost,
    BoothStockMoved,
    DisputeOutcome,
    DisputeResolved,
    LotWithdrawn,
    Price,
)
from shared.events.language import Body
from shared.events.sales import (
    BOOTH_REPORTS,
    DEMAND,
    PUBLIC_SALES,
    SALES,
    SETTLEMENTS,
    TILL,
    BoothCounted,
    DemandSignalled,
    LotCount,
    SaleDisputed,
    SalePublished,
    SaleRecorded,
    SaleReported,
    SaleVoided,
    SaleVoidRecorded,
    SaleWithdrawn,
    SellThroughCounted,
    SellThroughSoFar,
    SettlementIssued,
    TillClosed,
)
from tests.property.examples import examples
from tests.property.machine import Machine, one_of, which
from tests.property.shell import NOON, Service

FESTIVAL = "ODOP"
BOOTHS = ("ODOP.B1", "ODOP.B2")
TILLS = ("T1", "T2")
LOTS = {"L1": ("LP-A", "KTI"), "L2": ("LP-B", "KTI"), "K1": ("LP-A", "KUE")}
booths = st.sampled_from(BOOTHS)
tills = st.sampled_from(TILLS)
lots = st.sampled_from(sorted(LOTS))
few = st.integers(1, 6)
# Lot, pieces, price, and (not 0) which sale is voided instead.
RungUp: TypeAlias = tuple[str | None, int, int, int]
rung_up: st.SearchStrategy[RungUp] = st.tuples(
    st.sampled_from([*sorted(LOTS), "L1", None, None, "ELSE"]),
    few,
    st.sampled_from([0, 1, 9_999]),
    st.sampled_from([0, 0, 0, 1, 2, 3]),
)


class SalesMachine(Machine):
    """Festival says of each booth what it may say, in its order; each till its records, in its order; a till without
    a network keeps its records to itself for a while."""

    def setup(self) -> None:
        self.sales = Service(self.kafka, FAMILIES)
        self.services = [self.sales]
        self.closed: set[str] = set()
        self.spools: dict[tuple[str, str], list[tuple[str, Body]]] = {(b, t): [] for b in BOOTHS for t in TILLS}
        self.numbers: Counter[tuple[str, str]] = Counter()
        self.rung_up: dict[str, list[str]] = {booth: [] for booth in BOOTHS}

    # festival

    @initialize(stocked=st.lists(st.tuples(booths, lots, few), max_size=4))
    def open(self, stocked: list[tuple[str, str, int]]) -> None:
        for booth in BOOTHS:
            prices = tuple(Price(product=product, price_rupiah=10) for product in ("KTI", "KUE"))
            self.kafka.say(
                BOOTH_STOCK, BoothOpened(booth=booth, festival=FESTIVAL, name="Booth", prices=prices, tills=TILLS)
            )
        self.stock(stocked)

    @rule(stocked=st.lists(st.tuples(booths, lots, few), min_size=1, max_size=3))
    def stock(self, stocked: list[tuple[str, str, int]]) -> None:
        for booth, lot, qty in stocked:
            facility, product = LOTS[lot]
            body = BoothStocked(
                booth=booth,
                festival=FESTIVAL,
                lot=lot,
                facility=facility,
                product=product,
                made_on=date(2026, 4, ord(lot[1]) - ord("0")),
                qty=qty,
            )
            if booth not in self.closed:
                self.kafka.say(BOOTH_STOCK, body)

    @rule(booth=booths, lot=lots, qty=few)
    def lose(self, booth: str, lot: str, qty: int) -> None:
        if lot in self.stocked(booth):
            self.kafka.say(BOOTH_STOCK, BoothStockLost(booth=booth, lot=lot, qty=qty))

    @rule(booth=booths, lot=lots, qty=few)
    def move(self, booth: str, lot: str, qty: int) -> None:
        """Festival lets go no more than came and is not moved already; what is sold it may not know."""
        moved = sum(
            one.qty for one in self.kafka.bodies(BOOTH_STOCK, BoothStockMoved) if (one.booth, one.lot) == (booth, lot)
        )
        came = sum(
            one.qty for one in self.kafka.bodies(BOOTH_STOCK, BoothStocked) if (one.booth, one.lot) == (booth, lot)
        )
        if moved + qty <= came:
            to = next(other for other in BOOTHS if other != booth)
            self.kafka.say(BOOTH_STOCK, BoothStockMoved(booth=booth, lot=lot, qty=qty, to=to))

    @rule(booth=booths, lot=lots)
    def withdraw(self, booth: str, lot: str) -> None:
        self.kafka.say(BOOTH_STOCK, LotWithdrawn(booth=booth, lot=lot, reason="made up"))

    @rule(booth=booths, n=which)
    def close(self, booth: str, n: int) -> None:
        if booth not in self.closed and n < 3:
            self.closed.add(booth)
            deadline = self.kafka.now + timedelta(hours=48)
            self.kafka.say(BOOTH_STOCK, BoothClosing(booth=booth, festival=FESTIVAL, deadline=deadline))

    @rule(booth=booths, n=which, outcome=st.sampled_from(DisputeOutcome))
    def resolve(self, booth: str, n: int, outcome: DisputeOutcome) -> None:
        reports = [one for one in self.kafka.bodies(BOOTH_REPORTS, SellThroughCounted) if one.booth == booth]
        sale = one_of(reports[-1].disputed, n) if reports else None
        if sale is not None:
            self.kafka.say(BOOTH_STOCK, DisputeResolved(booth=booth, sale=sale, outcome=outcome))

    def stocked(self, booth: str) -> set[str]:
        return {one.lot for one in self.kafka.bodies(BOOTH_STOCK, BoothStocked) if one.booth == booth}

    # tills

    @rule(booth=booths, said=st.lists(st.tuples(tills, rung_up), min_size=1, max_size=6), at_once=st.booleans())
    def sell(self, booth: str, said: list[tuple[str, RungUp]], at_once: bool) -> None:
        """Sales and voids. Any till of the booth may void a sale, so a void may be heard before its sale."""
        for till, (lot, qty, price, void) in said:
            sale = one_of(self.rung_up[booth], void)
            if void and sale is not None:
                self.spool(booth, till, SaleVoided, sale=sale, voided_at=NOON)
                continue
            product = LOTS[lot][1] if lot in LOTS else ("KTI", "KUE")[qty % 2]
            # Times that are neither in order nor all of one day.
            at = NOON + timedelta(minutes=len(self.rung_up[booth]) * 37 % 400 + 900 * (qty > 4))
            sold = {"lot": lot, "product": product, "qty": qty, "unit_price_rupiah": price, "sold_at": at}
            self.rung_up[booth].append(self.spool(booth, till, SaleReported, **sold))
        if at_once:
            for till in TILLS:
                self.upload(booth, till, len(self.spools[booth, till]))

    @rule(booth=booths, till=tills, lot=lots, qty=st.integers(0, 4))
    def count(self, booth: str, till: str, lot: str, qty: int) -> None:
        self.spool(booth, till, BoothCounted, lots=(LotCount(lot=lot, qty=qty),))

    @rule(booth=booths, till=tills)
    def close_till(self, booth: str, till: str) -> None:
        self.spool(booth, till, TillClosed, last_seq=self.numbers[booth, till] + 1)

    @rule(booth=booths, till=tills, most=few)
    def upload(self, booth: str, till: str, most: int) -> None:
        spool = self.spools[booth, till]
        for id, body in spool[:most]:
            self.kafka.say(TILL, body, id=id, source=f"till/{booth}/{till}")
        del spool[:most]

    @rule(booth=booths, n=which)
    def a_sale_from_another_source(self, booth: str, n: int) -> None:
        sales = [event for event in self.kafka.heard(TILL) if isinstance(event.body, SaleReported)]
        sale = one_of([event for event in sales if event.key == booth], n)
        if sale is not None and n < 4:
            self.kafka.say(TILL, sale.body, id=sale.id, source="a copy")

    def spool(self, booth: str, till: str, kind: Callable[..., Body], **said: object) -> str:
        self.numbers[booth, till] += 1
        id = f"{booth}.{till}.{self.numbers[booth, till]}"
        body = kind(booth=booth, till=till, seq=self.numbers[booth, till], **said)
        self.spools[booth, till].append((id, body))
        return id

    # the end

    def finish(self) -> None:
        for booth in BOOTHS:
            self.close(booth, 0)
        self.settle()
        self.ring_all()
        for booth, till in self.spools:
            self.upload(booth, till, len(self.spools[booth, till]))

    def check(self) -> None:
        check_booths(self.sales)

    def check_at_rest(self) -> None:
        assert {booth.status for booth in self.sales.all(Booth)} == {BoothStatus.SETTLED}
        check_said(self.sales)
        check_money(self.sales)
        check_demand(self.sales)


def check_booths(sales: Service) -> None:
    """Every lot adds up and is sold as its sales say; what waits, waits, and nothing does once it is settled."""
    found: dict[str, list[Sale]] = {}
    for sale in sales.all(Sale):
        found.setdefault(sale.booth, []).append(sale)
    for booth in sales.all(Booth):
        mine = found.get(booth.id, [])
        for lot in booth.lots:
            standing = [sale for sale in mine if (sale.status, sale.lot) == (SaleStatus.RECORDED, lot.lot)]
            assert lot.sold == sum(sale.qty for sale in standing)
            assert lot.sold_rupiah == sum(sale.amount_rupiah for sale in standing)
            assert lot.stocked + lot.beyond == lot.sold + lot.lost + lot.moved + lot.unsold
            assert not (lot.beyond and lot.unsold)
            if not any(sale.dispute_accepted for sale in standing):
                assert lot.sold <= lot.stocked, "sold beyond what the booth held"
        waiting = [sale for sale in mine if sale.status is SaleStatus.WAITING]
        for sale in waiting:
            could = [lot for lot in booth.lots if lot.product == sale.product and sale.lot in (None, lot.lot)]
            assert all(lot.unsold < sale.qty for lot in could), "it waits for what is there"
        assert sorted(booth.waiting) == sorted(sale.sale for sale in waiting)
        assert not (booth.status is BoothStatus.SETTLED and waiting), "one waits beyond the closing"
        assert sorted(booth.disputed) == sorted(sale.sale for sale in mine if sale.status is SaleStatus.DISPUTED)


def check_said(sales: Service) -> None:
    """Every sale that a till reported is there once, and was said to be what it is, once."""
    kafka = sales.kafka
    reported = {(event.key, event.id) for event in kafka.heard(TILL) if isinstance(event.body, SaleReported)}
    kept = sales.all(Sale)
    assert sorted(reported) == sorted((sale.booth, sale.sale) for sale in kept)
    undone = {(one.booth, one.sale) for one in kafka.bodies(TILL, SaleVoided)}
    assert undone & reported == {(s.booth, s.sale) for s in kept if s.status is SaleStatus.VOIDED}
    recorded = _times(kafka.bodies(SALES, SaleRecorded))
    disputed = _times(kafka.bodies(SALES, SaleDisputed))
    voided = {(one.booth, one.sale): one.stood for one in kafka.bodies(SALES, SaleVoidRecorded)}
    assert max([*recorded.values(), *disputed.values(), 0]) <= 1, "said twice"
    for sale in kept:
        name = (sale.booth, sale.sale)
        assert (sale.status is SaleStatus.VOIDED) == (name in voided)
        assert (sale.status is SaleStatus.RECORDED) == (recorded[name] == 1 and name not in voided)
        if sale.status in (SaleStatus.DISPUTED, SaleStatus.REJECTED):
            assert disputed[name] == 1
        assert voided.get(name) in (None, recorded[name] == 1), "a void reversed what was never earned"
    shown = Counter(one.sale for one in kafka.bodies(PUBLIC_SALES, SalePublished))
    shown.subtract(one.sale for one in kafka.bodies(PUBLIC_SALES, SaleWithdrawn))
    stand = {sale.sale: 1 for sale in kept if sale.status is SaleStatus.RECORDED}
    assert {sale: times for sale, times in shown.items() if times} == stand
    for booth in sales.all(Booth):
        reports = [one for one in kafka.bodies(BOOTH_REPORTS, SellThroughCounted) if one.booth == booth.id]
        assert [one.revision for one in reports] == list(range(1, booth.revision + 1))
        if booth.status is BoothStatus.SETTLED:
            last = {lot.lot: (lot.stocked, lot.sold, lot.lost, lot.moved) for lot in reports[-1].lots}
            assert last == {lot.lot: (lot.stocked, lot.sold, lot.lost, lot.moved) for lot in booth.lots}
        so_far = [one for one in kafka.bodies(BOOTH_REPORTS, SellThroughSoFar) if one.booth == booth.id]
        assert [one.revision for one in so_far] == list(range(1, booth.so_far.revision + 1))
        for one in so_far:
            by_hour = sum(sum(product.sold) for product in one.products)
            assert by_hour == sum(lot.sold for lot in one.lots)


def check_money(sales: Service) -> None:
    """Settlements add up to the recorded sales, per facility and festival, to the rupiah."""
    sold: Counter[tuple[str, str]] = Counter()
    for sale in sales.all(Sale):
        if sale.status is SaleStatus.RECORDED:
            sold[sale.facility or "", sale.festival or ""] += sale.amount_rupiah
    said: dict[tuple[str, str], SettlementIssued] = {}
    revisions: Counter[tuple[str, str]] = Counter()
    for one in sales.kafka.bodies(SETTLEMENTS, SettlementIssued):
        revisions[one.facility, one.festival] += 1
        assert one.revision == revisions[one.facility, one.festival]
        said[one.facility, one.festival] = one
        assert one.facility_rupiah + one.maker_premium_rupiah + one.programme_rupiah == one.sold_rupiah
    settlements = {(one.facility, one.festival): one for one in sales.all(Settlement)}
    assert sold.keys() <= settlements.keys()
    settled = all(booth.status is BoothStatus.SETTLED for booth in sales.all(Booth))
    for name, settlement in settlements.items():
        assert settlement.sold_rupiah == sold[name]
        assert min(share.qty for share in settlement.booths) >= 0
        assert settlement.complete == settled or not settled
        if settlement.complete:
            assert (said[name].sold_rupiah, said[name].qty) == (settlement.sold_rupiah, settlement.qty)


def check_demand(sales: Service) -> None:
    """Each facility was told last how the booths stand now, and its pieces are those of the recorded sales."""
    sold: Counter[tuple[str, str, str]] = Counter()
    for sale in sales.all(Sale):
        if sale.status is SaleStatus.RECORDED:
            sold[sale.facility or "", sale.festival or "", sale.product] += sale.qty
    booths = {booth.id: booth for booth in sales.all(Booth)}
    told: dict[tuple[str, str], list[DemandSignalled]] = {}
    for one in sales.kafka.bodies(DEMAND, DemandSignalled):
        told.setdefault((one.facility, one.festival), []).append(one)
    for demand in sales.all(Demand):
        said = told.pop((demand.facility, demand.festival), [])
        assert [one.revision for one in said] == list(range(1, demand.revision + 1))
        if not demand.complete:
            assert not all(booths[one.booth].status is BoothStatus.SETTLED for one in demand.booths)
            continue
        lines = [line for product in said[-1].products for line in product.booths]
        here = [booths[one.booth] for one in demand.booths]
        now = [counted(booth, openings(booth), demand.facility) for booth in here]
        by_place = {(line.booth, line.product): line for line in lines}
        assert by_place == {(line.booth, line.product): line for count in now for line in count.lines}
        for product in said[-1].products:
            assert product.sold == sold.pop((demand.facility, demand.festival, product.product), 0)
    assert not told
    assert not (sold and all(booth.status is BoothStatus.SETTLED for booth in booths.values()))


def _times(bodies: Iterable[SaleRecorded | SaleDisputed]) -> Counter[tuple[str, str]]:
    return Counter((one.booth, one.sale) for one in bodies)


TestSales = SalesMachine.TestCase
TestSales.settings = examples(100)
