"""Records that strangers write to topics which a service owns, while all four services work."""

import json
from collections.abc import AsyncIterator

import pytest
from aiokafka.structs import RecordMetadata

from deploy.stack import Stack
from ops.verify import verify
from shared.events.festival import BOOTH_STOCK, FESTIVAL, FestivalCancelled
from shared.events.inventory import INVENTORY, RESERVATIONS
from shared.events.journal import journal
from shared.events.language import DeadlineReached, Topic
from shared.events.sales import PUBLIC_SALES, SALES, SALES_DEADLINES, SETTLEMENTS, SalePublished
from tests.support.probe import HeaderList, Record
from tests.support.season import B1, STRANGER, RunningSeason, morning_season, now, sell

pytestmark = pytest.mark.integration

JOURNAL = journal("sales")


@pytest.fixture
async def season(stack: Stack) -> AsyncIterator[RunningSeason]:
    async with morning_season(stack) as season:
        await sell(season)
        yield season


async def again(
    season: RunningSeason, topic: Topic, record: Record, id: bytes | None = None, qty: int = 0
) -> RecordMetadata:
    """A record once more, with another id or another quantity in its body if these are given."""
    headers = [(name, id if id and name == "ce_id" else value) for name, value in record.headers]
    body = json.dumps(json.loads(record.value or b"{}") | {"qty": qty}).encode()
    return await season.probe.send_raw(
        topic, key=record.key, value=body if qty else record.value, headers=headers, partition=record.partition
    )


async def garbage(season: RunningSeason, topic: Topic, headers: HeaderList = ()) -> RecordMetadata:
    return await season.probe.send_raw(topic, key=b"x", value=b"{", headers=headers)


async def test_what_a_service_never_said_on_its_topics_is_named_by_its_place(season: RunningSeason) -> None:
    probe = season.probe
    public, reserved, balance, stocking, batch = [
        (await probe.records(topic))[-1] for topic in (PUBLIC_SALES, RESERVATIONS, INVENTORY, BOOTH_STOCK, JOURNAL)
    ]
    # A relay that was killed says things twice.
    for topic, record in ((PUBLIC_SALES, public), (RESERVATIONS, reserved), (JOURNAL, batch)):
        await again(season, topic, record)
    report = await verify(season.settings, within=30)
    assert (report.waits, {check.name: check.broken for check in report.broken}) == ((), {})

    [publication, *_] = await probe.bodies(PUBLIC_SALES, SalePublished)
    other = "its ce_source is another"
    forged = [(name, value) for name, value in public.headers if name != "causationid"]
    sent = [
        (PUBLIC_SALES, await probe.send(PUBLIC_SALES, publication), other),
        (PUBLIC_SALES, await again(season, PUBLIC_SALES, public, id=b"x"), "its id does not follow from its cause"),
        (PUBLIC_SALES, await again(season, PUBLIC_SALES, public, qty=9), "its reader set it aside as ID_REUSED"),
        (SALES, await garbage(season, SALES), other),
        (SETTLEMENTS, await garbage(season, SETTLEMENTS, forged), "no event in the ledger caused it"),
        (JOURNAL, await garbage(season, JOURNAL, batch.headers), "its id does not follow from its body"),
        (INVENTORY, await again(season, INVENTORY, balance, id=b"x"), "its id does not follow from its cause"),
        (BOOTH_STOCK, await again(season, BOOTH_STOCK, stocking, qty=99), "its reader set it aside as ID_REUSED"),
        (BOOTH_STOCK, await garbage(season, BOOTH_STOCK), other),
        (BOOTH_STOCK, await garbage(season, BOOTH_STOCK, stocking.headers), "its reader set it aside as BAD_BODY"),
        (
            SALES_DEADLINES,
            await probe.send(
                SALES_DEADLINES,
                DeadlineReached(key=B1, deadline=B1, due=now()),
                source="karya/sales",
            ),
            "its id does not follow from its body",
        ),
        (
            FESTIVAL,
            await probe.send(FESTIVAL, FestivalCancelled(festival="ODOP", reason=STRANGER), source=STRANGER),
            other,
        ),
    ]
    report = await verify(season.settings, within=30)
    [check] = [check for check in report.checks if check.name == "writers"]
    wanted = {f"{topic.name} {at.partition}/{at.offset}": why for topic, at, why in sent}
    named = dict(sentence.split(" was not written by ", 1) for sentence in check.broken)
    assert {place: why.split(": ", 1)[1] for place, why in named.items()} == wanted
    assert STRANGER not in json.dumps(report.as_dict())
