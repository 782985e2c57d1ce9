"""The MongoDB documents of booths, receipts, settlements, demand and public feeds."""

from dataclasses import asdict
from datetime import date
from typing import Any

from services.sales.domain import Booth, FacilityDemand, FacilityFeed, Receipt, Settlement
from services.sales.domain.booth import (
    BoothLot,
    BoothStatus,
    EarlyCount,
    EarlyVoid,
    Forwarding,
    InterimState,
    LotSum,
    Pool,
    RefusedOrder,
    Reopening,
    StockCount,
)
from services.sales.domain.demand import DemandFromBooth, ProductAtBooth, SoldOutSpan
from services.sales.domain.device import Branch, Device, RecordRun
from services.sales.domain.drawer import Drawer, Taking
from services.sales.domain.forwarding import KeptRecord
from services.sales.domain.prices import PriceList
from services.sales.domain.receipt import Part, Sale
from services.sales.domain.settlement import BoothShare, Percentages, PoolShare, SettlementFigures
from services.sales.domain.shelf import HourlySales, ShelfHistory
from shared.events.sales import (
    PartBasis,
    PaymentKind,
)
from shared.runtime.processor import Collection, Document


def _booth_document(booth: Booth) -> dict[str, Any]:
    return {
        "festival": booth.festival,
        "name": booth.name,
        "zone": booth.zone,
        "price_lists": [
            {
                "revision": price_list.revision,
                "valid_from": price_list.valid_from,
                "prices": [{"product": product, "price_rupiah": price} for product, price in price_list.prices],
            }
            for price_list in booth.price_lists
        ],
        "tills": list(booth.tills),
        "struck_tills": list(booth.struck_tills),
        "status": booth.status.value,
        "deadline": booth.deadline,
        "lots": [_lot_document(lot) for lot in booth.lots],
        "pools": [_pool_document(pool) for pool in booth.pools],
        "early_counts": [
            {
                "lot": early.lot,
                "product": early.product,
                "final": _count_document(early.final),
                "latest": _count_document(early.latest),
            }
            for early in booth.early_counts
        ],
        "devices": [
            {
                "device": device.device,
                "till": device.till,
                "given_up": device.given_up,
                "branches": [
                    {
                        "first": branch.first,
                        "seen": [list(numbers) for numbers in branch.seen],
                        # For each range: the id of the record before it, and the id of its last record.
                        "ends": [[run.after, run.head] for run in branch.runs],
                        "last_seq": branch.last_seq,
                        "struck": branch.struck,
                    }
                    for branch in device.branches
                ],
            }
            for device in booth.devices
        ],
        "drawers": [_drawer_document(drawer) for drawer in booth.drawers],
        "receipts": booth.receipts,
        "early_voids": [asdict(early) for early in booth.early_voids],
        "waiting": list(booth.waiting),
        "disputed": list(booth.disputed),
        "facilities": list(booth.facilities),
        "shelves": [
            {
                "facility": shelf.facility,
                "product": shelf.product,
                "came": [list(pair) for pair in shelf.arrivals],
                # Lists without names: hours are most of the document, and names would be longer than the numbers.
                "hours": [list(hour) for hour in shelf.hours],
                "went": [list(pair) for pair in shelf.departures],
            }
            for shelf in booth.shelves
        ],
        "revision": booth.revision,
        "so_far": {
            "revision": booth.interim.revision,
            "quarters": list(booth.interim.quarters),
            "sold_out": list(booth.interim.sold_out),
        },
        "refused_orders": [list(order) for order in booth.refused_orders],
        "early_strikes": list(booth.early_strikes),
        "forwarding": None if booth.forwarding is None else list(booth.forwarding),
        "opening": booth.opening,
        "reopening": None
        if booth.reopening is None
        else {
            "order": booth.reopening.order,
            "opening": booth.reopening.opening,
            "home": [list(pair) for pair in booth.reopening.home],
            "asked": list(booth.reopening.asked),
            "held": list(booth.reopening.held),
        },
    }


def _lot_document(lot: BoothLot) -> dict[str, Any]:
    return {
        "lot": lot.lot,
        "facility": lot.facility,
        "product": lot.product,
        "made_on": lot.made_on.isoformat(),
        "stocked": lot.stocked,
        "lost": lot.lost,
        "moved": lot.moved,
        "label_qty": lot.label_qty,
        "label_rupiah": lot.label_rupiah,
        "named_qty": lot.named_qty,
        "after_qty": lot.after_qty,
        "pool_qty": lot.pool_qty,
        "pool_rupiah": lot.pool_rupiah,
        "withdrawn": lot.withdrawn,
        "final": _count_document(lot.final),
        "latest": _count_document(lot.latest),
        "recount": lot.recount,
    }


