"""A request at its largest: each of its events stays within the size that every reader accepts."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

import pytest

from services.festival.domain import Request, StockView
from services.festival.domain.allocation import pages, planner
from services.festival.domain.allocation.lines import StoredLines
from services.festival.domain.allocation.request import PlanTerms, RequestStatus, with_all_statuses
from services.festival.domain.line import LineStatus, pieces
from services.festival.domain.planning import ExcludedStock, explanations
from shared.envelope import encode
from shared.events.festival import (
    AllocationPlanned,
    AllocationRevised,
    CloseBooth,
    CommandRefusal,
    CommandRefused,
    Demand,
    OpenBooth,
    PlanRule,
    Price,
    RequestAllocation,
    RequestRested,
    ReviseAllocation,
    RevisionRequested,
)
from shared.events.inventory import OrderRefusal, ReservationRefused
from shared.events.language import MAX_TEXT, MAX_VALUE_BYTES, Body, Event, Publication
from shared.events.parts import joined
from shared.runtime.processor import Collection, Document
from shared.runtime.state import Entity, Key, State
from tests.support import reading
from tests.support.builders.festival import NOON, an_announcement, kinds, product_codes
from tests.support.builders.festival import PROCESSOR as FESTIVAL
from tests.support.requests import whole_requests

E = TypeVar("E")

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
        self.keep_request(replace(request, status=RequestStatus.SETTLED))
        self.keep(*views)

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
        [request] = whole_requests(*(self.all(kind) for kind in (Request, PlanTerms, StoredLines)))
        return request

    def all(self, kind: type[E]) -> list[E]:
        return [entity for entity in self.entities.values() if isinstance(entity, kind)]

    def keep_request(self, request: Request) -> None:
        state = State.of(*self.all(Request), *self.all(PlanTerms))
        self.entities |= pages.put(state, request).changes

    def keep(self, *entities: Entity) -> None:
        self.entities |= {(type(entity), entity.id): entity for entity in entities}

    def _stored(self, collection: Collection[Any]) -> dict[str, Document]:
        entities = {id: entity for (kind, id), entity in self.entities.items() if kind is collection.entity}
        return {id: {"_id": id, **collection.to_document(entity)} for id, entity in entities.items()}


def planned(bodies: list[Body]) -> AllocationPlanned:
    parts = [body for body in bodies if isinstance(body, AllocationPlanned)]
    whole = joined(parts)
    assert whole is not None
    return whole


def revised(bodies: list[Body]) -> AllocationRevised:
    whole = joined([body for body in bodies if isinstance(body, AllocationRevised)])
    assert whole is not None
    return whole


@pytest.mark.parametrize(
    ("names", "facilities", "demands", "lines"),
    [(USUAL, 10, 50, 50), (USUAL, 10, 50, 4000), (USUAL, 500, 500, 2000), (LONGEST, 200, 50, 3000)],
)
def test_a_plan_of_any_size_is_said_in_readable_records(
    names: Names, facilities: int, demands: int, lines: int
) -> None:
    season = Season(names, facilities, demands)
    season.stock(lines, FIRST)
    bodies = season.ask()
    parts = [body for body in bodies if isinstance(body, AllocationPlanned)]
    assert (len(parts) == 1) is (lines == 50)
    whole = planned(bodies)
    assert [line.reservation for line in whole.lines] == [line.reservation for line in season.request.lines]
    assert len(whole.lines) == lines
    assert len(whole.short) == demands
    assert {(part.plan, part.parts, part.digest) for part in parts} == {(1, len(parts), parts[0].digest)}


@pytest.mark.parametrize("names", [USUAL, LONGEST])
def test_a_revision_of_any_size_is_said_in_readable_records(names: Names) -> None:
    season = Season(names, 100)
    season.stock(2000, FIRST)
    season.ask()
    season.reserve()
    season.stock(2000, SECOND)
    bodies = season.revise(*season.without_all(), reason="\x01" * 500)
    shown = revised(bodies)
    assert (len(shown.back), len(shown.added)) == (2000, 2000)
    assert len([body for body in bodies if isinstance(body, AllocationRevised)]) > 1
    assert len(planned(bodies).lines) == 2000
    # The plan counts as the first and this change as the second.
    assert (shown.plan, planned(bodies).plan) == (2, 2)


def test_pieces_of_a_closed_booth_go_to_another_whatever_the_number_of_their_lots() -> None:
    lots, other = 2200, f"{USUAL.festival}.BOOTH-08"
    season = Season(USUAL, 100)
    prices = tuple(Price(product=product, price_rupiah=1) for product in season.products)
    season.give(OpenBooth(festival=USUAL.festival, booth=other, name="C", prices=prices, tills=("T2",)))
    season.stock(lots, FIRST)
    demands = tuple(
        Demand(booth=booth, product=product, qty=qty)
        for booth, qty in ((USUAL.booth, 10_000), (other, 500))
        for product in season.products
    )
    request = RequestAllocation(
        festival=USUAL.festival, request=USUAL.request, demands=demands, consent=True, revise_at_percent=1
    )
    season.give(request)
    season.reserve()
    before = [line for line in season.request.lines if line.booth == USUAL.booth]
    asked = [
        body
        for body in season.give(CloseBooth(festival=USUAL.festival, booth=USUAL.booth))
        if isinstance(body, RequestRested | RevisionRequested)
    ]
    while isinstance(asked[0], RequestRested):
        asked = [body for body in season.give(asked[0]) if isinstance(body, RevisionRequested)]
    shown = revised(season.give(asked[0]))
    assert len({line.lot for line in before}) > 2000
    assert {line.reservation for line in shown.back} == {line.reservation for line in before}
    assert {line.booth for line in shown.added} == {other}
    assert sum(line.qty for line in shown.added) == sum(line.qty for line in before)


def test_a_refusal_writes_the_page_of_its_line_and_that_of_the_new_ones() -> None:
    season = Season(USUAL, 100)
    season.stock(1000, FIRST)
    season.ask()
    season.stock(1000, SECOND)
    line = season.request.lines[10]
    pages_before = {page.id: page for page in season.all(StoredLines)}
    assert len(pages_before) == 20
    season.give(
        ReservationRefused(
            festival=USUAL.festival,
            request=USUAL.request,
            reservation=line.reservation,
            lot=line.lot,
            product=line.product,
            booth=line.booth,
            qty=line.qty,
            on_hand=0,
            reason=OrderRefusal.SHORT,
        )
    )
    written = [page.number for page in season.all(StoredLines) if pages_before.get(page.id) is not page]
    assert sorted(written) == [0, 20]
    assert season.request.lines[10].status is LineStatus.REFUSED
    assert pieces(season.request.lines[1000:]) == line.qty


def test_a_plan_beyond_what_one_step_can_carry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "MAX_LINES", 100)
    season = Season(USUAL, 10)
    season.stock(101, FIRST)
    [refused] = season.ask()
    assert isinstance(refused, CommandRefused)
    assert (refused.field, refused.reason) == ("demands", CommandRefusal.TOO_MANY)


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
