"""The picture of a request's states, from the first command to the counted shipment."""

from docsite.pictures.drawing import Anchor, Box, Picture, Role
from shared.events import festival, inventory
from shared.events.language import Body

_COLUMNS, _ROWS, _WIDTH, _HEIGHT = (50, 425, 800), (130, 330, 530), 215, 76


def picture() -> str:
    """The picture as SVG."""
    drawn = Picture(
        1100,
        690,
        "A request is proposed, reserved and settled, and its shipments are sent and received. A deadline, a recall "
        "or the festival's end withdraws it or releases its lines.",
    )
    _boxes(drawn)
    _request(drawn)
    _releases(drawn)
    _shipment(drawn)
    return drawn.svg()


def _boxes(drawn: Picture) -> None:
    first, second, third = _COLUMNS
    top, middle, bottom = _ROWS
    for x, y, title, line, role in (
        (first, top, "request: proposed", "lines planned", Role.SERVICE),
        (second, top, "request: reserving", "lines asked", Role.SERVICE),
        (third, top, "request: settled", "lines reserved", Role.SERVICE),
        (first, middle, "request: withdrawn", "lines hold nothing", Role.EDGE),
        (second, middle, "lines releasing", "inventory is asked", Role.EDGE),
        (third, middle, "lines released", "stock is free again", Role.EDGE),
        (third, bottom, "shipment: sending", "lines dispatching", Role.SERVICE),
        (second, bottom, "shipment: sent", "lines dispatched", Role.SERVICE),
        (first, bottom, "shipment: received", "pieces counted", Role.READER),
    ):
        drawn.box(Box(x, y, _WIDTH, _HEIGHT, title, (line,), role))


def _request(drawn: Picture) -> None:
    first, second, third = _COLUMNS
    top = _ROWS[0]
    drawn.arrow((first + 60, 66), (first + 60, top - 3))
    _label(drawn, first + 60, 40, festival.RequestAllocation)
    drawn.arrow((second + 20, 66), (second + 20, top - 3))
    _label(drawn, second + 20, 40, festival.RequestAllocation, "with consent")
    drawn.arrow((first + _WIDTH + 2, top + 38), (second - 3, top + 38))
    _label(drawn, (first + _WIDTH + second) / 2, top + 28, festival.AcceptPlan)
    # A loop: a refused part is planned again.
    drawn.arrow((second + 130, top - 2), (second + 130, 92), (second + 190, 92), (second + 190, top - 3))
    _label(drawn, second + 134, 60, inventory.ReservationRefused, "that part is planned again", anchor=Anchor.START)
    drawn.arrow((second + _WIDTH + 2, top + 38), (third - 3, top + 38))
    middle = (second + _WIDTH + third) / 2
    _label(drawn, middle, top + 28, "the last answer")
    _label(drawn, middle, top + 60, festival.AllocationConfirmed, festival.AllocationFellShort)


def _releases(drawn: Picture) -> None:
    first, second, third = _COLUMNS
    top, middle, _ = _ROWS
    below = top + _HEIGHT
    drawn.arrow((first + 60, below + 2), (first + 60, middle - 3))
    _label(
        drawn,
        first + 70,
        below + 34,
        "hold_until passes,",
        "or the festival ends",
        festival.AllocationWithdrawn,
        anchor=Anchor.START,
    )
    drawn.arrow((second + 60, below + 2), (second + 60, middle - 3))
    _label(drawn, second + 50, below + 40, "inventory answers", "after hold_until", anchor=Anchor.END)
    drawn.arrow((third + 10, below + 2), (second + 190, middle - 3))
    _label(drawn, third - 74, below + 32, "hold_until passes,", "or the festival ends", anchor=Anchor.END)
    drawn.arrow((third + 110, below + 2), (third + 110, middle - 3))
    _label(drawn, third + 100, below + 62, "recall", festival.AllocationFellShort, anchor=Anchor.END)
    drawn.arrow((second + _WIDTH + 2, middle + 38), (third - 3, middle + 38))
    right_x = (second + _WIDTH + third) / 2
    _label(drawn, right_x, middle + 28, inventory.ReservationReleased)
    _label(drawn, right_x, middle + 58, festival.AllocationFellShort)


def _shipment(drawn: Picture) -> None:
    first, second, third = _COLUMNS
    top, middle, bottom = _ROWS
    side = third + _WIDTH + 30
    drawn.arrow(
        (third + _WIDTH + 2, top + 38), (side, top + 38), (side, bottom + 38), (third + _WIDTH + 3, bottom + 38)
    )
    _label(drawn, side - 8, bottom - 40, festival.SendShipment, anchor=Anchor.END)
    drawn.arrow((third + 60, bottom - 2), (third + 60, middle + _HEIGHT + 3))
    _label(
        drawn,
        third + 50,
        middle + _HEIGHT + 54,
        "every dispatch is refused",
        festival.ShipmentDropped,
        anchor=Anchor.END,
    )
    drawn.arrow((third - 2, bottom + 38), (second + _WIDTH + 3, bottom + 38))
    right_x = (second + _WIDTH + third) / 2
    _label(drawn, right_x, bottom + 28, inventory.StockDispatched)
    _label(drawn, right_x, bottom + 60, festival.ShipmentSent)
    drawn.arrow((second - 2, bottom + 38), (first + _WIDTH + 3, bottom + 38))
    left_x = (first + _WIDTH + second) / 2
    _label(drawn, left_x, bottom + 28, festival.ReceiveShipment)
    _label(drawn, left_x, bottom + 60, festival.ShipmentReceived)
    below = bottom + _HEIGHT
    drawn.arrow(
        (second + 60, below + 2), (second + 60, below + 40), (second + 110, below + 40), (second + 110, below + 3)
    )
    _label(drawn, second + 122, below + 34, "due passes", festival.ShipmentOverdue, anchor=Anchor.START)


def _label(drawn: Picture, x: float, y: float, *lines: str | type[Body], anchor: Anchor = Anchor.MIDDLE) -> None:
    """Draw lines of text; an event class is drawn as its name."""
    for number, line in enumerate(lines):
        words = line if isinstance(line, str) else line.__name__
        drawn.text(x, y + 18 * number, words, anchor=anchor)
