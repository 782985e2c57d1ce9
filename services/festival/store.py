"""How festivals and all that belongs to them, commands and the stock view are kept, and what an event touches."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

from services.festival.domain import (
    Booth,
    BoothPace,
    Command,
    Festival,
    Replenishment,
    Request,
    Shipment,
    StockView,
    Transfer,
)
from services.festival.domain.booth import BoothLot, BoothStatus, PriceTag
from services.festival.domain.command import Outcome, Wrong
from services.festival.domain.difference import Back, Revision, ShareMove, ShortMove
from services.festival.domain.festival import FestivalStatus, Sums
from services.festival.domain.line import Cap, Line, LineStatus, Offer, promises
from services.festival.domain.plan import Conflict, Share, Wanted
from services.festival.domain.replenish import Forecast, Move, Refill
from services.festival.domain.request import HOLD, RequestStatus, request_id, request_of
from services.festival.domain.shipment import ARRIVE, Leg, Parcel, ShipmentStatus, shipment_id
from services.festival.domain.transfer import CARRY, TransferStatus, transfer_id
from shared.events.festival import (
    ORGANISER,
    AcceptPlan,
    BackReason,
    CancelFestival,
    CloseBooth,
    CloseFestival,
    CommandRefusal,
    LineReason,
    LotReason,
    OpenBooth,
    PlanRule,
    ReceiveReturn,
    ReceiveShipment,
    ReceiveTransfer,
    RecordLoss,
    Replenish,
    RequestAllocation,
    ResolveDispute,
    ReviseAllocation,
    RevisionRequested,
    SendShipment,
    SendTransfer,
)
from shared.events.inventory import (
    LotRecallReached,
    ReservationRefused,
    ReservationReleased,
    StockDispatched,
    StockOrderRefused,
    StockReserved,
    StockReturned,
    StockWrittenOff,
)
from shared.events.language import DeadlineReached, Event
from shared.events.sales import SellThroughCounted, SellThroughSoFar
from shared.family import Collection, Document
from shared.state import Hint, Ref


def touches_stock(event: Event) -> Iterator[Ref | Hint]:
    """Every event about a lot concerns that lot's view."""
    yield Ref(StockView, event.key)


def touches(event: Event) -> Iterator[Ref | Hint]:
    """What an event of a festival may read or change. A festival's booths, requests and shipments lie in its own
    lane, so that a hint by `festival` or `request` finds them as they are; only the stock view may lag."""
    yield Ref(Festival, event.key)
    if isinstance(event.body, ORGANISER.bodies):
        yield Ref(Command, event.id)
        yield from _of_command(event)
    else:
        yield from _of_answer(event)


def _of_command(event: Event) -> Iterator[Ref | Hint]:
    festival = event.key
    match event.body:
        case OpenBooth() | ResolveDispute() as body:
            yield Ref(Booth, body.booth)
        case RequestAllocation() as body:
            yield Ref(Request, request_id(festival, body.request))
            # What others were promised takes room at the booths.
            yield Hint(Request, "promising", festival)
            for booth in {demand.booth for demand in body.demands}:
                yield Ref(Booth, booth)
                yield Ref(BoothPace, booth)
            for product in {demand.product for demand in body.demands}:
                yield Hint(StockView, "plannable", product)
        case Replenish() as body:
            yield Ref(Request, request_id(festival, body.request))
            yield Ref(Replenishment, request_id(festival, body.request))
            yield Hint(Request, "festival", festival)
            yield Hint(Booth, "festival", festival)
            yield Hint(BoothPace, "festival", festival)
            for product in set(body.products):
                yield Hint(StockView, "plannable", product)
        case AcceptPlan() | ReviseAllocation() as body:
            yield Ref(Request, request_id(festival, body.request))
        case SendShipment() as body:
            yield Ref(Request, request_id(festival, body.request))
            yield Ref(Shipment, shipment_id(festival, body.shipment))
            yield Ref(Booth, body.booth)
        case ReceiveShipment() as body:
            yield Ref(Shipment, shipment_id(festival, body.shipment))
            yield Ref(Booth, body.booth)
            # The shipment alone knows of which request it is.
            yield Hint(Request, "festival", festival)
        case SendTransfer() as body:
            yield Ref(Transfer, transfer_id(festival, body.transfer))
            yield Ref(Booth, body.booth)
            yield Ref(Booth, body.to)
            yield Ref(BoothPace, body.booth)
        case ReceiveTransfer() as body:
            yield Ref(Transfer, transfer_id(festival, body.transfer))
            yield Ref(Booth, body.booth)
        case ReceiveReturn() as body:
            yield Ref(Booth, body.booth)
            yield Hint(Booth, "festival", festival)
        case RecordLoss() as body:
            if body.booth is not None:
                yield Ref(Booth, body.booth)
        case CancelFestival():
            yield Hint(Request, "festival", festival)
        case CloseBooth() as body:
            yield Ref(Booth, body.booth)
            yield Hint(Request, "festival", festival)
            yield Hint(Shipment, "festival", festival)
            yield Hint(Transfer, "festival", festival)
        case CloseFestival():
            yield Hint(Request, "festival", festival)
            yield Hint(Shipment, "festival", festival)
            yield Hint(Transfer, "festival", festival)
            yield Hint(Booth, "festival", festival)
        case _:
            return


