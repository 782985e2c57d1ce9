"""The checks of `verify` on requests and the pages of their lines, without any server. All made up."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ops.verify.evidence import Evidence
from ops.verify.requests import pages, published, revisions
from ops.verify.topic_evidence import PublishedEvent
from services.festival.domain import Booth, Request
from services.festival.domain.allocation.lines import StoredLines
from services.festival.domain.allocation.request import Beyond, PlanTerms
from services.festival.domain.line import LineStatus
from shared.envelope import encode
from shared.events.festival import AllocationPlanned
from shared.events.parts import in_parts
from tests.support.builders.festival import B1, B2, a_booth_closing, a_request, a_world

pytestmark = pytest.mark.unit

Change = Callable[[Evidence], None]


def evidence_of() -> Evidence:
    """A request for two booths, of 120 lines, as a world has stored it."""
    world = a_world()
    for n in range(120):
        world.make(f"L{n:03}", 1)
    world.give(a_request((B1, "KTI", 60), (B2, "KTI", 60)))
    world.settle()
    kinds = (Request, PlanTerms, StoredLines, Booth)
    return Evidence(entities={kind: dict(world._entities[kind]) for kind in kinds})


def change(kind: type, **fields: object) -> Change:
    def changed(evidence: Evidence) -> None:
        id, entity = next(iter(evidence.entities[kind].items()))
        evidence.entities[kind][id] = replace(entity, **fields)

    return changed


def change_first_line(**fields: object) -> Change:
    def changed(evidence: Evidence) -> None:
        id, page = next(iter(evidence.entities[StoredLines].items()))
        evidence.entities[StoredLines][id] = replace(page, lines=(replace(page.lines[0], **fields), *page.lines[1:]))

    return changed


def drop(kind: type) -> Change:
    return lambda evidence: evidence.entities[kind].clear()


def test_what_festival_stores_is_right() -> None:
    evidence = evidence_of()
    assert len(evidence.of(StoredLines)) == 3
    assert (pages(evidence).broken, revisions(evidence).broken) == ([], [])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (change_first_line(status=LineStatus.REFUSED), "counts 120 reserved (120); its lines are 1 refused (1)"),
        (change_first_line(lost=1), "its lines are 120 reserved (119)"),
        (change_first_line(reservation="ODOP/R1.2"), "not in their places"),
        (change(Request, asked=1), "asked by its sum"),
        (change(Request, stranded=1), "stranded by its sum"),
        (change(Request, beyond=(Beyond(B1, "KTI", 1),)), "1 short by its sums"),
        (drop(PlanTerms), "has no terms"),
        (drop(StoredLines), "lines by its sums, by its pages"),
        (drop(Request), "is of no known request"),
    ],
)
def test_a_part_that_does_not_fit_the_others_is_found(wrong: Change, sentence: str) -> None:
    evidence = evidence_of()
    wrong(evidence)
    assert any(sentence in words for words in pages(evidence).broken), pages(evidence).broken


def published_plan(*changes: tuple[int, dict[str, object]], lost: int | None = None) -> Evidence:
    """The evidence of a published plan of several parts: some changed, one lost."""
    world = a_world()
    for n in range(12):
        world.make(f"L{n:03}", 1)
    world.give(a_request((B1, "KTI", 20)))
    [planned] = world.bodies(AllocationPlanned)
    parts = dict(enumerate(in_parts(planned, 900)))
    assert len(parts) > 2
    for number, fields in changes:
        parts[number] = parts[number].model_copy(update=fields)
    evidence = Evidence(entities={})
    for number, part in parts.items():
        if number != lost:
            evidence.published.add(
                PublishedEvent("AllocationPlanned", "karya/festival", f"e{number}", "c", encode(part))
            )
    return evidence


def test_a_long_plan_is_published_with_all_its_parts() -> None:
    assert published(published_plan()).broken == []
    [wrong] = published(published_plan(lost=1)).broken
    assert "has no part 2 of" in wrong
    [wrong] = published(published_plan((0, {"lines": ()}))).broken
    assert "has another digest" in wrong


def test_what_is_reserved_for_a_closed_booth_and_proposed_without_a_revision_is_found() -> None:
    world = a_world()
    world.make("LA", 10)
    world.give(a_request((B1, "KTI", 5), (B2, "KTI", 5)))
    world.settle()
    world.give(a_booth_closing())
    world.settle()
    kinds = (Request, PlanTerms, StoredLines, Booth)
    evidence = Evidence(entities={kind: dict(world._entities[kind]) for kind in kinds})
    assert revisions(evidence).broken == []
    change_first_line(status=LineStatus.RESERVED)(evidence)
    assert any("which is closed" in words for words in revisions(evidence).broken)
    change_first_line(status=LineStatus.PROPOSED)(evidence)
    change(Request, closed=(B1, B2))(evidence)
    assert any("but it is open" in words for words in revisions(evidence).broken)
