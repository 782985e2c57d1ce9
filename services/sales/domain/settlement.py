"""Settlements: a facility's sales at a festival, summed over the booths, and the division of the money.

All events of one booth come from one lane's outbox, in the order of publication. A booth opens before it earns, and
earns before it loses, so no published sum is below zero. There is no order between booths. A booth may open after the
others were settled, and the settlement then waits again.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from shared.events.language import Publication
from shared.events.sales import (
    SALES_DEADLINES,
    SETTLEMENTS,
    BoothSettled,
    PoolAdjusted,
    SaleShared,
    SettlementCorrected,
    SettlementIssued,
    ShareHoldAnswered,
    ShareHoldRequested,
    ShareOpened,
    ShareReopened,
)
from shared.runtime.processor import Decision
from shared.runtime.state import State

# What changes a settlement.
FromBooth: TypeAlias = ShareOpened | SaleShared | PoolAdjusted | BoothSettled | ShareReopened

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Percentages:
    """The division of a sale. The percentages add up to 100."""

    facility: int
    maker: int
    programme: int

    @property
    def whole(self) -> bool:
        return self.facility + self.maker + self.programme == _WHOLE


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an amount, in whole rupiah."""

    facility_rupiah: int
    maker_premium_rupiah: int
    programme_rupiah: int


@dataclass(frozen=True, slots=True)
class PoolShare:
    """The facility's part of a booth's unlabelled sales of one product. Without `counted` it is provisional."""

    product: str
    qty: int = 0
    rupiah: int = 0
    counted: bool = False


@dataclass(frozen=True, slots=True)
class BoothShare:
    """One booth's sales for the facility, in pieces and rupiah; `pools` are the unlabelled part.

    `halfway`: the booth's next event continues the latest change. `issued`: a settlement with this booth was issued.
    """

    booth: str
    settled: bool = False
    qty: int = 0
    sold_rupiah: int = 0
    pools: tuple[PoolShare, ...] = ()
    halfway: bool = False
    issued: bool = False

    @property
    def provisional_qty(self) -> int:
        """Pieces sold unlabelled, without a final count."""
        return sum(pool.qty for pool in self.pools if not pool.counted)

    @property
    def provisional_rupiah(self) -> int:
        return sum(pool.rupiah for pool in self.pools if not pool.counted)


@dataclass(frozen=True, slots=True)
class SettlementFigures:
    """The figures of the latest published settlement."""

    qty: int
    sold_rupiah: int
    provisional_qty: int = 0
    provisional_rupiah: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """A facility's settlement at a festival.

    `percentages` are valid from the opening of the first booth; later changes concern later festivals. `published` is
    None and `revision` 0 until the first publication.
    """

    id: str
    facility: str
    festival: str
    percentages: Percentages
    booths: tuple[BoothShare, ...] = ()
    published: SettlementFigures | None = None
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
        """Whether a booth's change is known in part only. Half of a change is no valid sum: it may be below zero."""
        return any(booth.halfway for booth in self.booths)

    @property
    def figures(self) -> SettlementFigures:
        """The figures as they are now, published or not."""
        return SettlementFigures(self.qty, self.sold_rupiah, self.provisional_qty, self.provisional_rupiah)

    @property
    def is_final(self) -> bool:
        """Whether the figures are published, and change by a correction alone."""
        return self.complete and not self.halfway and self.published == self.figures

    @property
    def parts(self) -> Parts:
        return split(self.sold_rupiah, self.percentages)


def settlement_id(facility: str, festival: str) -> str:
    """The id of a facility's settlement at a festival."""
    return f"{facility}/{festival}"


