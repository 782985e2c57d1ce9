"""A request at its largest: each of its events stays within the size that every reader accepts."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from services.festival.domain import Request, StockView
from services.festival.domain.allocation.request import RequestStatus, with_all_statuses
from services.festival.domain.line import LineStatus
from services.festival.domain.planning import ExcludedStock, explanations
from services.festival.handlers import FESTIVAL
from shared.envelope import encode
from shared.events.festival import (
    AllocationPlanned,
    AllocationRevised,
    CommandRefusal,
    CommandRefused,
    Demand,
    OpenBooth,
    PlanRule,
    Price,
    RequestAllocation,
    ReviseAllocation,
    RevisionRequested,
)
from shared.events.language import MAX_TEXT, MAX_VALUE_BYTES, Body, Event, Publication
from shared.runtime.processor import Collection, Document
from shared.runtime.state import Entity, Key
from tests.support import reading
from tests.support.builders.festival import NOON, an_announcement, kinds, product_codes

FIRST, SECOND = 1, 2


@dataclass(frozen=True)
class Names:
    """Ordinary names, or the longest valid ones. A product's code always has three letters."""

    festival: str
    booth: str
    request: str
    facility: int
    lot: int

    def id(self, of: str, n: int) -> str:
        return f"{n:04}".rjust(getattr(self, of), of[0].upper())


USUAL = Names("EXPO-2026", "EXPO-2026.BOOTH-07", "R1", facility=6, lot=23)
LONGEST = Names("F" * 40, f"{'F' * 40}.{'B' * 40}", "R" * 60, facility=120, lot=120)


class Season:
    """A festival whose only booth asks for many products."""

    def __init__(self, names: Names, facilities: int, demands: int = 50) -> None:
        self.names, self.facilities = names, facilities
        self.products = product_codes(demands)
        self.entities: dict[Key, Any] = {}
        self.count = 0
        prices = tuple(Price(product=product, price_rupiah=1) for product in self.products)
        booth = OpenBooth(festival=names.festival, booth=names.booth, name="B", prices=prices, tills=("T",))
        for body in (an_announcement(names.festival), booth):
            assert "CommandRefused" not in kinds(self.give(body))

    def give(self, body: Body) -> list[Body]:
        """The bodies of the events that answer this one."""
        self.count += 1
        event = Event(f"c{self.count}", "test", self.names.festival, NOON, NOON, body)
        state, outputs = FESTIVAL.decide(reading.state(FESTIVAL, event, self._stored), event)
        self.entities |= state.changes
        bodies = [output.body for output in outputs if isinstance(output, Publication)]
        for answer in bodies:
            assert len(encode(answer)) <= MAX_VALUE_BYTES, type(answer).__name__
        return bodies

    def stock(self, lots: int, series: int) -> None:
        """Add lots of ten pieces, of facilities that no other series has."""
        names = self.names
        self.keep(
            *(
                StockView(
                    id=names.id("lot", series * 10_000 + n),
                    revision=1,
                    facility=names.id("facility", series * 1000 + n % self.facilities),
                    product=self.products[n % len(self.products)],
                    made_on=date(2023, 4, 1),
                    best_before=date(2023, 9, 1),
                    recalled=False,
                    on_hand=10,
                )
                for n in range(lots)
            )
        )

    def ask(self) -> list[Body]:
        """Ask for more than the stock, so that every lot makes a line."""
        names = self.names
        wishes = tuple(Demand(booth=names.booth, product=product, qty=1_000_000) for product in self.products)
        return self.give(
            RequestAllocation(festival=names.festival, request=names.request, demands=wishes, consent=True)
        )

    def reserve(self) -> None:
        """Inventory reserves all requested pieces and has no more."""
        request = with_all_statuses(self.request, LineStatus.ASKED, LineStatus.RESERVED)
        views = [replace(view, on_hand=0) for view in self.entities.values() if isinstance(view, StockView)]
        self.keep(replace(request, status=RequestStatus.SETTLED), *views)

    def without_all(self) -> tuple[str, ...]:
        return tuple(sorted({line.facility for line in self.request.lines}))

    def revise(self, *without: str, reason: str = "") -> list[Body]:
        names = self.names
        order = ReviseAllocation(
            festival=names.festival, request=names.request, without=without, reason=reason, consent=True
        )
        [body] = self.give(order)
        assert isinstance(body, RevisionRequested)
        return self.give(body)

    @property
    def request(self) -> Request:
        return next(entity for entity in self.entities.values() if isinstance(entity, Request))

    def keep(self, *entities: Entity) -> None:
        self.entities |= {(type(entity), entity.id): entity for entity in entities}

    def _stored(self, collection: Collection[Any]) -> dict[str, Document]:
        entities = {id: entity for (kind, id), entity in self.entities.items() if kind is collection.entity}
        return {id: {"_id": id, **collection.to_document(entity)} for id, entity in entities.items()}


