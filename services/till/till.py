"""What a till records, what it refuses at once, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from services.till.booth import BoothView, view
from shared.errors import WrongEntry
from shared.events import lot_number
from shared.events.festival import BOOTH_STOCK
from shared.events.language import Body
from shared.events.lot_number import PRODUCT_CODE
from shared.events.sales import (
    SALES,
    TILL,
    BoothCounted,
    LotCount,
    SaleDisputed,
    SaleRecorded,
    SaleReported,
    SaleVoided,
    SaleVoidRecorded,
    TillClosed,
)
from shared.exchange import Ear, Exchanged, exchange
from shared.settings import Settings
from shared.spool import Said, Spool


class Standing(StrEnum):
    """Where a record is: in the spool, with Kafka, or answered by sales (only sales and voids are)."""

    TO_SEND = "to send"
    SENT = "sent"
    RECORDED = "recorded"
    DISPUTED = "disputed"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class Standings:
    said: Said
    standing: Standing


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale that was kept, and what the cashier should know about it."""

    said: Said
    amount_rupiah: int
    warnings: tuple[str, ...]


class Till:
    """Till `name` of `booth`, with its spool in `folder`.

    Raises WrongEntry for names that can't be, SpoolFailed as the spool does.
    """

    def __init__(self, folder: Path, booth: str, name: str) -> None:
        self.booth = booth.strip()
        self.name = name.strip()
        for given in (self.booth, self.name):
            if not given.replace("-", "").replace(".", "").isalnum() or not given.isascii():
                raise WrongEntry(
                    "Names of booths and tills have letters, digits, dashes and dots only, e.g. ODOP.B07 and T1."
                )
        path = folder / "till" / f"{self.booth}.{self.name}.spool"
        self.spool = Spool(path, TILL, f"till/{self.booth}/{self.name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.spool.close()

    def sell(
        self, item: str, qty: int, *, at: datetime, price_rupiah: int | None = None, happened: bool = False
    ) -> Sold:
        """Sell `qty` pieces of `item`: a lot number as on the label, or a product's code.

        `happened`: the goods are gone and paid for, so neither a withdrawn lot nor a closed till is a reason
        to leave it out. Raises WrongEntry for what can't be or should not be sold.
        """
        lot, product = _lot_and_product(item)
        if qty < 1:
            raise WrongEntry("The quantity must be at least 1.")
        booth = self.view()
        if not happened:
            self._still_open()
            _not_withdrawn(booth, lot, product)
        price = price_rupiah if price_rupiah is not None else booth.prices.get(product)
        if price is None:
            raise WrongEntry(f"No price of {product} is known here. Please sync, or give --price.")
        warnings = tuple(_warnings(booth, lot, product, qty, price))
        said = self._say(
            at,
            lambda number: SaleReported(
                booth=self.booth,
                till=self.name,
                seq=number,
                lot=lot,
                product=product,
                qty=qty,
                unit_price_rupiah=price,
                sold_at=at,
            ),
        )
        return Sold(said, qty * price, warnings)

    def void(self, sale: str, *, at: datetime) -> Said:
        """A sale of this till (its number or id) did not stand."""
        found = self._own_sale(sale)
        return self._say(
            at,
            lambda number: SaleVoided(booth=self.booth, till=self.name, seq=number, sale=found.id, voided_at=at),
        )

    def count(self, counted: dict[str, int], *, at: datetime) -> Said:
        """What is physically left at the booth, by lot number. Lots left out count as not counted."""
        lots = []
        for typed, qty in counted.items():
            number = lot_number.parse(typed)
            if number is None:
                raise WrongEntry("One of these is no lot number. Please compare them with the labels.")
            if qty < 0:
                raise WrongEntry("A count can't be below 0.")
            lots.append(LotCount(lot=str(number), qty=qty))
        if len({one.lot for one in lots}) < len(lots):
            raise WrongEntry("A lot is named twice. Please add its pieces up and name it once.")
        return self._say(
            at,
            lambda number: BoothCounted(booth=self.booth, till=self.name, seq=number, lots=tuple(lots)),
        )

    def close(self, *, at: datetime) -> Said:
        """The till's last word. A second time only after something was recorded since."""
        self._still_open()
        return self._say(at, lambda number: TillClosed(booth=self.booth, till=self.name, seq=number, last_seq=number))

    def view(self) -> BoothView:
        """The booth as this till knows it."""
        heard = [heard.body for heard in self.spool.heard(BOOTH_STOCK)]
        return view(self.name, heard, [(said.id, said.body) for said in self.spool.all_said()])

    def standings(self) -> list[Standings]:
        """Every record in the order it was made, with what became of it."""
        answers: dict[str, Standing] = {}
        for heard in self.spool.heard(SALES):
            if heard.about is not None:
                answers[heard.about] = _ANSWERS[type(heard.body)]
        return [_standing(said, answers) for said in self.spool.all_said()]

    async def sync(
        self, settings: Settings, *, wait: float, on_sent: Callable[[int], None] = lambda _: None
    ) -> Exchanged:
        """Send what waits; hear prices, stock and withdrawals, and what became of the sales."""
        ears = [Ear(BOOTH_STOCK, self.booth, "sale"), Ear(SALES, self.booth, "sale")]
        return await exchange(self.spool, settings, ears, awaited=(SaleReported,), wait=wait, on_sent=on_sent)

    def _own_sale(self, sale: str) -> Said:
        everything = self.spool.all_said()
        wanted = sale.strip().lower()
        for said in everything:
            if wanted in (str(said.number), said.id) and isinstance(said.body, SaleReported):
                if any(isinstance(o.body, SaleVoided) and o.body.sale == said.id for o in everything):
                    raise WrongEntry("This sale is already voided.")
                return said
        raise WrongEntry("No sale of this till has this number. A sale is voided at the till that made it.")

    def _still_open(self) -> None:
        everything = self.spool.all_said()
        if everything and isinstance(everything[-1].body, TillClosed):
            raise WrongEntry(
                "This till is closed. If a sale did happen and is missing, enter it with --happened and close again."
            )

    def _say(self, at: datetime, body: Callable[[int], Body]) -> Said:
        try:
            return self.spool.say(body, at)
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False)[0]
            raise WrongEntry(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}.") from None