def _pool_document(pool: Pool) -> dict[str, Any]:
    return {
        "product": pool.product,
        "qty": pool.qty,
        "rupiah": pool.rupiah,
        "after_qty": pool.after_qty,
        "told": [list(lot_sum) for lot_sum in pool.from_sales],
        "adjusted": [list(lot_sum) for lot_sum in pool.adjusted],
        "final": _count_document(pool.final),
        "latest": _count_document(pool.latest),
        "counted": pool.counted,
        "revision": pool.revision,
    }


def _count_document(count: StockCount | None) -> dict[str, Any] | None:
    return None if count is None else {"at": count.at, "qty": count.qty}


def _drawer_document(drawer: Drawer) -> dict[str, Any]:
    return {
        "id": drawer.id,
        "till": drawer.till,
        "device": drawer.device,
        "cashier": drawer.cashier,
        "opened_at": drawer.opened_at,
        "float_rupiah": drawer.float_rupiah,
        "takings": [
            [taking.hour, taking.kind.value, taking.receipts, taking.net_rupiah, taking.refunded_rupiah]
            for taking in drawer.takings
        ],
        "dropped_rupiah": drawer.dropped_rupiah,
        "counted_rupiah": drawer.counted_rupiah,
        "expected_rupiah": drawer.expected_rupiah,
        "counted_at": drawer.counted_at,
    }


def _booth(document: Document) -> Booth:
    return Booth(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        zone=document["zone"],
        price_lists=tuple(
            PriceList(
                price_list["revision"],
                price_list["valid_from"],
                tuple((price["product"], price["price_rupiah"]) for price in price_list["prices"]),
            )
            for price_list in document["price_lists"]
        ),
        tills=tuple(document["tills"]),
        struck_tills=tuple(document["struck_tills"]),
        status=BoothStatus(document["status"]),
        deadline=document["deadline"],
        lots=tuple(map(_lot, document["lots"])),
        pools=tuple(map(_pool, document["pools"])),
        early_counts=tuple(
            EarlyCount(early["lot"], early["product"], _count(early["final"]), _count(early["latest"]))
            for early in document["early_counts"]
        ),
        devices=tuple(
            Device(
                device["device"],
                device["till"],
                tuple(
                    Branch(
                        branch["first"],
                        tuple(
                            RecordRun(first, last, after, head)
                            for (first, last), (after, head) in zip(branch["seen"], branch["ends"], strict=True)
                        ),
                        branch["last_seq"],
                        branch["struck"],
                    )
                    for branch in device["branches"]
                ),
                device["given_up"],
            )
            for device in document["devices"]
        ),
        drawers=tuple(map(_drawer, document["drawers"])),
        receipts=document["receipts"],
        early_voids=tuple(
            EarlyVoid(early["receipt"], early["line"], early["qty"], early["till"])
            for early in document["early_voids"]
        ),
        waiting=tuple(document["waiting"]),
        disputed=tuple(document["disputed"]),
        facilities=tuple(document["facilities"]),
        shelves=tuple(
            ShelfHistory(
                shelf["facility"],
                shelf["product"],
                tuple((second, qty) for second, qty in shelf["came"]),
                tuple(map(HourlySales._make, shelf["hours"])),
                tuple((second, qty) for second, qty in shelf["went"]),
            )
            for shelf in document["shelves"]
        ),
        revision=document["revision"],
        interim=InterimState(
            document["so_far"]["revision"],
            tuple(document["so_far"]["quarters"]),
            tuple(document["so_far"]["sold_out"]),
        ),
        refused_orders=tuple(map(RefusedOrder._make, document["refused_orders"])),
        early_strikes=tuple(document["early_strikes"]),
        forwarding=None if document["forwarding"] is None else Forwarding(*document["forwarding"]),
        opening=document["opening"],
        reopening=_reopening(document["reopening"]),
    )


def _reopening(document: Document | None) -> Reopening | None:
    if document is None:
        return None
    return Reopening(
        document["order"],
        document["opening"],
        tuple((lot, qty) for lot, qty in document["home"]),
        tuple(document["asked"]),
        tuple(document["held"]),
    )


