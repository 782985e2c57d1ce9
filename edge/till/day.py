"""One day of a till: its receipts and refunds by kind of payment, its voids, and what is not sent. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from edge.spool import SpooledRecord
from edge.till.drawer import CashDrawer, DayLine, day_lines, drawers
from shared.events.sales import ReceiptIssued, ReceiptVoided, RecordTakenOut, TillClosed


@dataclass(frozen=True, slots=True)
class TillDay:
    """`payments` by kind. `drawers`: those opened or counted that day. `voids` and `voided_pieces`: takings back.
    `taken_out`: records that were taken out before they were sent. `unsent`: records of any day that only this device
    has. `closed`: the till made its last record."""

    payments: tuple[DayLine, ...]
    drawers: tuple[CashDrawer, ...]
    receipts: int
    voids: int
    voided_pieces: int
    taken_out: tuple[RecordTakenOut, ...]
    unsent: int
    closed: bool


def till_day(records: Sequence[SpooledRecord], day: date, day_of: Callable[[datetime], date]) -> TillDay:
    """The day's report; `day_of` maps a moment to its day."""
    voids = [
        record.body
        for record in records
        if isinstance(record.body, ReceiptVoided) and day_of(record.body.voided_at) == day
    ]
    return TillDay(
        payments=tuple(day_lines(records, day, day_of)),
        drawers=tuple(
            drawer
            for drawer in drawers(records)
            if day in {day_of(at) for at in (drawer.opened_at, drawer.counted_at) if at is not None}
        ),
        receipts=sum(
            isinstance(record.body, ReceiptIssued) and day_of(record.body.sold_at) == day for record in records
        ),
        voids=len(voids),
        voided_pieces=sum(line.qty for void in voids for line in void.lines),
        taken_out=tuple(
            record.body
            for record in records
            if isinstance(record.body, RecordTakenOut) and day_of(record.body.taken_out_at) == day
        ),
        unsent=sum(not record.acknowledged for record in records),
        closed=bool(records) and isinstance(records[-1].body, TillClosed),
    )
