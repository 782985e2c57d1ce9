"""News: every event of the topics is kept as it came, under its place."""

from datetime import UTC, date, datetime

import pytest

from services.gateway.domain.news import OF_BOOTHS, OF_FACILITIES, NewsItem
from services.gateway.handlers import BOOTH, FACILITY, PROCESSORS
from services.gateway.store import BOOTH_NEWS, FACILITY_NEWS
from shared.events.festival import BoothStocked
from shared.events.gateway import HeldRecordReleased
from shared.events.language import Body, Event
from shared.events.production import TERMINAL, ReportAccepted
from shared.events.sales import SaleAccounted
from shared.runtime.processor import Processor
from shared.runtime.state import State

NOW = datetime(2026, 11, 30, 8, 1, 2, 345000, tzinfo=UTC)


def kept(processor: Processor, key: str, body: Body) -> NewsItem:
    event = Event(id="e1", source="somebody", key=key, time=NOW, logged_at=NOW, body=body)
    state, said = processor.decide(State.of(), event)
    assert said == []
    [item] = state.changes.values()
    assert isinstance(item, NewsItem)
    return item


def a_sale(receipt: str) -> SaleAccounted:
    return SaleAccounted(
        booth="ODOP.B1",
        sale=f"{receipt}/1",
        receipt=receipt,
        festival="ODOP",
        till="T1",
        lot=None,
        product="KTI",
        qty=1,
        unit_price_rupiah=1,
        net_rupiah=1,
        sold_at=NOW,
        revision=1,
        parts=(),
    )


def test_an_answer_names_the_record_that_it_answers() -> None:
    answer = ReportAccepted(facility="LP-KPG", terminal="T1", report="r1", lot="L1")
    item = kept(FACILITY, "LP-KPG", answer)
    assert (item.place, item.topic, item.about, item.body) == ("LP-KPG", "karya.report-answers.v1", "r1", answer)
    assert kept(BOOTH, "ODOP.B1", a_sale("s1")).about == "s1"
    stocked = BoothStocked(
        booth="ODOP.B1", festival="ODOP", lot="L", facility="LP-KPG", product="KTI", made_on=date(2026, 4, 1), qty=3
    )
    assert kept(BOOTH, "ODOP.B1", stocked).about is None


def test_events_of_two_sources_or_topics_are_two_items() -> None:
    ids = {
        kept(FACILITY, "LP-KPG", ReportAccepted(facility="LP-KPG", terminal="T1", report="r1", lot="L1")).id,
        kept(BOOTH, "ODOP.B1", a_sale("s1")).id,
    }
    assert ids == {"karya.report-answers.v1/somebody e1", "karya.sales.v1/somebody e1"}


def test_each_kind_of_place_hears_of_held_records_of_its_own_devices() -> None:
    fact = HeldRecordReleased(
        place="LP-KPG",
        device=f"d-{'a' * 52}",
        record="r1",
        topic=TERMINAL.name,
        digest="0" * 64,
        released_at=NOW,
    )
    for processor in (FACILITY, BOOTH):
        item = kept(processor, "LP-KPG", fact)
        assert (item.about, item.place) == ("r1", "LP-KPG")
    assert set(FACILITY.topics) & set(BOOTH.topics) == set(), "a service works an event once"


@pytest.mark.parametrize("body", [ReportAccepted(facility="LP-KPG", terminal="T1", report="r1", lot="L1")])
def test_a_document_is_read_as_it_was_written(body: Body) -> None:
    item = kept(FACILITY, "LP-KPG", body)
    document = FACILITY_NEWS.to_document(item)
    assert document["feed"] == "karya.report-answers.v1 LP-KPG"
    assert BOOTH_NEWS.from_document({"_id": item.id, **document}) == item


def test_no_type_of_an_event_comes_on_two_topics_of_one_place() -> None:
    """A device finds the topic of an event by its type."""
    for topics in (OF_FACILITIES, OF_BOOTHS):
        types = [type for topic in topics for type in topic.by_type]
        assert len(types) == len(set(types))


def test_the_processors_say_nothing_and_read_nothing() -> None:
    assert [processor.group for processor in PROCESSORS] == [
        "karya.gateway.facility",
        "karya.gateway.booth",
        "karya.gateway.subject",
        "karya.gateway.place",
    ]
