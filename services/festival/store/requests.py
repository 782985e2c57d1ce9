"""How requests for stock, their plans and revisions are kept."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from services.festival.domain import Request
from services.festival.domain.allocation.difference import Back, Revision, ShareMove, ShortMove
from services.festival.domain.allocation.line import Cap, Line, LineStatus, Offer
from services.festival.domain.allocation.request import RequestStatus
from services.festival.domain.planning import Conflict, Share, Wanted
from services.festival.store.days import as_day, day_text
from shared.events.festival import BackReason, LineReason, LotReason, PlanRule
from shared.runtime.processor import Collection, Document


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
                "best_before": day_text(line.best_before),
            }
            for line in request.lines
        ],
        "offers": _offer_documents(request.offers),
        "caps": [{"lot": cap.lot, "line": cap.line, "qty": cap.qty} for cap in request.caps],
        "shares": _share_documents(request.shares),
        "conflicts": conflict_documents(request.conflicts),
        "hold_until": request.hold_until,
        "lapsed": request.lapsed,
        # Kept besides, for the index: room at booths is taken by what still comes, not by all that ever was asked.
        "promising": request.promising,
        "even": request.even,
        "revise_at_percent": request.revise_at_percent,
        "closed": list(request.closed),
        "without": list(request.without),
        "lost": request.lost,
        "freed": request.freed,
        "recalled": request.recalled,
        "revising": request.revising,
        "revision": request.revision and _revision_document(request.revision),
        **({"outdated": True} if request.outdated else {}),
    }


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
                best_before=as_day(line.get("best_before")),
            )
            for line in document["lines"]
        ),
        offers=_offers(document["offers"]),
        caps=tuple(Cap(cap["lot"], cap["line"], cap["qty"]) for cap in document["caps"]),
        shares=_shares(document["shares"]),
        conflicts=conflicts(document.get("conflicts", ())),
        hold_until=document["hold_until"],
        lapsed=document["lapsed"],
        # Not there in what was written before requests could be revised.
        even=document.get("even", True),
        revise_at_percent=document.get("revise_at_percent"),
        closed=tuple(document.get("closed", ())),
        without=tuple(document.get("without", ())),
        lost=document.get("lost", 0),
        freed=document.get("freed", 0),
        recalled=document.get("recalled", 0),
        revising=document.get("revising", False),
        revision=_revision(document["revision"]) if document.get("revision") else None,
        outdated=document.get("outdated", False),
    )


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
        "conflicts": conflict_documents(revision.conflicts),
        "lost": revision.lost,
        "recalled": revision.recalled,
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
        conflicts=conflicts(document["conflicts"]),
        lost=document["lost"],
        # Not there in what was written before recalls counted.
        recalled=document.get("recalled", 0),
        carried_out=document["carried_out"],
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


def conflict_documents(found: Iterable[Conflict]) -> list[dict[str, Any]]:
    """Of a plan or a refusal."""
    return [
        {
            "booth": one.booth,
            "product": one.product,
            "short": one.short,
            "rules": [rule.value for rule in one.rules],
            "reason": one.reason,
            "reason_id": one.reason_id,
        }
        for one in found
    ]


def conflicts(documents: Iterable[Document]) -> tuple[Conflict, ...]:
    """Those that were kept, without the pieces that they keep out."""
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


REQUESTS = Collection("requests", Request, _request_document, _request, ("promising",), ("festival",))
