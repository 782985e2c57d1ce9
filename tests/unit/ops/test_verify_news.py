"""What `verify` makes of news items and the events that they are of, without any server."""

from datetime import UTC, datetime

import pytest

from ops.verify.evidence import Evidence
from ops.verify.news import news
from ops.verify.topic_evidence import PublishedEvent
from services.gateway.domain.news import NewsItem
from shared.events.production import ANSWERS, ReportAccepted

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


def broken(items: int, events: int) -> list[str]:
    evidence = Evidence()
    body = ReportAccepted(facility="LP-KPG", terminal="T1", report="r1", lot="L1")
    for n in range(events):
        value = body.model_dump_json().encode()
        evidence.published.add(PublishedEvent("ReportAccepted", "karya/production", f"e{n}", "", value))
    evidence.entities[NewsItem] = {
        f"i{n}": NewsItem(f"i{n}", "LP-KPG", ANSWERS.name, body, "karya/production", f"e{n}", NOW, NOW, "r1")
        for n in range(items)
    }
    return news(evidence).broken


def test_as_many_items_as_events_are_right() -> None:
    assert broken(0, 0) == []
    assert broken(3, 3) == []


@pytest.mark.parametrize(("items", "events"), [(2, 3), (3, 2), (1, 0)])
def test_a_lost_and_a_doubled_item_are_found(items: int, events: int) -> None:
    [sentence] = broken(items, events)
    assert "ReportAccepted" in sentence


def test_what_no_device_is_told_needs_no_item() -> None:
    evidence = Evidence()
    evidence.published.add(PublishedEvent("HeldCommandRefused", "karya/gateway", "e1", "", b"{}"))
    assert news(evidence).broken == []