def _lot(document: Document) -> BoothLot:
    return BoothLot(
        lot=document["lot"],
        facility=document["facility"],
        product=document["product"],
        made_on=date.fromisoformat(document["made_on"]),
        stocked=document["stocked"],
        lost=document["lost"],
        moved=document["moved"],
        label_qty=document["label_qty"],
        label_rupiah=document["label_rupiah"],
        named_qty=document["named_qty"],
        after_qty=document["after_qty"],
        pool_qty=document["pool_qty"],
        pool_rupiah=document["pool_rupiah"],
        withdrawn=document["withdrawn"],
        final=_count(document["final"]),
        latest=_count(document["latest"]),
        recount=document["recount"],
    )


def _pool(document: Document) -> Pool:
    return Pool(
        product=document["product"],
        qty=document["qty"],
        rupiah=document["rupiah"],
        after_qty=document["after_qty"],
        from_sales=tuple(map(LotSum._make, document["told"])),
        adjusted=tuple(map(LotSum._make, document["adjusted"])),
        final=_count(document["final"]),
        latest=_count(document["latest"]),
        counted=document["counted"],
        revision=document["revision"],
    )


def _count(document: Document | None) -> StockCount | None:
    return None if document is None else StockCount(document["at"], document["qty"])


def _drawer(document: Document) -> Drawer:
    return Drawer(
        id=document["id"],
        till=document["till"],
        device=document["device"],
        cashier=document["cashier"],
        opened_at=document["opened_at"],
        float_rupiah=document["float_rupiah"],
        takings=tuple(
            Taking(hour, PaymentKind(kind), receipts, net, refunded)
            for hour, kind, receipts, net, refunded in document["takings"]
        ),
        dropped_rupiah=document["dropped_rupiah"],
        counted_rupiah=document["counted_rupiah"],
        expected_rupiah=document["expected_rupiah"],
        counted_at=document["counted_at"],
    )


_DOUBTS = ("waiting", "disputed")


def _receipt_document(receipt: Receipt) -> dict[str, Any]:
    return {
        "receipt": receipt.receipt,
        "booth": receipt.booth,
        "number": receipt.number,
        "till": receipt.till,
        "device": receipt.device,
        "seq": receipt.seq,
        "drawer": receipt.drawer,
        "payment": receipt.payment.value,
        "discount_rupiah": receipt.discount_rupiah,
        "price_list": receipt.price_list,
        "sold_at": receipt.sold_at,
        "sales": [_sale_document(sale) for sale in receipt.sales],
        # What the queries ask for; it follows from the rest. Few receipts are in doubt.
        **{name: booth for name in _DOUBTS if (booth := getattr(receipt, name)) is not None},
        "sold": receipt.sold,
    }


def _sale_document(sale: Sale) -> dict[str, Any]:
    return {
        "lot": sale.lot,
        "product": sale.product,
        "qty": sale.qty,
        "unit_price_rupiah": sale.unit_price_rupiah,
        "net_rupiah": sale.net_rupiah,
        "price_reason": sale.price_reason,
        "parts": [[part.lot, part.facility, part.qty, part.basis.value, part.recalled] for part in sale.parts],
        "waiting": sale.waiting,
        "disputed": sale.disputed,
        "rejected": sale.rejected,
        "voided": sale.voided,
        "forwarded": sale.forwarded,
        "revision": sale.revision,
        "status": sale.status.value,  # derived, for people who read the document
    }


def _receipt(document: Document) -> Receipt:
    return Receipt(
        id=document["_id"],
        receipt=document["receipt"],
        booth=document["booth"],
        number=document["number"],
        till=document["till"],
        device=document["device"],
        seq=document["seq"],
        drawer=document["drawer"],
        payment=PaymentKind(document["payment"]),
        discount_rupiah=document["discount_rupiah"],
        price_list=document["price_list"],
        sold_at=document["sold_at"],
        sales=tuple(_sale(line, sale) for line, sale in enumerate(document["sales"], 1)),
    )


def _sale(line: int, document: Document) -> Sale:
    return Sale(
        line=line,
        lot=document["lot"],
        product=document["product"],
        qty=document["qty"],
        unit_price_rupiah=document["unit_price_rupiah"],
        net_rupiah=document["net_rupiah"],
        price_reason=document["price_reason"],
        parts=tuple(
            Part(lot, facility, qty, PartBasis(basis), recalled)
            for lot, facility, qty, basis, recalled in document["parts"]
        ),
        waiting=document["waiting"],
        disputed=document["disputed"],
        rejected=document["rejected"],
        voided=document["voided"],
        forwarded=document["forwarded"],
        revision=document["revision"],
    )


