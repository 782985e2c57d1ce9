"""Records that count at another booth: of a booth that no festival has opened, or of one that was opened by mistake.

Until a booth is opened, every record is kept as it came. The organiser may then name the right booth. Sales publishes
the originals for it, and marks the sales at the wrong booth as forwarded. A booth that is merged keeps its sales. Its
further records, its devices and its unsold stock go to the other booth.

A stray booth may have any number of records. They are forwarded in parts: each part is an event for the booth, which
the part before it publishes. A record that comes meanwhile is kept, and is forwarded with a later part. So records
keep their order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.sales.domain.accounting import book, receipt_in
from services.sales.domain.booth import Booth, BoothStatus, Forwarding
from services.sales.domain.device import Branch, Device, RecordRun
from services.sales.domain.receipt import Receipt, receipt_id, receipt_of
from services.sales.domain.selling import Change, waiting_receipts
from shared.events.festival import BoothForwarded
from shared.events.language import Event, Publication
from shared.events.sales import (
    BOOTH_REPORTS,
    SALES,
    SALES_DEADLINES,
    TILL,
    BoothForwardingBegun,
    BoothForwardingRefused,
    BoothRedirected,
    BranchOfRecords,
    CashCounted,
    CashDropped,
    DeviceForwarded,
    ForwardedAs,
    ForwardingContinued,
    ForwardingRefusal,
    LotCount,
    ReceiptIssued,
    ReceiptVoided,
    RecordForwarded,
    RunOfRecords,
    TillClosed,
    TillRecord,
)
from shared.runtime.state import KeyRange, OwnedQuery, State

# Bounds what one event reads, writes and publishes, however many records have strayed.
MOST_AT_ONCE = 200
_RECORDS = {body.__name__: body for body in TILL.bodies}


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A till's record at a booth that no festival has opened, as it came. `number`: its place in their order.

    `event`: the id by which receipts and devices know it. `source`, `time` and `type` are those of the record, and
    `json` is its body.
    """

    id: str
    booth: str
    number: int
    event: str
    source: str
    time: datetime
    type: str
    json: str

    @property
    def place(self) -> str:
        """Text in the order in which a booth's records came."""
        return _place(self.booth, self.number)


def kept_at(booth: str) -> OwnedQuery[KeptRecord]:
    """The records kept of a booth that no festival has opened."""
    return OwnedQuery(KeptRecord, "booth", booth)


def kept_after(booth: str, after: int, until: int) -> KeyRange[KeptRecord]:
    """The records kept of the booth after number `after` up to number `until`."""
    return KeyRange(KeptRecord, "place", _place(booth, after), _place(booth, until + 1))


def _place(booth: str, number: int) -> str:
    # No id has a space in it.
    return f"{booth} {number:012}"


def original(booth: Booth, record: TillRecord, event: Event) -> KeptRecord:
    """The record as it came. The booth's devices know it already, and by the same id."""
    return KeptRecord(
        record_id(booth.id, record.device, record.seq, event.known_as),
        booth.id,
        booth.records,
        event.known_as,
        event.source,
        event.time,
        type(record).__name__,
        record.model_dump_json(),
    )


def record_id(booth: str, device: str, seq: int, event: str) -> str:
    """The id of a kept record. No part has a space in it, so that different records have different ids."""
    return f"{booth} {device} {seq} {event}"


def effect(state: State, booth: Booth, record: TillRecord, event: Event) -> ForwardedAs | None:
    """The effect with which a further record of the booth is forwarded; None: it counts here and nowhere else yet.

    What belongs to a receipt or a drawer of a merged booth counts there, where the books have the other half.
    """
    if booth.forwarding is None or booth.forwarding.reached is not None:
        return None
    if booth.status is BoothStatus.UNKNOWN:
        return ForwardedAs.COPY
    match record:
        case ReceiptIssued():
            own = any(void.receipt == receipt_id(event) for void in booth.early_voids)
        case ReceiptVoided():
            own = receipt_in(state, booth, record.receipt) is not None
        case CashDropped() | CashCounted():
            own = any(drawer.id == record.drawer for drawer in booth.drawers)
        case _:
            own = False
    return ForwardedAs.NUMBER if own else ForwardedAs.WHOLE


