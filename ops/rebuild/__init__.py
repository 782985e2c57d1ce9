"""`karya rebuild`: builds a service's database from Kafka, compares it with the live one, and can replace that."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from deploy.topics import SERVICES
from ops.rebuild.documents import LANES, OUTBOX, CollectionComparison, compare_documents
from ops.rebuild.replay import Progress, ReplayReport, replay
from ops.rebuild.switching import check_not_running, switch
from ops.repairs import event_headers
from ops.verify.report import sentences
from shared.envelope import encode
from shared.errors import HistoryTruncated, NotEmpty, ServiceRunning, UnpublishedEvents
from shared.events.journal import journal
from shared.events.operator import OPERATOR, DatabaseSwitched
from shared.kafka import partition_for, producer, stop_producer, survey, topic_name
from shared.mongo import Database, Document, Mongo
from shared.retry import attempts
from shared.runtime.relay import Relay
from shared.runtime.storage import RuntimeStore, lane_id
from shared.settings import Settings
from shared.wording import Message

__all__ = ["WITHIN", "CollectionComparison", "RebuildReport", "ReplayReport", "compare", "rebuild"]

WITHIN = 20.0
SHOWN = 20


@dataclass(slots=True)
class RebuildReport:
    """The result of a rebuild. Sentences for events that the rules derive but no topic has (`lost`), for published
    events that the rules do not derive (`doubled`; copies by a killed relay are no fault), and for documents that
    differ (`mismatched`)."""

    service: str
    database: str
    replayed: ReplayReport
    compared: list[CollectionComparison] = field(default_factory=list)
    switched: bool = False

    @property
    def lost(self) -> list[Message]:
        return [
            Message("{service} never published {event}", service=self.service, event=event)
            for event in self.replayed.lost
        ]

    @property
    def doubled(self) -> list[Message]:
        return [
            *(
                Message(
                    "{service} published {event}, which the rules do not derive", service=self.service, event=event
                )
                for event in self.replayed.unexplained
            ),
            *(
                Message(
                    "{service} published {event} with another body than the rules derive",
                    service=self.service,
                    event=event,
                )
                for event in self.replayed.altered
            ),
        ]

    @property
    def mismatched(self) -> list[Message]:
        """A sentence for the first differing documents of each collection, and for each skipped record."""
        return [
            *(
                Message(
                    "{service} {collection} {difference}",
                    service=self.service,
                    collection=comparison.name,
                    difference=difference.message,
                )
                for comparison in self.compared
                for difference in comparison.first
            ),
            *(
                Message("{service} skipped {place}", service=self.service, place=place)
                for place in self.replayed.skipped
            ),
        ]

    @property
    def ok(self) -> bool:
        return not (self.lost or self.doubled or self.mismatched)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON types; of each list the first items."""
        replayed = self.replayed
        return {
            "ok": self.ok,
            "service": self.service,
            "database": self.database,
            "records": replayed.records,
            "batches": replayed.batches,
            "said": replayed.published,
            "said_again": replayed.duplicates,
            "collections": [comparison.as_dict() for comparison in self.compared],
            "unseen": replayed.unseen,
            "counts": {
                "lost": len(replayed.lost),
                "invented": len(replayed.unexplained),
                "otherwise": len(replayed.altered),
                "passed_over": len(replayed.skipped),
            },
            "lost": sentences(self.lost[:SHOWN]),
            "doubled": sentences(self.doubled[:SHOWN]),
            "torn": sentences(self.mismatched[:SHOWN]),
            "switched": self.switched,
        }


async def compare(settings: Settings, service: str, *, within: float = WITHIN) -> RebuildReport:
    """Compare the live database and the published events with a replay of Kafka. Changes nothing. Raises as
    `rebuild`."""
    return await rebuild(settings, service, within=within)