def _settlement_document(settlement: Settlement) -> dict[str, Any]:
    percentages, figures, parts = settlement.percentages, settlement.published, settlement.parts
    return {
        "facility": settlement.facility,
        "festival": settlement.festival,
        "percentages": {
            "facility": percentages.facility,
            "maker": percentages.maker,
            "programme": percentages.programme,
        },
        "booths": [
            {
                "booth": booth.booth,
                "settled": booth.settled,
                "qty": booth.qty,
                "sold_rupiah": booth.sold_rupiah,
                "pools": [[pool.product, pool.qty, pool.rupiah, pool.counted] for pool in booth.pools],
                "halfway": booth.halfway,
                "issued": booth.issued,
            }
            for booth in settlement.booths
        ],
        "said": figures and asdict(figures),
        "revision": settlement.revision,
        # Derived from the booths, for people who read the document.
        "issued": settlement.revision > 0,
        "qty": settlement.qty,
        "sold_rupiah": settlement.sold_rupiah,
        "facility_rupiah": parts.facility_rupiah,
        "maker_premium_rupiah": parts.maker_premium_rupiah,
        "programme_rupiah": parts.programme_rupiah,
    }


def _settlement(document: Document) -> Settlement:
    percentages, figures = document["percentages"], document["said"]
    return Settlement(
        id=document["_id"],
        facility=document["facility"],
        festival=document["festival"],
        percentages=Percentages(percentages["facility"], percentages["maker"], percentages["programme"]),
        booths=tuple(
            BoothShare(
                booth["booth"],
                booth["settled"],
                booth["qty"],
                booth["sold_rupiah"],
                tuple(PoolShare(*pool) for pool in booth["pools"]),
                booth["halfway"],
                booth["issued"],
            )
            for booth in document["booths"]
        ),
        published=figures and SettlementFigures(**figures),
        revision=document["revision"],
    )


def _demand_document(demand: FacilityDemand) -> dict[str, Any]:
    return {
        "facility": demand.facility,
        "festival": demand.festival,
        "booths": [
            {
                "booth": booth.booth,
                "lines": None if booth.lines is None else [_line_document(line) for line in booth.lines],
                "held": booth.held,
            }
            for booth in demand.booths
        ],
        "revision": demand.revision,
    }


def _line_document(line: ProductAtBooth) -> dict[str, Any]:
    return asdict(line) | {"sold_out": [asdict(gap) for gap in line.sold_out]}


def _demand(document: Document) -> FacilityDemand:
    return FacilityDemand(
        id=document["_id"],
        facility=document["facility"],
        festival=document["festival"],
        booths=tuple(
            DemandFromBooth(
                booth["booth"],
                None if booth["lines"] is None else tuple(_line(line) for line in booth["lines"]),
                booth["held"],
            )
            for booth in document["booths"]
        ),
        revision=document["revision"],
    )


def _line(document: Document) -> ProductAtBooth:
    gaps = tuple(SoldOutSpan(gap["at"], gap["until"]) for gap in document["sold_out"])
    return ProductAtBooth(**{**document, "sold_out": gaps})


def _feed_document(feed: FacilityFeed) -> dict[str, Any]:
    return {"sequence": feed.sequence}


def _feed(document: Document) -> FacilityFeed:
    return FacilityFeed(document["_id"], document["sequence"])


BOOTHS = Collection("booths", Booth, _booth_document, _booth, listed_by=("festival", "arrived"))
RECEIPTS = Collection(
    "receipts", Receipt, _receipt_document, _receipt, indexes=("sold",), listed_by=("booth",), sparse=_DOUBTS
)
SETTLEMENTS = Collection(
    "settlements",
    Settlement,
    _settlement_document,
    _settlement,
    listed_by=("facility", "festival", "arrived"),
)
DEMANDS = Collection("demand", FacilityDemand, _demand_document, _demand, listed_by=("facility", "festival"))


def _kept_document(record: KeptRecord) -> dict[str, Any]:
    # The place is what the query asks for; it follows from the rest.
    return {name: value for name, value in asdict(record).items() if name != "id"} | {"place": record.place}


def _kept(document: Document) -> KeptRecord:
    return KeptRecord(
        document["_id"],
        document["booth"],
        document["number"],
        document["event"],
        document["source"],
        document["time"],
        document["type"],
        document["json"],
    )


KEPT_RECORDS = Collection("kept_records", KeptRecord, _kept_document, _kept, indexes=("booth", "place"))
FEEDS = Collection("feeds", FacilityFeed, _feed_document, _feed)
