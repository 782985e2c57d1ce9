"""Organisers' commands that follow from what happened at the booths. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any

from lab.simulate.market import Market
from lab.simulate.season import FestivalPlan
from shared.events.festival import (
    ChangePrice,
    CountedLot,
    DisputeOutcome,
    ProposedTransfer,
    ReceiveReturn,
    ReceiveShipment,
    ReceiveTransfer,
    ResolveDispute,
    SendShipment,
    SendTransfer,
)


def receive_shipment(rng: Random, shipment: SendShipment, lots: Mapping[str, int]) -> ReceiveShipment:
    """Count in what was sent (`lots`: pieces by lot); one lot in a hundred lacks a piece."""
    counted = tuple(
        CountedLot(lot=lot, qty=qty - (1 if rng.randrange(100) == 0 else 0)) for lot, qty in sorted(lots.items())
    )
    return ReceiveShipment(
        festival=shipment.festival, shipment=shipment.shipment, booth=shipment.booth, counted=counted
    )


def change_prices(
    festival: FestivalPlan, markets: Mapping[str, Market], product: str, rupiah: int, valid_from: datetime
) -> list[ChangePrice]:
    """Another price for the product at every booth of the festival that sells it; their markets get it too."""
    changes = []
    for booth in festival.booths:
        if any(price.product == product for price in booth.prices):
            markets[booth.booth].reprice(product, rupiah, valid_from)
            changes.append(
                ChangePrice(
                    festival=festival.id,
                    booth=booth.booth,
                    product=product,
                    price_rupiah=rupiah,
                    valid_from=valid_from,
                )
            )
    return changes


def send_transfers(
    festival: str, proposed: Iterable[ProposedTransfer], markets: Mapping[str, Market]
) -> list[SendTransfer]:
    """The proposed transfers, each with the pieces that are still at the giving booth; they are removed there."""
    lots: dict[tuple[str, str], list[CountedLot]] = defaultdict(list)
    for transfer in proposed:
        if qty := markets[transfer.booth].remove(transfer.lot, transfer.qty):
            lots[transfer.booth, transfer.to].append(CountedLot(lot=transfer.lot, qty=qty))
    return [
        SendTransfer(festival=festival, transfer=f"siang-{n:03}", booth=booth, to=to, lots=tuple(counted))
        for n, ((booth, to), counted) in enumerate(sorted(lots.items()), 1)
    ]


def receive_transfers(transfers: Iterable[SendTransfer]) -> list[ReceiveTransfer]:
    """Count in every transfer as it was sent."""
    return [
        ReceiveTransfer(
            festival=transfer.festival, transfer=transfer.transfer, booth=transfer.to, counted=transfer.lots
        )
        for transfer in transfers
    ]


def resolve_dispute(festival: str, booth: str, sale: str, market: Market) -> ResolveDispute:
    """Name the right lot of a misread label, reject a sale that sold nothing, and accept every other sale."""
    lot = market.misread.get(sale)
    rejected = sale in market.misread and lot is None
    outcome = DisputeOutcome.REJECTED if rejected else DisputeOutcome.ACCEPTED
    return ResolveDispute(festival=festival, booth=booth, sale=sale, outcome=outcome, lot=lot)


def receive_returns(
    rng: Random, festival: str, booths: Sequence[Mapping[str, Any]], markets: Mapping[str, Market]
) -> Iterator[ReceiveReturn]:
    """Bring home what is physically at the booths (festival's pages); one lot in two hundred lacks a piece."""
    for booth in booths:
        stock = markets[booth["booth"]].physical_stock
        for lot in booth["lots"]:
            qty = stock.get(lot["lot"], 0)
            if qty or lot["left"] > 0:
                missing = 1 if qty and rng.randrange(200) == 0 else 0
                yield ReceiveReturn(festival=festival, booth=booth["booth"], lot=lot["lot"], qty=qty - missing)
