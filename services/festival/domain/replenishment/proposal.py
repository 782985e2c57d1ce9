"""Who will run out before closing, who can spare some, and what facilities should be asked for.

The same every time, whatever the order of what it is given.
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
    """Moves between booths first, as they need no more goods; then what facilities should be asked for."""
    found = {(shelf.booth, shelf.product): shelf for shelf in positions(now)}
    forecasts = tuple(shelf.forecast(now) for shelf in found.values())
    moves = tuple(_moves(now, found))
    return Proposal(forecasts, moves, tuple(_refills(now, found)))


def _moves(now: Situation, found: Positions) -> Iterator[Move]:
    """Whoever runs out first is served first, until no more can be carried out. Keeps `found` up to date, so that
    what nobody carries is asked of facilities."""
    room = Room(now.rules)
    hours = now.hours
    spare = _spare(found, hours)
    walks: set[tuple[str, str]] = set()
    made = 0
    lacking = {
        key: shelf.shortage(hours, now.open_before_arrival(now.carried_within), MARGIN)
        for key, shelf in found.items()
    }
    for key in sorted(
        (key for key, qty in lacking.items() if qty >= FEW), key=lambda key: (_hours_left(found[key]), key)
    ):
        booth, product = key
        missing = room.fits(booth, product, lacking[key])
        while missing >= FEW and (giver := _choose_giver(spare.get(product, {}), missing, booth, walks)):
            qty = min(missing, spare[product][giver])
            if now.most_moves is not None:
                qty = min(qty, found[giver, product].first(now.most_moves - made))
                if qty < FEW:
                    return
            spare[product][giver] -= qty
            missing -= qty
            walks.add((giver, booth))
            room.take(booth, product, qty)
            moved = _move_stock(found, (giver, product), key, qty, hours)
            made += len(moved)
            yield from moved


def _spare(found: Positions, hours: float) -> dict[str, dict[str, int]]:
    """By product and booth."""
    spare: dict[str, dict[str, int]] = {}
    for (booth, product), shelf in found.items():
        if (qty := shelf.surplus(hours)) >= FEW:
            spare.setdefault(product, {})[booth] = qty
    return spare


def _hours_left(shelf: StockPosition) -> float:
    """Hours until the last piece is sold; what lacks anything is sold at some rate."""
    return shelf.left / shelf.rate.an_hour


def _choose_giver(spare: dict[str, int], missing: int, taker: str, walks: set[tuple[str, str]]) -> str | None:
    """Of those who have enough, one from whom people walk there anyway, then the one who has least too much; if none
    has enough, the one who has most."""
    givers = [booth for booth, qty in spare.items() if qty >= FEW]
    enough = [booth for booth in givers if spare[booth] >= missing]
    if enough:
        return min(enough, key=lambda booth: ((booth, taker) not in walks, spare[booth], booth))
    return min(givers, key=lambda booth: (-spare[booth], booth), default=None)


def _move_stock(
    found: Positions, giver: tuple[str, str], taker: tuple[str, str], qty: int, hours: float
) -> list[Move]:
    gives, lots = found[giver].without(qty)
    takes = found[taker]
    said = explanations.move(
        product=takes.product,
        giver=gives.booth,
        keeps=gives.left,
        sells=round(gives.rate.expected(hours)),
        taker=takes.booth,
        has=takes.left,
        wants=round(takes.rate.expected(hours)),
    )
    found[giver] = gives
    found[taker] = replace(takes, left=takes.left + qty, coming=takes.coming + qty)
    return [
        Move(gives.booth, takes.booth, lot.lot, lot.facility, lot.product, part, said.en, said.id)
        for lot, part in lots
    ]


def _refills(now: Situation, found: Positions) -> Iterator[Refill]:
    hours = now.hours
    for (booth, product), shelf in found.items():
        # No margin: what facilities send too much is unsold in the evening.
        qty = min(MAX_QTY, shelf.shortage(hours, now.open_before_arrival(now.sent_within)))
        if qty >= FEW:
            wants = round(shelf.rate.expected(hours))
            said = explanations.refill(product=product, booth=booth, has=shelf.left, wants=wants)
            yield Refill(RequestDemand(booth, product, qty), said.en, said.id)
