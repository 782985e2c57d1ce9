"""Checks of requests: lost pieces agree with counts at booths, and no revision is unfinished."""

from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from services.festival.domain import Booth, Request, Shipment
from services.festival.domain.booth import BoothStatus
from services.festival.domain.line import LineStatus
from services.festival.domain.logistics.shipment import DispatchStatus, ShipmentStatus


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check of requests alone."""
    yield lost_on_the_way(evidence)
    yield revisions(evidence)


def lost_on_the_way(evidence: Evidence) -> Check:
    """The lost pieces of lines agree with the counts of shipments; a revision plans them again."""
    check = Check(
        "lost on the way", "pieces that lines count as lost = pieces sent in their shipments and not stocked"
    )
    lines = [line for request in evidence.of(Request).values() for line in request.lines]
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
                f"lot {lot} in shipment {shipment.id}", lost_by_lot[lot], missing, "lost by its lines, by its count"
            )
    for reservation, qty in sorted(lost.items()):
        check.fail(f"{qty} pieces of {reservation} are lost on the way, but the reservation is in no shipment")
    return check


def revisions(evidence: Evidence) -> Check:
    """No pieces are reserved for a closed booth, and no revision is unfinished."""
    check = Check("revisions", "nothing is reserved for a closed booth; no revision is unfinished")
    booths = evidence.of(Booth)
    for request in evidence.of(Request).values():
        check.expect(not request.revising, f"request {request.id} is to be revised, but was not")
        proposed = any(line.status is LineStatus.PROPOSED for line in request.lines)
        check.expect(
            request.pending_revision is not None or not proposed,
            f"request {request.id} has proposed lines, but no pending revision",
        )
        for id in request.closed:
            booth = booths.get(id)
            open_still = booth is None or booth.status is BoothStatus.OPEN
            check.expect(not open_still, f"request {request.id} lists {id} as closed, but it is open")
        for line in request.lines:
            if line.booth in request.closed and line.status in (LineStatus.PLANNED, LineStatus.RESERVED):
                check.fail(f"{line.reservation} is {line.status.value} for {line.booth}, which is closed")
    return check
