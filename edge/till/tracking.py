"""The status of each record of a till, from the events of sales. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.spool import IntakeRefusal, SpooledRecord
from edge.till.receipts import latest_snapshots, refused_voids
from shared.events.language import Body
from shared.events.sales import BoothRedirected, ReceiptIssued, ReceiptVoided, SaleAccounted, VoidRefused


class RecordStatus(StrEnum):
    """The state of a record: in the spool, in Kafka, or answered by sales (receipts and voids only). A receipt is
    `RECORDED` when none of its pieces waits, is disputed or was rejected; `VOIDED` when all of them are voided;
    `FORWARDED` when they count at another booth, which alone answers what is sent after a merge. `NOT_TAKEN`: the
    gateway did not take the record; `HELD`: it waits there for an operator. Each sync offers both again."""

    TO_SEND = "to send"
    NOT_TAKEN = "not taken"
    HELD = "held"
    SENT = "sent"
    RECORDED = "recorded"
    WAITING = "waiting"
    DISPUTED = "disputed"
    REJECTED = "rejected"
    VOIDED = "voided"
    FORWARDED = "forwarded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class TrackedRecord:
    """A record with its status, and the pieces of a receipt by the latest snapshots of its lines. `refused`: the
    refused lines of a void. `refusal`: why the gateway did not store the record."""

    record: SpooledRecord
    status: RecordStatus
    waiting: int = 0
    disputed: int = 0
    rejected: int = 0
    voided: int = 0
    refused: tuple[VoidRefused, ...] = ()
    refusal: IntakeRefusal | None = None


_Snapshots = Mapping[tuple[str, int], SaleAccounted]
_Refusals = Mapping[tuple[str, int], VoidRefused]


def tracked_records(
    records: Sequence[SpooledRecord], bodies: Sequence[Body], not_taken: Mapping[int, IntakeRefusal] | None = None
) -> list[TrackedRecord]:
    """Every record in the order of recording, with its status. `not_taken`: refusals of the gateway by number."""
    snapshots, refusals = latest_snapshots(bodies), refused_voids(bodies, records)
    requested: dict[tuple[str, int], int] = {}
    merged = any(isinstance(body, BoothRedirected) and body.merged for body in bodies)
    rows = []
    for record in records:
        match record.body:
            case ReceiptIssued():
                rows.append(_of_receipt(record, record.body, snapshots, merged=merged))
            case ReceiptVoided():
                rows.append(_of_void(record, record.body, snapshots, refusals, requested))
            case _:
                rows.append(TrackedRecord(record, _on_the_way(record)))
    return [_not_taken(row, (not_taken or {}).get(row.record.number)) for row in rows]


def _not_taken(row: TrackedRecord, refusal: IntakeRefusal | None) -> TrackedRecord:
    if refusal is None or row.status is not RecordStatus.TO_SEND:
        return row
    return replace(row, status=RecordStatus.HELD if refusal.is_held else RecordStatus.NOT_TAKEN, refusal=refusal)


def _of_receipt(
    record: SpooledRecord, receipt: ReceiptIssued, snapshots: _Snapshots, *, merged: bool
) -> TrackedRecord:
    answered = [snapshots[place] for line in receipt.lines if (place := (record.id, line.line)) in snapshots]
    waiting, disputed, rejected, voided = (
        sum(snapshot.waiting for snapshot in answered),
        sum(snapshot.disputed for snapshot in answered),
        sum(snapshot.rejected for snapshot in answered),
        sum(snapshot.voided for snapshot in answered),
    )
    if len(answered) < len(receipt.lines):
        # What came before the merge was answered before the till heard of it.
        status = RecordStatus.FORWARDED if merged and record.acknowledged else _on_the_way(record)
    elif disputed:
        status = RecordStatus.DISPUTED
    elif waiting:
        status = RecordStatus.WAITING
    elif rejected:
        status = RecordStatus.REJECTED
    elif any(snapshot.forwarded for snapshot in answered):
        status = RecordStatus.FORWARDED
    elif voided == sum(line.qty for line in receipt.lines):
        status = RecordStatus.VOIDED
    else:
        status = RecordStatus.RECORDED
    return TrackedRecord(record, status, waiting, disputed, rejected, voided)


def _of_void(
    record: SpooledRecord,
    void: ReceiptVoided,
    snapshots: _Snapshots,
    refusals: _Refusals,
    requested: dict[tuple[str, int], int],
) -> TrackedRecord:
    """The tracked void. `requested`: pieces of each line in this device's voids so far, without refused ones."""
    refused_here = tuple(refusals[record.id, line.line] for line in void.lines if (record.id, line.line) in refusals)
    done = True
    for line in void.lines:
        if (record.id, line.line) not in refusals:
            place = (void.receipt, line.line)
            requested[place] = requested.get(place, 0) + line.qty
            done = done and place in snapshots and snapshots[place].voided >= requested[place]
    if refused_here:
        return TrackedRecord(record, RecordStatus.REFUSED, refused=refused_here)
    return TrackedRecord(record, RecordStatus.VOIDED if done else _on_the_way(record))


def _on_the_way(record: SpooledRecord) -> RecordStatus:
    return RecordStatus.SENT if record.acknowledged else RecordStatus.TO_SEND
