"""What a till records, and what it refuses at once."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from pydantic import ValidationError

from edge.spool import Owner, RecordPlace, Said, Spool
from edge.sync import Ear, Exchanged, exchange
from edge.till.basket import BasketEntry, named, not_withdrawn, receipt_lines, warnings
from edge.till.booth import BoothView, view
from edge.till.drawer import CashDrawer, drawers, open_drawer
from edge.till.former import FORMER
from edge.till.receipts import Receipts, known_receipts, to_void
from edge.till.standing import Standings, standings
from shared import shown
from shared.errors import WrongEntry
from shared.events import names
from shared.events.festival import BOOTH_STOCK
from shared.events.language import Body, Topic, in_words
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
    ReceiptVoided,
    TillClosed,
    VoidedLine,
)
from shared.settings import Settings

B = TypeVar("B", bound=Body)
_RECEIPT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class SoldReceipt:
    """A receipt that was kept, what it costs, and what the cashier should know about it."""

    said: Said
    receipt: ReceiptIssued
    amount_rupiah: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Voided:
    """A void that was kept. `void.refund_rupiah` is to be paid back in the way `void.refund`, which is `assumed` if
    nobody named it and another device took the payment."""

    said: Said
    void: ReceiptVoided
    assumed: bool


def owner(folder: Path, booth: str, name: str) -> Owner:
    """Whose spool till `name` of `booth` has in `folder`. Raises WrongEntry for names that can't be."""
    for rule, given in ((names.BOOTH, booth), (names.TILL, name)):
        if (words := rule.wrong(given)) is not None:
            raise WrongEntry(words)
    return Owner(folder / "till" / f"{booth}.{name}.spool", TILL, f"till/{booth}/{name}", FORMER)


