"""Tills' records, what sales made of them, what is owed, and what anyone may see."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.events.amounts import net_amounts
from shared.events.language import (
    MAX_WHOLE,
    Body,
    Count,
    DeadlineReached,
    Id,
    PriceRupiah,
    Qty,
    Rupiah,
    Text,
    Topic,
    Utc,
)

# Pieces or rupiah more, or fewer if negative.
Signed = Annotated[int, Field(ge=-MAX_WHOLE, le=MAX_WHOLE)]
MAX_LINES = 100
# Lots, or products, in one count.
MAX_COUNTED = 1000
# What one record of a till may tell. Sums of millions of such are still numbers that the database can hold.
MAX_TILL_RUPIAH = 1_000_000_000_000
TillRupiah = Annotated[int, Field(ge=0, le=MAX_TILL_RUPIAH)]

# --- tills -> sales. Every record names its device, its number there (from 1 without gaps) and the record before it.


class TillRecord(Body):
    """What all records of a till have. `till` is the name of a place at the booth, `device` the identity of the spool
    that keeps the records. `previous` is the ce_id of the device's record `seq` - 1; None for the first."""

    booth: Id
    till: Id
    device: Id
    seq: Qty
    previous: Id | None = None


class DeviceIntroduced(TillRecord):
    """A device is at the booth and has recorded nothing else yet."""

    introduced_at: Utc


class PaymentKind(StrEnum):
    """`QRIS`: the cashier saw the payment; a till without a network can't check it."""

    CASH = "cash"
    QRIS = "qris"
    OTHER = "other"


class Payment(Body):
    """How a receipt was paid. `given_rupiah` and `change_rupiah` are told for cash only."""

    kind: PaymentKind
    reference: Text = ""
    given_rupiah: Rupiah | None = None
    change_rupiah: Rupiah = 0


class ReceiptLine(Body):
    """`qty` pieces of one product at one price. `lot` is from the label; None: the goods had none. `price_reason`:
    the cashier's reason for a price that departs from the list."""

    line: Qty
    lot: Id | None = None
    product: Id
    qty: Qty
    unit_price_rupiah: PriceRupiah
    discount_rupiah: Rupiah = 0
    price_reason: Text = ""

    @property
    def gross_rupiah(self) -> int:
        return self.qty * self.unit_price_rupiah


