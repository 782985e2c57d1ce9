"""Tills' records, the accounting of sales, settlements, and public events."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.events.amounts import net_amounts
from shared.events.language import (
    MAX_VALUE_BYTES,
    MAX_WHOLE,
    Body,
    CommandId,
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
from shared.wording import Message, WrongValue

# Pieces or rupiah more, or fewer if negative.
Signed = Annotated[int, Field(ge=-MAX_WHOLE, le=MAX_WHOLE)]
MAX_LINES = 100
# Lots, or products, in one count.
MAX_COUNTED = 1000
# The limit of one record of a till. Sums of millions of them still fit the database's numbers.
MAX_TILL_RUPIAH = 1_000_000_000_000
TillRupiah = Annotated[int, Field(ge=0, le=MAX_TILL_RUPIAH)]

# --- tills -> sales. Every record names its device, its number there (from 1 without gaps) and the record before it.


class TillRecord(Body):
    """The common fields of a till's records. `till`: the name of a place at the booth. `device`: the identity of the
    spool with the records. `previous`: the ce_id of the device's record `seq` - 1; None for the first."""

    booth: Id
    till: Id
    device: Id
    seq: Qty
    previous: Id | None = None


class DeviceIntroduced(TillRecord):
    """A device is at the booth and has no other record yet."""

    introduced_at: Utc


class PaymentKind(StrEnum):
    """`QRIS`: the cashier saw the payment, which a till without a network can't check."""

    CASH = "cash"
    QRIS = "qris"
    OTHER = "other"


class Payment(Body):
    """The payment of a receipt. `given_rupiah` and `change_rupiah` are for cash only."""

    kind: PaymentKind
    reference: Text = ""
    given_rupiah: Rupiah | None = None
    change_rupiah: Rupiah = 0


class ReceiptLine(Body):
    """`qty` pieces of one product at one price. `lot` is from the label; None: the goods had no label.
    `price_reason`: the cashier's reason for a price that differs from the list."""

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
    """One purchase of at most 1,000,000,000,000 rupiah. Its ce_id is the receipt's id.

    Lines are numbered from 1. `discount_rupiah`: the discount on the whole receipt, divided over the lines by largest
    remainder. `drawer`: the ce_id of the DrawerOpened for the payment. `price_list`: the revision that the till knew;
    0: none.
    """

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
                raise WrongValue(Message("The lines are not numbered from 1 in their order."))
            net = line.qty * line.unit_price_rupiah - line.discount_rupiah
            if net < 0:
                raise WrongValue(Message("A line's discount exceeds its amount."))
            due += net
        if due < 0:
            raise WrongValue(Message("The receipt's discount exceeds the sum of its lines."))
        if due > MAX_TILL_RUPIAH:
            raise WrongValue(Message("The receipt comes to more than {most:rupiah}.", most=MAX_TILL_RUPIAH))
        given_rupiah = self.payment.given_rupiah
        if given_rupiah is not None and given_rupiah - self.payment.change_rupiah != due:
            raise WrongValue(Message("Money given less change is not the sum of the receipt."))
        return self


class VoidedLine(Body):
    """`qty` pieces of line `line` are voided."""

    line: Qty
    qty: Qty