class Till:
    """Till `name` of `booth`, with its spool in `folder`.

    Raises WrongEntry for names that can't be, SpoolFailed as the spool does.
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
        """Sell all of the basket on one receipt.

        `why`: the reason for prices that depart from the list. `happened`: the goods are gone and paid for, so
        neither a withdrawn lot nor a closed till is a reason to leave it out. Raises WrongEntry for what can't be or
        should not be sold.
        """
        booth = self.view()
        prices = booth.prices_at(at)
        with _checked():
            lines = receipt_lines(basket, prices, why)
        if not happened:
            self._still_open()
            not_withdrawn(booth, lines)
        due = sum(line.gross_rupiah - line.discount_rupiah for line in lines)
        if discount_rupiah > due:
            raise WrongEntry(
                f"A discount of {shown.rupiah(discount_rupiah)} is more than the sum {shown.rupiah(due)}."
            )
        with _checked():
            paid = _payment(payment, reference, given_rupiah, due - discount_rupiah)
        drawer = self.open_drawer() if payment is PaymentKind.CASH else None
        said, receipt = self._say(
            at,
            lambda place: ReceiptIssued(
                **self._stamp(place),
                lines=lines,
                discount_rupiah=discount_rupiah,
                payment=paid,
                drawer=drawer.id if drawer else None,
                price_list=prices.revision,
                sold_at=at,
            ),
        )
        return SoldReceipt(said, receipt, due - discount_rupiah, warnings(booth, lines, prices.prices))

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
    ) -> Voided:
        """Pieces of a receipt of this booth did not stand: all that is left of it, of one line, or so many.

        `receipt` is the number of a record here, or a receipt's id. `refund_rupiah` is for a receipt that this till
        doesn't know, with line and pieces; of all others the till knows the sum. `refund` None: in the way it was
        paid; in cash if that is not known. Raises WrongEntry if the receipt has fewer pieces left.
        """
        receipts = self.receipts()
        id = self._receipt_id(receipt)
        known = receipts.lines.get(id)
        if known is None:
            with _checked():
                voided, amount = _of_unknown(line, pieces, refund_rupiah)
        else:
            voided = to_void(known, line, pieces)
            amount = sum(known[void.line].refund(void.qty) for void in voided)
            if refund_rupiah is not None and refund_rupiah != amount:
                raise WrongEntry(f"This till knows the receipt: {shown.rupiah(amount)} is to be paid back for this.")
        kind = refund or receipts.paid.get(id, PaymentKind.CASH)
        drawer = self.open_drawer() if kind is PaymentKind.CASH else None
        said, void = self._say(
            at,
            lambda place: ReceiptVoided(
                **self._stamp(place),
                receipt=id,
                lines=voided,
                refund=kind,
                refund_rupiah=amount,
                drawer=drawer.id if drawer else None,
                reason=reason,
                voided_at=at,
            ),
        )
        return Voided(said, void, assumed=refund is None and id not in receipts.paid)

    # Goods

    def count(self, counted: Mapping[str, int], *, at: datetime, final: bool = True) -> Said:
        """What is physically left at the booth, by lot number, or by product for pieces without a label.

        What is left out counts as not counted. A final count divides the unlabelled sales made up to then.
        """
        goods = [(*named(item), qty) for item, qty in counted.items()]
        if not goods:
            raise WrongEntry("Nothing was counted. Please name each lot with its pieces, 0 for none.")
        if len({(lot, product) for lot, product, _ in goods}) < len(goods):
            raise WrongEntry("A lot or product is named twice. Please add its pieces up and name it once.")
        said, _ = self._say(
            at,
            lambda place: BoothCounted(
                **self._stamp(place),
                counted_at=at,
                final=final,
                lots=tuple(LotCount(lot=lot, qty=qty) for lot, _, qty in goods if lot is not None),
                products=tuple(ProductCount(product=product, qty=qty) for lot, product, qty in goods if lot is None),
            ),
        )
        return said

    def close(self, *, at: datetime) -> Said:
        """The till's last word. A second time only after something was recorded since."""
        self._still_open()
        said, _ = self._say(at, lambda place: TillClosed(**self._stamp(place), last_seq=place.number))
        return said

    # Cash

    def open(self, cashier: str, float_rupiah: int, *, at: datetime) -> Said:
        """`cashier` (a pseudonym) takes the drawer with so much in it."""
        drawer = self.open_drawer()
        if drawer is not None:
            raise WrongEntry(f"{drawer.cashier} has the drawer. It must be counted before another takes it.")
        said, _ = self._say(
            at,
            lambda place: DrawerOpened(
                **self._stamp(place), cashier=cashier.strip(), float_rupiah=float_rupiah, opened_at=at
            ),
        )
        return said

    def drop(self, rupiah: int, *, at: datetime, reason: str = "") -> Said:
        """Money goes out of the drawer for safekeeping."""
        if rupiah == 0:
            raise WrongEntry("Rp0 is nothing to take out.")
        drawer = self._drawer()
        said, _ = self._say(
            at,
            lambda place: CashDropped(
                **self._stamp(place), drawer=drawer.id, rupiah=rupiah, reason=reason, dropped_at=at
            ),
        )
        return said

    def count_cash(self, rupiah: int, *, at: datetime) -> CashCounted:
        """So much is in the drawer. What should be there is told by the answer, once the count is kept."""

        def write(place: RecordPlace) -> CashCounted:
            # Looked up where the record gets its number: no sale comes in between.
            drawer = self._drawer()
            return CashCounted(
                **self._stamp(place),
                drawer=drawer.id,
                counted_rupiah=rupiah,
                expected_rupiah=drawer.expected_rupiah,
                counted_at=at,
            )

        _, count = self._say(at, write)
        return count

    def open_drawer(self) -> CashDrawer | None:
        """The drawer that was not counted yet."""
        return open_drawer(self.spool.all_said())

    def drawers(self) -> list[CashDrawer]:
        """Every drawer that was opened here, the first one first."""
        return drawers(self.spool.all_said())

    # What it knows

    def view(self) -> BoothView:
        """The booth as this till knows it."""
        stock, answers = self._heard(BOOTH_STOCK), self._heard(SALES)
        receipts = known_receipts(self.spool.all_said(), answers)
        return view(self.name, self.spool.device, [*stock, *answers], receipts)

    def receipts(self) -> Receipts:
        """The receipts of the booth that this till knows."""
        return known_receipts(self.spool.all_said(), self._heard(SALES))

    def standings(self) -> list[Standings]:
        """Every record in the order it was made, with what became of it."""
        return standings(self.spool.all_said(), self._heard(SALES))

    async def sync(
        self, settings: Settings, *, wait: float, on_sent: Callable[[int], None] = lambda _: None
    ) -> Exchanged:
        """Send what waits, or that this device is there; hear prices, stock and withdrawals, and what became of the
        receipts."""
        if self.spool.counts().said == 0:
            at = datetime.now(UTC)
            self._say(at, lambda place: DeviceIntroduced(**self._stamp(place), introduced_at=at))
        ears = [Ear(BOOTH_STOCK, self.booth), Ear(SALES, self.booth, about="receipt")]
        return await exchange(self.spool, settings, ears, awaited=(ReceiptIssued,), wait=wait, on_sent=on_sent)

    def _heard(self, topic: Topic) -> list[Body]:
        return [heard.body for heard in self.spool.heard(topic)]

    def _drawer(self) -> CashDrawer:
        drawer = self.open_drawer()
        if drawer is None:
            raise WrongEntry("No drawer is open here. Please open one: drawer open --cashier P1 --float 200.000")
        return drawer

    def _receipt_id(self, typed: str) -> str:
        wanted = typed.strip().lower()
        if wanted.isdecimal():
            for said in self.spool.all_said():
                if str(said.number) == wanted and isinstance(said.body, ReceiptIssued):
                    return said.id
            raise WrongEntry(f"Record {wanted} of this till is no receipt. Please compare it with `list`.")
        if not _RECEIPT_ID.fullmatch(wanted):
            raise WrongEntry(f"{typed!r} is neither the number of a record here nor the id of a receipt.")
        return wanted

    def _still_open(self) -> None:
        everything = self.spool.all_said()
        if everything and isinstance(everything[-1].body, TillClosed):
            raise WrongEntry(
                "This till is closed. If a sale did happen and is missing, enter it with --happened and close again."
            )

    def _stamp(self, place: RecordPlace) -> dict[str, Any]:
        return {
            "booth": self.booth,
            "till": self.name,
            "device": place.device,
            "seq": place.number,
            "previous": place.previous,
        }

    def _say(self, at: datetime, write: Callable[[RecordPlace], B]) -> tuple[Said, B]:
        with _checked():
            said = self.spool.say(write, at)
        return said, cast(B, said.body)


