"""A dead letter for tests without servers: a terminal's report whose quantity is text. All made up."""

from datetime import UTC, datetime

from ops.letters import Letter, LetterPlace
from shared.events.language import Topic
from shared.events.production import TERMINAL

AT = datetime(2026, 4, 18, 2, 30, tzinfo=UTC)
REPORT = (
    b'{"facility":"PR-KPG","terminal":"T1","product":"KTI","qty":"12","made_on":"2026-04-17",'
    b'"maker":"p.mazcrdi4ewgq"}'
)


def a_letter(
    value: bytes | None = REPORT, *, topic: Topic = TERMINAL, key: bytes | None = b"PR-KPG", type: str | None = None
) -> Letter:
    place = LetterPlace(topic.name, 3, 0)
    name = type if type is not None else "ProductionReported.v1" if topic is TERMINAL else "ReceiptIssued.v1"
    return Letter(
        place=place,
        places=(place,),
        at=AT,
        key=key,
        value=value,
        headers=[("ce_id", b"report-1"), ("ce_type", name.encode())],
        service="production",
        reason="BAD_BODY",
        message="qty: made up",
        original_partition=3,
        original_offset=17,
        arrived_at=AT,
    )
