"""How booths, sales, settlements and demand are kept, and what an event touches."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

from services.sales.domain import Booth, Demand, Sale, Settlement
from services.sales.domain.booth import BoothLot, BoothStatus, PriceTag, SoFar, TillHeard
from services.sales.domain.demand import BoothDemand, Gap, Line, demand_id
from services.sales.domain.sale import SaleStatus, entity_id, sale_id
from services.sales.domain.settlement import BoothShare, Percentages, Said, settlement_id
from services.sales.domain.shelf import Hour, Shelf
from shared.events.festival import DisputeResolved
from shared.events.language import Event
from shared.events.sales import (
    BoothSettled,
    DemandCounted,
    SaleReported,
    SaleVoided,
    ShareEarned,
    ShareOpened,
    ShareReversed,
)
from shared.family import Collection, Document
from shared.state import Hint, Ref


def touches(event: Event) -> Iterator[Ref | Hint]:
    """The booth, the sale that the event is about, and the booth's sales that wait: nearly any event can cover them
    or end their waiting. They lie in the booth's own lane, so that the hint finds them as they are."""
    yield Ref(Booth, event.key)
    yield Hint(Sale, "waiting", event.key)
    match event.body:
        case SaleReported() as body:
            yield Ref(Sale, entity_id(body.booth, sale_id(event)))
        case SaleVoided() | DisputeResolved() as body:
            yield Ref(Sale, entity_id(body.booth, body.sale))
        case _:
            return


def touches_facility(event: Event) -> Iterator[Ref | Hint]:
    """All that a booth says is of one facility at one festival."""
    match event.body:
        case DemandCounted() as body:
            yield Ref(Demand, demand_id(body.facility, body.festival))
        case ShareOpened() as body:
            yield Ref(Settlement, settlement_id(body.facility, body.festival))
            yield Ref(Demand, demand_id(body.facility, body.festival))
        case ShareEarned() | ShareReversed() | BoothSettled() as body:
            yield Ref(Settlement, settlement_id(body.facility, body.festival))
        case _:
            return


def _booth_document(booth: Booth) -> dict[str, Any]:
    return {
        "festival": booth.festival,
        "name": booth.name,
        "prices": [{"product": price.product, "price_rupiah": price.price_rupiah} for price in booth.prices],
        "tills": list(booth.tills),
        "status": booth.status.value,
        "deadline": booth.deadline,
        "lots": [
            {
                "lot": lot.lot,
                "facility": lot.facility,
                "product": lot.product,
                "made_on": lot.made_on.isoformat(),
                "stocked": lot.stocked,
                "lost": lot.lost,
                "sold": lot.sold,
                "sold_rupiah": lot.sold_rupiah,
                "withdrawn": lot.withdrawn,
                "moved": lot.moved,
            }
            for lot in booth.lots
        ],
        "counts": [{"lot": lot, "qty": qty} for lot, qty in booth.counts],
        "heard": [
            {"till": till.till, "seen": [list(range) for range in till.seen], "last_seq": till.last_seq}
            for till in booth.heard
        ],
        "early_voids": list(booth.early_voids),
        "waiting": list(booth.waiting),
        "disputed": list(booth.disputed),
        "facilities": list(booth.facilities),
        "shelves": [
            {
                "facility": shelf.facility,
                "product": shelf.product,
                "came": [list(pair) for pair in shelf.came],
                # By far the most of it: no names, or they would be longer than the numbers.
                "hours": [list(hour) for hour in shelf.hours],
                "went": [list(pair) for pair in shelf.went],
            }
            for shelf in booth.shelves
        ],
        "revision": booth.revision,
        "so_far": {
            "revision": booth.so_far.revision,
            "quarters": list(booth.so_far.quarters),
            "sold_out": list(booth.so_far.sold_out),
        },
    }


def _booth(document: Document) -> Booth:
    return Booth(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        prices=tuple(PriceTag(price["product"], price["price_rupiah"]) for price in document["prices"]),
        tills=tuple(document["tills"]),
        status=BoothStatus(document["status"]),
        deadline=document["deadline"],
        lots=tuple(
            BoothLot(
                lot=lot["lot"],
                facility=lot["facility"],
                product=lot["product"],
                made_on=date.fromisoformat(lot["made_on"]),
                stocked=lot["stocked"],
                lost=lot["lost"],
                sold=lot["sold"],
                sold_rupiah=lot["sold_rupiah"],
                withdrawn=lot["withdrawn"],
                # Here and below, `get`: not there in what was written before.
                moved=lot.get("moved", 0),
            )
            for lot in document["lots"]
        ),
        counts=tuple((count["lot"], count["qty"]) for count in document["counts"]),
        heard=tuple(
            TillHeard(till["till"], tuple((first, last) for first, last in till["seen"]), till["last_seq"])
            for till in document["heard"]
        ),
        early_voids=tuple(document["early_voids"]),
        waiting=tuple(document["waiting"]),
        disputed=tuple(document["disputed"]),
        facilities=tuple(document["facilities"]),
        shelves=tuple(
            Shelf(
                shelf["facility"],
                shelf["product"],
                tuple((second, qty) for second, qty in shelf["came"]),
                tuple(map(Hour._make, shelf["hours"])),
                tuple((second, qty) for second, qty in shelf.get("went", ())),
            )
            for shelf in document.get("shelves", ())
        ),
        revision=document["revision"],
        so_far=_so_far(document.get("so_far")),
    )