def _of_answer(event: Event) -> Iterator[Ref | Hint]:
    festival = event.key
    match event.body:
        case StockReserved() | ReservationReleased() as body:
            yield Ref(Request, request_id(festival, body.request))
        case ReservationRefused() as body:
            yield Ref(Request, request_id(festival, body.request))
            if body.product is not None:
                yield Hint(StockView, "plannable", body.product)
        case StockDispatched() as body:
            yield Ref(Request, request_id(festival, body.request))
            yield Ref(Shipment, shipment_id(festival, body.shipment))
            yield Ref(Booth, body.booth)
        case StockOrderRefused() as body:
            yield Ref(Command, body.order)
            yield Ref(Request, request_of(body.order))
            yield Hint(Shipment, "request", request_of(body.order))
            yield Hint(Booth, "festival", festival)
        case StockReturned() as body:
            yield Ref(Command, body.order)
            yield Ref(Booth, body.booth)
            yield Hint(Booth, "festival", festival)
        case StockWrittenOff() as body:
            yield Ref(Command, body.order)
        case LotRecallReached():
            yield Hint(Booth, "festival", festival)
        case SellThroughSoFar() as body:
            yield Ref(BoothPace, body.booth)
        case SellThroughCounted() as body:
            yield Ref(Booth, body.booth)
            yield Hint(Booth, "festival", festival)
        case DeadlineReached() as body if body.deadline.startswith(ARRIVE):
            yield Ref(Shipment, body.deadline.removeprefix(ARRIVE))
        case RevisionRequested() as body:
            yield Ref(Request, request_id(festival, body.request))
            if body.command is not None:
                yield Ref(Command, body.command)
            # The room at the booths, with what others were promised.
            yield Hint(Request, "promising", festival)
            yield Hint(Booth, "festival", festival)
            for product in body.products:
                yield Hint(StockView, "plannable", product)
            for lot in body.lots:
                yield Ref(StockView, lot)
        case DeadlineReached() as body if body.deadline.startswith(CARRY):
            yield Ref(Transfer, body.deadline.removeprefix(CARRY))
        case DeadlineReached() as body:
            yield Ref(Request, body.deadline.removeprefix(HOLD))
        case _:
            return


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _as_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None


def _view_document(view: StockView) -> dict[str, Any]:
    return {
        "revision": view.revision,
        "facility": view.facility,
        "product": view.product,
        "made_on": view.made_on.isoformat(),
        "best_before": _day(view.best_before),
        "recalled": view.recalled,
        "on_hand": view.on_hand,
        # Kept besides, for the index: a plan reads the lots that have something, not all that ever were.
        "plannable": view.plannable,
    }


def _view(document: Document) -> StockView:
    return StockView(
        id=document["_id"],
        revision=document["revision"],
        facility=document["facility"],
        product=document["product"],
        made_on=date.fromisoformat(document["made_on"]),
        best_before=_as_day(document["best_before"]),
        recalled=document["recalled"],
        on_hand=document["on_hand"],
    )


