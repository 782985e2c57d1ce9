"""The picture of the event flow between terminals, services, tills and readers.

Every arrow is a topic of the published language. A test checks that the arrow's ends write and read that topic.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from docsite.pictures.drawing import Anchor, Box, Picture, Role
from shared.events import catalogue, festival, inventory, production, sales
from shared.events.language import Body, Topic

_BOXES: Mapping[str, Box] = {
    "terminals": Box(16, 80, 132, 96, "terminal", ("facility", "offline spool"), Role.EDGE),
    "production": Box(305, 70, 170, 116, "production", ("checks a report", "gives a lot number", "hides the maker")),
    "inventory": Box(637, 70, 170, 116, "inventory", ("counts each lot", "holds reservations", "never below zero")),
    "anyone": Box(962, 80, 122, 96, "anyone", ("stock of", "every lot"), Role.READER),
    "organisers": Box(962, 330, 122, 96, "organiser", ("HTTP or", "command line"), Role.EDGE),
    "festival": Box(637, 320, 170, 116, "festival", ("plans fairly", "ships and returns", "closes booths")),
    "sales": Box(305, 320, 170, 116, "sales", ("accounts each sale", "settles disputes", "pays facilities")),
    "tills": Box(16, 330, 132, 96, "till", ("cashier", "offline spool"), Role.EDGE),
    "gateway": Box(16, 217, 132, 72, "gateway", ("devices by HTTP",)),
    "identity": Box(690, 520, 170, 72, "identity", ("accounts and roles",)),
    "subscribers": Box(150, 520, 210, 72, "subscribers", ("sales, nobody named",), Role.READER),
    "facilities": Box(420, 520, 210, 72, "facilities", ("money and demand",), Role.READER),
}


@dataclass(frozen=True, slots=True)
class Flow:
    """An arrow for a topic from `source` to `target`, with the names of some of its events at `label`."""

    source: str
    target: str
    topic: Topic
    events: tuple[type[Body], ...]
    points: tuple[tuple[float, float], tuple[float, float]]
    label: tuple[float, float]
    anchor: Anchor = Anchor.MIDDLE


def _right(y: float, source: str, target: str, topic: Topic, *events: type[Body]) -> Flow:
    """A horizontal arrow at `y` between two boxes of one row."""
    left_box, right_box = sorted((_BOXES[source], _BOXES[target]), key=lambda box: box.x)
    ends = (left_box.x + left_box.width + 1, right_box.x - 3)
    start, end = ends if left_box is _BOXES[source] else (ends[1] + 1, ends[0] + 2)
    is_upper = y < left_box.y + left_box.height / 2
    label_y = y - 9 - _LABEL * (len(events) - 1) if is_upper else y + 20
    return Flow(source, target, topic, events, ((start, y), (end, y)), ((start + end) / 2, label_y))


_LABEL = 18
FLOWS = (
    _right(116, "terminals", "production", production.TERMINAL, production.ProductionReported),
    _right(140, "production", "terminals", production.ANSWERS, production.ReportAccepted, production.ReportRejected),
    _right(116, "production", "inventory", production.PRODUCTION, production.LotRecorded),
    _right(
        140, "inventory", "production", production.LOT_ANSWERS, production.LotCorrected, production.CorrectionRefused
    ),
    _right(116, "inventory", "anyone", inventory.INVENTORY, inventory.StockChanged),
    Flow(
        "festival",
        "inventory",
        inventory.STOCK_ORDERS,
        (inventory.ReservationRequested, inventory.DispatchOrdered),
        ((690, 318), (690, 189)),
        (680, 242),
        Anchor.END,
    ),
    Flow(
        "inventory",
        "festival",
        inventory.RESERVATIONS,
        (inventory.StockReserved, inventory.StockDispatched),
        ((754, 188), (754, 317)),
        (764, 242),
        Anchor.START,
    ),
    _right(366, "organisers", "festival", festival.ORGANISER, festival.RequestAllocation),
    _right(390, "festival", "organisers", festival.FESTIVAL, festival.AllocationPlanned, festival.CommandRefused),
    _right(366, "festival", "sales", festival.BOOTH_STOCK, festival.BoothOpened, festival.BoothStocked),
    _right(390, "sales", "festival", sales.BOOTH_REPORTS, sales.SellThroughSoFar, sales.SellThroughCounted),
    _right(366, "tills", "sales", sales.TILL, sales.ReceiptIssued),
    _right(390, "sales", "tills", sales.SALES, sales.SaleAccounted),
    Flow(
        "sales",
        "subscribers",
        sales.PUBLIC_SALES,
        (sales.SalePublished,),
        ((350, 438), (290, 517)),
        (306, 482),
        Anchor.END,
    ),
    Flow(
        "sales",
        "facilities",
        sales.SETTLEMENTS,
        (sales.SettlementIssued,),
        ((430, 438), (490, 517)),
        (474, 482),
        Anchor.START,
    ),
    Flow(
        "festival",
        "identity",
        festival.FESTIVAL,
        (festival.FestivalAnnounced,),
        ((740, 438), (770, 517)),
        (772, 482),
        Anchor.START,
    ),
    Flow(
        "production",
        "gateway",
        catalogue.FACILITY_CATALOGUE,
        (catalogue.ProductListed,),
        ((330, 189), (151, 240)),
        (260, 228),
        Anchor.START,
    ),
    Flow(
        "sales",
        "gateway",
        sales.SALES,
        (sales.VoidRefused,),
        ((330, 317), (151, 266)),
        (260, 288),
        Anchor.START,
    ),
)
# Not over Kafka: requests of devices and their answers.
_OVER_HTTP = (((82, 178), (82, 214)), ((82, 328), (82, 292)))


def picture() -> str:
    """The picture as SVG."""
    drawn = Picture(
        1100,
        612,
        "Events flow from terminal to production and inventory, between inventory, festival and sales, and from till "
        "to sales. The gateway takes records over HTTP and reads what is said to devices. Identity reads festivals. "
        "Subscribers and facilities read what was sold.",
    )
    drawn.text(
        16,
        38,
        "An arrow is a Kafka topic with some of its events; without a name it is HTTP. A green box has a database.",
        anchor=Anchor.START,
    )
    for box in _BOXES.values():
        drawn.box(box)
    for ends in _OVER_HTTP:
        drawn.arrow(*ends)
    for flow in FLOWS:
        drawn.arrow(*flow.points)
        x, y = flow.label
        for number, event in enumerate(flow.events):
            drawn.text(x, y + _LABEL * number, event.__name__, anchor=flow.anchor)
    return drawn.svg()
