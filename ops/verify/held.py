"""The check of held records: each is as the gateway last told of it, and counts neither as lost nor as accepted."""

from collections import Counter
from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from services.gateway.domain.held_record import HeldRecord, HeldStatus

_STATUS = {
    "RecordHeld": HeldStatus.HELD,
    "HeldRecordReleased": HeldStatus.RELEASED,
    "HeldRecordRefused": HeldStatus.REFUSED,
}


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about held records."""
    yield held(evidence)


def held(evidence: Evidence) -> Check:
    """Each record of a revoked device has the status that was published of it last. Notes count those without a
    release."""
    check = Check("held", "per record of a revoked device: its status is the last one that the gateway published")
    records = {(record.device, record.record): record.status for record in evidence.of(HeldRecord).values()}
    published = {known: _STATUS[kind] for known, kind in evidence.published.held.items()}
    for known in sorted(records.keys() | published.keys()):
        check.expect_equal(
            records.get(known),
            published.get(known),
            "{device} {record}: {first} in the database, published {second}",
            record=known[1],
            device=known[0],
        )
    counts = Counter(records.values())
    if waiting := counts[HeldStatus.HELD]:
        check.note(
            "{waiting:record of revoked devices waits|records of revoked devices wait} for an operator: "
            "`karya held list`",
            waiting=waiting,
        )
    if refused := counts[HeldStatus.REFUSED]:
        check.note(
            "{refused:record of revoked devices was|records of revoked devices were} refused",
            refused=refused,
        )
    return check
