"""The commands of a till: each is checked, then recorded in the spool."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, TypeVar, cast

from pydantic import ValidationError

from edge.spool import Owner, RecordPlace, Spool, SpooledRecord
from edge.sync import Subscription, SyncReport, SyncRoute, sync
from edge.till.amending import refuse_editing, refuse_sealed, refuse_taking_out, rupiah_of
from edge.till.basket import BasketEntry, parse_item, receipt_lines, refuse_withdrawn, warnings
from edge.till.booth import BoothView, view
from edge.till.drawer import CashDrawer, drawers, open_drawer
from edge.till.migration import MIGRATION
from edge.till.receipts import Receipts, known_receipts, lines_to_void
from edge.till.tracking import TrackedRecord, tracked_records
from shared.errors import WrongEntry
from shared.events import names
from shared.events.festival import BOOTH_STOCK
from shared.events.language import Body, Topic
from shared.events.sales import (
    SALES,
    TILL,
    BoothCounted,
    CashCounted,
    CashDropped,
    DeviceIntroduced,
    DrawerOpened,
    LotCount,
    Payment,
    PaymentKind,
    ProductCount,
    ReceiptIssued,
    ReceiptLine,
    ReceiptVoided,
    RecordTakenOut,
    TillClosed,
    VoidedLine,
)
from shared.faults import fault_message
from shared.wording import Message

B = TypeVar("B", bound=Body)
_RECEIPT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class SoldReceipt:
    """A recorded receipt with its amount and the warnings for the cashier."""

    record: SpooledRecord
    receipt: ReceiptIssued
    amount_rupiah: int
    warnings: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class RecordedVoid:
    """A recorded void. The cashier pays back `void.refund_rupiah` by `void.refund`. That kind is `assumed` if the
    cashier did not name it and another device took the payment."""

    record: SpooledRecord
    void: ReceiptVoided
    assumed: bool


class _Origin(TypedDict):
    """The fields that all records of a till have in common."""

    booth: str
    till: str
    device: str
    seq: int
    previous: str | None


def owner(folder: Path, booth: str, name: str) -> Owner:
    """The spool owner for till `name` of `booth` in `folder`. Raises WrongEntry for invalid names."""
    for rule, text in ((names.BOOTH, booth), (names.TILL, name)):
        if (complaint := rule.wrong(text)) is not None:
            raise WrongEntry(complaint)
    return Owner(folder / "till" / f"{booth}.{name}.spool", TILL, f"till/{booth}/{name}", MIGRATION)


class Till:
    """Till `name` of `booth`, with its spool in `folder`.

    Raises WrongEntry for invalid names, SpoolFailed as the spool does.
    """

    def __init__(self, folder: Path, booth: str, name: str) -> None:
        self.booth = booth.strip()
        self.name = name.strip()
        self.spool = Spool(owner(folder, self.booth, self.name))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.spool.close()

    # Receipts

    def sell(
        self,
        basket: Sequence[BasketEntry],
        *,
        at: datetime,
        why: str = "",
        discount_rupiah: int = 0,
        payment: PaymentKind = PaymentKind.CASH,
        reference: str = "",
        given_rupiah: int | None = None,
        happened: bool = False,
    ) -> SoldReceipt:
        """Record the sale of a basket on one receipt.

        `why`: the reason for prices that depart from the list. `happened`: the sale is over, so a withdrawn lot or a
        closed till does not prevent the record. Raises WrongEntry for an invalid or forbidden sale.
        """
        booth = self.view()
        prices = booth.prices_at(at)
        with _checked():
            lines = receipt_lines(basket, prices, why)
        if not happened:
            self._still_open()
            refuse_withdrawn(booth, lines)
        amount = _amount(lines, discount_rupiah)
        with _checked():
            settled_payment = _payment(payment, reference, given_rupiah, amount)
        drawer = self.open_drawer() if payment is PaymentKind.CASH else None
        record, receipt = self._append(
            at,
            lambda place: ReceiptIssued(
                **self._origin(place),
                lines=lines,
                discount_rupiah=discount_rupiah,
                payment=settled_payment,
                drawer=drawer.id if drawer else None,
                price_list=prices.revision,
                sold_at=at,
            ),
        )
        return SoldReceipt(record, receipt, amount, warnings(booth, lines, prices.prices))

    def void(
        self,
        receipt: str,
        line: int | None = None,
        pieces: int | None = None,
        *,
        at: datetime,
        refund: PaymentKind | None = None,
        refund_rupiah: int | None = None,
        reason: str = "",
    ) -> RecordedVoid:
        """Record a void: of all remaining pieces of a receipt, of one line, or of `pieces` of that line.

        `receipt` is a record's number on this device, or a receipt's id. A receipt that this till does not know needs
        `line`, `pieces` and `refund_rupiah`; of a known one the till computes the sum. `refund` None: the kind of the
        payment, or cash if that is unknown. Raises WrongEntry if the receipt has fewer pieces left.
        """
        receipts = self.receipts()
        id = self._receipt_id(receipt)
        known_lines = receipts.lines.get(id)
        if known_lines is None:
            with _checked():
                voided, amount = _of_unknown(line, pieces, refund_rupiah)
        else:
            voided = lines_to_void(known_lines, line, pieces)
            amount = sum(known_lines[void.line].refund(void.qty) for void in voided)
            if refund_rupiah is not None and refund_rupiah != amount:
                raise WrongEntry(
                    Message(
                        "This till knows the receipt: {amount:rupiah} is to be paid back for this.", amount=amount
                    )
                )
        kind = refund or receipts.paid.get(id, PaymentKind.CASH)
        drawer = self.open_drawer() if kind is PaymentKind.CASH else None
        record, void = self._append(
            at,
            lambda place: ReceiptVoided(
                **self._origin(place),
                receipt=id,
                lines=voided,
                refund=kind,
                refund_rupiah=amount,
                drawer=drawer.id if drawer else None,
                reason=reason,
                voided_at=at,
            ),
        )
        return RecordedVoid(record, void, assumed=refund is None and id not in receipts.paid)

    # Unsent records

    def edit_receipt(
        self,
        number: int,
        basket: Sequence[BasketEntry],
        *,
        why: str = "",
        discount_rupiah: int = 0,
        payment: PaymentKind | None = None,
        reference: str | None = None,
        given_rupiah: int | None = None,
    ) -> SoldReceipt:
        """Put another basket in the place of an unsent receipt, at its time and at the prices of then.

        `payment` and `reference` None: as before. Raises WrongEntry for an invalid basket, and for a record that
        is no receipt, was sent, is voided, or lies in a drawer that was counted since.
        """
        records = self.spool.records()
        other_records = [record for record in records if record.number != number]
        former = next((record.body for record in records if record.number == number), None)
        if not isinstance(former, ReceiptIssued):
            raise WrongEntry(
                Message("Record {number} of this till is no receipt. Please compare it with `list`.", number=number)
            )
        booth = self._view_of(other_records)
        prices = booth.prices_at(former.sold_at)
        with _checked():
            lines = receipt_lines(basket, prices, why)
        amount = _amount(lines, discount_rupiah)
        kind = payment or former.payment.kind
        with _checked():
            payment_reference = former.payment.reference if reference is None else reference
            settled_payment = _payment(kind, payment_reference, given_rupiah, amount)

        def write(place: RecordPlace, body: Body) -> ReceiptIssued:
            # Read in the transaction that writes, so that no count comes between.
            records = self.spool.records()
            refuse_editing(records, number, body)
            earlier = [record for record in records if record.number < number]
            drawer = open_drawer(earlier) if kind is PaymentKind.CASH else None
            refuse_sealed(records, number, drawer.id if drawer else None)
            return ReceiptIssued(
                **self._origin(place),
                lines=lines,
                discount_rupiah=discount_rupiah,
                payment=settled_payment,
                drawer=drawer.id if drawer else None,
                price_list=prices.revision,
                sold_at=former.sold_at,
            )

        record = self._amend(number, write)
        return SoldReceipt(record, cast(ReceiptIssued, record.body), amount, warnings(booth, lines, prices.prices))

    def edit_float(self, number: int, float_rupiah: int) -> SpooledRecord:
        """Put another float in the place of that of an unsent opening of a drawer."""

        def write(place: RecordPlace, body: Body) -> DrawerOpened:
            refuse_editing(self.spool.records(), number, body)
            if not isinstance(body, DrawerOpened):
                raise WrongEntry(
                    Message(
                        "Record {number} of this till opens no drawer. Please compare it with `list`.", number=number
                    )
                )
            return DrawerOpened(
                **self._origin(place), cashier=body.cashier, float_rupiah=float_rupiah, opened_at=body.opened_at
            )

        return self._amend(number, write)

    def take_out(self, number: int, *, at: datetime, reason: str = "") -> SpooledRecord:
        """Take an unsent record out. Its number stays, with a word about what it was: sales misses no number.

        Raises WrongEntry for a record that was sent, or on which a later one rests.
        """

        def write(place: RecordPlace, body: Body) -> RecordTakenOut:
            refuse_taking_out(self.spool.records(), number, body)
            return RecordTakenOut(
                **self._origin(place),
                kind=type(body).__name__,
                rupiah=rupiah_of(body),
                reason=reason,
                taken_out_at=at,
            )

        return self._amend(number, write)

    # Goods

    def count(self, pieces: Mapping[str, int], *, at: datetime, final: bool = True) -> SpooledRecord:
        """Record a count: the pieces that lie at the booth, by lot number, or by product for pieces without a label.

        Goods that are left out count as not counted. A final count divides the unlabelled sales made before it.
        """
        goods = [(*parse_item(item), qty) for item, qty in pieces.items()]
        if not goods:
            raise WrongEntry(Message("Nothing was counted. Please name each lot with its pieces, 0 for none."))
        if len({(lot, product) for lot, product, _ in goods}) < len(goods):
            raise WrongEntry(Message("A lot or product is named twice. Please add its pieces up and name it once."))
        record, _ = self._append(
            at,
            lambda place: BoothCounted(
                **self._origin(place),
                counted_at=at,
                final=final,
                lots=tuple(LotCount(lot=lot, qty=qty) for lot, _, qty in goods if lot is not None),
                products=tuple(ProductCount(product=product, qty=qty) for lot, product, qty in goods if lot is None),
            ),
        )
        return record

    def close(self, *, at: datetime) -> SpooledRecord:
        """Record the closing of the till. A closed till can close again only after a later record, or after the
        booth was reopened."""
        self._still_open()
        opening = self.view().opening
        record, _ = self._append(
            at, lambda place: TillClosed(**self._origin(place), last_seq=place.number, opening=opening)
        )
        return record

    # Cash

    def open(self, cashier: str, float_rupiah: int, *, at: datetime) -> SpooledRecord:
        """Record that `cashier` (a pseudonym) takes the drawer with this float."""
        drawer = self.open_drawer()
        if drawer is not None:
            raise WrongEntry(
                Message(
                    "{cashier} has the drawer. It must be counted before another takes it.", cashier=drawer.cashier
                )
            )
        record, _ = self._append(
            at,
            lambda place: DrawerOpened(
                **self._origin(place), cashier=cashier.strip(), float_rupiah=float_rupiah, opened_at=at
            ),
        )
        return record

    def drop(self, rupiah: int, *, at: datetime, reason: str = "") -> SpooledRecord:
        """Record money taken out of the drawer for safekeeping."""
        if rupiah == 0:
            raise WrongEntry(Message("Rp0 is nothing to take out."))
        drawer = self._drawer()
        record, _ = self._append(
            at,
            lambda place: CashDropped(
                **self._origin(place), drawer=drawer.id, rupiah=rupiah, reason=reason, dropped_at=at
            ),
        )
        return record

    def count_cash(self, rupiah: int, *, at: datetime) -> CashCounted:
        """Record the cash in the drawer. The result holds the expected sum, which stays hidden before the count."""

        def write(place: RecordPlace) -> CashCounted:
            # Read in the transaction that gives the record its number, so that no sale comes between.
            drawer = self._drawer()
            return CashCounted(
                **self._origin(place),
                drawer=drawer.id,
                counted_rupiah=rupiah,
                expected_rupiah=drawer.expected_rupiah,
                counted_at=at,
            )

        _, count = self._append(at, write)
        return count

    def open_drawer(self) -> CashDrawer | None:
        """The drawer without a count, if any."""
        return open_drawer(self.spool.records())

    def drawers(self) -> list[CashDrawer]:
        """Every drawer that was opened on this device, oldest first."""
        return drawers(self.spool.records())

    # Views

    def view(self) -> BoothView:
        """The till's view of its booth."""
        return self._view_of(self.spool.records())

    def receipts(self) -> Receipts:
        """The receipts of the booth that this till knows."""
        return known_receipts(self.spool.records(), self._received(SALES))

    def tracked_records(self) -> list[TrackedRecord]:
        """Every record in the order of recording, with its status."""
        return tracked_records(self.spool.records(), self._received(SALES), self.spool.refusals())

    async def sync(
        self, route: SyncRoute, *, wait: float, on_sent: Callable[[int], None] = lambda _: None
    ) -> SyncReport:
        """Send pending records, or the introduction of a new device. Receive prices, stock, withdrawals, and the
        events of sales about the booth's receipts. Wait up to `wait` seconds for missing ones."""
        if self.spool.counts().records == 0:
            at = datetime.now(UTC)
            self._append(at, lambda place: DeviceIntroduced(**self._origin(place), introduced_at=at))
        subscriptions = [Subscription(BOOTH_STOCK, self.booth), Subscription(SALES, self.booth, about="receipt")]
        return await sync(self.spool, route, subscriptions, awaited=(ReceiptIssued,), wait=wait, on_sent=on_sent)

    def _view_of(self, records: Sequence[SpooledRecord]) -> BoothView:
        stock, answers = self._received(BOOTH_STOCK), self._received(SALES)
        return view(self.name, self.spool.device, [*stock, *answers], known_receipts(records, answers))

    def _received(self, topic: Topic) -> list[Body]:
        return [event.body for event in self.spool.received(topic)]

    def _drawer(self) -> CashDrawer:
        drawer = self.open_drawer()
        if drawer is None:
            raise WrongEntry(
                Message("No drawer is open here. Please open one: drawer open --cashier P1 --float 200.000")
            )
        return drawer

    def _receipt_id(self, typed: str) -> str:
        name = typed.strip().lower()
        if name.isdecimal():
            for record in self.spool.records():
                if str(record.number) == name and isinstance(record.body, ReceiptIssued):
                    return record.id
            raise WrongEntry(
                Message("Record {number} of this till is no receipt. Please compare it with `list`.", number=name)
            )
        if not _RECEIPT_ID.fullmatch(name):
            raise WrongEntry(
                Message("{text!r} is neither the number of a record here nor the id of a receipt.", text=typed)
            )
        return name

    def _still_open(self) -> None:
        everything = self.spool.records()
        last = everything[-1].body if everything else None
        if isinstance(last, TillClosed) and last.opening >= self.view().opening:
            raise WrongEntry(
                Message(
                    "This till is closed. If a sale did happen and is missing, enter it with --happened "
                    "and close again."
                )
            )

    def _origin(self, place: RecordPlace) -> _Origin:
        return _Origin(
            booth=self.booth, till=self.name, device=place.device, seq=place.number, previous=place.previous
        )

    def _amend(self, number: int, write: Callable[[RecordPlace, Body], Body]) -> SpooledRecord:
        with _checked():
            return self.spool.amend(number, write)

    def _append(self, at: datetime, write: Callable[[RecordPlace], B]) -> tuple[SpooledRecord, B]:
        with _checked():
            record = self.spool.append(write, at)
        return record, cast(B, record.body)