def _festival_document(festival: Festival) -> dict[str, Any]:
    sums = festival.sums
    return {
        "name": festival.name,
        "place": festival.place,
        "zone": festival.zone,
        "first_day": festival.first_day.isoformat(),
        "last_day": festival.last_day.isoformat(),
        "lead_days": [{"facility": facility, "days": days} for facility, days in festival.lead_days],
        "weights": [{"facility": facility, "weight": weight} for facility, weight in festival.weights],
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
        # Here and below, `get`: not there in what was written before plans had such rules.
        lead_days=tuple((one["facility"], one["days"]) for one in document.get("lead_days", ())),
        weights=tuple((one["facility"], one["weight"]) for one in document.get("weights", ())),
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
                "best_before": _day(lot.best_before),
            }
            for lot in booth.lots
        ],
        "revision": booth.revision,
        "sold": [{"lot": lot, "qty": qty} for lot, qty in booth.sold],
        "disputed": list(booth.disputed),
        "capacity": booth.capacity,
        "limits": [{"category": category, "qty": qty} for category, qty in booth.limits],
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
                best_before=_as_day(lot.get("best_before")),
            )
            for lot in document["lots"]
        ),
        revision=document["revision"],
        sold=tuple((one["lot"], one["qty"]) for one in document["sold"]),
        disputed=tuple(document["disputed"]),
        capacity=document.get("capacity"),
        limits=tuple((one["category"], one["qty"]) for one in document.get("limits", ())),
    )


def _request_document(request: Request) -> dict[str, Any]:
    return {
        "festival": request.festival,
        "name": request.name,
        "demands": [{"booth": w.booth, "product": w.product, "qty": w.qty} for w in request.demands],
        "hold_hours": request.hold_hours,
        "status": request.status.value,
        "lines": [
            {
                "reservation": line.reservation,
                "booth": line.booth,
                "product": line.product,
                "facility": line.facility,
                "lot": line.lot,
                "made_on": line.made_on.isoformat(),
                "qty": line.qty,
                "revision": line.revision,
                "status": line.status.value,
                "why": line.why and line.why.value,
                "first": line.first and line.first.value,
                "lost": line.lost,
                "best_before": _day(line.best_before),
            }
            for line in request.lines
        ],
        "offers": _offer_documents(request.offers),
        "caps": [{"lot": cap.lot, "line": cap.line, "qty": cap.qty} for cap in request.caps],
        "shares": _share_documents(request.shares),
        "conflicts": _conflict_documents(request.conflicts),
        "hold_until": request.hold_until,
        "lapsed": request.lapsed,
        # Kept besides, for the index: room at booths is taken by what still comes, not by all that ever was asked.
        "promising": request.festival if promises(request.lines) else None,
        "even": request.even,
        "revise_at_percent": request.revise_at_percent,
        "closed": list(request.closed),
        "without": list(request.without),
        "lost": request.lost,
        "freed": request.freed,
        "revising": request.revising,
        "revision": request.revision and _revision_document(request.revision),
    }


def _revision_document(revision: Revision) -> dict[str, Any]:
    return {
        "reason": revision.reason,
        "reason_id": revision.reason_id,
        "without": list(revision.without),
        "added": list(revision.added),
        "back": [{"reservation": one.reservation, "why": one.why.value} for one in revision.back],
        "kept": revision.kept,
        "share_moves": [
            {"facility": one.facility, "offered": one.offered, "before": one.before, "after": one.after}
            for one in revision.share_moves
        ],
        "short_moves": [
            {
                "booth": one.booth,
                "product": one.product,
                "asked": one.asked,
                "before": one.before,
                "after": one.after,
            }
            for one in revision.short_moves
        ],
        "offers": _offer_documents(revision.offers),
        "shares": _share_documents(revision.shares),
        "conflicts": _conflict_documents(revision.conflicts),
        "carried_out": revision.carried_out,
    }


def _revision(document: Document) -> Revision:
    return Revision(
        reason=document["reason"],
        reason_id=document["reason_id"],
        without=tuple(document["without"]),
        added=tuple(document["added"]),
        back=tuple(Back(one["reservation"], BackReason(one["why"])) for one in document["back"]),
        kept=document["kept"],
        share_moves=tuple(ShareMove(**one) for one in document["share_moves"]),
        short_moves=tuple(ShortMove(**one) for one in document["short_moves"]),
        offers=_offers(document["offers"]),
        shares=_shares(document["shares"]),
        conflicts=_conflicts(document["conflicts"]),
        carried_out=document["carried_out"],
    )


