"""Makes a live database equal to a rebuilt one. Safe to repeat: no service uses a half-switched database."""

from collections.abc import Mapping
from typing import Any

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

from deploy.topics import SERVICES
from ops.rebuild.documents import LANES, collections, pairs
from shared.errors import NotReached, ServiceRunning
from shared.kafka import topic_name
from shared.kafka_connection import administrator
from shared.mongo import Database, Document, Mongo
from shared.runtime.lanes import SWITCHING
from shared.runtime.storage import lane_id
from shared.settings import Settings
from shared.wording import Message

AT_ONCE = 1000
# Kafka reports a group that was never used as "Dead".
_UNUSED_STATES = ("Empty", "Dead")

_Writes = list[InsertOne[Document] | ReplaceOne[Document] | DeleteOne | UpdateOne]


async def check_not_running(settings: Settings, service: str) -> None:
    """Raise ServiceRunning when an instance of the service is a member of one of its groups."""
    groups = [topic_name(settings, processor.group) for processor in SERVICES[service]]
    admin = administrator(settings)
    try:
        await admin.start()
        # One by one: aiokafka 0.14 misreads the answer of newer brokers about several groups.
        answers = [answer for group in groups for answer in await admin.describe_consumer_groups([group])]
    finally:
        await admin.close()
    described: dict[str, tuple[str, int]] = {}
    for answer in answers:
        for error, group, state, _protocol_type, _protocol, members, *_ in answer.groups:
            if error:
                raise NotReached(
                    Message(
                        "Kafka does not describe the group {group} (error {error}); try again.",
                        group=group,
                        error=error,
                    )
                )
            described[group] = (state, len(members))
    for group in groups:
        state, members = described[group]
        if members or state not in _UNUSED_STATES:
            raise ServiceRunning(
                Message(
                    "{service} is at work: {group} is {state} with {count:instance|instances}. Stop all of them "
                    "first; Kafka removes a killed instance after {seconds} s.",
                    service=service,
                    group=group,
                    state=state,
                    count=members,
                    seconds=f"{settings.session_timeout_ms / 1000:g}",
                )
            )


async def switch(
    mongo: Mongo, service: str, live: Database, rebuilt: Database, before: Mapping[str, Document], partitions: int
) -> None:
    """Make `live` equal to `rebuilt`, lanes last. `before`: the live lanes at the beginning of the rebuild.

    Raises ServiceRunning, without any change, when the live lanes have changed since.
    """
    lanes = [lane_id(processor.group, p) for processor in SERVICES[service] for p in range(partitions)]
    async with mongo.transaction() as session:
        now = {lane["_id"]: lane for lane in await live[LANES].find({}, session=session).to_list(None)}
        if now != before:
            raise ServiceRunning(
                Message("An instance of {service} has worked meanwhile. Stop it and start again.", service=service)
            )
        # From here on a starting service finds all lanes marked, including those that were never worked.
        fresh: Document = {"offsets": [], "next_out": 0, "batches": 0}
        marks: _Writes = [
            UpdateOne({"_id": lane}, {"$set": {"cluster": SWITCHING}, "$setOnInsert": fresh}, upsert=True)
            for lane in lanes
        ]
        await live[LANES].bulk_write(marks, session=session)
    for name in await collections(live, rebuilt):
        if name != LANES:
            await _copy(live, rebuilt, name)
    await _copy(live, rebuilt, LANES)


async def _copy(live: Database, rebuilt: Database, name: str) -> None:
    writes: _Writes = []

    async def flush() -> None:
        if writes:
            await live[name].bulk_write(list(writes), ordered=False)
            writes.clear()

    async for live_document, rebuilt_document in pairs(live, rebuilt, name):
        if live_document == rebuilt_document:
            continue
        writes.append(_write(live_document, rebuilt_document))
        if len(writes) >= AT_ONCE:
            await flush()
    await flush()


def _write(live_document: Document | None, rebuilt_document: Document | None) -> Any:
    if rebuilt_document is None:
        assert live_document is not None
        return DeleteOne({"_id": live_document["_id"]})
    return (
        InsertOne(rebuilt_document)
        if live_document is None
        else ReplaceOne({"_id": rebuilt_document["_id"]}, rebuilt_document)
    )
