"""The check of news: the gateway keeps every event that it is for, once."""

from collections import Counter
from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from services.gateway.domain.news import TOPICS, UNTOLD, NewsItem

_UNTOLD = {body.__name__ for body in UNTOLD}


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about news."""
    yield news(evidence)


def news(evidence: Evidence) -> Check:
    """There are as many news items of each kind as events."""
    check = Check("news", "per kind of event: the gateway has as many news items as there are events")
    kept = Counter(type(item.body).__name__ for item in evidence.of(NewsItem).values())
    for kind in sorted({body.__name__ for topic in TOPICS.values() for body in topic.bodies} - _UNTOLD):
        check.expect_equal(
            kept[kind], evidence.published.counts[kind], "{kind}: {first} items and events {second}", kind=kind
        )
    return check
