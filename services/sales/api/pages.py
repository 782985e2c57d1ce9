"""What a page of sales looks like. Nobody's name is on any."""

from datetime import date, datetime

from pydantic import BaseModel

from services.sales.domain import Booth, Demand, Sale, Settlement
from services.sales.domain.demand import Line
from services.sales.domain.sale import SaleStatus


class Price(BaseModel):
    product: str
    price_rupiah: int


class BoothLotPage(BaseModel):
    """One lot at the booth, in pieces; `moved`: to other booths; `counted` is what the cashier saw."""

    lot: str
    facility: str
    product: str
    made_on: date
    stocked: int
    sold: int
    lost: int
    moved: int
    unsold: int
    beyond: int
    counted: int | None
    sold_rupiah: int
    withdrawn: str | None


class TillPage(BaseModel):
    """`missing`: ranges of its records that were not heard. `complete`: nothing more is waited for."""

    till: str
    closed: bool
    complete: bool
    missing: list[tuple[int, int]]


class BoothPage(BaseModel):
    """A booth: what it holds and sold, which sales wait for stock or a decision, which tills are waited for."""

    booth: str
    festival: str | None
    name: str | None
    status: str
    deadline: datetime | None
    prices: list[Price]
    lots: list[BoothLotPage]
    tills: list[TillPage]
    sold: int
    sold_rupiah: int
    waiting: int
    disputed: int
    revision: int

    @classmethod
    def of(cls, booth: Booth) -> "BoothPage":
        counts = dict(booth.counts)
        names = BoothLotPage.model_fields.keys() - {"counted"}
        return cls(
            booth=booth.id,
            festival=booth.festival,
            name=booth.name,
            status=booth.status.value,
            deadline=booth.deadline,
            prices=[Price(product=price.product, price_rupiah=price.price_rupiah) for price in booth.prices],
            lots=[
                BoothLotPage(counted=counts.get(lot.lot), **{name: getattr(lot, name) for name in names})
                for lot in booth.lots
            ],
            tills=[
                TillPage(
                    till=till.till,
                    closed=till.last_seq is not None,
                    complete=till.complete,
                    missing=list(till.missing),
                )
                for till in map(booth.till, booth.tills or sorted(till.till for till in booth.heard))
            ],
            sold=sum(lot.sold for lot in booth.lots),
            sold_rupiah=sum(lot.sold_rupiah for lot in booth.lots),
            waiting=len(booth.waiting),
            disputed=len(booth.disputed),
            revision=booth.revision,
        )


class SalePage(BaseModel):
    """One sale and what became of it."""

    sale: str
    booth: str
    festival: str | None
    till: str
    lot: str | None
    facility: str | None
    product: str
    qty: int
    unit_price_rupiah: int
    amount_rupiah: int
    sold_at: datetime
    status: SaleStatus
    lot_attributed: bool
    lot_recalled: bool
    dispute_accepted: bool

    @classmethod
    def of(cls, sale: Sale) -> "SalePage":
        return cls(**{name: getattr(sale, name) for name in cls.model_fields})


class BoothSharePage(BaseModel):
    booth: str
    settled: bool
    qty: int
    sold_rupiah: int


class SettlementPage(BaseModel):
    """What one facility sold at one festival so far, and its parts. Final once `issued` and every booth is settled;
    `revision` says how often it was told."""

    facility: str
    festival: str
    issued: bool
    revision: int
    qty: int
    sold_rupiah: int
    facility_rupiah: int
    maker_premium_rupiah: int
    programme_rupiah: int
    booths: list[BoothSharePage]

    @classmethod
    def of(cls, settlement: Settlement) -> "SettlementPage":
        parts = settlement.parts
        names = BoothSharePage.model_fields
        return cls(
            facility=settlement.facility,
            festival=settlement.festival,
            issued=settlement.revision > 0,
            revision=settlement.revision,
            qty=settlement.qty,
            sold_rupiah=settlement.sold_rupiah,
            facility_rupiah=parts.facility_rupiah,
            maker_premium_rupiah=parts.maker_premium_rupiah,
            programme_rupiah=parts.programme_rupiah,
            booths=[BoothSharePage(**{name: getattr(booth, name) for name in names}) for booth in settlement.booths],
        )


class GapPage(BaseModel):
    """Nothing was left from `at` (the last sale) `until` more came; null: to the end."""

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
    def of(cls, line: Line) -> "DemandLinePage":
        given = cls.model_fields.keys() - {"pieces_per_hour", "sold_out"}
        return cls(
            pieces_per_hour=round(float(line.pace), 1),
            sold_out=[GapPage(at=gap.at, until=gap.until) for gap in line.sold_out],
            **{name: getattr(line, name) for name in given},
        )


class ProductDemandPage(BaseModel):
    """One product over all booths that are settled, the one with the best pace first."""

    product: str
    stocked: int
    sold: int
    unsold: int
    sold_rupiah: int
    lost_sales: int
    booths: list[DemandLinePage]


class DemandPage(BaseModel):
    """How one facility's products went at one festival, what was most asked for first. Final once `complete`."""

    facility: str
    festival: str
    complete: bool
    revision: int
    products: list[ProductDemandPage]

    @classmethod
    def of(cls, demand: Demand) -> "DemandPage":
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