async def rebuild(
    settings: Settings,
    service: str,
    *,
    within: float = WITHIN,
    switching: bool = False,
    say_missing: bool = False,
    into: str | None = None,
    actor: str = "operator",
    on_progress: Progress = lambda _, __: None,
) -> RebuildReport:
    """Build the service's database from Kafka beside the live one, and compare the two. The live one must not change
    meanwhile; the wait for that takes up to `within` seconds. With `switching` the outbox of the live database is
    published first, and the live database is made equal to the new one. Only one rebuild of a service may run at a
    time. The new database is kept only under a name of its own, `into` (without the prefix of databases), and must be
    empty.

    `actor`: the operator, as the event about a switch names it. `on_progress` gets the number of worked records and
    the total. Raises ServiceRunning when the service works meanwhile (with `switching`, when it runs at all),
    HistoryTruncated, NotEmpty, NotReached, PartitionsDiffer, KafkaError or PyMongoError. Raises UnpublishedEvents
    when a switch would lose unpublished events; with `say_missing` the service publishes them when it starts.
    """
    mongo = Mongo(settings)
    live, fresh = mongo.database(service), mongo.database(into or f"rebuilt_{service}")
    done = False
    try:
        if into is not None:
            await _check_empty(into, fresh)
        if switching:
            await check_not_running(settings, service)
            await _publish_outbox(settings, service, live)
        before = await _wait_until_still(service, live, within)
        await _drop(fresh)
        try:
            replayed = await replay(settings, service, mongo, fresh, on_progress)
            report = RebuildReport(
                service, fresh.name, replayed, await compare_documents(live, fresh, SERVICES[service])
            )
            if await _lanes(live) != before or await live[OUTBOX].count_documents({}):
                raise ServiceRunning(
                    Message(
                        "{service} has worked meanwhile, so the comparison proves nothing. Try again, or stop it.",
                        service=service,
                    )
                )
            if switching:
                _check_safe(service, replayed, before, await _lanes(fresh), say_missing=say_missing)
                # Again: an instance that has started meanwhile has read documents that are about to be replaced.
                await check_not_running(settings, service)
                await _tell(settings, DatabaseSwitched(original=service, say_missing=say_missing, actor=actor))
                await switch(mongo, service, live, fresh, before, await _partitions(settings, service))
                report.switched = True
            done = True
        finally:
            if into is None or not done:
                await _drop(fresh)
        return report
    finally:
        await mongo.close()


async def _check_empty(into: str, fresh: Database) -> None:
    if into in SERVICES:
        raise NotEmpty(Message("{database} is a service's own database: only --switch replaces it.", database=into))
    if await fresh.list_collection_names():
        raise NotEmpty(
            Message("The database {database} is not empty. Give another name, or drop it first.", database=fresh.name)
        )


def _check_safe(
    service: str,
    replayed: ReplayReport,
    live: Mapping[str, Document],
    rebuilt: Mapping[str, Document],
    *,
    say_missing: bool,
) -> None:
    """Raise HistoryTruncated or UnpublishedEvents if a switch would lose worked batches or unpublished events."""
    for id, lane in live.items():
        journalled = rebuilt[id]["batches"] if id in rebuilt else 0
        if lane["batches"] > journalled:
            raise HistoryTruncated(
                Message(
                    "{journal} has {kept} batches of {lane}, and the live database has worked {worked}: the journal "
                    "has lost its end, or the database belongs to another Kafka.",
                    journal=journal(service).name,
                    kept=journalled,
                    lane=id,
                    worked=lane["batches"],
                )
            )
    if replayed.lost and not say_missing:
        raise UnpublishedEvents(
            Message(
                "No topic has {count:event|events} of {service} (the first: {event}). If the live database was lost "
                "with its outbox, add --say-missing: the service will publish them when it starts. If the rules have "
                "changed since, don't switch: the events are wrong.",
                count=len(replayed.lost),
                service=service,
                event=replayed.lost[0],
            )
        )


async def _publish_outbox(settings: Settings, service: str, live: Database) -> None:
    relay = Relay(RuntimeStore(live), partial(producer, settings))
    try:
        for partition in range(await _partitions(settings, service)):
            for processor in SERVICES[service]:
                await relay.take_over(lane_id(processor.group, partition))
    finally:
        await relay.close()


async def _tell(settings: Settings, body: DatabaseSwitched) -> None:
    """Publish the event. Raises KafkaError."""
    client, name = producer(settings), topic_name(settings, OPERATOR.name)
    try:
        await client.start()
        partition = partition_for(body.original, len(await client.partitions_for(name)))
        headers = event_headers(body, str(uuid.uuid4()))
        await client.send_and_wait(name, encode(body), body.original.encode(), partition, headers=headers)
    finally:
        await stop_producer(client)


async def _partitions(settings: Settings, service: str) -> int:
    return (await survey(settings, [topic_name(settings, journal(service).name)]))[1]


async def _wait_until_still(service: str, live: Database, within: float) -> Mapping[str, Document]:
    """Wait until the lanes do not change and the outbox is empty, and return the lanes. The journal is complete
    then."""
    previous: Mapping[str, Document] | None = None
    waits = 0
    async for _ in attempts(within=within, first=0.1, most=0.5):
        lanes, waits = await _lanes(live), await live[OUTBOX].count_documents({})
        if lanes == previous and not waits:
            return lanes
        previous = lanes
    if waits:
        raise ServiceRunning(
            Message(
                "{count:record waits|records wait} in the outbox of {service}, so Kafka does not have all of its "
                "events. Start the service until it has published them; or publish them with --switch.",
                count=waits,
                service=service,
            )
        )
    raise ServiceRunning(
        Message(
            "{service} did not stop changing within {seconds} s. Try again when there is less work, or stop it.",
            service=service,
            seconds=f"{within:g}",
        )
    )


async def _lanes(database: Database) -> dict[str, Document]:
    return {lane["_id"]: lane for lane in await database[LANES].find({}).to_list(None)}


async def _drop(database: Database) -> None:
    await database.client.drop_database(database.name)