_ANSWERS = {
    SaleRecorded: Standing.RECORDED,
    SaleDisputed: Standing.DISPUTED,
    SaleVoidRecorded: Standing.VOIDED,
}


def _lot_and_product(item: str) -> tuple[str | None, str]:
    code = item.strip().upper()
    if PRODUCT_CODE.fullmatch(code):
        return None, code
    number = lot_number.parse(item)
    if number is None:
        raise WrongEntry(
            "This is neither a lot number nor a product's code (three letters): a character is missing or wrong."
        )
    return str(number), number.product


def _not_withdrawn(booth: BoothView, lot: str | None, product: str) -> None:
    lots = booth.lots_of(product)
    if lot in booth.withdrawn:
        raise WrongEntry(
            "This lot was withdrawn: please set it aside and do not sell it. If it is already sold, enter it "
            "with --happened."
        )
    if lot is None and lots and all(one.withdrawn for one in lots):
        raise WrongEntry(
            "All lots of this product here were withdrawn: please set them aside. If it is already sold, enter "
            "it with --happened."
        )


def _warnings(booth: BoothView, lot: str | None, product: str, qty: int, price: int) -> list[str]:
    warnings = []
    if not booth.listed:
        warnings.append("This till has not heard that it belongs to the booth; please sync when you can.")
    elif lot is not None and lot not in booth.lots:
        warnings.append("This lot is not known to be at this booth; the sale may be disputed.")
    else:
        left = min(booth.left_of(product), booth.left_of_lot(lot) if lot else booth.left_of(product))
        if qty > left:
            warnings.append(
                f"This till's part of the stock allows {max(left, 0)} more; the sale is kept but may be disputed."
            )
    known = booth.prices.get(product)
    if known is not None and known != price:
        warnings.append(f"The booth's price is Rp{known:,}.".replace(",", "."))
    return warnings


def _standing(said: Said, answers: dict[str, Standing]) -> Standings:
    about = said.body.sale if isinstance(said.body, SaleVoided) else said.id
    answer = answers.get(about)
    # A void is answered only by a void; that its sale is recorded says nothing about it.
    if answer is not None and (not isinstance(said.body, SaleVoided) or answer is Standing.VOIDED):
        return Standings(said, answer)
    return Standings(said, Standing.SENT if said.acknowledged else Standing.TO_SEND)