def split(rupiah: int, by: Percentages) -> Parts:
    """The parts of an amount in whole rupiah, which add up to it.

    Each part is rounded down. The one or two remaining rupiah go to the parts with the largest remainders, in the
    order facility, maker, programme.
    """
    shares = [rupiah * percent for percent in (by.facility, by.maker, by.programme)]
    parts = [share // _WHOLE for share in shares]
    lost_most = sorted(range(len(parts)), key=lambda index: -(shares[index] % _WHOLE))
    for index in lost_most[: rupiah - sum(parts)]:
        parts[index] += 1
    return Parts(*parts)


def settle(percentages: Percentages, state: State, body: FromBooth) -> Decision:
    """The settlement after a booth's event, with sales shared by these percentages.

    It is published once every booth that opened is settled, and again after each change.
    """
    id = settlement_id(body.facility, body.festival)
    stored = state.get(Settlement, id)
    settlement = stored or Settlement(id, body.facility, body.festival, percentages)
    settlement = _with_share(settlement, _apply(_share_of(settlement, body.booth), body))
    settlement, events = _publish(settlement)
    return (state if settlement == stored else state.put(settlement)), [*events]


def hold(state: State, body: ShareHoldRequested) -> tuple[State, Publication, bool]:
    """The settlement as waiting for a settled booth that is to sell again, the answer to the booth, and whether it
    waits.

    It can't wait once a settlement that includes the booth was issued.
    """
    settlement = state.get(Settlement, settlement_id(body.facility, body.festival))
    assert settlement is not None, "the booth opened there before it was settled"
    share = _share_of(settlement, body.booth)
    # A complete settlement that is halfway will be issued by the next event, which is on its way already.
    is_held = not (share.issued or settlement.complete)
    answer = ShareHoldAnswered(key=body.booth, facility=body.facility, order=body.order, held=is_held)
    if is_held:
        state = state.put(_with_share(settlement, replace(share, settled=False)))
    return state, SALES_DEADLINES.of(answer), is_held


def _share_of(settlement: Settlement, booth: str) -> BoothShare:
    return next((share for share in settlement.booths if share.booth == booth), BoothShare(booth))


def _with_share(settlement: Settlement, share: BoothShare) -> Settlement:
    booths = settlement.booths
    for index, other in enumerate(booths):
        if other.booth == share.booth:
            return replace(settlement, booths=(*booths[:index], share, *booths[index + 1 :]))
    return replace(settlement, booths=tuple(sorted((*booths, share), key=lambda other: other.booth)))


def _apply(share: BoothShare, body: FromBooth) -> BoothShare:
    match body:
        case ShareOpened():
            return share
        case SaleShared():
            pools = share.pools
            if body.pooled_change_qty or body.pooled_change_rupiah:
                pools = _pooled(pools, body.product, body.pooled_change_qty, body.pooled_change_rupiah)
            qty, rupiah = share.qty + body.change_qty, share.sold_rupiah + body.change_rupiah
            return BoothShare(share.booth, share.settled, qty, rupiah, pools, body.continued, share.issued)
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
        case ShareReopened():
            return replace(share, settled=False)


def _pooled(
    pools: tuple[PoolShare, ...], product: str, qty: int, rupiah: int, *, counted: bool | None = None
) -> tuple[PoolShare, ...]:
    previous = next((pool for pool in pools if pool.product == product), PoolShare(product))
    updated = PoolShare(
        product, previous.qty + qty, previous.rupiah + rupiah, previous.counted if counted is None else counted
    )
    return tuple(
        sorted((*(pool for pool in pools if pool.product != product), updated), key=lambda pool: pool.product)
    )


def _issued(share: BoothShare) -> BoothShare:
    return share if share.issued else replace(share, issued=True)


def _publish(settlement: Settlement) -> tuple[Settlement, list[Publication]]:
    if not settlement.complete or settlement.halfway:
        # Saves the sums during the festival, when every sale passes here and nothing is published.
        return settlement, []
    settlement = replace(settlement, booths=tuple(map(_issued, settlement.booths)))
    figures = settlement.figures
    if settlement.published == figures:
        return settlement, []
    kind = SettlementIssued if settlement.published is None else SettlementCorrected
    settlement = replace(settlement, published=figures, revision=settlement.revision + 1)
    parts = settlement.parts
    body = kind(
        facility=settlement.facility,
        festival=settlement.festival,
        revision=settlement.revision,
        qty=figures.qty,
        sold_rupiah=figures.sold_rupiah,
        facility_rupiah=parts.facility_rupiah,
        maker_premium_rupiah=parts.maker_premium_rupiah,
        programme_rupiah=parts.programme_rupiah,
        provisional_qty=figures.provisional_qty,
        provisional_rupiah=figures.provisional_rupiah,
    )
    return settlement, [SETTLEMENTS.of(body)]
