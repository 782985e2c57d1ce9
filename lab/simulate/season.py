"""The facilities' reports and the organisers' requests of one season. Pure: the same seed gives the same season."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from edge.terminal.maker import pseudonym
from lab.simulate.goods import CAKES, GOODS
from lab.simulate.records import GeneratedRecord, make_record, new_id
from services.production.domain.catalogue import Facility
from services.production.reference import Reference
from shared.events import lot_number
from shared.events.festival import AnnounceFestival, Demand, OpenBooth, Price, RequestAllocation
from shared.events.production import TERMINAL, ProductionCorrected, ProductionReported, RecallLot

REPORTS = 5_000
CAKE_REPORTS = 60
BAD_IN_THOUSAND = 12
DOUBLED_IN_THOUSAND = 20
MAX_LINES = 500  # of one request; festival accepts 1,000
# Pieces of cake that the longer festivals ask for, although cakes would be stale on their last day.
LATE_CAKES = 20

# Id, code in the reference, days, booths (at scale 1), part of all stock that it asks for.
FESTIVALS = (
    ("ODOP", "ODOP-2023", 1, 8, 0.25),
    ("IPPA", "IPPA-2025-08", 3, 7, 0.2),
    ("FKUM", "FKUM-2025", 3, 5, 0.13),
)

# Draws the facility, the product and the day of one report.
DrawLot = Callable[[random.Random], tuple[Facility, str, date]]


@dataclass(slots=True)
class Reports:
    """A stream of reports and its expected outcome: `answered` distinct ones, `rejected` of them, `damaged` ones that
    nobody can use, and the accepted `pieces` of each product."""

    records: list[GeneratedRecord] = field(default_factory=list)
    answered: int = 0
    rejected: int = 0
    damaged: int = 0
    pieces: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True, slots=True)
class FestivalPlan:
    """One festival with its booths. Its requests ask for `part` of all pieces that were made."""

    announcement: AnnounceFestival
    booths: tuple[OpenBooth, ...]
    part: float

    @property
    def id(self) -> str:
        return self.announcement.festival


class Season:
    """The reports and requests of one season. `now` (UTC) is the morning of the first festival day."""

    def __init__(self, reference: Reference, *, seed: int, scale: int, now: datetime) -> None:
        self.seed = seed
        self.scale = scale
        self.now = now
        self.catalogue = reference.catalogue
        self.today = now.astimezone(ZoneInfo("Asia/Makassar")).date()
        by_code = {festival.code: festival for festival in reference.festivals}
        self.festivals = [
            self._festival(
                by_code[code].name, by_code[code].place, by_code[code].zone, id, days, booths * scale, part
            )
            for id, code, days, booths, part in FESTIVALS
        ]

    def rng(self, purpose: str) -> random.Random:
        """Random numbers for one purpose: more draws for it leave those of the others as they are."""
        return random.Random(f"{self.seed}/{self.scale}/{purpose}")

    def reports(self) -> Reports:
        """The first wave: everything that facilities have made up to this morning, with mistakes and duplicates."""
        return self._reports("first", REPORTS * self.scale, self._draw_lot)

    def cakes(self) -> Reports:
        """The second wave: fresh cakes for the afternoon."""
        [baker] = [f for f in self.catalogue.facilities.values() if CAKES in f.products]
        return self._reports("cakes", CAKE_REPORTS * self.scale, lambda _: (baker, CAKES, self.today))

    def corrections(self, lots: Sequence[tuple[str, str]]) -> Reports:
        """Corrections of a few typing errors. `lots`: (facility, lot) as production answered."""
        rng = self.rng("corrections")
        reports = Reports()
        for facility, lot in rng.sample(sorted(lots), len(lots) // 100):
            change = rng.choice((1, 2, -1, -1, -5000))
            body = ProductionCorrected(
                facility=facility, terminal="T1", lot=lot, change=change, reason="salah hitung"
            )
            reports.records.append(self._record(rng, body))
            reports.answered += 1
        return reports

    def recall(self, lot: str) -> GeneratedRecord:
        """The facility's recall of its lot."""
        number = lot_number.parse(lot)
        assert number is not None, "lots at booths have numbers"
        body = RecallLot(facility=number.facility, terminal="T1", lot=lot, reason="kemasan rusak")
        return self._record(self.rng("recall"), body)

    def requests(self, festival: FestivalPlan, pieces: dict[str, int]) -> list[RequestAllocation]:
        """The requests of the festival's booths for `pieces` (by product), some booths in each request."""
        rng = self.rng(f"requests {festival.id}")
        weights = {
            (booth.booth, price.product): rng.uniform(0.5, 1.5) for booth in festival.booths for price in booth.prices
        }
        totals: dict[str, float] = defaultdict(float)
        for (_, product), weight in weights.items():
            totals[product] += weight
        demands = [
            Demand(
                booth=booth,
                product=product,
                qty=max(1, round(self._asked(festival, product, pieces) * weight / totals[product])),
            )
            for (booth, product), weight in weights.items()
        ]
        return [
            RequestAllocation(
                festival=festival.id, request=f"pagi-{n}", demands=tuple(portion), consent=True, hold_hours=48
            )
            for n, portion in enumerate(_portions(demands), 1)
        ]

    def local_time(self, festival: FestivalPlan, hour: float) -> datetime:
        """This hour of the first day on the festival's clock, as UTC."""
        start = datetime.combine(festival.announcement.first_day, time(), ZoneInfo(festival.announcement.zone))
        return (start + timedelta(hours=hour)).astimezone(UTC)

    def _asked(self, festival: FestivalPlan, product: str, pieces: dict[str, int]) -> float:
        if product == CAKES and festival.id != "ODOP":
            return LATE_CAKES
        return pieces.get(product, 0) * festival.part

    def _festival(
        self, name: str, place: str, zone: str, id: str, days: int, booths: int, part: float
    ) -> FestivalPlan:
        announcement = AnnounceFestival(
            festival=id,
            name=name,
            place=place,
            zone=zone,
            first_day=self.today,
            last_day=self.today + timedelta(days=days - 1),
        )
        rng = self.rng(f"booths {id}")
        assortments: list[set[str]] = [set() for _ in range(booths)]
        for n, product in enumerate(sorted(GOODS)):
            for booth in {n % booths, *rng.sample(range(booths), min(booths, max(2, booths // 4)))}:
                assortments[booth].add(product)
        opened = tuple(
            OpenBooth(
                festival=id,
                booth=f"{id}.B{n:02}",
                name=f"Stan {n}",
                prices=tuple(Price(product=p, price_rupiah=GOODS[p].rupiah) for p in sorted(products)),
                tills=("T1", "T2"),
            )
            for n, products in enumerate(assortments, 1)
        )
        return FestivalPlan(announcement, opened, part)

    def _draw_lot(self, rng: random.Random) -> tuple[Facility, str, date]:
        facilities = sorted(self.catalogue.facilities.values(), key=lambda facility: facility.code)
        [facility] = rng.choices(facilities, [len(f.products) ** 0.5 for f in facilities])
        products = sorted(facility.products)
        [product] = rng.choices(products, [GOODS[p].popularity ** 0.5 for p in products])
        shelf_life = self.catalogue.products[product].shelf_life
        oldest = 60 if shelf_life is None else min(60, shelf_life.days // 4)
        return facility, product, self.today - timedelta(days=rng.randint(0, oldest))

    def _reports(self, purpose: str, count: int, draw_lot: DrawLot) -> Reports:
        rng = self.rng(f"reports {purpose}")
        reports = Reports()
        for n in range(count):
            facility, product, day = draw_lot(rng)
            good = GOODS[product]
            body = ProductionReported(
                facility=facility.code,
                terminal=f"T{rng.randint(1, 2)}",
                product=product,
                qty=rng.randint(good.min_qty, good.max_qty),
                made_on=day,
                maker=self._maker(rng, facility.code),
            )
            if rng.randrange(1000) < BAD_IN_THOUSAND:
                body = self._mistaken(rng, body)
                reports.rejected += 1
            else:
                reports.pieces[product] += body.qty
            reports.answered += 1
            record = self._record(rng, body)
            reports.records.append(record)
            if rng.randrange(1000) < DOUBLED_IN_THOUSAND:
                reports.records.append(record)
            if n % 500 == 250:
                reports.records.append(_undecodable(record, n // 500))
                reports.damaged += 1
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

    def _record(
        self, rng: random.Random, body: ProductionReported | ProductionCorrected | RecallLot
    ) -> GeneratedRecord:
        source = f"terminal/{body.facility}/{body.terminal}"
        return make_record(TERMINAL, body, id=new_id(rng), source=source, at=self.now, device=source)


def _portions(demands: Sequence[Demand]) -> Iterator[list[Demand]]:
    """Demands in the order of their booths, split so that no plan has more than about MAX_LINES lines."""
    portion: list[Demand] = []
    lines = 0
    for demand in sorted(demands, key=lambda demand: (demand.booth, demand.product)):
        good = GOODS[demand.product]
        expected = 2 + 2 * demand.qty // (good.min_qty + good.max_qty)
        if portion and lines + expected > MAX_LINES:
            yield portion
            portion, lines = [], 0
        portion.append(demand)
        lines += expected
    yield portion


def _undecodable(record: GeneratedRecord, n: int) -> GeneratedRecord:
    """A damaged copy of the record, which nobody can use; `n` chooses the damage."""
    value = record.value or b""
    headers = [(name, value) for name, value in record.headers if name != "ce_id"]
    own_id: list[tuple[str, bytes | None]] = [("ce_id", f"broken-{n}".encode())]
    return (
        replace(record, value=value[: len(value) // 2], headers=[*headers, *own_id]),
        replace(record, value=None, headers=[*headers, *own_id]),
        replace(record, headers=[*headers, ("ce_id", None)]),
        replace(record, value=b"\xff\xfe" + value, headers=[*headers, *own_id]),
    )[n % 4]
