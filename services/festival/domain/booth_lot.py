"""One lot at a booth, and what became of its pieces:

received + surplus = sold + lost + returned + returning + moved out + misbooked + left

A sale without a label is booked on lots by shares and counts. So more of a single lot can be sold and come home than
was received, while as much of another lot of the product seems left. Such pieces are `misbooked`: they add up to 0
over the lots of a product.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from shared.events.amounts import apportion
from shared.events.lot_number import parse


@dataclass(frozen=True, slots=True)
class BoothLot:
    """One lot at (or on its way to or from) one booth, in pieces. `recorded_lost`: by RecordLoss; `moved_out`: to
    other booths. `final`: nothing more will come home, so what is left counts as lost. `withdrawn`: why, if the lot
    was recalled."""

    lot: str
    facility: str
    product: str
    made_on: date
    in_transit: int = 0
    received: int = 0
    lost_on_the_way: int = 0
    recorded_lost: int = 0
    returning: int = 0
    returned: int = 0
    final: bool = False
    withdrawn: str | None = None
    moved_out: int = 0
    best_before: date | None = None

    @property
    def home(self) -> int:
        """Pieces that came home, whether or not inventory has taken them in."""
        return self.returned + self.returning


@dataclass(frozen=True, slots=True)
class Account:
    """One lot's sum at a booth, in pieces. `misbooked`: its pieces that were sold, moved or came home in the name of
    other lots of the product; negative: others' in its name. `surplus`: more of the product was sold and came home
    than was received, or pieces that were recorded as lost came home after all."""

    received: int
    sold: int
    lost: int
    returned: int
    returning: int
    left: int
    surplus: int
    moved_out: int = 0
    misbooked: int = 0


@dataclass(frozen=True, slots=True)
class ReturnBalance:
    """Pieces of one product at a booth. Received pieces that were neither moved to other booths nor sold can come
    home, also those that were recorded as lost."""

    received: int
    moved_out: int
    sold: int
    home: int

    @property
    def most(self) -> int:
        """How many more can come home."""
        return max(0, self.received - self.moved_out - self.sold - self.home)


def accounts(lots: Iterable[BoothLot], sold: Mapping[str, int]) -> dict[str, Account]:
    """By lot, also those that were sold without ever having been received; `sold` in pieces by lot."""
    products: dict[str, list[BoothLot]] = defaultdict(list)
    for lot in _all_lots(lots, sold):
        products[lot.product].append(lot)
    made: dict[str, Account] = {}
    for of in products.values():
        made |= _product_accounts(of, sold)
    return dict(sorted(made.items()))


def return_balance(lots: Iterable[BoothLot], sold: Mapping[str, int], product: str) -> ReturnBalance:
    """What can come home of one product, over all its lots."""
    mine = [lot for lot in _all_lots(lots, sold) if lot.product == product]
    return ReturnBalance(
        received=sum(lot.received for lot in mine),
        moved_out=sum(lot.moved_out for lot in mine),
        sold=sum(sold.get(lot.lot, 0) for lot in mine),
        home=sum(lot.home for lot in mine),
    )


def _all_lots(lots: Iterable[BoothLot], sold: Mapping[str, int]) -> list[BoothLot]:
    """In the order of their ids. A sold lot that never came has the product that its number says; without a number it
    stands for itself."""
    held = {lot.lot: lot for lot in lots}
    for lot in sold.keys() - held.keys():
        number = parse(lot)
        held[lot] = BoothLot(lot, "", lot if number is None else number.product, date.min)
    return [held[lot] for lot in sorted(held)]


def _product_accounts(lots: Sequence[BoothLot], sold: Mapping[str, int]) -> dict[str, Account]:
    # Pieces that no record of the lot tells of; below 0: its records tell of more than came.
    rests = [lot.received - sold.get(lot.lot, 0) - lot.recorded_lost - lot.home - lot.moved_out for lot in lots]
    left = [max(0, rest) for rest in rests]
    # That lost pieces came home after all says nothing of other lots: it stays in their own surplus.
    beyond = [max(0, -rest - lot.recorded_lost) for lot, rest in zip(lots, rests, strict=True)]
    common = min(sum(left), sum(beyond))
    shifts = zip(apportion(common, left), apportion(common, beyond), strict=True)
    return {
        lot.lot: _account(lot, sold.get(lot.lot, 0), rest, theirs - others)
        for lot, rest, (theirs, others) in zip(lots, rests, shifts, strict=True)
    }


def _account(lot: BoothLot, sold: int, rest: int, misbooked: int) -> Account:
    left = max(0, rest - misbooked)
    return Account(
        received=lot.received,
        sold=sold,
        lost=lot.recorded_lost + (left if lot.final else 0),
        returned=lot.returned,
        returning=lot.returning,
        left=0 if lot.final else left,
        surplus=max(0, misbooked - rest),
        moved_out=lot.moved_out,
        misbooked=misbooked,
    )
