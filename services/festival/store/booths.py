"""Documents of festivals, booths and the sales of open booths."""

from datetime import date
from typing import Any

from services.festival.domain import Booth, BoothSales, Festival
from services.festival.domain.booth import BoothStatus, LastCount, PriceTag
from services.festival.domain.booth_lot import BoothLot
from services.festival.domain.festival import FestivalStatus, Sums
from services.festival.store.days import as_day, day_text
from shared.runtime.processor import Collection, Document


def _festival_document(festival: Festival) -> dict[str, Any]:
    sums = festival.sums
    return {
        "name": festival.name,
        "place": festival.place,
        "zone": festival.zone,
        "first_day": festival.first_day.isoformat(),
        "last_day": festival.last_day.isoformat(),
        "lead_days": [{"facility": facility, "days": days} for facility, days in festival.lead_days],
        "added_days": [{"facility": facility, "days": days} for facility, days in festival.added_days],
        "weights": [{"facility": facility, "weight": weight} for facility, weight in festival.weights],
        "island": festival.island,
        "status": festival.status.value,
        "revision": festival.revision,
        "sums": sums
        and {
            "received": sums.received,
            "sold": sums.sold,
            "returned": sums.returned,
            "lost": sums.lost,
            "surplus": sums.surplus,
            "lost_on_the_way": sums.lost_on_the_way,
            "found": sums.found,
        },
    }


def _festival(document: Document) -> Festival:
    return Festival(
        id=document["_id"],
        name=document["name"],
        place=document["place"],
        zone=document["zone"],
        first_day=date.fromisoformat(document["first_day"]),
        last_day=date.fromisoformat(document["last_day"]),
        status=FestivalStatus(document["status"]),
        revision=document["revision"],
        sums=document["sums"] and Sums(**document["sums"]),
        # Here and below, `get`: older documents lack the field.
        lead_days=tuple((entry["facility"], entry["days"]) for entry in document.get("lead_days", ())),
        weights=tuple((entry["facility"], entry["weight"]) for entry in document.get("weights", ())),
        island=document.get("island"),
        added_days=tuple((entry["facility"], entry["days"]) for entry in document.get("added_days", ())),
    )


def _booth_document(booth: Booth) -> dict[str, Any]:
    return {
        "festival": booth.festival,
        "name": booth.name,
        "prices": [
            {"product": tag.product, "price_rupiah": tag.price_rupiah, "category": tag.category}
            for tag in booth.prices
        ],
        "tills": list(booth.tills),
        "status": booth.status.value,
        "deadline": booth.deadline,
        "lots": [
            {
                "lot": lot.lot,
                "facility": lot.facility,
                "product": lot.product,
                "made_on": lot.made_on.isoformat(),
                "in_transit": lot.in_transit,
                "received": lot.received,
                "lost_on_the_way": lot.lost_on_the_way,
                "recorded_lost": lot.recorded_lost,
                "returning": lot.returning,
                "returned": lot.returned,
                "final": lot.final,
                "withdrawn": lot.withdrawn,
                "moved_out": lot.moved_out,
                "best_before": day_text(lot.best_before),
                "found": lot.found,
                "recounts": lot.recounts,
                "returned_before": lot.returned_before,
            }
            for lot in booth.lots
        ],
        "revision": booth.revision,
        "sold": [{"lot": lot, "qty": qty} for lot, qty in booth.sold],
        "disputed": list(booth.disputed),
        "capacity": booth.capacity,
        "limits": [{"category": category, "qty": qty} for category, qty in booth.limits],
        "price_list": booth.price_list,
        "prices_from": booth.prices_from,
        "merged_into": booth.merged_into,
        "seen": [
            {"lot": count.lot, "counted": count.counted, "unexplained": count.unexplained} for count in booth.seen
        ],
        "opening": booth.opening,
        "reopening": booth.reopening,
    }


def _booth(document: Document) -> Booth:
    return Booth(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        prices=tuple(
            PriceTag(tag["product"], tag["price_rupiah"], tag.get("category")) for tag in document["prices"]
        ),
        tills=tuple(document["tills"]),
        status=BoothStatus(document["status"]),
        deadline=document["deadline"],
        lots=tuple(
            BoothLot(
                lot=lot["lot"],
                facility=lot["facility"],
                product=lot["product"],
                made_on=date.fromisoformat(lot["made_on"]),
                in_transit=lot["in_transit"],
                received=lot["received"],
                lost_on_the_way=lot["lost_on_the_way"],
                recorded_lost=lot["recorded_lost"],
                returning=lot["returning"],
                returned=lot["returned"],
                final=lot["final"],
                withdrawn=lot["withdrawn"],
                moved_out=lot.get("moved_out", 0),
                best_before=as_day(lot.get("best_before")),
                found=lot["found"],
                recounts=lot["recounts"],
                returned_before=lot["returned_before"],
            )
            for lot in document["lots"]
        ),
        revision=document["revision"],
        sold=tuple((entry["lot"], entry["qty"]) for entry in document["sold"]),
        disputed=tuple(document["disputed"]),
        capacity=document.get("capacity"),
        limits=tuple((entry["category"], entry["qty"]) for entry in document.get("limits", ())),
        price_list=document["price_list"],
        prices_from=document["prices_from"],
        seen=tuple(LastCount(**count) for count in document["seen"]),
        opening=document["opening"],
        reopening=document["reopening"],
        merged_into=document["merged_into"],
    )


def _sales_document(sales: BoothSales) -> dict[str, Any]:
    return {
        "festival": sales.festival,
        "at": sales.at,
        "revision": sales.revision,
        "sold": [{"lot": lot, "qty": qty} for lot, qty in sales.sold],
        "hours": [{"product": product, "hours": [list(hour) for hour in hours]} for product, hours in sales.hours],
    }


def _sales(document: Document) -> BoothSales:
    return BoothSales(
        id=document["_id"],
        festival=document["festival"],
        at=document["at"],
        revision=document["revision"],
        sold=tuple((entry["lot"], entry["qty"]) for entry in document["sold"]),
        hours=tuple(
            (entry["product"], tuple((hour, qty, minutes) for hour, qty, minutes in entry["hours"]))
            for entry in document["hours"]
        ),
    )


FESTIVALS = Collection("festivals", Festival, _festival_document, _festival, listed_by=("arrived",))
BOOTHS = Collection("booths", Booth, _booth_document, _booth, listed_by=("festival",))
BOOTH_SALES = Collection("paces", BoothSales, _sales_document, _sales, indexes=("festival",))
