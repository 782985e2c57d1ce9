"""What became of each record of a till, from all that sales told about it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge.spool import Said
from edge.till.receipts import latest, refused
from shared.events.language import Body
from shared.events.sales import ReceiptIssued, ReceiptVoided, SaleAccounted, VoidRefused


class Standing(StrEnum):
    """Where a record is: in the spool, with Kafka, or answered by sales (only receipts and voids are). A receipt is
    `RECORDED` when nothing of it waits, is disputed or was rejected; `VOIDED` when nothing of it stands."""

    TO_SEND = "to send"
    SENT = "sent"
    RECORDED = "recorded"
    WAITING = "waiting"
    DISPUTED = "disputed"
    REJECTED = "rejected"
    VOIDED = "voided"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Standings:
    """A record and what became of it. Pieces of a receipt, as the latest snapshots of its lines tell. `refused`:
    what of a void was refused."""

    said: Said
    standing: Standing
    waiting: int = 0
    disputed: int = 0
    rejected: int = 0
    voided: int = 0
    refused: tuple[VoidRefused, ...] = ()


_Snapshots = Mapping[tuple[str, int], SaleAccounted]
_Refusals = Mapping[tuple[str, int], VoidRefused]


def standings(said: Sequence[Said], heard: Sequence[Body]) -> list[Standings]:
    """Every record in the order it was made, with what became of it."""
    snapshots, refusals = latest(heard), refused(heard, said)
    asked: dict[tuple[str, int], int] = {}
    rows = []
    for record in said:
        match record.body:
            case ReceiptIssued():
                rows.append(_of_receipt(record, record.body, snapshots))
            case ReceiptVoided():
                rows.append(_of_void(record, record.body, snapshots, refusals, asked))
            case _:
                rows.append(Standings(record, _on_the_way(record)))
    return rows


def _of_receipt(record: Said, receipt: ReceiptIssued, snapshots: _Snapshots) -> Standings:
    known = [snapshots[place] for line in receipt.lines if (place := (record.id, line.line)) in snapshots]
    waiting, disputed, rejected, voided = (
        sum(snapshot.waiting for snapshot in known),
        sum(snapshot.disputed for snapshot in known),
        sum(snapshot.rejected for snapshot in known),
        sum(snapshot.voided for snapshot in known),
    )
    if len(known) < len(receipt.lines):
        standing = _on_the_way(record)
    elif disputed:
        standing = Standing.DISPUTED
    elif waiting:
        standing = Standing.WAITING
    elif rejected:
        standing = Standing.REJECTED
    elif voided == sum(line.qty for line in receipt.lines):
        standing = Standing.VOIDED
    else:
        standing = Standing.RECORDED
    return Standings(record, standing, waiting, disputed, rejected, voided)


def _of_void(
    record: Said, void: ReceiptVoided, snapshots: _Snapshots, refusals: _Refusals, asked: dict[tuple[str, int], int]
) -> Standings:
    """`asked`: pieces of each line that this device's voids asked for so far, without those that were refused."""
    refused_here = tuple(refusals[record.id, line.line] for line in void.lines if (record.id, line.line) in refusals)
    done = True
    for line in void.lines:
        if (record.id, line.line) not in refusals:
            place = (void.receipt, line.line)
            asked[place] = asked.get(place, 0) + line.qty
            done = done and place in snapshots and snapshots[place].voided >= asked[place]
    if refused_here:
        return Standings(record, Standing.REFUSED, refused=refused_here)
    return Standings(record, Standing.VOIDED if done else _on_the_way(record))


def _on_the_way(record: Said) -> Standing:
    return Standing.SENT if record.acknowledged else Standing.TO_SEND