@contextmanager
def _checked() -> Iterator[None]:
    """What the published language does not allow is a wrong entry."""
    try:
        yield
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, wrong["loc"]))
        words = in_words(wrong["msg"])
        raise WrongEntry(f"{where}: {words}." if where else f"{words[:1].upper()}{words[1:]}.") from None


def _payment(kind: PaymentKind, reference: str, given_rupiah: int | None, due_rupiah: int) -> Payment:
    if given_rupiah is None:
        return Payment(kind=kind, reference=reference)
    if kind is not PaymentKind.CASH:
        raise WrongEntry("--given is for cash only: other payments have no change.")
    if given_rupiah < due_rupiah:
        raise WrongEntry(
            f"{shown.rupiah(given_rupiah)} is {shown.rupiah(due_rupiah - given_rupiah)} too little: the sum is "
            f"{shown.rupiah(due_rupiah)}. Nothing was recorded."
        )
    return Payment(kind=kind, reference=reference, given_rupiah=given_rupiah, change_rupiah=given_rupiah - due_rupiah)


def _of_unknown(
    line: int | None, pieces: int | None, refund_rupiah: int | None
) -> tuple[tuple[VoidedLine, ...], int]:
    if line is None or pieces is None or refund_rupiah is None:
        raise WrongEntry(
            "This till has not heard of that receipt. Please sync, or say from the paper which line, how many pieces "
            "and what you pay back: void RECEIPT LINE PIECES --returned 25.000"
        )
    if line < 1 or pieces < 1:
        raise WrongEntry("The line and the pieces must be at least 1.")
    return (VoidedLine(line=line, qty=pieces),), refund_rupiah
