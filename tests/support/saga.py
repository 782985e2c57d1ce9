"""Festivals whose requests can be followed from the asking to the last answer. All quantities are made up."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

from services.festival.domain.line import HELD, LineStatus
from shared.events.festival import (
    FESTIVAL,
    ORGANISER,
    AllocationConfirmed,
    AllocationFellShort,
    AnnounceFestival,
    Demand,
    OpenBooth,
    Price,
    RequestAllocation,
)
from shared.events.production import PRODUCTION, LotRecorded
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.probe import Probe
from tests.support.season import RunningSeason, now

PRICE = 10_000
PRODUCTS = ("KTI", "SVR", "KRJ")
Pair = tuple[str, str]


def a_place(settings: Settings, probe: Probe, mongo: Mongo) -> RunningSeason:
    """Hands to play with, where nothing was played yet."""
    return RunningSeason(settings, probe, mongo, (now() - timedelta(days=1)).date())


async def announce(place: RunningSeason, festival: str, booths: int = 1, **booth: Any) -> None:
    """A festival of next month with so many booths, at which all products have a price."""
    opening = place.today + timedelta(days=30)
    body = AnnounceFestival(
        festival=festival, name="Festival", place="Kupang", zone="Asia/Makassar", first_day=opening, last_day=opening
    )
    await place.say(ORGANISER, body, f"announce-{festival}")
    for n in range(1, booths + 1):
        await open_booth(place, festival, f"{festival}.B{n}", **booth)
    await place.until("festival", "booths", {"festival": festival}, booths)


async def open_booth(place: RunningSeason, festival: str, booth: str, **more: Any) -> None:
    prices = tuple(Price(product=product, price_rupiah=PRICE) for product in PRODUCTS)
    body = OpenBooth(festival=festival, booth=booth, name=booth, prices=prices, tills=(f"{booth}.T1",), **more)
    await place.say(ORGANISER, body, f"open-{booth}")


async def make(place: RunningSeason, lot: str, qty: int, facility: str) -> None:
    """A lot of cloth that production is not asked about."""
    body = LotRecorded(lot=lot, facility=facility, product="KTI", category="tenun", qty=qty, made_on=date(2026, 4, 1))
    await place.say(PRODUCTION, body, f"lot-{lot}")
    await place.until("festival", "stock", {"_id": lot, "on_hand": qty})


def ask(festival: str, name: str, qty: int, **changed: Any) -> RequestAllocation:
    """So many pieces of cloth for the first booth."""
    defaults: dict[str, Any] = {
        "festival": festival,
        "request": name,
        "demands": (Demand(booth=f"{festival}.B1", product="KTI", qty=qty),),
        "consent": True,
    }
    return RequestAllocation(**defaults | changed)


async def requests_of(place: RunningSeason) -> dict[Pair, dict[str, Any]]:
    """The documents of all requests, each with its lines."""
    requests = await place.mongo.database("festival")["requests"].find({}).to_list(None)
    return {
        (request["festival"], request["name"]): {**request, "lines": await place.lines(request["_id"])}
        for request in requests
    }


async def answers(place: RunningSeason) -> dict[Pair, list[AllocationConfirmed | AllocationFellShort]]:
    """What was said to each request, in its order."""
    outcomes: dict[Pair, list[AllocationConfirmed | AllocationFellShort]] = defaultdict(list)
    for record in await place.probe.read_all(FESTIVAL):
        if isinstance(record.body, AllocationConfirmed | AllocationFellShort):
            outcomes[record.body.festival, record.body.request].append(record.body)
    return outcomes


def held_pieces(request: dict[str, Any], of: str = "product") -> Counter[str]:
    """Pieces by product, or by facility or lot."""
    pieces: Counter[str] = Counter()
    for line in request["lines"]:
        if LineStatus(line["status"]) in HELD:
            pieces[line[of]] += line["qty"]
    return pieces


async def lots(place: RunningSeason) -> dict[str, dict[str, Any]]:
    return {lot["_id"]: lot for lot in await place.mongo.database("inventory")["lots"].find({}).to_list(None)}