def forward(booth: Booth, record: KeptRecord, forwarded_as: ForwardedAs) -> tuple[Booth, Publication]:
    """The booth after one more record was forwarded, and the record for the other booth, with the original inside."""
    assert booth.forwarding is not None, "the booth's records are forwarded"
    to, records, reached = booth.forwarding
    body = RecordForwarded(
        key=to,
        booth=booth.id,
        effect=forwarded_as,
        id=record.event,
        source=record.source,
        time=record.time,
        type=record.type,
        record=record.json,
    )
    return replace(booth, forwarding=Forwarding(to, records + 1, reached)), SALES_DEADLINES.of(body)


def forwarded_record(body: RecordForwarded, opening: int = 1) -> TillRecord:
    """The original record, as a record of the booth at which it counts, in this opening of that booth."""
    record = _RECORDS[body.type].model_validate_json(body.record)
    assert isinstance(record, TillRecord), "a till's topic has only their records"
    # The till knows the openings of its own booth alone, so it has closed for any opening of this one.
    changes = {"booth": body.key, "opening": opening} if isinstance(record, TillClosed) else {"booth": body.key}
    return record.model_copy(update=changes)


def device_from(body: DeviceForwarded) -> Device:
    """The device as the other booth knew it."""
    branches = tuple(
        Branch(
            branch.first,
            tuple(RecordRun(run.first, run.last, run.after, run.head) for run in branch.runs),
            branch.last_seq,
            branch.struck,
        )
        for branch in body.branches
    )
    return Device(body.device, body.till, branches, body.given_up)


def begin(state: State, booth: Booth, body: BoothForwarded) -> Change:
    """The booth whose records count at another one from now on, and the answer to festival."""
    refusal = _refusal(booth, body)
    if refusal is not None:
        reason, other_booth = refusal
        answer = BoothForwardingRefused(
            festival=body.festival, booth=booth.id, to=body.to, order=body.order, reason=reason, other=other_booth
        )
        return state, booth, [BOOTH_REPORTS.of(answer)]
    publications: list[Publication] = []
    lots: tuple[LotCount, ...] = ()
    if booth.forwarding is None:
        booth = replace(booth, forwarding=Forwarding(body.to, 0, None if body.merge else 0))
        publications.append(SALES.of(BoothRedirected(booth=booth.id, to=body.to, merged=body.merge)))
        if body.merge:
            devices = [_forwarded_device(booth, device, body.to) for device in booth.devices]
            publications += map(SALES_DEADLINES.of, devices)
            # Recalled pieces are set aside, and go home from here.
            lots = tuple(
                LotCount(lot=lot.lot, qty=lot.unsold) for lot in booth.lots if lot.unsold and lot.withdrawn is None
            )
        else:
            booth, part = _name_part(booth, state.find(kept_after(booth.id, 0, MOST_AT_ONCE)))
            publications += part
    beginning = BoothForwardingBegun(
        festival=body.festival, booth=booth.id, to=body.to, order=body.order, records=booth.records, lots=lots
    )
    return state, booth, [*publications, BOOTH_REPORTS.of(beginning)]


def go_on(state: State, booth: Booth, part: ForwardingContinued) -> Change:
    """The booth after one more part of its kept records was forwarded. Without effect if they are forwarded."""
    if booth.forwarding is None or booth.forwarding.reached != part.after:
        return state, booth, []
    records = state.find(kept_after(booth.id, part.after, part.until + MOST_AT_ONCE))
    booth, publications = _forward_kept(booth, [record for record in records if record.number <= part.until])
    for name in part.receipts:
        receipt = receipt_in(state, booth, name)
        assert receipt is not None, "it was kept as it was issued"
        state, booth, snapshots = _mark_receipt(state, booth, receipt)
        publications += snapshots
    booth = replace(booth, forwarding=booth.forwarding and booth.forwarding._replace(reached=part.until))
    booth, next_part = _name_part(booth, [record for record in records if record.number > part.until])
    return state, booth, [*publications, *next_part]


