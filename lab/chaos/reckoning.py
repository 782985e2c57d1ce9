"""The reckoning after a chaos run. It compares what was acknowledged with ledgers and documents, and all topics and
documents with a replay of Kafka into empty databases."""

from dataclasses import dataclass, field
from typing import Any

from deploy.topics import SERVICES
from lab.chaos.comparison import FIELDS, Comparison
from lab.chaos.expected import ExpectedState
from ops.rebuild import compare
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.mongo import Mongo
from shared.runtime.storage import RuntimeStore
from shared.settings import Settings

PAGE = 1000


@dataclass(slots=True)
class Reckoning:
    """The differences, in sentences.

    `lost`: acknowledged records that are in no ledger or had no effect, and events that the rules demand and no topic
    has. `doubled`: what no acknowledged record and no rule explains. `mismatched`: records worked with another body,
    entries kept with other values, and documents that differ from the replay.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.lost or self.doubled or self.mismatched)


async def reckon(settings: Settings, expected: ExpectedState, reckoning: Reckoning, *, complete: bool) -> None:
    """Add every difference to `reckoning`, once everything is quiet. If a server fails, the differences found so far
    stay.

    `complete`: no record waits in a spool. Otherwise the documents may hold more than was acknowledged, so they are
    not compared.
    """
    mongo = Mongo(settings)
    try:
        await _compare_ledgers(mongo, expected, reckoning)
        if complete:
            await _compare_documents(mongo, expected, reckoning)
    finally:
        await mongo.close()
    for service in SERVICES:
        rebuilt = await compare(settings, service)
        reckoning.lost += map(str, rebuilt.lost)
        reckoning.doubled += map(str, rebuilt.doubled)
        reckoning.mismatched += map(str, rebuilt.mismatched)


async def _compare_ledgers(mongo: Mongo, expected: ExpectedState, reckoning: Reckoning) -> None:
    for service, topic in (("production", TERMINAL), ("sales", TILL)):
        entries = [(id, digest) for id, (record_topic, digest) in expected.records.items() if record_topic == topic]
        store = RuntimeStore(mongo.database(service))
        for start in range(0, len(entries), PAGE):
            page = entries[start : start + PAGE]
            digests = await store.processed(id for id, _ in page)
            reckoning.lost += [f"{service} never worked {id}" for id, _ in page if id not in digests]
            reckoning.mismatched += [
                f"{service} worked another body of {id}" for id, digest in page if digests.get(id, digest) != digest
            ]


async def _compare_documents(mongo: Mongo, expected: ExpectedState, reckoning: Reckoning) -> None:
    comparison = Comparison(expected)
    for (service, collection), fields in FIELDS.items():
        cursor: Any = mongo.database(service)[collection].find({}, dict.fromkeys(fields, 1), batch_size=PAGE)
        while page := await cursor.to_list(PAGE):
            comparison.add_documents(collection, page)
    comparison.finish()
    reckoning.lost += comparison.lost
    reckoning.doubled += comparison.doubled
    reckoning.mismatched += comparison.mismatched