class ReceiptIssued(TillRecord):
    """One purchase of at most 1,000,000,000,000 rupiah; its ce_id is the receipt's id. Lines are numbered from 1.
    `discount_rupiah` is the receipt's own discount, spread over the lines by largest remainder. `drawer` is the
    ce_id of the DrawerOpened under which the payment was taken. `price_list` is the revision that the till knew; 0:
    none."""

    lines: Annotated[tuple[ReceiptLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    discount_rupiah: Rupiah = 0
    payment: Payment
    drawer: Id | None = None
    price_list: Count = 0
    sold_at: Utc

    @property
    def net_rupiah(self) -> tuple[int, ...]:
        """Net rupiah of each line, after all discounts."""
        if len(self.lines) == 1:
            line = self.lines[0]
            return (line.qty * line.unit_price_rupiah - line.discount_rupiah - self.discount_rupiah,)
        gross = [line.gross_rupiah for line in self.lines]
        return tuple(net_amounts(gross, [line.discount_rupiah for line in self.lines], self.discount_rupiah))

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        due = -self.discount_rupiah
        for number, line in enumerate(self.lines, 1):
            if line.line != number:
                raise ValueError("lines are numbered from 1 in their order")
            net = line.qty * line.unit_price_rupiah - line.discount_rupiah
            if net < 0:
                raise ValueError("a line's discount exceeds its amount")
            due += net
        if due < 0:
            raise ValueError("the receipt's discount exceeds the sum of its lines")
        if due > MAX_TILL_RUPIAH:
            raise ValueError(f"the receipt comes to more than {MAX_TILL_RUPIAH:,} rupiah".replace(",", "."))
        given_rupiah = self.payment.given_rupiah
        if given_rupiah is not None and given_rupiah - self.payment.change_rupiah != due:
            raise ValueError("money given less change is not the sum of the receipt")
        return self


class VoidedLine(Body):
    """`qty` pieces of line `line` did not stand."""

    line: Qty
    qty: Qty


class ReceiptVoided(TillRecord):
    """Pieces of a receipt of this booth, issued by any of its tills, did not stand: goods came back, and this till
    returned `refund_rupiah` in the way `refund`, out of `drawer`. The till tells the sum, since it may know less of
    the receipt than sales does."""

    receipt: Id
    lines: Annotated[tuple[VoidedLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    refund: PaymentKind = PaymentKind.CASH
    refund_rupiah: TillRupiah = 0
    drawer: Id | None = None
    reason: Text = ""
    voided_at: Utc


class LotCount(Body):
    lot: Id
    qty: Count


class ProductCount(Body):
    """`qty` pieces of the product that have no label."""

    product: Id
    qty: Count


class BoothCounted(TillRecord):
    """What is physically left at the booth at `counted_at`. A `final` count divides the unlabelled sales made up to
    then; an interim one is for information. Lots left out were not counted."""

    counted_at: Utc
    final: bool = True
    lots: Annotated[tuple[LotCount, ...], Field(max_length=MAX_COUNTED)] = ()
    products: Annotated[tuple[ProductCount, ...], Field(max_length=MAX_COUNTED)] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({lot.lot for lot in self.lots}) < len(self.lots):
            raise ValueError("a lot is counted twice")
        if len({product.product for product in self.products}) < len(self.products):
            raise ValueError("a product is counted twice")
        return self


class DrawerOpened(TillRecord):
    """A cashier (a pseudonym) takes the drawer with `float_rupiah` in it. The ce_id is the drawer's id until it is
    counted."""

    cashier: Id
    float_rupiah: TillRupiah
    opened_at: Utc


class CashDropped(TillRecord):
    """Money was taken out of the drawer for safekeeping."""

    drawer: Id
    rupiah: TillRupiah
    reason: Text = ""
    dropped_at: Utc


class CashCounted(TillRecord):
    """The cashier counted the drawer before the expected sum was shown. `expected_rupiah` is what the device's own
    records add up to; the difference of the two is recorded by this."""

    drawer: Id
    counted_rupiah: TillRupiah
    expected_rupiah: Signed
    counted_at: Utc


class TillClosed(TillRecord):
    """The device's last word: records 1 to `last_seq` (this one) are all there will be."""

    last_seq: Qty


class StrayMoved(Body):
    """What tills recorded for booth `booth`, which no festival has opened, was published for booth `to` as well:
    `records` records so far. An operator tells it."""

    booth: Id
    to: Id
    records: Count


# --- sales -> anyone, keyed by booth. A sale is one line of a receipt: its id is `<receipt>/<line>`.


class PartBasis(StrEnum):
    """How sales knows whose pieces were sold: the label named the lot; it is a share of the unlabelled sales, which
    counts may still move; or the organiser named the lot."""

    LABEL = "label"
    SHARE = "share"
    NAMED = "named"


class SalePart(Body):
    """`qty` pieces of the sale came from `lot`."""

    lot: Id
    facility: Id
    qty: Qty
    amount_rupiah: Rupiah
    basis: PartBasis
    recalled: bool = False


class SaleAccounted(Body):
    """A snapshot of one sale; the highest `revision` (from 1) is the truth. Pieces: `qty` = the parts + `waiting` +
    `disputed` + `rejected` + `voided`. Rupiah: `net_rupiah` = the parts + `open_rupiah` (of waiting, disputed and
    rejected pieces) + `returned_rupiah` (of voided ones). `lot` is what the label said."""

    booth: Id
    sale: Id
    receipt: Id
    festival: Id | None
    till: Id
    lot: Id | None
    product: Id
    qty: Qty
    unit_price_rupiah: PriceRupiah
    net_rupiah: Rupiah
    sold_at: Utc
    revision: Qty
    parts: tuple[SalePart, ...]
    waiting: Count = 0
    disputed: Count = 0
    rejected: Count = 0
    voided: Count = 0
    open_rupiah: Rupiah = 0
    returned_rupiah: Rupiah = 0


class VoidRefused(Body):
    """A void of more pieces than the sale has left to void; nothing of it was done. `till` None: the organiser asked.
    `left`: pieces that could still be voided."""

    booth: Id
    receipt: Id
    line: Qty
    till: Id | None
    qty: Qty
    left: Count


class DeviceHeard(Body):
    """A device of the booth was heard for the first time, so that it has a part of the booth's allowance."""

    booth: Id
    till: Id
    device: Id


# --- sales -> festival


class SoldThrough(Body):
    """Pieces of one lot at one booth: stocked + beyond = sold + lost + moved + unsold. `counted` is what the cashier
    saw last, `unexplained` how many of the unsold pieces that count did not see. `beyond`: more was sold, lost and
    moved to other booths than was ever stocked (a dispute was accepted, or pieces that the till had sold were
    recorded as lost or moved); then nothing is unsold."""

    lot: Id
    stocked: Count
    sold: Count
    lost: Count
    unsold: Count
    counted: Count | None
    beyond: Count = 0
    moved: Count = 0
    unexplained: Count = 0


class SellThroughCounted(Body):
    """The booth is settled: what it had, what it sold. Comes again (higher revision, from 1) after a late sale, a
    void, a late count or a resolved dispute. `disputed`: the sales that wait for ResolveDispute, the oldest first
    and at most a thousand; those beyond move up as these are resolved."""

    festival: Id
    booth: Id
    revision: Count
    lots: tuple[SoldThrough, ...]
    disputed: tuple[Id, ...] = ()


class LotSoFar(Body):
    """Pieces of a lot that were sold."""

    lot: Id
    sold: Count


class ProductSoFar(Body):
    """The clock hours in which a booth had some of a product to sell, in order and counted since 1970 in UTC, the
    last 72 at most. For each, in columns of one length: the pieces sold, and the minutes in which the booth was
    open, as far as its sales tell, and had some to sell."""

    product: Id
    hours: tuple[Count, ...]
    sold: tuple[Count, ...]
    minutes: tuple[Count, ...]


class SellThroughSoFar(Body):
    """What an open booth has sold so far: said with the first sale of each quarter of an hour on its tills' clocks,
    and with the one that takes the last known piece of a product, once until more of it comes. The highest
    `revision` (from 1) is the truth; `at` is when that sale was made. `lots`: those of which something was sold."""

    festival: Id
    booth: Id
    at: Utc
    revision: Count
    lots: tuple[LotSoFar, ...]
    products: tuple[ProductSoFar, ...]


# --- sales -> sales: from booth to facility


class ShareOpened(Body):
    """The booth holds goods of the facility: its settlement waits for this booth."""

    facility: Id
    festival: Id
    booth: Id


class LotShare(Body):
    """Pieces of one lot and what they were sold for."""

    lot: Id
    qty: Qty
    amount_rupiah: Rupiah


class SaleShared(Body):
    """A snapshot of what one facility has in one sale; all 0 and no lots when its part vanished. `change_...` is the
    difference to the snapshot before; `pooled_...` is what of the difference comes from unlabelled sales.
    `continued`: the same cause changes the facility's sum once more, by the event that follows."""

    facility: Id
    festival: Id
    booth: Id
    sale: Id
    product: Id
    revision: Qty
    lots: tuple[LotShare, ...]
    qty: Count
    amount_rupiah: Rupiah
    change_qty: Signed
    change_rupiah: Signed
    pooled_change_qty: Signed
    pooled_change_rupiah: Signed
    sold_at: Utc
    continued: bool = False


class AdjustmentCause(StrEnum):
    """What moved unlabelled sales between makers."""

    SALE = "sale"
    VOID = "void"
    COUNT = "count"
    STOCK = "stock"
    DISPUTE = "dispute"


class LotAdjustment(Body):
    """Pieces and rupiah of unlabelled sales that a lot has beyond (or below) its parts in single sales."""

    lot: Id
    qty: Signed
    amount_rupiah: Signed


class PoolAdjusted(Body):
    """A snapshot of one facility's part in a booth's unlabelled sales of a product; the highest `revision` is the
    truth. `share_...` is the part, `adjusted_...` how much of it the parts of single sales do not tell; over all
    facilities of the booth `adjusted_...` adds up to 0. `change_...` is the difference to the snapshot before.
    `counted`: a final count stands behind it; else the share is provisional. `continued` as in SaleShared."""

    facility: Id
    festival: Id
    booth: Id
    product: Id
    revision: Qty
    cause: AdjustmentCause
    counted: bool
    share_qty: Count
    share_rupiah: Rupiah
    adjusted_qty: Signed
    adjusted_rupiah: Signed
    change_qty: Signed
    change_rupiah: Signed
    lots: tuple[LotAdjustment, ...]
    continued: bool = False


class BoothSettled(Body):
    """Nothing more is expected from this booth for this facility."""

    facility: Id
    festival: Id
    booth: Id


class SoldOut(Body):
    """Nothing was left from `at` (the last sale) `until` more came; None: to the end."""

    at: Utc
    until: Utc | None


class DemandLine(Body):
    """A facility's pieces of one product at one booth. `stocked`: without those that were moved to other booths.
    `price_rupiah`: of one piece, on average, rounded down. Minutes are those in which the booth was open, as far as
    its sales tell; those in which all had been moved away are neither there nor missing. `lost_sales` is an estimate:
    sold ÷ minutes (an hour at least) in which the booth had some of the product, whoever made it × minutes in which
    it had run out of all of it. So who ran out lost nothing while others still had the same."""

    booth: Id
    product: Id
    stocked: Count
    sold: Count
    unsold: Count
    sold_rupiah: Rupiah
    price_rupiah: Rupiah | None
    there_minutes: Count
    missing_minutes: Count
    sold_out: tuple[SoldOut, ...]
    lost_sales: Count


class DemandCounted(Body):
    """The booth is settled: how its goods of the facility went. Comes again when that has changed."""

    facility: Id
    festival: Id
    booth: Id
    lines: tuple[DemandLine, ...]


# --- sales -> facilities


class SettlementIssued(Body):
    """What one facility sold at one festival and how the money is shared. Whole rupiah:
    sold = facility + maker premium + programme. `provisional_...` is what of it comes from unlabelled sales that no
    final count stands behind."""

    facility: Id
    festival: Id
    revision: Count
    qty: Count
    sold_rupiah: Rupiah
    facility_rupiah: Rupiah
    maker_premium_rupiah: Rupiah
    programme_rupiah: Rupiah
    provisional_qty: Count = 0
    provisional_rupiah: Rupiah = 0


class SettlementCorrected(SettlementIssued):
    """The same after a late sale or void; replaces every lower revision."""


class ProductDemand(Body):
    """One product over all booths. `booths` are at most fifty, the one that sold most per open hour first."""

    product: Id
    stocked: Count
    sold: Count
    unsold: Count
    sold_rupiah: Rupiah
    lost_sales: Count
    booths: tuple[DemandLine, ...]


class DemandSignalled(Body):
    """How a facility's products went at a festival, what was most asked for first. Once every booth is settled, and
    again with a higher revision (from 1), which replaces every lower one, after a late sale or void."""

    facility: Id
    festival: Id
    revision: Count
    products: tuple[ProductDemand, ...]


# --- sales -> subscribers: no maker, no buyer, no cashier, no till, no booth, nothing that joins the lines of a
# receipt


class SalePublished(Body):
    """A snapshot of what one facility has in one sale; the highest `revision` of (`sale`, `facility`) is the truth,
    and 0 pieces mean that it stands no more. `sequence` counts the facility's public events from 1 without gaps."""

    sale: Id
    facility: Id
    festival: Id
    product: Id
    revision: Qty
    sequence: Qty
    lots: tuple[LotShare, ...]
    qty: Count
    amount_rupiah: Rupiah
    sold_at: Utc


class AdjustmentPublished(Body):
    """A snapshot of pieces and rupiah that unlabelled sales of a product moved to (or from) the facility, beyond what
    its sales tell; the highest `revision` of (`adjustment`, `facility`) is the truth. A facility's sum is its sales
    and its adjustments."""

    adjustment: Id
    facility: Id
    festival: Id
    product: Id
    revision: Qty
    sequence: Qty
    cause: AdjustmentCause
    counted: bool
    lots: tuple[LotAdjustment, ...]
    qty: Signed
    amount_rupiah: Signed


TILL = Topic(
    "karya.till.sales.v1",
    "booth",
    (
        DeviceIntroduced,
        ReceiptIssued,
        ReceiptVoided,
        BoothCounted,
        DrawerOpened,
        CashDropped,
        CashCounted,
        TillClosed,
        StrayMoved,
    ),
)
SALES = Topic("karya.sales.v1", "booth", (SaleAccounted, VoidRefused, DeviceHeard))
BOOTH_REPORTS = Topic("karya.booth-reports.v1", "festival", (SellThroughCounted, SellThroughSoFar))
SALE_SHARES = Topic(
    "karya.sale-shares.v1",
    "facility",
    (ShareOpened, SaleShared, PoolAdjusted, BoothSettled, DemandCounted),
)
SETTLEMENTS = Topic("karya.settlements.v1", "facility", (SettlementIssued, SettlementCorrected))
DEMAND = Topic("karya.demand.v1", "facility", (DemandSignalled,))
PUBLIC_SALES = Topic("karya.public.sales.v1", "facility", (SalePublished, AdjustmentPublished))
SALES_DEADLINES = Topic("karya.sales.deadlines.v1", "key", (DeadlineReached,))