class ReceiptVoided(TillRecord):
    """Pieces of a receipt of this booth, from any of its tills, are voided: goods came back.

    This till returned `refund_rupiah` by payment kind `refund`, out of `drawer`. The till states the sum, because it
    may know less of the receipt than sales does.
    """

    receipt: Id
    lines: Annotated[tuple[VoidedLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    refund: PaymentKind = PaymentKind.CASH
    refund_rupiah: TillRupiah = 0
    drawer: Id | None = None
    reason: Text = ""
    voided_at: Utc


class LotCount(Body):
    """Counted pieces of a lot."""

    lot: Id
    qty: Count


class ProductCount(Body):
    """`qty` pieces of the product without a label."""

    product: Id
    qty: Count


class BoothCounted(TillRecord):
    """Pieces left at the booth at `counted_at`. A `final` count decides the division of the unlabelled sales made
    before it; other counts are for information. Lots left out were not counted."""

    counted_at: Utc
    final: bool = True
    lots: Annotated[tuple[LotCount, ...], Field(max_length=MAX_COUNTED)] = ()
    products: Annotated[tuple[ProductCount, ...], Field(max_length=MAX_COUNTED)] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({lot.lot for lot in self.lots}) < len(self.lots):
            raise WrongValue(Message("A lot is counted twice."))
        if len({product.product for product in self.products}) < len(self.products):
            raise WrongValue(Message("A product is counted twice."))
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
    """The cashier counted the drawer before the expected sum was shown. `expected_rupiah`: the sum by the device's
    own records."""

    drawer: Id
    counted_rupiah: TillRupiah
    expected_rupiah: Signed
    counted_at: Utc


class RecordTakenOut(TillRecord):
    """Stands in the place of a record that was taken out on its device before it was sent, so that its number is not
    missing. `kind`: the event that it was, with its rupiah."""

    kind: Id
    rupiah: Rupiah
    reason: Text = ""
    taken_out_at: Utc


class TillClosed(TillRecord):
    """The device's last record. Its records are 1 to `last_seq`, which is this one. `opening`: the latest opening of
    the booth that the device knows, the first being 1. A booth that was reopened since waits for another one."""

    last_seq: Qty
    opening: Qty = 1


# --- sales -> anyone, keyed by booth. A sale is one line of a receipt: its id is `<receipt>/<line>`.


class PartBasis(StrEnum):
    """The basis of a part: `LABEL`, the label named the lot; `SHARE` of the unlabelled sales, which counts may still
    change; `NAMED`, the organiser named the lot."""

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
    """A snapshot of one sale; the highest `revision` (from 1) is valid.

    Pieces: `qty` = the parts + `waiting` + `disputed` + `rejected` + `voided` + `forwarded`. Rupiah: `net_rupiah` =
    the parts + `open_rupiah` (waiting, disputed, rejected and forwarded pieces) + `returned_rupiah` (voided pieces).
    `forwarded` pieces count at another booth. `lot`: the lot on the label.
    """

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
    forwarded: Count = 0


class VoidRefused(Body):
    """A void of more pieces than the sale has left; nothing of it was done. `till` is None if the organiser ordered
    it. `left`: pieces that can still be voided."""

    booth: Id
    receipt: Id
    line: Qty
    till: Id | None
    qty: Qty
    left: Count


class DeviceHeard(Body):
    """The first record of a device arrived. The device now has a part of the booth's allowance."""

    booth: Id
    till: Id
    device: Id


class BoothReopened(Body):
    """A booth that was closed sells again. Its tills may sell on, also those that had closed; each closes again after
    its last sale. `opening`: the number of this opening, the first being 1."""

    booth: Id
    opening: Qty


class BoothRedirected(Body):
    """Records that tills send for the booth count at booth `to` from now on. Its tills should be set up there.

    `merged`: the organiser merged the booth, and its further receipts are answered at `to` only. Otherwise no
    festival has opened the booth.
    """

    booth: Id
    to: Id
    merged: bool


# --- sales -> festival


class SoldThrough(Body):
    """Pieces of one lot at one booth: stocked + beyond = sold + lost + moved + unsold.

    `counted`: pieces in the latest count. `unexplained`: unsold pieces that this count did not find. `beyond`: pieces
    sold, lost or moved in excess of the pieces stocked; nothing is unsold then. This happens after an accepted
    dispute, if sold pieces were recorded as lost or moved, or if a recount found fewer pieces than were sold.
    """

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
    """The stock and the sales of a settled booth.

    A late sale, a void, a late count or a resolved dispute publishes it again with a higher revision (from 1).
    `disputed`: the sales that wait for ResolveDispute, the oldest first, at most a thousand. Later ones move up as
    these are resolved.
    """

    festival: Id
    booth: Id
    revision: Count
    lots: tuple[SoldThrough, ...]
    disputed: tuple[Id, ...] = ()


class LotSoFar(Body):
    """Sold pieces of a lot."""

    lot: Id
    sold: Count


class ProductSoFar(Body):
    """The clock hours in which a booth had stock of a product, at most the last 72.

    The hours are in order and counted since 1970 in UTC. `sold` and `minutes` have one entry for each hour. Minutes
    count while the booth was open, as far as its sales show, with stock.
    """

    product: Id
    hours: tuple[Count, ...]
    sold: tuple[Count, ...]
    minutes: tuple[Count, ...]


class SellThroughSoFar(Body):
    """The sales of an open booth so far.

    It is published with the first sale of each quarter of an hour on the tills' clocks. It is also published with the
    sale of a product's last known piece, once until more stock comes. The highest `revision` (from 1) is valid; `at`
    is the time of that sale. `lots`: the lots with sales.
    """

    festival: Id
    booth: Id
    at: Utc
    revision: Count
    lots: tuple[LotSoFar, ...]
    products: tuple[ProductSoFar, ...]


class ReopeningGranted(Body):
    """The booth sells again. `order`: as in ReopeningRequested."""

    festival: Id
    booth: Id
    order: Id
    opening: Qty


class ReopeningRefused(Body):
    """The booth stays settled: the settlement of `facility`, which includes the booth, was issued."""

    festival: Id
    booth: Id
    order: Id
    facility: Id


class ResolutionApplied(Body):
    """Sales carried out the organiser's decision on a sale: `accepted` and `rejected` pieces, and `left` pieces that
    are still in doubt. `order`: as in DisputeResolved."""

    festival: Id
    booth: Id
    order: Id
    sale: Id
    accepted: Count
    rejected: Count
    left: Count


class ResolutionRefusal(StrEnum):
    """The reason why a decision on a sale changed nothing.

    - `UNKNOWN_SALE`: the booth has no such sale.
    - `NOT_IN_DOUBT`: no piece of it is disputed or waiting.
    - `OTHER_PRODUCT`: the named lot is of another product.
    - `NOT_CREDITABLE`: no facility has sent more pieces than it is credited with.
    """

    UNKNOWN_SALE = "unknown_sale"
    NOT_IN_DOUBT = "not_in_doubt"
    OTHER_PRODUCT = "other_product"
    NOT_CREDITABLE = "not_creditable"


class ResolutionRefused(Body):
    """The organiser's decision on a sale changed nothing. `order`: as in DisputeResolved."""

    festival: Id
    booth: Id
    order: Id
    sale: Id
    reason: ResolutionRefusal


class BoothForwardingBegun(Body):
    """Answers BoothForwarded: records of `booth` count at booth `to` from now on. `records`: those that had come.
    `lots`: unsold pieces that go to booth `to` too."""

    festival: Id
    booth: Id
    to: Id
    order: CommandId
    records: Count
    lots: tuple[LotCount, ...] = ()


class ForwardingRefusal(StrEnum):
    """The reason why the records of a booth can't count at another one. `ELSEWHERE`: they count at a third one
    already. `OPENED`: a festival has opened the booth. `NOT_OPEN`: it is no open booth of the festival."""

    ELSEWHERE = "elsewhere"
    OPENED = "opened"
    NOT_OPEN = "not_open"
    NO_RECORDS = "no_records"


class BoothForwardingRefused(Body):
    """Answers BoothForwarded: nothing changed. `other`: the booth or the festival that the reason is about."""

    festival: Id
    booth: Id
    to: Id
    order: CommandId
    reason: ForwardingRefusal
    other: Id | None = None


# --- sales -> sales: from booth to booth


class ForwardedAs(StrEnum):
    """The effect of a forwarded record. `COPY`: it counts at the new booth, and the old one keeps its sales as
    forwarded. `WHOLE`: it counts at the new booth only. `NUMBER`: it counts at the old booth, and the new one knows
    its number."""

    COPY = "copy"
    WHOLE = "whole"
    NUMBER = "number"


class RecordForwarded(Body):
    """A till's record for booth `booth` counts at booth `key`.

    `id`, `source`, `time` and `type` are those of the original, and `record` is its JSON.
    """

    key: Id
    booth: Id
    effect: ForwardedAs
    id: CommandId
    source: Text
    time: Utc
    type: Id
    record: Annotated[str, Field(max_length=MAX_VALUE_BYTES // 2)]


class ForwardingContinued(Body):
    """The records after number `after` up to number `until`, in the order in which they came for booth `key`, are to
    be forwarded next. No festival has opened the booth. `receipts`: the receipts among them."""

    key: Id
    after: Count
    until: Count
    receipts: tuple[Id, ...]


class RunOfRecords(Body):
    """Consecutive records of a device, by their numbers. `after`: the ce_id of the record before the first; `head`:
    that of the last."""

    first: Qty
    last: Qty
    after: CommandId | None
    head: CommandId


class BranchOfRecords(Body):
    """One sequence of a device's records. `first`: the number at which it begins. `last_seq`: as in its
    TillClosed."""

    first: Count
    runs: tuple[RunOfRecords, ...]
    last_seq: Qty | None = None
    struck: bool = False


class DeviceForwarded(Body):
    """A device of booth `booth` goes on at booth `key`, with the records that have come so far. `given_up`: the
    organiser struck its till's name there."""

    key: Id
    booth: Id
    till: Id
    device: Id
    branches: tuple[BranchOfRecords, ...]
    given_up: bool = False


# --- sales -> sales: from booth to facility, and back


class ShareOpened(Body):
    """The booth has goods of the facility, whose settlement waits for this booth."""

    facility: Id
    festival: Id
    booth: Id


class LotShare(Body):
    """Sold pieces of one lot and their rupiah."""

    lot: Id
    qty: Qty
    amount_rupiah: Rupiah


class SaleShared(Body):
    """A snapshot of one facility's part of one sale; zeros and no lots when the part is gone.

    `change_...`: the difference from the snapshot before. `pooled_...`: the part of the difference from unlabelled
    sales. `continued`: the next event has the same cause and changes the facility's sum again.
    """

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
    """The cause of a move of unlabelled sales between makers."""

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
    """A snapshot of one facility's part in a booth's unlabelled sales of a product; the highest `revision` is valid.

    `share_...`: the part. `adjusted_...`: the difference between the part and the parts in single sales. Over all
    facilities of the booth `adjusted_...` adds up to 0. `change_...`: the difference from the snapshot before.
    `counted`: a final count supports the share; otherwise it is provisional. `continued`: as in SaleShared.
    """

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
    """No more changes are expected from this booth for this facility."""

    facility: Id
    festival: Id
    booth: Id


class ShareHoldRequested(Body):
    """The booth is to sell again: the facility's settlement is to wait for it, unless it was issued."""

    facility: Id
    festival: Id
    booth: Id
    order: Id


class ShareHoldAnswered(Body):
    """The answer to booth `key`: the settlement of `facility` waits for it (`held`), or was issued before."""

    key: Id
    facility: Id
    order: Id
    held: bool


class ShareReopened(Body):
    """The booth sells again. The facility's settlement and demand wait for it once more."""

    facility: Id
    festival: Id
    booth: Id


class SoldOut(Body):
    """A time without stock, from `at` (the last sale) `until` more came; None: no more came."""

    at: Utc
    until: Utc | None


class DemandLine(Body):
    """A facility's pieces of one product at one booth.

    `stocked`: without pieces moved to other booths. `price_rupiah`: the average per piece, rounded down. Minutes
    count while the booth was open, as far as its sales show. Minutes in which all pieces had been moved away are
    neither `there_minutes` nor `missing_minutes`. `lost_sales` is an estimate: sold ÷ minutes with stock × minutes
    without. Stock is any maker's, and minutes with stock are at least an hour. A maker that sold out loses nothing
    while other makers have the same product there.
    """

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
    """The demand for the facility's goods at a settled booth. It is published again after each change."""

    facility: Id
    festival: Id
    booth: Id
    lines: tuple[DemandLine, ...]


# --- sales -> facilities


class SettlementIssued(Body):
    """One facility's sales at one festival, and the division of the money. Whole rupiah: sold = facility + maker
    premium + programme. `provisional_...`: the part from unlabelled sales without a final count."""

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
    """The same after a late sale or void. It replaces every lower revision."""


class SettlementPostponed(Body):
    """Booth `booth`, which was closed, sells again. The facility's settlement and demand signal wait for it."""

    facility: Id
    festival: Id
    booth: Id


class ProductDemand(Body):
    """One product over all booths. `booths`: at most fifty, the booth with the most pieces sold per open hour
    first."""

    product: Id
    stocked: Count
    sold: Count
    unsold: Count
    sold_rupiah: Rupiah
    lost_sales: Count
    booths: tuple[DemandLine, ...]


class DemandSignalled(Body):
    """The demand for a facility's products at a festival, the most wanted first.

    It is published once every booth is settled. After a late sale or void it is published again with a higher
    revision (from 1), which replaces every lower one.
    """

    facility: Id
    festival: Id
    revision: Count
    products: tuple[ProductDemand, ...]


# --- sales -> subscribers: no maker, no buyer, no cashier, no till, no booth, nothing that joins the lines of a
# receipt


class SalePublished(Body):
    """A snapshot of one facility's part of one sale. The highest `revision` of (`sale`, `facility`) is valid; 0
    pieces mean that the facility has no part of it now. `sequence` counts the facility's public events from 1 without
    gaps."""

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
    """A snapshot of pieces and rupiah that unlabelled sales of a product moved to (or from) the facility, beyond its
    sales. The highest `revision` of (`adjustment`, `facility`) is valid. A facility's total is its sales plus its
    adjustments."""

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
        RecordTakenOut,
        TillClosed,
    ),
)
SALES = Topic("karya.sales.v1", "booth", (SaleAccounted, VoidRefused, DeviceHeard, BoothReopened, BoothRedirected))
BOOTH_REPORTS = Topic(
    "karya.booth-reports.v1",
    "festival",
    (
        SellThroughCounted,
        SellThroughSoFar,
        ReopeningGranted,
        ReopeningRefused,
        ResolutionApplied,
        ResolutionRefused,
        BoothForwardingBegun,
        BoothForwardingRefused,
    ),
)
SALE_SHARES = Topic(
    "karya.sale-shares.v1",
    "facility",
    (ShareOpened, SaleShared, PoolAdjusted, BoothSettled, DemandCounted, ShareHoldRequested, ShareReopened),
)
SETTLEMENTS = Topic("karya.settlements.v1", "facility", (SettlementIssued, SettlementCorrected, SettlementPostponed))
DEMAND = Topic("karya.demand.v1", "facility", (DemandSignalled,))
PUBLIC_SALES = Topic("karya.public.sales.v1", "facility", (SalePublished, AdjustmentPublished))
SALES_DEADLINES = Topic(
    "karya.sales.deadlines.v1",
    "key",
    (DeadlineReached, ShareHoldAnswered, RecordForwarded, DeviceForwarded, ForwardingContinued),
)