@contextmanager
def _checked() -> Iterator[None]:
    """Translate a ValidationError of the published language into WrongEntry."""
    try:
        yield
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, fault["loc"]))
        reason = fault_message(fault)
        raise WrongEntry(Message("{field}: {reason}", field=field, reason=reason) if field else reason) from None


def _amount(lines: Sequence[ReceiptLine], discount_rupiah: int) -> int:
    """The sum of a receipt. Raises WrongEntry if the discount is more."""
    amount = sum(line.gross_rupiah - line.discount_rupiah for line in lines)
    if discount_rupiah > amount:
        raise WrongEntry(
            Message(
                "A discount of {discount:rupiah} is more than the sum {amount:rupiah}.",
                discount=discount_rupiah,
                amount=amount,
            )
        )
    return amount - discount_rupiah


def _payment(kind: PaymentKind, reference: str, given_rupiah: int | None, due_rupiah: int) -> Payment:
    if given_rupiah is None:
        return Payment(kind=kind, reference=reference)
    if kind is not PaymentKind.CASH:
        raise WrongEntry(Message("--given is for cash only: other payments have no change."))
    if given_rupiah < due_rupiah:
        raise WrongEntry(
            Message(
                "{given:rupiah} is {missing:rupiah} too little: the sum is {due:rupiah}. Nothing was recorded.",
                given=given_rupiah,
                missing=due_rupiah - given_rupiah,
                due=due_rupiah,
            )
        )
    return Payment(kind=kind, reference=reference, given_rupiah=given_rupiah, change_rupiah=given_rupiah - due_rupiah)


def _of_unknown(
    line: int | None, pieces: int | None, refund_rupiah: int | None
) -> tuple[tuple[VoidedLine, ...], int]:
    if line is None or pieces is None or refund_rupiah is None:
        raise WrongEntry(
            Message(
                "This till does not know that receipt. Please sync, or give the line, the pieces and "
                "the refund from the paper: void RECEIPT LINE PIECES --returned 25.000"
            )
        )
    if line < 1 or pieces < 1:
        raise WrongEntry(Message("The line and the pieces must be at least 1."))
    return (VoidedLine(line=line, qty=pieces),), refund_rupiah