def _request(document: Document) -> Request:
    return Request(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        demands=tuple(Wanted(w["booth"], w["product"], w["qty"]) for w in document["demands"]),
        hold_hours=document["hold_hours"],
        status=RequestStatus(document["status"]),
        lines=tuple(
            Line(
                reservation=line["reservation"],
                booth=line["booth"],
                product=line["product"],
                facility=line["facility"],
                lot=line["lot"],
                made_on=date.fromisoformat(line["made_on"]),
                qty=line["qty"],
                revision=line["revision"],
                status=LineStatus(line["status"]),
                # Not there in what was written before lines had reasons.
                why=LineReason(line["why"]) if line.get("why") else None,
                first=LotReason(line["first"]) if line.get("first") else None,
                lost=line.get("lost", 0),
                best_before=_as_day(line.get("best_before")),
            )
            for line in document["lines"]
        ),
        offers=_offers(document["offers"]),
        caps=tuple(Cap(cap["lot"], cap["line"], cap["qty"]) for cap in document["caps"]),
        shares=_shares(document["shares"]),
        conflicts=_conflicts(document.get("conflicts", ())),
        hold_until=document["hold_until"],
        lapsed=document["lapsed"],
        # Not there in what was written before requests could be revised.
        even=document.get("even", True),
        revise_at_percent=document.get("revise_at_percent"),
        closed=tuple(document.get("closed", ())),
        without=tuple(document.get("without", ())),
        lost=document.get("lost", 0),
        freed=document.get("freed", 0),
        revising=document.get("revising", False),
        revision=_revision(document["revision"]) if document.get("revision") else None,
    )


def _offer_documents(offers: Iterable[Offer]) -> list[dict[str, Any]]:
    return [{"facility": o.facility, "product": o.product, "qty": o.qty} for o in offers]


def _offers(documents: Iterable[Document]) -> tuple[Offer, ...]:
    return tuple(Offer(o["facility"], o["product"], o["qty"]) for o in documents)


def _share_documents(shares: Iterable[Share]) -> list[dict[str, Any]]:
    return [
        {
            "facility": s.facility,
            "offered": s.offered,
            "allocated": s.allocated,
            "reason": s.reason,
            "reason_id": s.reason_id,
        }
        for s in shares
    ]


def _shares(documents: Iterable[Document]) -> tuple[Share, ...]:
    return tuple(
        Share(s["facility"], s["offered"], s["allocated"], s["reason"], s.get("reason_id", "")) for s in documents
    )


def _conflict_documents(conflicts: Iterable[Conflict]) -> list[dict[str, Any]]:
    return [
        {
            "booth": one.booth,
            "product": one.product,
            "short": one.short,
            "rules": [rule.value for rule in one.rules],
            "reason": one.reason,
            "reason_id": one.reason_id,
        }
        for one in conflicts
    ]


def _conflicts(documents: Iterable[Document]) -> tuple[Conflict, ...]:
    return tuple(
        Conflict(
            booth=one["booth"],
            product=one["product"],
            short=one["short"],
            rules=tuple(PlanRule(rule) for rule in one["rules"]),
            kept=(),
            reason=one["reason"],
            reason_id=one["reason_id"],
        )
        for one in documents
    )


def _shipment_document(shipment: Shipment) -> dict[str, Any]:
    return {
        "festival": shipment.festival,
        "name": shipment.name,
        "request": shipment.request,
        "facility": shipment.facility,
        "booth": shipment.booth,
        "parcels": [
            {"reservation": p.reservation, "lot": p.lot, "qty": p.qty, "leg": p.leg.value} for p in shipment.parcels
        ],
        "status": shipment.status.value,
        "counted": [{"lot": lot, "qty": qty} for lot, qty in shipment.counted],
        "due": shipment.due,
        "overdue": shipment.overdue,
    }


def _shipment(document: Document) -> Shipment:
    return Shipment(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        request=document["request"],
        facility=document["facility"],
        booth=document["booth"],
        parcels=tuple(Parcel(p["reservation"], p["lot"], p["qty"], Leg(p["leg"])) for p in document["parcels"]),
        status=ShipmentStatus(document["status"]),
        counted=tuple((one["lot"], one["qty"]) for one in document["counted"]),
        # Not there in what was written before shipments were expected by a time.
        due=document.get("due"),
        overdue=document.get("overdue", False),
    )


