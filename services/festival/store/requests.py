"""Documents of requests for stock, with their plans and revisions."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from services.festival.domain import Request
from services.festival.domain.allocation.difference import ReturningLine, Revision, ShareMove, ShortMove
from services.festival.domain.allocation.lines import Lines, StatusSum, StoredLines
from services.festival.domain.allocation.request import Beyond, PlanTerms, RequestStatus
from services.festival.domain.line import AllocationLine, Cap, LineStatus, Offer
from services.festival.domain.planning import Conflict, RequestDemand, Share
from services.festival.store.days import as_day, day_text
from shared.events.festival import BackReason, LineReason, LotReason, PlanRule
from shared.runtime.processor import Collection, Document


def _request_document(request: Request) -> dict[str, Any]:
    return {
        "festival": request.festival,
        "name": request.name,
        "asked": request.asked,
        "hold_hours": request.hold_hours,
        "status": request.status.value,
        "lines": len(request.lines),
        "tallies": {
            status.value: list(tally) for status, tally in sorted(request.lines.tallies.items()) if tally.lines
        },
        "plans": request.plans,
        "hold_until": request.hold_until,
        "lapsed": request.lapsed,
        "even": request.spread_evenly,
        "revise_at_percent": request.revise_at_percent,
        "closed": list(request.closed),
        "without": list(request.excluded_facilities),
        "lost": request.lost,
        "freed": request.freed,
        "recalled": request.recalled,
        "stranded": request.stranded,
        "revising": request.revising,
        "waiting": None if request.waiting is None else list(request.waiting),
        "outdated": request.outdated,
        "beyond": [list(beyond) for beyond in request.beyond],
        "day": day_text(request.day),
        "day_over": request.day_over,
    }


def _request(document: Document) -> Request:
    waiting = document["waiting"]
    return Request(
        id=document["_id"],
        festival=document["festival"],
        name=document["name"],
        asked=document["asked"],
        hold_hours=document["hold_hours"],
        status=RequestStatus(document["status"]),
        lines=Lines(
            document["lines"],
            {LineStatus(status): StatusSum(*tally) for status, tally in document["tallies"].items()},
        ),
        plans=document["plans"],
        hold_until=document["hold_until"],
        lapsed=document["lapsed"],
        spread_evenly=document["even"],
        revise_at_percent=document["revise_at_percent"],
        closed=tuple(document["closed"]),
        excluded_facilities=tuple(document["without"]),
        lost=document["lost"],
        freed=document["freed"],
        # Older documents lack these fields.
        recalled=document.get("recalled", 0),
        stranded=document["stranded"],
        revising=document["revising"],
        waiting=None if waiting is None else tuple(waiting),
        outdated=document.get("outdated", False),
        beyond=tuple(Beyond(*beyond) for beyond in document.get("beyond", ())),
        day=as_day(document.get("day")),
        day_over=document.get("day_over"),
    )


def _terms_document(terms: PlanTerms) -> dict[str, Any]:
    return {
        "festival": terms.festival,
        "demands": [{"booth": w.booth, "product": w.product, "qty": w.qty} for w in terms.demands],
        "offers": _offer_documents(terms.offers),
        "caps": [{"lot": cap.lot, "line": cap.line, "qty": cap.qty} for cap in terms.caps],
        "shares": _share_documents(terms.shares),
        "conflicts": conflict_documents(terms.conflicts),
        "revision": terms.revision and _revision_document(terms.revision),
    }


def _terms(document: Document) -> PlanTerms:
    return PlanTerms(
        id=document["_id"],
        festival=document["festival"],
        demands=tuple(RequestDemand(w["booth"], w["product"], w["qty"]) for w in document["demands"]),
        offers=_offers(document["offers"]),
        caps=tuple(Cap(cap["lot"], cap["line"], cap["qty"]) for cap in document["caps"]),
        shares=_shares(document["shares"]),
        conflicts=conflicts_from(document["conflicts"]),
        revision=_revision(document["revision"]) if document["revision"] else None,
    )


def _page_document(page: StoredLines) -> dict[str, Any]:
    return {
        "request": page.request,
        "festival": page.festival,
        "number": page.number,
        # Kept besides, for the indexes: a shipment looks up its booth, and room is taken by what still comes.
        "booths": list(page.booths),
        "coming_to": list(page.coming_to),
        "promising": page.promising,
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
            for line in page.lines
        ],
    }


def _page(document: Document) -> StoredLines:
    return StoredLines(
        id=document["_id"],
        request=document["request"],
        festival=document["festival"],
        number=document["number"],
        lines=tuple(
            AllocationLine(
                reservation=line["reservation"],
                booth=line["booth"],
                product=line["product"],
                facility=line["facility"],
                lot=line["lot"],
                made_on=date.fromisoformat(line["made_on"]),
                qty=line["qty"],
                revision=line["revision"],
                status=LineStatus(line["status"]),
                why=LineReason(line["why"]) if line["why"] else None,
                first=LotReason(line["first"]) if line["first"] else None,
                lost=line["lost"],
                best_before=as_day(line["best_before"]),
            )
            for line in document["lines"]
        ),
    )


def _revision_document(revision: Revision) -> dict[str, Any]:
    return {
        "reason": revision.reason,
        "reason_id": revision.reason_id,
        "without": list(revision.excluded_facilities),
        "added": list(revision.added),
        "back": [{"reservation": line.reservation, "why": line.why.value} for line in revision.back],
        "kept": revision.kept,
        "share_moves": [
            {"facility": move.facility, "offered": move.offered, "before": move.before, "after": move.after}
            for move in revision.share_moves
        ],
        "short_moves": [
            {
                "booth": move.booth,
                "product": move.product,
                "asked": move.asked,
                "before": move.before,
                "after": move.after,
            }
            for move in revision.short_moves
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
        excluded_facilities=tuple(document["without"]),
        added=tuple(document["added"]),
        back=tuple(ReturningLine(line["reservation"], BackReason(line["why"])) for line in document["back"]),
        kept=document["kept"],
        share_moves=tuple(ShareMove(**fields) for fields in document["share_moves"]),
        short_moves=tuple(ShortMove(**fields) for fields in document["short_moves"]),
        offers=_offers(document["offers"]),
        shares=_shares(document["shares"]),
        conflicts=conflicts_from(document["conflicts"]),
        lost=document["lost"],
        # Older documents lack this field.
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


def conflict_documents(conflicts: Iterable[Conflict]) -> list[dict[str, Any]]:
    """The documents of conflicts, of a plan or a rejection."""
    return [
        {
            "booth": conflict.booth,
            "product": conflict.product,
            "short": conflict.short,
            "rules": [rule.value for rule in conflict.rules],
            "reason": conflict.reason,
            "reason_id": conflict.reason_id,
        }
        for conflict in conflicts
    ]


def conflicts_from(documents: Iterable[Document]) -> tuple[Conflict, ...]:
    """The conflicts of documents, without the excluded stock, which is not stored."""
    return tuple(
        Conflict(
            booth=document["booth"],
            product=document["product"],
            short=document["short"],
            rules=tuple(PlanRule(rule) for rule in document["rules"]),
            kept=(),
            reason=document["reason"],
            reason_id=document["reason_id"],
        )
        for document in documents
    )


REQUESTS = Collection("requests", Request, _request_document, _request, listed_by=("festival",))
PLAN_TERMS = Collection("plan_terms", PlanTerms, _terms_document, _terms, indexes=("festival", "shares.facility"))
PLAN_LINES = Collection(
    "plan_lines",
    StoredLines,
    _page_document,
    _page,
    indexes=("request", "booths", "coming_to", "promising", "festival"),
)
