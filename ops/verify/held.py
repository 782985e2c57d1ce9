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
        check.expect_equal(" ".join(known), records.get(known), published.get(known), "in the database, published")
    counts = Counter(records.values())
    if waiting := counts[HeldStatus.HELD]:
        check.notes.append(f"{waiting} records of revoked devices wait for an operator: `karya held list`")
    if refused := counts[HeldStatus.REFUSED]:
        check.notes.append(f"{refused} records of revoked devices were refused")
    return check
