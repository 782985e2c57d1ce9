"""Proposals: shortages of booths until closing, surpluses of others, and parcels from facilities.

Deterministic, whatever the order of the input.
"""

from collections.abc import Iterator
from dataclasses import replace

from services.festival.domain.planning import RequestDemand
from services.festival.domain.replenishment import explanations
from services.festival.domain.replenishment.position import MARGIN, StockPosition, positions
from services.festival.domain.replenishment.room import Room
from services.festival.domain.replenishment.terms import Move, Proposal, Refill, Situation
from shared.events.language import MAX_QTY

# Fewer pieces are not worth a walk or a parcel.
FEW = 3

Positions = dict[tuple[str, str], StockPosition]


def propose(now: Situation) -> Proposal:
    """The forecasts, the moves and the refills for a situation. Moves come first, as they need no new stock."""
    stock = {(position.booth, position.product): position for position in positions(now)}
    forecasts = tuple(position.forecast(now) for position in stock.values())
    moves = tuple(_moves(now, stock))
    return Proposal(forecasts, moves, tuple(_refills(now, stock)))


def _moves(now: Situation, stock: Positions) -> Iterator[Move]:
    """The moves between booths, until people can carry out no more. The booth that runs out first is served first.

    `stock` is updated with each move, so that refills cover only the rest.
    """
    room = Room(now.rules)
    hours = now.hours
    surplus = _surplus(stock, hours)
    walks: set[tuple[str, str]] = set()
    lots_moved = 0
    shortages = {
        taker: position.shortage(hours, now.open_before_arrival(now.carried_within), MARGIN)
        for taker, position in stock.items()
    }
    for taker in sorted(
        (taker for taker, qty in shortages.items() if qty >= FEW),
        key=lambda taker: (_hours_left(stock[taker]), taker),
    ):
        booth, product = taker
        missing = room.fits(booth, product, shortages[taker])
        while missing >= FEW and (giver := _choose_giver(surplus.get(product, {}), missing, booth, walks)):
            qty = min(missing, surplus[product][giver])
            if now.most_moves is not None:
                qty = min(qty, stock[giver, product].in_first_lots(now.most_moves - lots_moved))
                if qty < FEW:
                    return
            surplus[product][giver] -= qty
            missing -= qty
            walks.add((giver, booth))
            room.take(booth, product, qty)
            moves = _move_stock(stock, (giver, product), taker, qty, hours)
            lots_moved += len(moves)
            yield from moves


def _surplus(stock: Positions, hours: float) -> dict[str, dict[str, int]]:
    """The pieces that booths can spare, by product and booth."""
    surplus: dict[str, dict[str, int]] = {}
    for (booth, product), position in stock.items():
        if (qty := position.surplus(hours)) >= FEW:
            surplus.setdefault(product, {})[booth] = qty
    return surplus


def _hours_left(position: StockPosition) -> float:
    """The hours until the last piece is sold. A position with a shortage has a rate above 0."""
    return position.left / position.rate.an_hour


def _choose_giver(surplus: dict[str, int], missing: int, taker: str, walks: set[tuple[str, str]]) -> str | None:
    """The booth to take the pieces from, or None.

    Of booths with enough, one from which people walk to the taker anyway comes first, then the smallest surplus. If
    none has enough, the largest surplus comes first.
    """
    givers = [booth for booth, qty in surplus.items() if qty >= FEW]
    enough = [booth for booth in givers if surplus[booth] >= missing]
    if enough:
        return min(enough, key=lambda booth: ((booth, taker) not in walks, surplus[booth], booth))
    return min(givers, key=lambda booth: (-surplus[booth], booth), default=None)


def _move_stock(
    stock: Positions, giver: tuple[str, str], taker: tuple[str, str], qty: int, hours: float
) -> list[Move]:
    source, lots = stock[giver].without(qty)
    target = stock[taker]
    reason = explanations.move(
        product=target.product,
        giver=source.booth,
        giver_pieces=source.left,
        giver_sales=round(source.rate.expected(hours)),
        taker=target.booth,
        taker_pieces=target.left,
        taker_sales=round(target.rate.expected(hours)),
    )
    stock[giver] = source
    stock[taker] = replace(target, left=target.left + qty, coming=target.coming + qty)
    return [
        Move(source.booth, target.booth, lot.lot, lot.facility, lot.product, part, reason.en, reason.id)
        for lot, part in lots
    ]


def _refills(now: Situation, stock: Positions) -> Iterator[Refill]:
    hours = now.hours
    for (booth, product), position in stock.items():
        # Without a margin: pieces that facilities send in excess stay unsold in the evening.
        qty = min(MAX_QTY, position.shortage(hours, now.open_before_arrival(now.sent_within)))
        if qty >= FEW:
            sales = round(position.rate.expected(hours))
            reason = explanations.refill(product=product, booth=booth, pieces=position.left, sales=sales)
            yield Refill(RequestDemand(booth, product, qty), reason.en, reason.id)
