"""Making a live database equal to a rebuilt one. Repeatable: no service touches what a death in the middle leaves."""

from collections.abc import Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

from deploy.topics import SERVICES
from ops.rebuild.documents import LANES, collections, pairs
from shared.errors import NotReached, ServiceRunning
from shared.kafka import topic_name
from shared.mongo import Database, Document, Mongo
from shared.runtime.lanes import SWITCHING
from shared.runtime.storage import lane_id
from shared.settings import Settings

AT_ONCE = 1000
# A group that was never used is "Dead": Kafka does not know it.
_NOBODY = ("Empty", "Dead")

_Writes = list[InsertOne[Document] | ReplaceOne[Document] | DeleteOne | UpdateOne]


async def check_nobody(settings: Settings, service: str) -> None:
    """Raises ServiceRunning when an instance of the service is a member of one of its groups."""
    groups = [topic_name(settings, processor.group) for processor in SERVICES[service]]
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    try:
        await admin.start()
        # One by one: aiokafka 0.14 reads what newer brokers answer about several as if each were shorter than it is.
        answers = [answer for group in groups for answer in await admin.describe_consumer_groups([group])]
    finally:
        await admin.close()
    described: dict[str, tuple[str, int]] = {}
    for answer in answers:
        for error, group, state, _protocol_type, _protocol, members, *_ in answer.groups:
            if error:
                raise NotReached(f"Kafka does not say who is in the group {group} (error {error}); try again.")
            described[group] = (state, len(members))
    for group in groups:
        state, members = described[group]
        if members or state not in _NOBODY:
            raise ServiceRunning(
                f"{service} is at work: {group} is {state} with {members} of its instances. Stop all of them first; "
                f"one that was killed is forgotten after {settings.session_timeout_ms / 1000:g} s."
            )


async def switch(
    mongo: Mongo, service: str, live: Database, rebuilt: Database, before: Mapping[str, Document], partitions: int
) -> None:
    """Make `live` equal to `rebuilt`, lanes last. `before`: the live lanes as they were when the rebuilding began.

    Raises ServiceRunning, having changed nothing, when they have moved since.
    """
    lanes = [lane_id(processor.group, p) for processor in SERVICES[service] for p in range(partitions)]
    async with mongo.transaction() as session:
        now = {lane["_id"]: lane for lane in await live[LANES].find({}, session=session).to_list(None)}
        if now != before:
            raise ServiceRunning(f"An instance of {service} has worked meanwhile. Stop it and begin again.")
        # From here on a service that starts finds no lane that it could work, also none that was never worked.
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

    async for there, here in pairs(live, rebuilt, name):
        if there == here:
            continue
        writes.append(_write(there, here))
        if len(writes) >= AT_ONCE:
            await flush()
    await flush()


def _write(there: Document | None, here: Document | None) -> Any:
    if here is None:
        assert there is not None
        return DeleteOne({"_id": there["_id"]})
    return InsertOne(here) if there is None else ReplaceOne({"_id": here["_id"]}, here)