def finish(state: State, booth: Booth) -> Change:
    """The booth, which is about to be opened, after all kept records were forwarded that should be."""
    if booth.forwarding is None or booth.forwarding.reached is None:
        return state, booth, []
    reached = booth.forwarding.reached
    left = [record for record in state.find(kept_at(booth.id)) if record.number > reached]
    booth, publications = _forward_kept(booth, left)
    state, booth, snapshots = mark_forwarded(state, booth)
    return state, booth, [*publications, *snapshots]


def _forward_kept(booth: Booth, records: Sequence[KeptRecord]) -> tuple[Booth, list[Publication]]:
    publications: list[Publication] = []
    for record in sorted(records, key=lambda record: record.number):
        booth, publication = forward(booth, record, ForwardedAs.COPY)
        publications.append(publication)
    return booth, publications


def _name_part(booth: Booth, records: Sequence[KeptRecord]) -> tuple[Booth, list[Publication]]:
    """The booth with the event that forwards its next part, or as a booth all of whose kept records are forwarded.
    `records`: the next ones."""
    assert booth.forwarding is not None, "the booth's records are forwarded"
    after = booth.forwarding.reached
    assert after is not None, "they are forwarded in parts"
    if after >= booth.records:
        return replace(booth, forwarding=booth.forwarding._replace(reached=None)), []
    until = min(after + MOST_AT_ONCE, booth.records)
    receipts = tuple(
        receipt_of(record.source, record.event)
        for record in sorted(records, key=lambda record: record.number)
        if record.number <= until and record.type == ReceiptIssued.__name__
    )
    part = ForwardingContinued(key=booth.id, after=after, until=until, receipts=receipts)
    return booth, [SALES_DEADLINES.of(part)]


def mark_forwarded(state: State, booth: Booth) -> Change:
    """The booth without waiting sales: they count at the other booth, and stock never covers them here."""
    publications: list[Publication] = []
    for receipt in list(waiting_receipts(state, booth)):
        state, booth, snapshots = _mark_receipt(state, booth, receipt)
        publications += snapshots
    return state, booth, publications


def _mark_receipt(state: State, booth: Booth, receipt: Receipt) -> Change:
    publications: list[Publication] = []
    for line in [sale.line for sale in receipt.sales if sale.waiting]:
        current = receipt_in(state, booth, receipt.receipt)
        assert current is not None, "a receipt that waits was issued"
        sale = current.sales[line - 1]
        after = replace(sale, waiting=0, forwarded=sale.forwarded + sale.waiting)
        state, booth, snapshots = book(state, booth, current, after)
        publications += snapshots
    return state, booth, publications


def _refusal(booth: Booth, body: BoothForwarded) -> tuple[ForwardingRefusal, str | None] | None:
    """Why the booth's records can't be forwarded, and the booth or festival that this is about."""
    if booth.forwarding is not None and (body.merge or booth.forwarding.to != body.to):
        return ForwardingRefusal.ELSEWHERE, booth.forwarding.to
    if body.merge:
        open_here = booth.status is BoothStatus.OPEN and booth.festival == body.festival
        return None if open_here else (ForwardingRefusal.NOT_OPEN, body.festival)
    if booth.status is not BoothStatus.UNKNOWN:
        return ForwardingRefusal.OPENED, booth.festival
    return None if booth.devices else (ForwardingRefusal.NO_RECORDS, None)


def _forwarded_device(booth: Booth, device: Device, to: str) -> DeviceForwarded:
    return DeviceForwarded(
        key=to,
        booth=booth.id,
        till=device.till,
        device=device.device,
        branches=tuple(_branches(device.branches)),
        given_up=device.given_up,
    )


def _branches(branches: Sequence[Branch]) -> Iterator[BranchOfRecords]:
    for branch in branches:
        yield BranchOfRecords(
            first=branch.first,
            runs=tuple(
                RunOfRecords(first=run.first, last=run.last, after=run.after, head=run.head) for run in branch.runs
            ),
            last_seq=branch.last_seq,
            struck=branch.struck,
        )
