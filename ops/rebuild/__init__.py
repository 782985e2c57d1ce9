"""`karya rebuild`: a service's database built anew from Kafka, compared with the live one, and put in its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from deploy.topics import SERVICES
from ops.rebuild.documents import LANES, OUTBOX, Compared, compare_documents
from ops.rebuild.replay import Progress, Replayed, replay
from ops.rebuild.switching import check_nobody, switch
from shared.errors import HistoryTruncated, NotEmpty, ServiceRunning, UnpublishedEvents
from shared.events.journal import journal
from shared.kafka import producer, survey, topic_name
from shared.mongo import Database, Document, Mongo
from shared.retry import attempts
from shared.runtime.relay import Relay
from shared.runtime.storage import RuntimeStore, lane_id
from shared.settings import Settings

__all__ = ["WITHIN", "Compared", "Rebuilt", "Replayed", "compare", "rebuild"]

WITHIN = 20.0
SHOWN = 20


@dataclass(slots=True)
class Rebuilt:
    """What a rebuilding found. `lost`, `doubled` and `torn` in words: what the rules make of the log and no topic
    has; what topics have beyond that (copies of a relay that was killed are no fault); documents that differ."""

    service: str
    database: str
    replayed: Replayed
    compared: list[Compared] = field(default_factory=list)
    switched: bool = False

    @property
    def lost(self) -> list[str]:
        return [f"{self.service} never said {word}" for word in self.replayed.lost]

    @property
    def doubled(self) -> list[str]:
        return [
            *(f"{self.service} said {word}, and nothing explains it" for word in self.replayed.invented),
            *(f"{self.service} said {word} otherwise than the rules do" for word in self.replayed.otherwise),
        ]

    @property
    def torn(self) -> list[str]:
        """The first few of each collection."""
        return [
            *(f"{self.service} {one.name} {difference}" for one in self.compared for difference in one.first),
            *(f"{self.service} passed over {place}" for place in self.replayed.passed_over),
        ]

    @property
    def ok(self) -> bool:
        return not (self.lost or self.doubled or self.torn)

    def as_dict(self) -> dict[str, Any]:
        """JSON types only; of each list the first few."""
        replayed = self.replayed
        return {
            "ok": self.ok,
            "service": self.service,
            "database": self.database,
            "records": replayed.records,
            "batches": replayed.batches,
            "said": replayed.said,
            "said_again": replayed.again,
            "collections": [one.as_dict() for one in self.compared],
            "unseen": replayed.unseen,
            "counts": {
                "lost": len(replayed.lost),
                "invented": len(replayed.invented),
                "otherwise": len(replayed.otherwise),
                "passed_over": len(replayed.passed_over),
            },
            "lost": self.lost[:SHOWN],
            "doubled": self.doubled[:SHOWN],
            "torn": self.torn[:SHOWN],
            "switched": self.switched,
        }


async def compare(settings: Settings, service: str, *, within: float = WITHIN) -> Rebuilt:
    """The live database, and what was said, against a replay of Kafka. Changes nothing; raises as `rebuild`."""
    return await rebuild(settings, service, within=within)


async def rebuild(
    settings: Settings,
    service: str,
    *,
    within: float = WITHIN,
    switching: bool = False,
    say_missing: bool = False,
    into: str | None = None,
    on_progress: Progress = lambda _, __: None,
) -> Rebuilt:
    """Build the service's database anew beside the live one, which must keep still meanwhile (waited for up to
    `within` seconds), and compare the two. With `switching` the live one is made equal then; it says what its
    outbox holds first, as a new owner of its lanes would. One rebuilding of a service at a time. The new database is
    kept only if it has a name of its own, `into` (without the prefix of databases): it must be empty.

    `on_progress` hears how many records were worked, of how many. Raises ServiceRunning when the service works
    meanwhile (or with `switching` is there at all), HistoryTruncated, UnpublishedEvents when a switch would silence
    what is in no topic (with `say_missing` the service will say it when it starts), NotEmpty, NotReached,
    PartitionsDiffer, KafkaError or PyMongoError.
    """
    mongo = Mongo(settings)
    live, fresh = mongo.database(service), mongo.database(into or f"rebuilt_{service}")
    done = False
    try:
        if into is not None:
            await _check_empty(into, fresh)
        if switching:
            await check_nobody(settings, service)
            await _say_what_waits(settings, service, live)
        before = await _still(service, live, within)
        await _drop(fresh)
        try:
            replayed = await replay(settings, service, mongo, fresh, on_progress)
            found = Rebuilt(service, fresh.name, replayed, await compare_documents(live, fresh, SERVICES[service]))
            if await _lanes(live) != before or await live[OUTBOX].count_documents({}):
                raise ServiceRunning(
                    f"{service} has worked meanwhile: what was compared proves nothing. Try again, or stop it."
                )
            if switching:
                _check_safe(service, replayed, before, await _lanes(fresh), say_missing)
                # Again: one that has started meanwhile has read what is about to be replaced.
                await check_nobody(settings, service)
                await switch(mongo, service, live, fresh, before, await _partitions(settings, service))
                found.switched = True
            done = True
        finally:
            if into is None or not done:
                await _drop(fresh)
        return found
    finally:
        await mongo.close()


async def _check_empty(into: str, fresh: Database) -> None:
    if into in SERVICES:
        raise NotEmpty(f"{into} is a service's own database: it is replaced with --switch only.")
    if await fresh.list_collection_names():
        raise NotEmpty(f"The database {fresh.name} holds something. Give another name, or drop it first.")


def _check_safe(
    service: str,
    replayed: Replayed,
    live: Mapping[str, Document],
    rebuilt: Mapping[str, Document],
    say_missing: bool,
) -> None:
    """A switch must not forget what was done, and not what was to be said."""
    for id, lane in live.items():
        told = rebuilt[id]["batches"] if id in rebuilt else 0
        if lane["batches"] > told:
            raise HistoryTruncated(
                f"{journal(service).name} tells of {told} batches of {id}, and the live database has worked "
                f"{lane['batches']}: the journal has lost its end, or the database belongs to another Kafka."
            )
    if replayed.lost and not say_missing:
        raise UnpublishedEvents(
            f"{len(replayed.lost)} events that {service} was to say are in no topic (the first: {replayed.lost[0]}). "
            "If the live database was lost with its outbox, add --say-missing: the service will say them when it "
            "starts. If the rules have changed since, they never were to be said: then don't switch."
        )


async def _say_what_waits(settings: Settings, service: str, live: Database) -> None:
    relay = Relay(RuntimeStore(live), partial(producer, settings))
    try:
        for partition in range(await _partitions(settings, service)):
            for processor in SERVICES[service]:
                await relay.take_over(lane_id(processor.group, partition))
    finally:
        await relay.close()


async def _partitions(settings: Settings, service: str) -> int:
    return (await survey(settings, [topic_name(settings, journal(service).name)]))[1]


async def _still(service: str, live: Database, within: float) -> Mapping[str, Document]:
    """The lanes, once they stand still and nothing waits to be said: then the journal tells all that was done."""
    seen: Mapping[str, Document] | None = None
    waits = 0
    async for _ in attempts(within=within, first=0.1, most=0.5):
        lanes, waits = await _lanes(live), await live[OUTBOX].count_documents({})
        if lanes == seen and not waits:
            return lanes
        seen = lanes
    if waits:
        raise ServiceRunning(
            f"{waits} records wait in the outbox of {service}, so that Kafka does not tell all that was done. Start "
            "the service until it has said them; or say them with --switch."
        )
    raise ServiceRunning(
        f"{service} did not keep still within {within:g} s. Try again when there is less to do, or stop it."
    )


async def _lanes(database: Database) -> dict[str, Document]:
    return {lane["_id"]: lane for lane in await database[LANES].find({}).to_list(None)}


async def _drop(database: Database) -> None:
    await database.client.drop_database(database.name)