def _so_far(document: Document | None) -> SoFar:
    if document is None:
        return SoFar()
    return SoFar(document["revision"], tuple(document["quarters"]), tuple(document["sold_out"]))


def _sale_document(sale: Sale) -> dict[str, Any]:
    return {
        "sale": sale.sale,
        "booth": sale.booth,
        "festival": sale.festival,
        "till": sale.till,
        "lot": sale.lot,
        "facility": sale.facility,
        "product": sale.product,
        "qty": sale.qty,
        "unit_price_rupiah": sale.unit_price_rupiah,
        "amount_rupiah": sale.amount_rupiah,  # for those who read; it follows from the two before
        "sold_at": sale.sold_at,
        "status": sale.status.value,
        "waiting": sale.booth if sale.status is SaleStatus.WAITING else None,  # what the hint asks for
        "lot_attributed": sale.lot_attributed,
        "lot_recalled": sale.lot_recalled,
        "dispute_accepted": sale.dispute_accepted,
    }


def _sale(document: Document) -> Sale:
    return Sale(
        id=document["_id"],
        sale=document["sale"],
        booth=document["booth"],
        till=document["till"],
        lot=document["lot"],
        product=document["product"],
        qty=document["qty"],
        unit_price_rupiah=document["unit_price_rupiah"],
        sold_at=document["sold_at"],
        status=SaleStatus(document["status"]),
        festival=document["festival"],
        facility=document["facility"],
        lot_attributed=document["lot_attributed"],
        lot_recalled=document["lot_recalled"],
        dispute_accepted=document["dispute_accepted"],
    )


def _settlement_document(settlement: Settlement) -> dict[str, Any]:
    by, said, parts = settlement.percentages, settlement.said, settlement.parts
    return {
        "facility": settlement.facility,
        "festival": settlement.festival,
        "percentages": {"facility": by.facility, "maker": by.maker, "programme": by.programme},
        "booths": [
            {
                "booth": booth.booth,
                "settled": booth.settled,
                "qty": booth.qty,
                "sold_rupiah": booth.sold_rupiah,
            }
            for booth in settlement.booths
        ],
        "said": said and {"qty": said.qty, "sold_rupiah": said.sold_rupiah},
        "revision": settlement.revision,
        # For those who read; all of it follows from the booths.
        "issued": settlement.revision > 0,
        "qty": settlement.qty,
        "sold_rupiah": settlement.sold_rupiah,
        "facility_rupiah": parts.facility_rupiah,
        "maker_premium_rupiah": parts.maker_premium_rupiah,
        "programme_rupiah": parts.programme_rupiah,
    }


def _settlement(document: Document) -> Settlement:
    by, said = document["percentages"], document["said"]
    return Settlement(
        id=document["_id"],
        facility=document["facility"],
        festival=document["festival"],
        percentages=Percentages(by["facility"], by["maker"], by["programme"]),
        booths=tuple(
            BoothShare(booth["booth"], booth["settled"], booth["qty"], booth["sold_rupiah"])
            for booth in document["booths"]
        ),
        said=said and Said(said["qty"], said["sold_rupiah"]),
        revision=document["revision"],
    )


def _demand_document(demand: Demand) -> dict[str, Any]:
    return {
        "facility": demand.facility,
        "festival": demand.festival,
        "booths": [
            {
                "booth": booth.booth,
                "lines": None if booth.lines is None else [_line_document(line) for line in booth.lines],
            }
            for booth in demand.booths
        ],
        "revision": demand.revision,
    }


def _line_document(line: Line) -> dict[str, Any]:
    return asdict(line) | {"sold_out": [asdict(gap) for gap in line.sold_out]}


def _demand(document: Document) -> Demand:
    return Demand(
        id=document["_id"],
        facility=document["facility"],
        festival=document["festival"],
        booths=tuple(
            BoothDemand(
                booth["booth"], None if booth["lines"] is None else tuple(_line(line) for line in booth["lines"])
            )
            for booth in document["booths"]
        ),
        revision=document["revision"],
    )


def _line(document: Document) -> Line:
    gaps = tuple(Gap(gap["at"], gap["until"]) for gap in document["sold_out"])
    return Line(**{**document, "sold_out": gaps})


BOOTHS = Collection("booths", Booth, _booth_document, _booth, indexes=("festival",))
SALES = Collection("sales", Sale, _sale_document, _sale, indexes=("waiting",))
SETTLEMENTS = Collection(
    "settlements", Settlement, _settlement_document, _settlement, indexes=("facility", "festival")
)
DEMANDS = Collection("demand", Demand, _demand_document, _demand, indexes=("facility", "festival"))
