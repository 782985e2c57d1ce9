"""What facilities report and organisers want in one season. Pure: the same seed gives the same season."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from edge.terminal.maker import pseudonym
from lab.simulate.goods import CAKES, GOODS
from services.production.domain.catalogue import Facility
from services.production.reference import Reference
from shared import envelope
from shared.events import lot_number
from shared.events.festival import AnnounceFestival, Demand, OpenBooth, Price, RequestAllocation
from shared.events.language import Body, Topic
from shared.events.production import (
    TERMINAL,
    ProductionCorrected,
    ProductionReported,
    RecallLot,
)

REPORTS = 5_000
CAKE_REPORTS = 60
BAD_IN_THOUSAND = 12
DOUBLED_IN_THOUSAND = 20
MOST_LINES = 500  # of one request; festival takes 1,000

# Id, code in the reference, days, booths (at scale 1), part of all stock that it asks for.
FESTIVALS = (
    ("ODOP", "ODOP-2023", 1, 8, 0.25),
    ("IPPA", "IPPA-2025-08", 3, 7, 0.2),
    ("FKUM", "FKUM-2025", 3, 5, 0.13),
)


# Who made what, and when.
Making = Callable[[random.Random], tuple[Facility, str, date]]


@dataclass(frozen=True, slots=True)
class Spoken:
    """One record, as a terminal or a till hands it to Kafka."""

    topic: Topic
    key: str
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


@dataclass(slots=True)
class Reports:
    """A stream of reports and what must come of it: `answered` distinct ones, `rejected` of them, `dead` letters;
    `pieces` of each product."""

    spoken: list[Spoken] = field(default_factory=list)
    answered: int = 0
    rejected: int = 0
    dead: int = 0
    pieces: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True, slots=True)
class FestivalPlan:
    """One festival with its booths. `part` of all that was made is asked for."""

    announced: AnnounceFestival
    booths: tuple[OpenBooth, ...]
    part: float

    @property
    def id(self) -> str:
        return self.announced.festival


def new_id(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def speak(topic: Topic, body: Body, *, id: str, source: str, at: datetime) -> Spoken:
    headers: list[tuple[str, bytes | None]] = [
        *envelope.headers(id=id, source=source, topic=topic, body=body, time=at)
    ]
    return Spoken(topic, topic.key_of(body), envelope.encode(body), headers)


class Season:
    """All that is decided before the first record is sent. `now` (UTC) is the morning of the first festival day."""

    def __init__(self, reference: Reference, *, seed: int, scale: int, now: datetime) -> None:
        self.seed = seed
        self.scale = scale
        self.now = now
        self.catalogue = reference.catalogue
        self.today = now.astimezone(ZoneInfo("Asia/Makassar")).date()
        names = {festival.code: festival for festival in reference.festivals}
        self.festivals = [
            self._festival(names[code].name, names[code].place, names[code].zone, id, days, booths * scale, part)
            for id, code, days, booths, part in FESTIVALS
        ]

    def rng(self, purpose: str) -> random.Random:
        """Random numbers of their own for each purpose, so that one may change and the others stay."""
        return random.Random(f"{self.seed}/{self.scale}/{purpose}")

    def reports(self) -> Reports:
        """The first wave: everything that facilities have made up to this morning, with mistakes and doubles."""
        return self._reports("first", REPORTS * self.scale, self._made)

    def cakes(self) -> Reports:
        """The second wave: fresh cakes for the afternoon."""
        [baker] = [f for f in self.catalogue.facilities.values() if CAKES in f.products]
        return self._reports("cakes", CAKE_REPORTS * self.scale, lambda _: (baker, CAKES, self.today))

    def corrections(self, lots: Sequence[tuple[str, str]]) -> Reports:
        """A few typing errors mended: `lots` are (facility, lot) as production answered."""
        rng = self.rng("corrections")
        reports = Reports()
        for facility, lot in rng.sample(sorted(lots), len(lots) // 100):
            change = rng.choice((1, 2, -1, -1, -5000))
            body = ProductionCorrected(
                facility=facility, terminal="T1", lot=lot, change=change, reason="salah hitung"
            )
            reports.spoken.append(self._say(rng, body))
            reports.answered += 1
        return reports

    def recall(self, lot: str) -> Spoken:
        number = lot_number.parse(lot)
        assert number is not None, "lots at booths have numbers"
        body = RecallLot(facility=number.facility, terminal="T1", lot=lot, reason="kemasan rusak")
        return self._say(self.rng("recall"), body)

    def requests(self, festival: FestivalPlan, pieces: dict[str, int]) -> list[RequestAllocation]:
        """What the festival's booths ask for of `pieces` (by product), a few booths in each request."""
        rng = self.rng(f"requests {festival.id}")
        weights = {
            (booth.booth, price.product): rng.uniform(0.5, 1.5) for booth in festival.booths for price in booth.prices
        }
        whole: dict[str, float] = defaultdict(float)
        for (_, product), weight in weights.items():
            whole[product] += weight
        demands = [
            Demand(
                booth=booth,
                product=product,
                qty=max(1, round(self._asked(festival, product, pieces) * weight / whole[product])),
            )
            for (booth, product), weight in weights.items()
        ]
        return [
            RequestAllocation(
                festival=festival.id, request=f"pagi-{n}", demands=tuple(some), consent=True, hold_hours=48
            )
            for n, some in enumerate(_portions(demands), 1)
        ]

    def local(self, festival: FestivalPlan, hour: float) -> datetime:
        """That hour of the first day on the festival's clock, as UTC."""
        start = datetime.combine(festival.announced.first_day, time(), ZoneInfo(festival.announced.zone))
        return (start + timedelta(hours=hour)).astimezone(UTC)

    def _asked(self, festival: FestivalPlan, product: str, pieces: dict[str, int]) -> float:
        if product == CAKES and festival.id != "ODOP":
            return 20  # they would be stale on the last day: the organisers ask all the same
        return pieces.get(product, 0) * festival.part

    def _festival(
        self, name: str, place: str, zone: str, id: str, days: int, booths: int, part: float
    ) -> FestivalPlan:
        announced = AnnounceFestival(
            festival=id,
            name=name,
            place=place,
            zone=zone,
            first_day=self.today,
            last_day=self.today + timedelta(days=days - 1),
        )
        rng = self.rng(f"booths {id}")
        sold: list[set[str]] = [set() for _ in range(booths)]
        for n, product in enumerate(sorted(GOODS)):
            for booth in {n % booths, *rng.sample(range(booths), min(booths, max(2, booths // 4)))}:
                sold[booth].add(product)
        opened = tuple(
            OpenBooth(
                festival=id,
                booth=f"{id}.B{n:02}",
                name=f"Stan {n}",
                prices=tuple(Price(product=p, price_rupiah=GOODS[p].rupiah) for p in sorted(products)),
                tills=("T1", "T2"),
            )
            for n, products in enumerate(sold, 1)
        )
        return FestivalPlan(announced, opened, part)

    def _made(self, rng: random.Random) -> tuple[Facility, str, date]:
        facilities = sorted(self.catalogue.facilities.values(), key=lambda facility: facility.code)
        [facility] = rng.choices(facilities, [len(f.products) ** 0.5 for f in facilities])
        products = sorted(facility.products)
        [product] = rng.choices(products, [GOODS[p].liking ** 0.5 for p in products])
        shelf_life = self.catalogue.products[product].shelf_life
        oldest = 60 if shelf_life is None else min(60, shelf_life.days // 4)
        return facility, product, self.today - timedelta(days=rng.randint(0, oldest))

    def _reports(
        self, purpose: str, count: int, made: Callable[[random.Random], tuple[Facility, str, date]]
    ) -> Reports:
        rng = self.rng(f"reports {purpose}")
        reports = Reports()
        for n in range(count):
            facility, product, day = made(rng)
            good = GOODS[product]
            body = ProductionReported(
                facility=facility.code,
                terminal=f"T{rng.randint(1, 2)}",
                product=product,
                qty=rng.randint(good.few, good.many),
                made_on=day,
                maker=self._maker(rng, facility.code),
            )
            if rng.randrange(1000) < BAD_IN_THOUSAND:
                body = self._mistaken(rng, body)
                reports.rejected += 1
            else:
                reports.pieces[product] += body.qty
            reports.answered += 1
            spoken = self._say(rng, body)
            reports.spoken.append(spoken)
            if rng.randrange(1000) < DOUBLED_IN_THOUSAND:
                reports.spoken.append(spoken)
            if n % 500 == 250:
                reports.spoken.append(_undecodable(spoken, n // 500))
                reports.dead += 1
        return reports

    def _mistaken(self, rng: random.Random, body: ProductionReported) -> ProductionReported:
        mistakes: tuple[dict[str, object], ...] = (
            {"product": "XYZ"},
            {"product": "SFA" if body.facility != "LP-ATB" else "KTI"},
            {"qty": 0},
            {"qty": -3},
            {"qty": 999_999},
            {"made_on": self.today + timedelta(days=3)},
            {"made_on": self.today - timedelta(days=900)},
            {"best_before": body.made_on - timedelta(days=1)},
        )
        return body.model_copy(update=rng.choice(mistakes))

    def _maker(self, rng: random.Random, facility: str) -> str:
        return pseudonym(f"season {self.seed}".encode(), facility, str(rng.randint(1, 40)))

    def _say(self, rng: random.Random, body: ProductionReported | ProductionCorrected | RecallLot) -> Spoken:
        source = f"terminal/{body.facility}/{body.terminal}"
        return speak(TERMINAL, body, id=new_id(rng), source=source, at=self.now)


def _portions(demands: Sequence[Demand]) -> Iterator[list[Demand]]:
    """Demands in the order of their booths, cut so that no plan has too many lines."""
    some: list[Demand] = []
    lines = 0
    for demand in sorted(demands, key=lambda demand: (demand.booth, demand.product)):
        good = GOODS[demand.product]
        more = 2 + 2 * demand.qty // (good.few + good.many)
        if some and lines + more > MOST_LINES:
            yield some
            some, lines = [], 0
        some.append(demand)
        lines += more
    yield some


def _undecodable(spoken: Spoken, n: int) -> Spoken:
    """A record that no service can use, each time in another way."""
    value = spoken.value or b""
    headers = [(name, value) for name, value in spoken.headers if name != "ce_id"]
    own_id: list[tuple[str, bytes | None]] = [("ce_id", f"broken-{n}".encode())]
    return (
        Spoken(spoken.topic, spoken.key, value[: len(value) // 2], [*headers, *own_id]),
        Spoken(spoken.topic, spoken.key, None, [*headers, *own_id]),
        Spoken(spoken.topic, spoken.key, value, [*headers, ("ce_id", None)]),
        Spoken(spoken.topic, spoken.key, b"\xff\xfe" + value, [*headers, *own_id]),
    )[n % 4]
