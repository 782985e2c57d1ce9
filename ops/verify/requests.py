"""Requests: what they count as lost is what booths counted, and nothing waits that should not."""

from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from services.festival.domain import Booth, Request, Shipment
from services.festival.domain.allocation.line import LineStatus
from services.festival.domain.booth import BoothStatus
from services.festival.domain.logistics.shipment import DispatchStatus, ShipmentStatus


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about requests alone."""
    yield lost_on_the_way(evidence)
    yield revisions(evidence)


def lost_on_the_way(evidence: Evidence) -> Check:
    """Else a revision would plan too much or too little again."""
    check = Check("lost on the way", "what lines count as lost = what was sent in their shipments and not counted in")
    lines = [line for request in evidence.of(Request).values() for line in request.lines]
    lost = {line.reservation: line.lost for line in lines if line.lost}
    for shipment in evidence.of(Shipment).values():
        counted = dict(shipment.counted)
        here: dict[str, int] = {}
        for parcel in shipment.parcels:
            if parcel.leg is DispatchStatus.LEFT:
                here[parcel.lot] = here.get(parcel.lot, 0) + lost.pop(parcel.reservation, 0)
        received = shipment.status is ShipmentStatus.RECEIVED
        for lot, sent in shipment.lots.items():
            there = max(0, sent - counted.get(lot, 0)) if received else 0
            check.same(f"lot {lot} in shipment {shipment.id}", here[lot], there, "lost by its lines, by its count")
    for reservation, qty in sorted(lost.items()):
        check.wrong(f"{qty} pieces of {reservation} are lost on the way, but it is in no shipment")
    return check


def revisions(evidence: Evidence) -> Check:
    """What a closed booth should have had is free again, and what festival told itself was heard."""
    check = Check("revisions", "nothing is reserved for a booth that closed; no revision is on its way")
    booths = evidence.of(Booth)
    for request in evidence.of(Request).values():
        check.expect(not request.revising, f"request {request.id} is to be revised, and was not")
        proposed = any(line.status is LineStatus.PROPOSED for line in request.lines)
        check.expect(
            request.pending_revision is not None or not proposed,
            f"request {request.id} has lines of a revision that does not wait",
        )
        for id in request.closed:
            booth = booths.get(id)
            open_still = booth is None or booth.status is BoothStatus.OPEN
            check.expect(not open_still, f"request {request.id} has {id} as closed, but it is open")
        for line in request.lines:
            if line.booth in request.closed and line.status in (LineStatus.PLANNED, LineStatus.RESERVED):
                check.wrong(f"{line.reservation} is {line.status.value} for {line.booth}, which takes no more")
    return check
