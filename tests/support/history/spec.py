"""A lot as one client after the other would see it: the sequential model that histories are checked against.

Written from the design alone, without inventory's code: an answer that inventory gives for another reason than the
model's is a difference, whoever is wrong.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias


class Kind(StrEnum):
    RESERVE = "reserve"
    RELEASE = "release"
    DISPATCH = "dispatch"
    RETURN = "return"
    LOSE = "lose"
    CORRECT = "correct"
    RECALL = "recall"
    LIFT = "lift"
    WITHDRAW = "withdraw"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Order:
    """What a client asks of one lot. `qty` in pieces (of a correction the change)."""

    kind: Kind
    reservation: str = ""
    qty: int = 0


Answer: TypeAlias = tuple[str | int | bool, ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """A lot in pieces. `held` and `sent`: reservations with their pieces. `released`: ids of reservations."""

    on_hand: int
    held: frozenset[tuple[str, int]] = frozenset()
    sent: frozenset[tuple[str, int]] = frozenset()
    released: frozenset[str] = frozenset()
    returned: int = 0
    recalled: bool = False
    withdrawn: bool = False


def step(stock: Stock, order: Order) -> tuple[Stock, Answer | None]:
    """The lot after the order, and what the client hears; None where nothing is said."""
    match order.kind:
        case Kind.RESERVE:
            return _reserve(stock, order)
        case Kind.RELEASE:
            return _release(stock, order)
        case Kind.DISPATCH:
            return _dispatch(stock, order)
        case Kind.RETURN:
            if stock.returned + order.qty > _pieces(stock.sent):
                return stock, ("refused", "more_than_sent", stock.on_hand)
            home = replace(stock, on_hand=stock.on_hand + order.qty, returned=stock.returned + order.qty)
            return home, ("returned", order.qty)
        case Kind.LOSE:
            if order.qty > stock.on_hand:
                return stock, ("refused", "short", stock.on_hand)
            return replace(stock, on_hand=stock.on_hand - order.qty), ("written_off", order.qty)
        case Kind.CORRECT:
            if stock.withdrawn or stock.on_hand + order.qty < 0:
                return stock, ("correction_refused", stock.on_hand)
            corrected = replace(stock, on_hand=stock.on_hand + order.qty)
            return corrected, ("corrected", corrected.on_hand)
        case Kind.RECALL:
            return _recall(stock)
        case Kind.LIFT:
            lifted = stock.recalled and stock.sent
            return replace(stock, recalled=False), ("lifted",) if lifted else None
        case Kind.WITHDRAW:
            if promised := _pieces(stock.held) + _pieces(stock.sent):
                return stock, ("withdrawal_refused", promised)
            return replace(stock, on_hand=0, withdrawn=True), ("withdrawn", stock.on_hand)
        case Kind.READ:
            visible_state = (stock.on_hand, _pieces(stock.held), _pieces(stock.sent), stock.returned, stock.recalled)
            return stock, ("seen", *visible_state)


def _reserve(stock: Stock, order: Order) -> tuple[Stock, Answer | None]:
    if order.reservation in stock.released or order.reservation in dict(stock.held | stock.sent):
        return stock, None  # asked for before, and answered then
    if stock.recalled:
        return stock, ("refused", "recalled", 0)
    if order.qty > stock.on_hand:
        return stock, ("refused", "short", stock.on_hand)
    held = stock.held | {(order.reservation, order.qty)}
    return replace(stock, on_hand=stock.on_hand - order.qty, held=held), ("reserved", order.qty)


def _release(stock: Stock, order: Order) -> tuple[Stock, Answer | None]:
    if order.reservation in stock.released:
        return stock, None  # a release or a recall has answered for it
    qty = dict(stock.held).get(order.reservation)
    if qty is None:
        return stock, ("refused", "no_reservation", stock.on_hand)
    freed = replace(
        stock,
        on_hand=stock.on_hand + qty,
        held=stock.held - {(order.reservation, qty)},
        released=stock.released | {order.reservation},
    )
    return freed, ("released", qty)


def _dispatch(stock: Stock, order: Order) -> tuple[Stock, Answer | None]:
    qty = dict(stock.held).get(order.reservation)
    if qty is None:
        return stock, ("refused", "recalled" if stock.recalled else "no_reservation", stock.on_hand)
    moved = {(order.reservation, qty)}
    return replace(stock, held=stock.held - moved, sent=stock.sent | moved), ("dispatched", qty)


def _recall(stock: Stock) -> tuple[Stock, Answer | None]:
    if stock.recalled:
        return stock, None
    freed = replace(
        stock,
        on_hand=stock.on_hand + _pieces(stock.held),
        held=frozenset(),
        released=stock.released.union(dict(stock.held)),
        recalled=True,
    )
    if not stock.held and not stock.sent:
        return freed, None  # it reached nobody
    return freed, ("recalled", *sorted(dict(stock.held)))


def _pieces(reservations: frozenset[tuple[str, int]]) -> int:
    return sum(qty for _, qty in reservations)
