"""Tills' reports, what sales made of them, what is owed, and what anyone may see."""

from shared.events.language import Body, Count, DeadlineReached, Id, PriceRupiah, Qty, Rupiah, Topic, Utc

# --- tills -> sales. The ce_id of SaleReported is the sale's id; `seq` counts a till's records from 1.


class SaleReported(Body):
    """`qty` pieces were sold. `lot` from the label, or only `product` when there is none."""

    booth: Id
    till: Id
    seq: Qty
    lot: Id | None = None
    product: Id
    qty: Qty
    unit_price_rupiah: PriceRupiah
    sold_at: Utc


class SaleVoided(Body):
    """The sale `sale` of this booth did not stand: goods came back, money was returned."""

    booth: Id
    till: Id
    seq: Qty
    sale: Id
    voided_at: Utc


class LotCount(Body):
    lot: Id
    qty: Count


class BoothCounted(Body):
    """What is physically left at the booth after the last sale."""

    booth: Id
    till: Id
    seq: Qty
    lots: tuple[LotCount, ...]


class TillClosed(Body):
    """The till's own last word: records 1 to `last_seq` (this one) are all there will be."""

    booth: Id
    till: Id
    seq: Qty
    last_seq: Qty


# --- sales -> anyone, keyed by booth


class SaleRecorded(Body):
    """A sale that stands. `lot_attributed`: the till named no lot (or none that could be), the booth's oldest was
    taken.
    `dispute_accepted`: more than the booth was known to hold, taken by the organiser's word."""

    booth: Id
    sale: Id
    festival: Id
    till: Id
    lot: Id
    facility: Id
    product: Id
    qty: Qty
    unit_price_rupiah: PriceRupiah
    amount_rupiah: Rupiah
    sold_at: Utc
    lot_attributed: bool = False
    lot_recalled: bool = False
    dispute_accepted: bool = False


class SaleVoidRecorded(Body):
    """A sale that does not stand, for the till that voided it. `stood`: it was recorded before, so its share is
    reversed and its pieces are at the booth again; else no money moves, and what was never settled of it (its
    lot, that lot's facility, the booth's festival) may be None."""

    booth: Id
    sale: Id
    festival: Id | None
    lot: Id | None
    facility: Id | None
    product: Id
    qty: Qty
    amount_rupiah: Rupiah
    stood: bool = True


class SaleDisputed(Body):
    """A sale of more than the booth was known to hold: not dropped, not hidden, for a person to decide.
    SaleRecorded with `dispute_accepted` follows if it is accepted; if it is rejected, nothing does."""

    booth: Id
    sale: Id
    festival: Id | None
    till: Id
    lot: Id | None
    product: Id
    qty: Qty
    amount_rupiah: Rupiah
    sold_at: Utc


# --- sales -> festival


class SoldThrough(Body):
    """Pieces of one lot at one booth: stocked + beyond = sold + lost + moved + unsold. `counted` is what the cashier
    saw. `beyond`: more was sold, lost and moved to other booths than was ever stocked (a dispute was accepted, or
    pieces that the till had sold were recorded as lost or moved); then nothing is unsold."""

    lot: Id
    stocked: Count
    sold: Count
    lost: Count
    unsold: Count
    counted: Count | None
    beyond: Count = 0
    moved: Count = 0


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


class ShareEarned(Body):
    facility: Id
    festival: Id
    booth: Id
    sale: Id
    product: Id
    qty: Qty
    amount_rupiah: Rupiah


class ShareReversed(Body):
    facility: Id
    festival: Id
    booth: Id
    sale: Id
    product: Id
    qty: Qty
    amount_rupiah: Rupiah


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
    sold = facility + maker premium + programme."""

    facility: Id
    festival: Id
    revision: Count
    qty: Count
    sold_rupiah: Rupiah
    facility_rupiah: Rupiah
    maker_premium_rupiah: Rupiah
    programme_rupiah: Rupiah


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


# --- sales -> subscribers: no maker, no buyer, no cashier, no till, no booth


class SalePublished(Body):
    sale: Id
    facility: Id
    festival: Id
    product: Id
    lot: Id
    qty: Qty
    amount_rupiah: Rupiah
    sold_at: Utc


class SaleWithdrawn(Body):
    """The published sale `sale` was voided."""

    sale: Id
    facility: Id
    festival: Id
    product: Id
    lot: Id
    qty: Qty
    amount_rupiah: Rupiah


TILL = Topic("karya.till.sales.v1", "booth", (SaleReported, SaleVoided, BoothCounted, TillClosed))
SALES = Topic("karya.sales.v1", "booth", (SaleRecorded, SaleVoidRecorded, SaleDisputed))
BOOTH_REPORTS = Topic("karya.booth-reports.v1", "festival", (SellThroughCounted, SellThroughSoFar))
SALE_SHARES = Topic(
    "karya.sale-shares.v1",
    "facility",
    (ShareOpened, ShareEarned, ShareReversed, BoothSettled, DemandCounted),
)
SETTLEMENTS = Topic("karya.settlements.v1", "facility", (SettlementIssued, SettlementCorrected))
DEMAND = Topic("karya.demand.v1", "facility", (DemandSignalled,))
PUBLIC_SALES = Topic("karya.public.sales.v1", "facility", (SalePublished, SaleWithdrawn))
SALES_DEADLINES = Topic("karya.sales.deadlines.v1", "key", (DeadlineReached,))
