"""One lot at a booth, and the account of its pieces:

received + surplus = sold + lost + returned + returning + moved out + misbooked + left

A sale without a label is booked on lots by shares and counts. So one lot can have more pieces sold and returned than
it received, while another lot of the product has as many left over. Such pieces are `misbooked`. Over the lots of a
product they add up to 0.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from shared.events.amounts import apportion
from shared.events.lot_number import parse


@dataclass(frozen=True, slots=True)
class BoothLot:
    """One lot at one booth, or on its way there or back, in pieces.

    - `received`: as counted, with `found` pieces beyond those that were sent. `recounts`: how often that changed.
    - `returning`: not confirmed by inventory yet; below 0: a recount found that fewer came home.
    - `recorded_lost`: by RecordLoss. `moved_out`: to other booths.
    - `final`: nothing more will come home, so the pieces left count as lost.
    - `withdrawn`: the reason of a recall.
    - `returned_before`: the part of `returned` from before the booth was reopened. Sales counts it as moved away.
    """

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
    found: int = 0
    recounts: int = 0
    returned_before: int = 0

    @property
    def home(self) -> int:
        """Pieces that came home, with and without inventory's confirmation."""
        return self.returned + self.returning

    @property
    def most_home(self) -> int:
        """The most pieces that are home, whether inventory confirms or refuses what it was told."""
        return max(self.returned, self.home)


@dataclass(frozen=True, slots=True)
class Account:
    """The account of one lot at a booth, in pieces.

    - `misbooked`: its pieces sold, moved or returned under other lots of the product; negative: others' under it.
    - `surplus`: more of the product was sold and returned than received, or pieces recorded as lost came home.
    """

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
    """The pieces of one product at a booth that bear on returns.

    Received pieces that were neither moved out nor sold can come home, also pieces that were recorded as lost.
    """

    received: int
    moved_out: int
    sold: int
    home: int

    @property
    def most(self) -> int:
        """The most pieces that can still come home."""
        return max(0, self.received - self.moved_out - self.sold - self.home)


def accounts(lots: Iterable[BoothLot], sold: Mapping[str, int]) -> dict[str, Account]:
    """The account of each lot, also of lots that were sold but never received. `sold`: pieces by lot."""
    products: dict[str, list[BoothLot]] = defaultdict(list)
    for lot in _all_lots(lots, sold):
        products[lot.product].append(lot)
    by_lot: dict[str, Account] = {}
    for product_lots in products.values():
        by_lot |= _product_accounts(product_lots, sold)
    return dict(sorted(by_lot.items()))


def return_balance(lots: Iterable[BoothLot], sold: Mapping[str, int], product: str) -> ReturnBalance:
    """The pieces of one product that can come home, over all its lots."""
    product_lots = [lot for lot in _all_lots(lots, sold) if lot.product == product]
    return ReturnBalance(
        received=sum(lot.received for lot in product_lots),
        moved_out=sum(lot.moved_out for lot in product_lots),
        sold=sum(sold.get(lot.lot, 0) for lot in product_lots),
        home=sum(lot.most_home for lot in product_lots),
    )


def _all_lots(lots: Iterable[BoothLot], sold: Mapping[str, int]) -> list[BoothLot]:
    """The lots in the order of their ids, with those that were sold but never came.

    The number of a lot tells its product. A lot without a valid number counts as a product of its own.
    """
    held = {lot.lot: lot for lot in lots}
    for lot in sold.keys() - held.keys():
        number = parse(lot)
        held[lot] = BoothLot(lot, "", lot if number is None else number.product, date.min)
    return [held[lot] for lot in sorted(held)]


def _product_accounts(lots: Sequence[BoothLot], sold: Mapping[str, int]) -> dict[str, Account]:
    # Pieces without a record of their end; below 0: the records tell of more pieces than came.
    remainders = [lot.received - sold.get(lot.lot, 0) - lot.recorded_lost - lot.home - lot.moved_out for lot in lots]
    unaccounted = [max(0, remainder) for remainder in remainders]
    # Lost pieces that came home after all are no sign of misbooking, so they stay in the surplus of their lot.
    excess = [max(0, -remainder - lot.recorded_lost) for lot, remainder in zip(lots, remainders, strict=True)]
    misbooked = min(sum(unaccounted), sum(excess))
    shifts = zip(apportion(misbooked, unaccounted), apportion(misbooked, excess), strict=True)
    return {
        lot.lot: _account(lot, sold.get(lot.lot, 0), remainder, added - subtracted)
        for lot, remainder, (added, subtracted) in zip(lots, remainders, shifts, strict=True)
    }


def _account(lot: BoothLot, sold: int, remainder: int, misbooked: int) -> Account:
    unaccounted = max(0, remainder - misbooked)
    return Account(
        received=lot.received,
        sold=sold,
        lost=lot.recorded_lost + (unaccounted if lot.final else 0),
        returned=lot.returned,
        returning=lot.returning,
        left=0 if lot.final else unaccounted,
        surplus=max(0, misbooked - remainder),
        moved_out=lot.moved_out,
        misbooked=misbooked,
    )
