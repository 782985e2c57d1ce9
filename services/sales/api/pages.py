"""The pages of sales over HTTP. No page contains a person's name."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from services.sales.domain import Booth, FacilityDemand, Receipt, Settlement
from services.sales.domain.booth import BoothLot
from services.sales.domain.demand import ProductAtBooth
from services.sales.domain.device import Device
from services.sales.domain.drawer import Taking
from services.sales.domain.prices import PriceList, compare_price
from services.sales.domain.receipt import Sale, SaleStatus
from services.sales.domain.shelf import HOUR
from shared.events.sales import PartBasis, PaymentKind


class ListPricePage(BaseModel):
    product: str
    price_rupiah: int


class PriceListPage(BaseModel):
    """`valid_from` is null for the list of the opening."""

    revision: int
    valid_from: datetime | None
    prices: list[ListPricePage]


class StockCountPage(BaseModel):
    """Pieces that a count found."""

    counted_at: datetime
    qty: int
    final: bool


class BoothLotPage(BaseModel):
    """One lot at the booth, in pieces.

    `label_qty`: sold by label, or assigned by the organiser. `share_qty`: the lot's share of the unlabelled sales.
    `moved`: sent to other booths. `counted`: the latest count. `unexplained`: unsold pieces that the latest count did
    not find.
    """

    lot: str
    facility: str
    product: str
    made_on: date
    stocked: int
    sold: int
    label_qty: int
    share_qty: int
    lost: int
    moved: int
    unsold: int
    beyond: int
    counted: int | None
    count: StockCountPage | None
    unexplained: int
    sold_rupiah: int
    withdrawn: str | None

    @classmethod
    def of(cls, lot: BoothLot) -> "BoothLotPage":
        latest = lot.latest
        return cls(
            lot=lot.lot,
            facility=lot.facility,
            product=lot.product,
            made_on=lot.made_on,
            stocked=lot.stocked,
            sold=lot.sold,
            label_qty=lot.label_qty,
            share_qty=lot.pool_qty,
            lost=lot.lost,
            moved=lot.moved,
            unsold=lot.unsold,
            beyond=lot.beyond,
            counted=latest.qty if latest is not None else None,
            count=None
            if latest is None
            else StockCountPage(counted_at=latest.at, qty=latest.qty, final=latest == lot.final),
            unexplained=lot.unexplained,
            sold_rupiah=lot.sold_rupiah,
            withdrawn=lot.withdrawn,
        )


class PoolPage(BaseModel):
    """The unlabelled sales of a product.

    `counted`: a final count supports the lots' shares; otherwise they are provisional. `left`: goods without a label
    in the latest count by product.
    """

    product: str
    qty: int
    rupiah: int
    counted: bool
    left: int | None


class BranchPage(BaseModel):
    """One sequence of a device's records. `heard`: records received. `missing`: ranges of records not received."""

    heard: int
    closed: bool
    complete: bool
    struck: bool
    missing: list[tuple[int, int]]


class TillPage(BaseModel):
    """One device under a till's name, or a till without records (`device` null).

    `listed`: festival named the till. `complete`: no more records are expected. `missing`: over all branches.
    """

    till: str
    device: str | None
    listed: bool
    struck: bool
    closed: bool
    complete: bool
    missing: list[tuple[int, int]]
    branches: list[BranchPage]

    @classmethod
    def of(cls, booth: Booth, device: Device) -> "TillPage":
        branches = [
            BranchPage(
                heard=sum(last - first + 1 for first, last in branch.seen),
                closed=branch.last_seq is not None,
                complete=branch.complete,
                struck=branch.struck,
                missing=list(branch.missing),
            )
            for branch in device.branches
        ]
        return cls(
            till=device.till,
            device=device.device,
            listed=device.till in booth.tills,
            struck=device.struck,
            closed=all(branch.closed for branch in branches),
            complete=device.complete,
            missing=[numbers for branch in branches for numbers in branch.missing],
            branches=branches,
        )

    @classmethod
    def unheard(cls, till: str) -> "TillPage":
        return cls(
            till=till,
            device=None,
            listed=True,
            struck=False,
            closed=False,
            complete=False,
            missing=[],
            branches=[],
        )


