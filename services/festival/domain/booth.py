"""A booth and its lots. Derived numbers are not stored, so the sums can't drift:

dispatched to the booth + moved to it + found = in transit + received + lost on the way
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.festival.domain.booth_lot import Account, BoothLot, ReturnBalance, accounts, return_balance
from services.festival.domain.line import AllocationLine
from shared.events.festival import (
    BOOTH_STOCK,
    BoothClosing,
    BoothStocked,
    BoothStockMoved,
    LotRecounted,
    LotReinstated,
    LotWithdrawn,
)
from shared.events.language import Publication
from shared.events.sales import SellThroughCounted


class BoothStatus(StrEnum):
    """`SETTLED`: sales has counted the sold pieces."""

    OPEN = "open"
    CLOSING = "closing"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class PriceTag:
    product: str
    price_rupiah: int
    category: str | None = None


@dataclass(frozen=True, slots=True)
class LastCount:
    """The last count of a lot: `counted` pieces were seen, `unexplained` more should have been there."""

    lot: str
    counted: int
    unexplained: int


@dataclass(frozen=True, slots=True)
class Booth:
    """A booth of a festival.

    - `sold`: pieces by lot, and `seen`: the counts, both from the sell-through of the highest `revision`.
    - `disputed`: sales in doubt.
    - `capacity`: the pieces that it can hold at once. `limits`: pieces by category.
    - `opening`: how often it opened. `reopening`: the command that sales has to answer.
    - `merged_into`: the booth that has its stock and devices, or is about to have them.
    - `prices`: the list of revision `price_list`, valid from `prices_from`; None: from the opening.
    """

    id: str
    festival: str
    name: str
    prices: tuple[PriceTag, ...]
    tills: tuple[str, ...]
    status: BoothStatus = BoothStatus.OPEN
    deadline: datetime | None = None
    lots: tuple[BoothLot, ...] = ()
    revision: int = -1
    sold: tuple[tuple[str, int], ...] = ()
    disputed: tuple[str, ...] = ()
    capacity: int | None = None
    limits: tuple[tuple[str, int], ...] = ()
    price_list: int = 1
    prices_from: datetime | None = None
    seen: tuple[LastCount, ...] = ()
    opening: int = 1
    reopening: str | None = None
    merged_into: str | None = None

    def find_lot(self, lot: str) -> BoothLot | None:
        """The booth's lot of this id."""
        return next((held for held in self.lots if held.lot == lot), None)

    def accounts(self) -> dict[str, Account]:
        """The account of each lot, also of lots that were sold but never received."""
        return accounts(self.lots, dict(self.sold))

    def return_balance(self, product: str) -> ReturnBalance:
        """The pieces of a product that can come home, whichever of its lots the sales were booked on."""
        return return_balance(self.lots, dict(self.sold), product)

    @property
    def merging(self) -> bool:
        """Whether sales has not answered yet that the booth's stock and devices go to another one."""
        return self.merged_into is not None and self.deadline is None

    @property
    def held_and_incoming(self) -> dict[str, int]:
        """Pieces by product, at the booth or on their way to it."""
        products: dict[str, int] = {}
        accounts = self.accounts()
        for held in self.lots:
            qty = held.in_transit + accounts[held.lot].left
            products[held.product] = products.get(held.product, 0) + qty
        return products

    @property
    def accounted(self) -> bool:
        """Whether the booth is settled and every piece is sold, lost or home."""
        return (
            self.status is BoothStatus.SETTLED
            and not any(lot.in_transit for lot in self.lots)
            and not any(account.left or account.returning for account in self.accounts().values())
        )


def with_lot(booth: Booth, lot: BoothLot) -> Booth:
    """The booth with this state of the lot."""
    if booth.find_lot(lot.lot) is None:
        return replace(booth, lots=(*booth.lots, lot))
    return replace(booth, lots=tuple(lot if held.lot == lot.lot else held for held in booth.lots))


def add_in_transit(booth: Booth, line: AllocationLine) -> Booth:
    """The booth after the line's pieces have left the facility."""
    held = booth.find_lot(line.lot) or BoothLot(
        line.lot, line.facility, line.product, line.made_on, best_before=line.best_before
    )
    return with_lot(booth, replace(held, in_transit=held.in_transit + line.qty))


def move_lots(giver: Booth, taker: Booth, lots: dict[str, int]) -> tuple[Booth, Booth, list[Publication]]:
    """Both booths after pieces, by lot, have left the giver for the taker; and the events."""
    publications: list[Publication] = []
    for lot, qty in lots.items():
        held = giver.find_lot(lot)
        assert held is not None, "the giver holds the lot"
        expected = taker.find_lot(lot) or BoothLot(
            lot, held.facility, held.product, held.made_on, best_before=held.best_before
        )
        giver = with_lot(giver, replace(held, moved_out=held.moved_out + qty))
        taker = with_lot(taker, replace(expected, in_transit=expected.in_transit + qty))
        publications.append(BOOTH_STOCK.of(BoothStockMoved(booth=giver.id, lot=lot, qty=qty, to=taker.id)))
    return giver, taker, publications