def is_refused_as_too_many(bodies: list[Body]) -> bool:
    return any(isinstance(body, CommandRefused) and body.reason is CommandRefusal.TOO_MANY for body in bodies)


@pytest.mark.parametrize(
    ("names", "facilities", "demands", "lines"),
    [
        (USUAL, 10, 50, (950, 1100)),
        (USUAL, 10, 500, (200, 300)),
        (USUAL, 500, 50, (300, 550)),
        (LONGEST, 10, 50, (200, 400)),
        (LONGEST, 200, 50, (100, 250)),
    ],
)
def test_the_largest_plan_is_a_readable_record(
    names: Names, facilities: int, demands: int, lines: tuple[int, int]
) -> None:
    can, can_not = lines
    season = Season(names, facilities, demands)
    season.stock(can, FIRST)
    assert [len(body.lines) for body in season.ask() if isinstance(body, AllocationPlanned)] == [can]
    season = Season(names, facilities, demands)
    season.stock(can_not, FIRST)
    bodies = season.ask()
    assert kinds(bodies) == ["CommandRefused"]
    assert is_refused_as_too_many(bodies)


def season_with_lines(names: Names, lots: int, facilities: int = 10) -> Season:
    """A request that holds so many lines, and as many lots from others to have instead."""
    season = Season(names, facilities)
    season.stock(lots, FIRST)
    assert not is_refused_as_too_many(season.ask())
    season.reserve()
    season.stock(lots, SECOND)
    return season


@pytest.mark.parametrize(
    ("names", "facilities", "lines"),
    [(USUAL, 10, (700, 800)), (USUAL, 100, (600, 800)), (LONGEST, 10, (150, 250))],
)
def test_the_largest_revision_is_a_readable_record(names: Names, facilities: int, lines: tuple[int, int]) -> None:
    can, can_not = lines
    season = season_with_lines(names, can, facilities)
    bodies = season.revise(*season.without_all(), reason="\x01" * 500)
    [revision] = [body for body in bodies if isinstance(body, AllocationRevised)]
    assert len(revision.back) == len(revision.added) == can
    season = season_with_lines(names, can_not, facilities)
    before = season.request
    assert is_refused_as_too_many(season.revise(*season.without_all()))
    assert season.request == before


@pytest.mark.parametrize(("names", "lots"), [(USUAL, 300), (LONGEST, 60)])
def test_all_that_a_request_holds_can_go_back_at_once(names: Names, lots: int) -> None:
    """Plans are added until no more fits: promised lines must always fit into an event."""
    season = Season(names, 10)
    season.stock(lots, FIRST)
    assert not is_refused_as_too_many(season.ask())
    for series in range(SECOND, 30):
        season.reserve()
        season.stock(lots, series)
        if is_refused_as_too_many(season.revise()):
            break
    else:
        pytest.fail("nothing was too much")
    line_count = len(season.request.lines)
    bodies = season.give(
        RevisionRequested(
            key=names.festival,
            request=names.request,
            products=(),
            without=tuple(sorted({line.facility for line in season.request.lines})),
        )
    )
    # No command asked for it, so no reason is published.
    [revision] = [body for body in bodies if isinstance(body, AllocationRevised)]
    assert (len(revision.back), revision.added) == (line_count, ())


def test_what_is_sent_makes_place_for_more() -> None:
    season = season_with_lines(USUAL, 800)
    assert is_refused_as_too_many(season.revise(*season.without_all()))
    season.keep(with_all_statuses(season.request, LineStatus.RESERVED, LineStatus.DISPATCHED))
    assert not is_refused_as_too_many(season.revise())
    assert len(season.request.lines) == 1600


def test_every_sentence_fits_into_an_event() -> None:
    facilities = [LONGEST.id("facility", n) for n in range(9)]
    products = product_codes(9)
    late, stale = PlanRule.LEAD_TIME, PlanRule.BEST_BEFORE
    excluded = [
        ExcludedStock(facility, products[0], rules, 1_000_000)
        for rules in ((late,), (stale,), (stale, late))
        for facility in facilities
    ]
    no_room = explanations.no_room_of_kind(1_000_000, 1_000_000)
    why = explanations.joined(no_room, explanations.no_stock(1_000_000, excluded))
    causes = [
        explanations.cannot_send(facilities),
        explanations.closed([LONGEST.booth] * 9),
        explanations.lost_on_the_way(1_000_000),
    ]
    for sentences in (
        explanations.share(999_999, 99_999, 100, unasked=products, no_room=products, givers=facilities),
        explanations.kept_out(excluded),
        explanations.lacking(LONGEST.booth, products[0], 1_000_000, 1_000_000, why),
        explanations.revised("x" * 500, causes, back=1_000_000, planned=1_000_000, missing=1_000_000),
    ):
        for text in sentences:
            assert len(text) <= MAX_TEXT, text
