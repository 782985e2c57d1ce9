"""The changes that a till's unsent records still allow, so that drawers, counts and voids stay true. Pure."""

from collections.abc import Sequence

from edge.spool import SpooledRecord
from shared.errors import WrongEntry
from shared.events.language import Body
from shared.events.sales import (
    CashCounted,
    CashDropped,
    DeviceIntroduced,
    DrawerOpened,
    PaymentKind,
    ReceiptIssued,
    ReceiptVoided,
    RecordTakenOut,
)
from shared.wording import Message


def refuse_taking_out(records: Sequence[SpooledRecord], number: int, body: Body) -> None:
    """Raise WrongEntry if record `number` must stay, and say what to do instead."""
    _refuse_fixed(number, body)
    later = _after(records, number)
    if isinstance(body, DrawerOpened):
        _refuse_used_drawer(later, number, _id_of(records, number))
    refuse_sealed(records, number, drawer_of(body))
    _refuse_voided(later, number, _id_of(records, number))


def refuse_editing(records: Sequence[SpooledRecord], number: int, body: Body) -> None:
    """Raise WrongEntry if record `number` can't hold another receipt or float."""
    _refuse_fixed(number, body)
    if not isinstance(body, ReceiptIssued | DrawerOpened):
        raise WrongEntry(
            Message(
                "Record {number} is no receipt and no opening of a drawer. Take it out and enter it again.",
                number=number,
            )
        )
    id = _id_of(records, number)
    refuse_sealed(records, number, id if isinstance(body, DrawerOpened) else drawer_of(body))
    _refuse_voided(_after(records, number), number, id)


def refuse_sealed(records: Sequence[SpooledRecord], number: int, drawer: str | None) -> None:
    """Raise WrongEntry if the drawer was counted after record `number`: the count holds the expected sum."""
    if drawer is None:
        return
    for later in _after(records, number):
        if isinstance(later.body, CashCounted) and later.body.drawer == drawer:
            raise WrongEntry(
                Message(
                    "The drawer was counted with record {number} in it (record {count}), so the record stays. A "
                    "void, and cash put right at the next count, correct it.",
                    number=number,
                    count=later.number,
                )
            )


def drawer_of(body: Body) -> str | None:
    """The drawer whose expected sum depends on the record; None if no cash moved."""
    match body:
        case ReceiptIssued(payment=payment) if payment.kind is PaymentKind.CASH:
            return body.drawer
        case ReceiptVoided(refund=PaymentKind.CASH) | CashDropped():
            return body.drawer
        case _:
            return None


def rupiah_of(body: Body) -> int:
    """The rupiah of a record: its removal keeps the sum."""
    match body:
        case ReceiptIssued():
            return sum(body.net_rupiah)
        case ReceiptVoided():
            return body.refund_rupiah
        case CashDropped():
            return body.rupiah
        case DrawerOpened():
            return body.float_rupiah
        case _:
            return 0


def _after(records: Sequence[SpooledRecord], number: int) -> list[SpooledRecord]:
    return [record for record in records if record.number > number]


def _id_of(records: Sequence[SpooledRecord], number: int) -> str:
    return next(record.id for record in records if record.number == number)


def _refuse_fixed(number: int, body: Body) -> None:
    match body:
        case CashCounted():
            raise WrongEntry(
                Message(
                    "Record {number} is the count of a drawer. It stays, because the cashier has seen the expected "
                    "sum.",
                    number=number,
                )
            )
        case RecordTakenOut():
            raise WrongEntry(Message("Record {number} was taken out already.", number=number))
        case DeviceIntroduced():
            raise WrongEntry(Message("Record {number} only introduces this device, and stays.", number=number))


def _refuse_used_drawer(later: Sequence[SpooledRecord], number: int, id: str) -> None:
    for record in later:
        if getattr(record.body, "drawer", None) == id:
            raise WrongEntry(
                Message(
                    "Record {later} belongs to the drawer of record {number}, so the drawer stays. Its float can be "
                    "changed: edit {number} --float 200.000",
                    later=record.number,
                    number=number,
                )
            )


def _refuse_voided(later: Sequence[SpooledRecord], number: int, id: str) -> None:
    for record in later:
        if isinstance(record.body, ReceiptVoided) and record.body.receipt == id:
            raise WrongEntry(
                Message(
                    "Record {later} voids pieces of receipt {number}. Take that void out first: remove {later}",
                    later=record.number,
                    number=number,
                )
            )