class DeviceRecordsPage(BaseModel):
    """Which records of a device have arrived. `last`: the highest number. `missing`: ranges that have not."""

    till: str
    device: str
    last: int
    missing: list[tuple[int, int]]
    struck: bool

    @classmethod
    def of(cls, device: Device) -> "DeviceRecordsPage":
        return cls(
            till=device.till,
            device=device.device,
            last=max(branch.top for branch in device.branches),
            missing=[numbers for branch in device.branches for numbers in branch.missing],
            struck=device.struck,
        )


class RefusedOrderPage(BaseModel):
    """A refused void by the organiser. Only `left` pieces of the line could still be voided."""

    receipt: str
    line: int
    qty: int
    left: int


class BoothPage(BaseModel):
    """A booth with its stock, its sales, its open sales and its devices.

    `prices` are those of the latest list. `opening`: how often it opened.
    """

    booth: str
    festival: str | None
    name: str | None
    zone: str | None
    status: str
    deadline: datetime | None
    prices: list[ListPricePage]
    price_lists: list[PriceListPage]
    lots: list[BoothLotPage]
    pools: list[PoolPage]
    tills: list[TillPage]
    sold: int
    sold_rupiah: int
    receipts: int
    waiting: int
    disputed: int
    refused_orders: list[RefusedOrderPage]
    revision: int
    opening: int

    @classmethod
    def of(cls, booth: Booth) -> "BoothPage":
        lists = [
            PriceListPage(
                revision=price_list.revision,
                valid_from=price_list.valid_from,
                prices=[ListPricePage(product=product, price_rupiah=price) for product, price in price_list.prices],
            )
            for price_list in booth.price_lists
        ]
        heard_tills = {device.till for device in booth.devices if not device.given_up}
        return cls(
            booth=booth.id,
            festival=booth.festival,
            name=booth.name,
            zone=booth.zone,
            status=booth.status.value,
            deadline=booth.deadline,
            prices=lists[-1].prices if lists else [],
            price_lists=lists,
            lots=[BoothLotPage.of(lot) for lot in booth.lots],
            pools=[
                PoolPage(
                    product=pool.product,
                    qty=pool.qty,
                    rupiah=pool.rupiah,
                    counted=pool.counted,
                    left=pool.latest.qty if pool.latest is not None else None,
                )
                for pool in booth.pools
            ],
            tills=[TillPage.of(booth, device) for device in booth.devices]
            + [TillPage.unheard(till) for till in booth.tills if till not in heard_tills],
            sold=sum(lot.sold for lot in booth.lots),
            sold_rupiah=sum(lot.sold_rupiah for lot in booth.lots),
            receipts=booth.receipts,
            waiting=len(booth.waiting),
            disputed=len(booth.disputed),
            refused_orders=[RefusedOrderPage(**order._asdict()) for order in booth.refused_orders],
            revision=booth.revision,
            opening=booth.opening,
        )


class PartPage(BaseModel):
    """Pieces of a sale from one lot.

    `basis`: `label`; `share` of the unlabelled sales, which counts may still change; or `named` by the organiser.
    """

    lot: str
    facility: str
    qty: int
    amount_rupiah: int
    basis: PartBasis
    recalled: bool


class SalePage(BaseModel):
    """One line of a receipt and the state of its pieces.

    `old_list`: the valid list was newer than the till's list and had another price. `departs`: the price differs from
    the till's list.
    """

    sale: str
    line: int
    lot: str | None
    product: str
    qty: int
    unit_price_rupiah: int
    net_rupiah: int
    status: SaleStatus
    parts: list[PartPage]
    waiting: int
    disputed: int
    rejected: int
    voided: int
    forwarded: int
    open_rupiah: int
    returned_rupiah: int
    price_reason: str
    old_list: bool
    departs: bool
    revision: int

    @classmethod
    def of(cls, receipt: Receipt, sale: Sale, lists: Sequence[PriceList]) -> "SalePage":
        marked = compare_price(lists, receipt.price_list, sale.product, sale.unit_price_rupiah, receipt.sold_at)
        return cls(
            sale=receipt.sale_id(sale),
            line=sale.line,
            lot=sale.lot,
            product=sale.product,
            qty=sale.qty,
            unit_price_rupiah=sale.unit_price_rupiah,
            net_rupiah=sale.net_rupiah,
            status=sale.status,
            parts=[
                PartPage(
                    lot=part.lot,
                    facility=part.facility,
                    qty=part.qty,
                    amount_rupiah=rupiah,
                    basis=part.basis,
                    recalled=part.recalled,
                )
                for part, rupiah in sale.part_amounts
            ],
            waiting=sale.waiting,
            disputed=sale.disputed,
            rejected=sale.rejected,
            voided=sale.voided,
            forwarded=sale.forwarded,
            open_rupiah=sale.open_rupiah,
            returned_rupiah=sale.returned_rupiah,
            price_reason=sale.price_reason,
            old_list=marked.old_list,
            departs=marked.departs,
            revision=sale.revision,
        )


