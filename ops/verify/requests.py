"""Checks of requests: pages, sums and published parts, losses by counts at booths; no revision is unfinished."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from services.festival.domain import Booth, Request, Shipment
from services.festival.domain.allocation.lines import Lines, StatusSum, StoredLines
from services.festival.domain.allocation.pages import assembled
from services.festival.domain.allocation.request import PlanTerms, shortfalls
from services.festival.domain.booth import BoothStatus
from services.festival.domain.line import LineStatus
from services.festival.domain.logistics.shipment import DispatchStatus, ShipmentStatus


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check of requests alone."""
    yield lost_on_the_way(evidence)
    yield revisions(evidence)
    yield pages(evidence)
    yield published(evidence)


def whole_requests(evidence: Evidence) -> Iterator[Request]:
    """Every request with its terms and the lines of its pages."""
    by_request: dict[str, list[StoredLines]] = defaultdict(list)
    for page in evidence.of(StoredLines).values():
        by_request[page.request].append(page)
    for id, request in evidence.of(Request).items():
        yield assembled(request, by_request[id], evidence.of(PlanTerms).get(id))


def pages(evidence: Evidence) -> Check:
    """The pages of a request hold all its lines, and its sums are theirs."""
    check = Check("pages of lines", "the sums of a request = its lines in pages; each line stands in its own place")
    requests = evidence.of(Request)
    for page in evidence.of(StoredLines).values():
        check.expect(page.request in requests, "page {page} is of no known request", page=page.id)
    for request in whole_requests(evidence):
        lines = list(request.lines.loaded)
        check.expect_equal(
            len(request.lines),
            len(lines),
            "request {request}: {first} lines by its sums, by its pages {second}",
            request=request.id,
        )
        names = [f"{request.id}.{number}" for number in range(1, len(lines) + 1)]
        check.expect(
            [line.reservation for line in lines] == names,
            "lines of {request} are not in their places",
            request=request.id,
        )
        sums = {status: tally for status, tally in request.lines.tallies.items() if tally.lines}
        tallies = Lines.of(lines).tallies
        check.expect(
            sums == tallies,
            "request {request} counts {counted}; its lines are {found}",
            request=request.id,
            counted=_words(sums),
            found=_words(tallies),
        )
        check.expect(request.terms is not None, "request {request} has no terms", request=request.id)
        if request.terms is not None:
            asked_qty = sum(demand.qty for demand in request.demands)
            check.expect_equal(
                request.asked,
                asked_qty,
                "request {request}: {first} asked by its sum, by its demands {second}",
                request=request.id,
            )
            short = sum(gap.short for gap in shortfalls(request)) if request.lines.whole else request.short
            check.expect_equal(
                request.short,
                short,
                "request {request}: {first} short by its sums, by its demands {second}",
                request=request.id,
            )
        stranded = sum(
            line.qty for line in lines if line.status is LineStatus.RESERVED and line.booth in request.closed
        )
        check.expect_equal(
            request.stranded,
            stranded,
            "request {request}: {first} stranded by its sum, by its lines {second}",
            request=request.id,
        )
    return check


def published(evidence: Evidence) -> Check:
    """Readers take a long plan only whole, so each must be there with all its parts."""
    check = Check("parts of plans", "each plan, revision and replenishment is published with all its parts")
    plans = evidence.published.plans
    check.looked_at += plans.whole
    for wrong in plans.not_whole():
        check.fail_with(wrong)
    return check


def _words(tallies: Mapping[LineStatus, StatusSum]) -> str:
    return ", ".join(f"{tally.lines} {status.value} ({tally.pieces})" for status, tally in sorted(tallies.items()))


def lost_on_the_way(evidence: Evidence) -> Check:
    """The lost pieces of lines agree with the counts of shipments; a revision plans them again."""
    check = Check(
        "lost on the way", "pieces that lines count as lost = pieces sent in their shipments and not stocked"
    )
    lines = [line for request in whole_requests(evidence) for line in request.lines.loaded]
    lost = {line.reservation: line.lost for line in lines if line.lost}
    for shipment in evidence.of(Shipment).values():
        stocked = dict(shipment.stocked)
        lost_by_lot: dict[str, int] = {}
        for parcel in shipment.parcels:
            if parcel.leg is DispatchStatus.LEFT:
                lost_by_lot[parcel.lot] = lost_by_lot.get(parcel.lot, 0) + lost.pop(parcel.reservation, 0)
        received = shipment.status is ShipmentStatus.RECEIVED
        for lot, sent_qty in shipment.lots.items():
            missing = max(0, sent_qty - stocked.get(lot, 0)) if received else 0
            check.expect_equal(
                lost_by_lot[lot],
                missing,
                "lot {lot} in shipment {shipment}: {first} lost by its lines, by its count {second}",
                lot=lot,
                shipment=shipment.id,
            )
    for reservation, qty in sorted(lost.items()):
        check.fail(
            "{qty} pieces of {reservation} are lost on the way, but the reservation is in no shipment",
            qty=qty,
            reservation=reservation,
        )
    return check


def revisions(evidence: Evidence) -> Check:
    """No pieces are reserved for a closed booth, and no revision is unfinished."""
    check = Check("revisions", "nothing is reserved for a closed booth; no revision is unfinished")
    booths = evidence.of(Booth)
    for request in whole_requests(evidence):
        check.expect(not request.revising, "request {request} is to be revised, but was not", request=request.id)
        has_proposals = any(line.status is LineStatus.PROPOSED for line in request.lines.loaded)
        check.expect(
            request.waiting is not None or not has_proposals,
            "request {request} has proposed lines, but no pending revision",
            request=request.id,
        )
        for id in request.closed:
            booth = booths.get(id)
            # A reopened booth gets nothing more of the requests that its closing ended.
            never_closed = booth is None or (booth.status is BoothStatus.OPEN and booth.opening == 1)
            check.expect(
                not never_closed,
                "request {request} lists {booth} as closed, but it is open",
                request=request.id,
                booth=id,
            )
        for line in request.lines.loaded:
            if line.booth in request.closed and line.status in (LineStatus.PLANNED, LineStatus.RESERVED):
                check.fail(
                    "{reservation} is {status:word} for {booth}, which is closed",
                    reservation=line.reservation,
                    status=line.status.value,
                    booth=line.booth,
                )
    return check