def receive_lots(
    booth: Booth, sent_pieces: dict[str, int], stocked: dict[str, int]
) -> tuple[Booth, list[Publication]]:
    """The booth after the `sent_pieces` were counted in, and the events; both by lot.

    Pieces beyond `stocked` are lost on the way. For a withdrawn lot sales receives two events: the pieces have come,
    and they must not be sold.
    """
    publications: list[Publication] = []
    for lot, qty in sent_pieces.items():
        held = booth.find_lot(lot)
        assert held is not None, "pieces that left were expected"
        received = stocked[lot]
        held = replace(
            held,
            in_transit=held.in_transit - qty,
            received=held.received + received,
            lost_on_the_way=held.lost_on_the_way + qty - received,
        )
        booth = with_lot(booth, held)
        if received > 0:
            publications.append(_stocked_event(booth, held, received))
            if held.withdrawn is not None:
                publications.append(_withdrawn_event(booth, held.lot, held.withdrawn))
    return booth, publications


def recount_lot(
    booth: Booth, recounted_lot: BoothLot, *, received: int, lost: int, found: int
) -> tuple[Booth, list[Publication]]:
    """The booth after a lot of one arrival was counted again, and the events; the changes are in pieces.

    `held` is the booth's lot, or a new one. A withdrawn lot is withdrawn again, as it may be new to sales.
    """
    recounted_lot = replace(
        recounted_lot,
        received=recounted_lot.received + received,
        lost_on_the_way=recounted_lot.lost_on_the_way + lost,
        found=recounted_lot.found + found,
        recounts=recounted_lot.recounts + 1,
    )
    event = LotRecounted(
        booth=booth.id,
        festival=booth.festival,
        lot=recounted_lot.lot,
        facility=recounted_lot.facility,
        product=recounted_lot.product,
        made_on=recounted_lot.made_on,
        qty=recounted_lot.received,
        revision=recounted_lot.recounts,
    )
    publications = [BOOTH_STOCK.of(event)]
    if recounted_lot.withdrawn is not None:
        publications.append(_withdrawn_event(booth, recounted_lot.lot, recounted_lot.withdrawn))
    return with_lot(booth, recounted_lot), publications


def withdraw(booth: Booth, lot: str, reason: str) -> tuple[Booth, list[Publication]]:
    """The booth after a recall of the lot, and the event; nothing changes a second time."""
    held = booth.find_lot(lot)
    if held is None or held.withdrawn is not None:
        return booth, []
    return with_lot(booth, replace(held, withdrawn=reason)), [_withdrawn_event(booth, lot, reason)]


def reinstate(booth: Booth, lot: str, reason: str) -> tuple[Booth, list[Publication]]:
    """The booth after the recall of the lot was lifted, and the event; nothing changes if it holds no such lot."""
    held = booth.find_lot(lot)
    if held is None or held.withdrawn is None:
        return booth, []
    reinstated = LotReinstated(booth=booth.id, lot=lot, reason=reason)
    return with_lot(booth, replace(held, withdrawn=None)), [BOOTH_STOCK.of(reinstated)]


def close(booth: Booth, deadline: datetime) -> tuple[Booth, Publication]:
    """The booth as closing, and the event. Its tills can send until the deadline."""
    closing = BoothClosing(booth=booth.id, festival=booth.festival, deadline=deadline, opening=booth.opening)
    return replace(booth, status=BoothStatus.CLOSING, deadline=deadline), BOOTH_STOCK.of(closing)


def reopen(booth: Booth, opening: int) -> Booth:
    """The booth as open again. What was counted as sold and as lost at its end is counted anew when it closes."""
    return replace(
        booth,
        status=BoothStatus.OPEN,
        deadline=None,
        opening=opening,
        reopening=None,
        lots=tuple(replace(lot, final=False, returned_before=lot.returned) for lot in booth.lots),
        sold=(),
        seen=(),
        disputed=(),
    )


def apply_sell_through(booth: Booth, report: SellThroughCounted) -> Booth:
    """The booth with the counts of a higher revision; an older report changes nothing.

    A report settles a closing booth. It can also correct a settled one.
    """
    if report.revision <= booth.revision:
        return booth
    return replace(
        booth,
        status=booth.status if booth.status is BoothStatus.OPEN else BoothStatus.SETTLED,
        revision=report.revision,
        sold=tuple((lot.lot, lot.sold) for lot in report.lots if lot.sold > 0),
        seen=tuple(
            LastCount(lot.lot, lot.counted, lot.unexplained) for lot in report.lots if lot.counted is not None
        ),
        disputed=report.disputed,
    )


def _stocked_event(booth: Booth, held: BoothLot, qty: int) -> Publication:
    return BOOTH_STOCK.of(
        BoothStocked(
            booth=booth.id,
            festival=booth.festival,
            lot=held.lot,
            facility=held.facility,
            product=held.product,
            made_on=held.made_on,
            qty=qty,
        )
    )


def _withdrawn_event(booth: Booth, lot: str, reason: str) -> Publication:
    return BOOTH_STOCK.of(LotWithdrawn(booth=booth.id, lot=lot, reason=reason))