class ReceiptPage(BaseModel):
    """One receipt. `number` is its place among the booth's receipts, in order of acceptance."""

    receipt: str
    booth: str
    number: int
    till: str
    device: str
    seq: int
    payment: PaymentKind
    discount_rupiah: int
    net_rupiah: int
    price_list: int
    sold_at: datetime
    sales: list[SalePage]

    @classmethod
    def of(cls, receipt: Receipt, lists: Sequence[PriceList]) -> "ReceiptPage":
        names = cls.model_fields.keys() - {"sales", "net_rupiah"}
        return cls(
            net_rupiah=sum(sale.net_rupiah for sale in receipt.sales),
            sales=[SalePage.of(receipt, sale, lists) for sale in receipt.sales],
            **{name: getattr(receipt, name) for name in names},
        )


class TakingPage(BaseModel):
    """The takings of one payment kind, in rupiah."""

    payment: PaymentKind
    receipts: int
    net_rupiah: int
    refunded_rupiah: int


class DayPage(BaseModel):
    """One day in the festival's zone."""

    day: date
    takings: list[TakingPage]


class DrawerPage(BaseModel):
    """One cashier's session (a pseudonym) with a drawer.

    `cash_rupiah`: cash that should be in the drawer by the records; null until the drawer was counted.
    `expected_rupiah`: the same by the device's own records at the count. `difference_rupiah`: counted less
    `cash_rupiah`.
    """

    drawer: str
    till: str
    device: str
    cashier: str | None
    opened_at: datetime | None
    float_rupiah: int
    dropped_rupiah: int
    cash_rupiah: int | None
    counted_rupiah: int | None
    expected_rupiah: int | None
    counted_at: datetime | None
    difference_rupiah: int | None
    takings: list[TakingPage]


class TakingsPage(BaseModel):
    """The takings of a booth, by day and payment kind, and by drawer."""

    booth: str
    zone: str
    days: list[DayPage]
    drawers: list[DrawerPage]

    @classmethod
    def of(cls, booth: Booth) -> "TakingsPage":
        zone = ZoneInfo(booth.zone) if booth.zone is not None else UTC
        days: dict[date, list[Taking]] = {}
        for drawer in booth.drawers:
            for taking in drawer.takings:
                day = datetime.fromtimestamp(taking.hour * HOUR, zone).date()
                days.setdefault(day, []).append(taking)
        names = DrawerPage.model_fields.keys() - {"drawer", "takings", "cash_rupiah"}
        return cls(
            booth=booth.id,
            zone=booth.zone or "UTC",
            days=[DayPage(day=day, takings=_by_kind(takings)) for day, takings in sorted(days.items())],
            drawers=[
                DrawerPage(
                    drawer=drawer.id,
                    # Hidden until then, because the count is blind.
                    cash_rupiah=drawer.cash_rupiah if drawer.counted_at is not None else None,
                    takings=_by_kind(drawer.takings) if drawer.counted_at is not None else [],
                    **{name: getattr(drawer, name) for name in names},
                )
                for drawer in booth.drawers
            ],
        )


def _by_kind(takings: Iterable[Taking]) -> list[TakingPage]:
    sums: dict[PaymentKind, TakingPage] = {}
    for taking in takings:
        total = sums.setdefault(
            taking.kind, TakingPage(payment=taking.kind, receipts=0, net_rupiah=0, refunded_rupiah=0)
        )
        total.receipts += taking.receipts
        total.net_rupiah += taking.net_rupiah
        total.refunded_rupiah += taking.refunded_rupiah
    return [sums[kind] for kind in PaymentKind if kind in sums]