def _transfer_document(transfer: Transfer) -> dict[str, Any]:
    return {
        "festival": transfer.festival,
        "name": transfer.name,
        "booth": transfer.booth,
        "to": transfer.to,
        "sent": [{"lot": lot, "qty": qty} for lot, qty in transfer.sent],
        "due": transfer.due,
        "overdue": transfer.overdue,
        "status": transfer.status.value,
        "counted": [{"lot": lot, "qty": qty} for lot, qty in transfer.counted],
    }


def _transfer(document: Document) -> Transfer:
    return Transfer(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        booth=document["booth"],
        to=document["to"],
        sent=tuple((one["lot"], one["qty"]) for one in document["sent"]),
        due=document["due"],
        overdue=document["overdue"],
        status=TransferStatus(document["status"]),
        counted=tuple((one["lot"], one["qty"]) for one in document["counted"]),
    )


def _replenishment_document(found: Replenishment) -> dict[str, Any]:
    return {
        "festival": found.festival,
        "name": found.name,
        "at": found.at,
        "until": found.until,
        "forecasts": [asdict(one) for one in found.forecasts],
        "moves": [asdict(one) for one in found.moves],
        "refills": [asdict(one) for one in found.refills],
    }


def _replenishment(document: Document) -> Replenishment:
    return Replenishment(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        at=document["at"],
        until=document["until"],
        forecasts=tuple(Forecast(**one) for one in document["forecasts"]),
        moves=tuple(Move(**one) for one in document["moves"]),
        refills=tuple(Refill(**{**one, "wanted": Wanted(**one["wanted"])}) for one in document["refills"]),
    )


def _pace_document(pace: BoothPace) -> dict[str, Any]:
    return {
        "festival": pace.festival,
        "at": pace.at,
        "revision": pace.revision,
        "sold": [{"lot": lot, "qty": qty} for lot, qty in pace.sold],
        "hours": [{"product": product, "hours": [list(hour) for hour in hours]} for product, hours in pace.hours],
    }


def _pace(document: Document) -> BoothPace:
    return BoothPace(
        id=document["_id"],
        festival=document["festival"],
        at=document["at"],
        revision=document["revision"],
        sold=tuple((one["lot"], one["qty"]) for one in document["sold"]),
        hours=tuple(
            (one["product"], tuple((hour, qty, minutes) for hour, qty, minutes in one["hours"]))
            for one in document["hours"]
        ),
    )


def _command_document(command: Command) -> dict[str, Any]:
    wrong = command.wrong
    return {
        "source": command.source,
        "festival": command.festival,
        "name": command.name,
        "given_at": command.given_at,
        "outcome": command.outcome.value,
        "wrong": wrong and {"field": wrong.field, "reason": wrong.reason.value, "message": wrong.message},
        "booth": command.booth,
        "lot": command.lot,
        "qty": command.qty,
    }


def _command(document: Document) -> Command:
    wrong = document["wrong"]
    return Command(
        id=document["_id"],
        source=document["source"],
        festival=document["festival"],
        name=document["name"],
        given_at=document["given_at"],
        outcome=Outcome(document["outcome"]),
        wrong=wrong and Wrong(wrong["field"], CommandRefusal(wrong["reason"]), wrong["message"]),
        booth=document["booth"],
        lot=document["lot"],
        qty=document["qty"],
    )


STOCK = Collection("stock", StockView, _view_document, _view, indexes=("plannable", "facility"))
FESTIVALS = Collection("festivals", Festival, _festival_document, _festival)
BOOTHS = Collection("booths", Booth, _booth_document, _booth, indexes=("festival",))
REQUESTS = Collection("requests", Request, _request_document, _request, indexes=("festival", "promising"))
SHIPMENTS = Collection("shipments", Shipment, _shipment_document, _shipment, indexes=("festival", "request"))
TRANSFERS = Collection("transfers", Transfer, _transfer_document, _transfer, indexes=("festival",))
PACES = Collection("paces", BoothPace, _pace_document, _pace, indexes=("festival",))
REPLENISHMENTS = Collection(
    "replenishments", Replenishment, _replenishment_document, _replenishment, indexes=("festival",)
)
COMMANDS = Collection("commands", Command, _command_document, _command, indexes=("festival",))
