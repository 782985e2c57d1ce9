"""What a facility sold at a festival and how the money is shared, summed up over the booths.

Everything of one booth comes from one lane's outbox, in the order in which it was said: a booth is opened before it
earns, and earns before it loses, so no sum that is told is below zero. Between booths there is no order. A booth may
open after the others were settled; the settlement then waits for it again.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from shared.events.language import Publication
from shared.events.sales import (
    SETTLEMENTS,
    BoothSettled,
    PoolAdjusted,
    SaleShared,
    SettlementCorrected,
    SettlementIssued,
    ShareOpened,
)
from shared.runtime.processor import Decision
from shared.runtime.state import State

# What changes a settlement.
FromBooth: TypeAlias = ShareOpened | SaleShared | PoolAdjusted | BoothSettled

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Percentages:
    """How a sale is shared. They add up to 100."""

    facility: int
    maker: int
    programme: int

    @property
    def whole(self) -> bool:
        return self.facility + self.maker + self.programme == _WHOLE


@dataclass(frozen=True, slots=True)
class Parts:
    """Whole rupiah."""

    facility_rupiah: int
    maker_premium_rupiah: int
    programme_rupiah: int


@dataclass(frozen=True, slots=True)
class PoolShare:
    """The facility's part of a booth's unlabelled sales of one product, in pieces and rupiah. `counted`: a final
    count stands behind it; else it is provisional."""

    product: str
    qty: int = 0
    rupiah: int = 0
    counted: bool = False


@dataclass(frozen=True, slots=True)
class BoothShare:
    """What one booth has earned for the facility, in pieces and rupiah; `pools` are what of it was sold
    unlabelled. `halfway`: the change that was heard last is continued by the booth's next one."""

    booth: str
    settled: bool = False
    qty: int = 0
    sold_rupiah: int = 0
    pools: tuple[PoolShare, ...] = ()
    halfway: bool = False

    @property
    def provisional_qty(self) -> int:
        """Pieces that were sold unlabelled and that no final count stands behind."""
        return sum(pool.qty for pool in self.pools if not pool.counted)

    @property
    def provisional_rupiah(self) -> int:
        return sum(pool.rupiah for pool in self.pools if not pool.counted)


@dataclass(frozen=True, slots=True)
class Said:
    """What the settlement of the highest revision said."""

    qty: int
    sold_rupiah: int
    provisional_qty: int = 0
    provisional_rupiah: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """`percentages` are those of the day on which the first booth opened: a later change is for later festivals.
    `revision` 0: nothing was said yet."""

    id: str
    facility: str
    festival: str
    percentages: Percentages
    booths: tuple[BoothShare, ...] = ()
    said: Said | None = None
    revision: int = 0

    @property
    def qty(self) -> int:
        return sum(booth.qty for booth in self.booths)

    @property
    def sold_rupiah(self) -> int:
        return sum(booth.sold_rupiah for booth in self.booths)

    @property
    def provisional_qty(self) -> int:
        return sum(booth.provisional_qty for booth in self.booths)

    @property
    def provisional_rupiah(self) -> int:
        return sum(booth.provisional_rupiah for booth in self.booths)

    @property
    def complete(self) -> bool:
        return bool(self.booths) and all(booth.settled for booth in self.booths)

    @property
    def halfway(self) -> bool:
        """The change of a booth is known in part. Half of a change is no sum: it might even be below zero."""
        return any(booth.halfway for booth in self.booths)

    @property
    def parts(self) -> Parts:
        return split(self.sold_rupiah, self.percentages)


def settlement_id(facility: str, festival: str) -> str:
    return f"{facility}/{festival}"


def split(rupiah: int, by: Percentages) -> Parts:
    """The parts of an amount, whole rupiah that add up to it. Each is rounded down; the one or two rupiah then left
    go to the parts that lost most by it, the facility before the maker before the programme."""
    shares = [rupiah * percent for percent in (by.facility, by.maker, by.programme)]
    parts = [share // _WHOLE for share in shares]
    lost_most = sorted(range(len(parts)), key=lambda index: -(shares[index] % _WHOLE))
    for index in lost_most[: rupiah - sum(parts)]:
        parts[index] += 1
    return Parts(*parts)


def settle(percentages: Percentages, state: State, body: FromBooth) -> Decision:
    """The settlement after what a booth told; said once every booth that opened is settled, and again when it
    changed. Sales are shared by these percentages."""
    id = settlement_id(body.facility, body.festival)
    known = state.get(Settlement, id)
    settlement = known or Settlement(id, body.facility, body.festival, percentages)
    settlement = _with(settlement, _change(_of(settlement, body.booth), body))
    settlement, said = _say(settlement)
    return (state if settlement == known else state.put(settlement)), [*said]


def _of(settlement: Settlement, booth: str) -> BoothShare:
    return next((share for share in settlement.booths if share.booth == booth), BoothShare(booth))


def _with(settlement: Settlement, share: BoothShare) -> Settlement:
    booths = settlement.booths
    for place, known in enumerate(booths):
        if known.booth == share.booth:
            return replace(settlement, booths=(*booths[:place], share, *booths[place + 1 :]))
    return replace(settlement, booths=tuple(sorted((*booths, share), key=lambda one: one.booth)))


def _change(share: BoothShare, body: FromBooth) -> BoothShare:
    match body:
        case ShareOpened():
            return share
        case SaleShared():
            pools = share.pools
            if body.pooled_change_qty or body.pooled_change_rupiah:
                pools = _pooled(pools, body.product, body.pooled_change_qty, body.pooled_change_rupiah)
            qty, rupiah = share.qty + body.change_qty, share.sold_rupiah + body.change_rupiah
            return BoothShare(share.booth, share.settled, qty, rupiah, pools, body.continued)
        case PoolAdjusted():
            return replace(
                share,
                qty=share.qty + body.change_qty,
                sold_rupiah=share.sold_rupiah + body.change_rupiah,
                pools=_pooled(share.pools, body.product, body.change_qty, body.change_rupiah, counted=body.counted),
                halfway=body.continued,
            )
        case BoothSettled():
            return replace(share, settled=True)


def _pooled(
    pools: tuple[PoolShare, ...], product: str, qty: int, rupiah: int, *, counted: bool | None = None
) -> tuple[PoolShare, ...]:
    known = next((pool for pool in pools if pool.product == product), PoolShare(product))
    after = PoolShare(product, known.qty + qty, known.rupiah + rupiah, known.counted if counted is None else counted)
    return tuple(sorted((*(pool for pool in pools if pool.product != product), after), key=lambda pool: pool.product))


def _say(settlement: Settlement) -> tuple[Settlement, list[Publication]]:
    if not settlement.complete or settlement.halfway:
        # While a festival runs no sum is wanted, and every sale comes by here.
        return settlement, []
    now = Said(settlement.qty, settlement.sold_rupiah, settlement.provisional_qty, settlement.provisional_rupiah)
    if settlement.said == now:
        return settlement, []
    kind = SettlementIssued if settlement.said is None else SettlementCorrected
    settlement = replace(settlement, said=now, revision=settlement.revision + 1)
    parts = settlement.parts
    said = kind(
        facility=settlement.facility,
        festival=settlement.festival,
        revision=settlement.revision,
        qty=now.qty,
        sold_rupiah=now.sold_rupiah,
        facility_rupiah=parts.facility_rupiah,
        maker_premium_rupiah=parts.maker_premium_rupiah,
        programme_rupiah=parts.programme_rupiah,
        provisional_qty=now.provisional_qty,
        provisional_rupiah=now.provisional_rupiah,
    )
    return settlement, [SETTLEMENTS.of(said)]