class StrayPage(BaseModel):
    """A booth with sales that no festival has opened, perhaps because of a typing error.

    `first_at`, `last_at`: times of its earliest and latest receipts. `moved_to`: where its records count.
    `unmoved`: records that count nowhere.
    """

    booth: str
    tills: list[str]
    receipts: int
    rupiah: int
    first_at: datetime | None
    last_at: datetime | None
    moved_to: str | None
    unmoved: int

    @classmethod
    def of(cls, booth: Booth, first_at: datetime | None, last_at: datetime | None) -> "StrayPage":
        return cls(
            first_at=first_at,
            last_at=last_at,
            moved_to=booth.forwarding.to if booth.forwarding is not None else None,
            unmoved=booth.unmoved,
            booth=booth.id,
            tills=sorted({device.till for device in booth.devices}),
            receipts=booth.receipts,
            rupiah=sum(taking.net_rupiah for drawer in booth.drawers for taking in drawer.takings),
        )


class BoothSharePage(BaseModel):
    booth: str
    settled: bool
    qty: int
    sold_rupiah: int
    provisional_qty: int
    provisional_rupiah: int


class SettlementPage(BaseModel):
    """One facility's sales at one festival so far, and the division of the money.

    `issued`: it was published, `revision` times. `final`: these are the figures of the latest publication; they are
    not while a booth that came later sells, or while a change is known in part. `provisional_...`: from unlabelled
    sales without a final count.
    """

    facility: str
    festival: str
    issued: bool
    final: bool
    revision: int
    qty: int
    sold_rupiah: int
    facility_rupiah: int
    maker_premium_rupiah: int
    programme_rupiah: int
    provisional_qty: int
    provisional_rupiah: int
    booths: list[BoothSharePage]

    @classmethod
    def of(cls, settlement: Settlement) -> "SettlementPage":
        parts = settlement.parts
        names = BoothSharePage.model_fields
        return cls(
            facility=settlement.facility,
            festival=settlement.festival,
            issued=settlement.revision > 0,
            final=settlement.is_final,
            revision=settlement.revision,
            qty=settlement.qty,
            sold_rupiah=settlement.sold_rupiah,
            facility_rupiah=parts.facility_rupiah,
            maker_premium_rupiah=parts.maker_premium_rupiah,
            programme_rupiah=parts.programme_rupiah,
            provisional_qty=settlement.provisional_qty,
            provisional_rupiah=settlement.provisional_rupiah,
            booths=[BoothSharePage(**{name: getattr(booth, name) for name in names}) for booth in settlement.booths],
        )


class GapPage(BaseModel):
    """A time without stock, from `at` (the last sale) `until` more came; `until` is null if no more came."""

    at: datetime
    until: datetime | None


class DemandLinePage(BaseModel):
    """One product at one booth; `lost_sales` is an estimate."""

    booth: str
    stocked: int
    sold: int
    unsold: int
    sold_rupiah: int
    price_rupiah: int | None
    pieces_per_hour: float
    there_minutes: int
    missing_minutes: int
    lost_sales: int
    sold_out: list[GapPage]

    @classmethod
    def of(cls, line: ProductAtBooth) -> "DemandLinePage":
        names = cls.model_fields.keys() - {"pieces_per_hour", "sold_out"}
        return cls(
            pieces_per_hour=round(float(line.velocity), 1),
            sold_out=[GapPage(at=gap.at, until=gap.until) for gap in line.sold_out],
            **{name: getattr(line, name) for name in names},
        )


class ProductDemandPage(BaseModel):
    """One product over all settled booths, the booth with the most pieces per hour first."""

    product: str
    stocked: int
    sold: int
    unsold: int
    sold_rupiah: int
    lost_sales: int
    booths: list[DemandLinePage]


class FacilityDemandPage(BaseModel):
    """The demand for one facility's products at one festival, the most wanted first. Final once `complete`."""

    facility: str
    festival: str
    complete: bool
    revision: int
    products: list[ProductDemandPage]

    @classmethod
    def of(cls, demand: FacilityDemand) -> "FacilityDemandPage":
        sums = ProductDemandPage.model_fields.keys() - {"booths"}
        return cls(
            facility=demand.facility,
            festival=demand.festival,
            complete=demand.complete,
            revision=demand.revision,
            products=[
                ProductDemandPage(
                    booths=[DemandLinePage.of(line) for line in product.booths],
                    **{name: getattr(product, name) for name in sums},
                )
                for product in demand.products
            ],
        )
