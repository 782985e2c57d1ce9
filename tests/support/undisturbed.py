"""Whether a service ended as if nothing had ever disturbed it, by its own journal and the pure rules.

The journal says in which order each lane worked its records. Folded in that order by the rules alone, they must give
the documents that the service keeps and the ids that it said; and the journal must have each record once.
"""

from collections import defaultdict
from datetime import UTC, datetime

from aiokafka import TopicPartition

from deploy.topics import SERVICES, all_topics
from shared import envelope
from shared.errors import Unusable
from shared.events.journal import BatchWorked, Range, journal
from shared.events.language import Event, Topic
from shared.mongo import Database
from shared.runtime.processor import Processor
from shared.runtime.storage import lane_id
from shared.settings import Settings
from tests.support.model import Model, documents
from tests.support.probe import Probe, Record


async def all_worked(name: str, settings: Settings, probe: Probe, database: Database) -> bool:
    """Every record of the service's topics is worked, everything is said, and no deadline is due."""
    # In this order: what is at work while we look shows in a later look.
    lanes = {
        (entry["topic"], int(lane["_id"].rsplit("/")[-1])): entry["next"]
        for lane in await database["lanes"].find({}).to_list(None)
        for entry in lane["offsets"]
    }
    due = await database["deadlines"].count_documents({"due": {"$lte": datetime.now(UTC)}})
    if due or await database["outbox"].count_documents({}):
        return False
    ends: dict[tuple[str, int], int] = {}
    for topic in _topics(name):
        ends |= {(record.topic, record.partition): record.offset + 1 for record in await probe.records(topic)}
    return all(lanes.get(part) == end for part, end in ends.items())


async def assert_undisturbed(name: str, settings: Settings, probe: Probe, database: Database) -> None:
    """The journal has every record once, and the service's documents and words are what the rules make of it."""
    processors = SERVICES[name]
    records = {
        (record.topic, record.partition, record.offset): (topic, record)
        for topic in _topics(name)
        for record in await probe.records(topic)
    }
    worked = await _journal(name, probe)
    _assert_each_once(set(records), worked)
    model = Model(*processors)
    for processor in processors:
        for partition in range(settings.partitions):
            lane = worked.get(lane_id(processor.group, partition), [])
            model.work(_events(lane, partition, records), processor)
    stored = await documents(database, *processors)
    for collection, expected in model.documents.items():
        assert stored[collection].keys() == expected.keys(), collection
        wrong = {
            id: (document, expected[id]) for id, document in stored[collection].items() if document != expected[id]
        }
        assert not wrong, f"{collection}: {len(wrong)} differ, the first is {next(iter(wrong.items()))}"
    for topic in {published.name: published for published in _published_topics(processors, model)}.values():
        ids = {h.event.id for h in await probe.read_all(topic) if h.event.source == f"karya/{name}"}
        assert ids == set(model.published[topic.name]), topic.name


async def _journal(name: str, probe: Probe) -> dict[str, list[BatchWorked]]:
    """Each lane's batches in their order; one that was published twice counts once."""
    by_lane: dict[str, dict[int, BatchWorked]] = defaultdict(dict)
    for body in await probe.bodies(journal(name), BatchWorked):
        assert by_lane[body.lane].setdefault(body.batch, body) == body, "one number, two batches"
    for lane, batches in by_lane.items():
        assert sorted(batches) == list(range(1, len(batches) + 1)), f"{lane} has a gap in its batches"
    return {lane: [batches[number] for number in sorted(batches)] for lane, batches in by_lane.items()}


def _assert_each_once(records: set[tuple[str, int, int]], worked: dict[str, list[BatchWorked]]) -> None:
    nexts: dict[TopicPartition, int] = defaultdict(int)
    for lane, batches in worked.items():
        partition = int(lane.rsplit("/")[-1])
        for run in (run for batch in batches for run in batch.ranges):
            part = TopicPartition(run.topic, partition)
            assert run.first == nexts[part], f"{part}: {run.first} was worked after {nexts[part] - 1}"
            nexts[part] = run.next
    ends: dict[TopicPartition, int] = defaultdict(int)
    for topic, partition, offset in records:
        ends[TopicPartition(topic, partition)] = max(ends[TopicPartition(topic, partition)], offset + 1)
    assert dict(nexts) == dict(ends), "what was worked is not what is there"


def _events(
    lane: list[BatchWorked], partition: int, records: dict[tuple[str, int, int], tuple[Topic, Record]]
) -> list[Event]:
    events: list[Event] = []
    for run in (run for batch in lane for run in batch.ranges):
        for topic, record in _of(run, partition, records):
            try:
                events.append(envelope.decode(topic, record))
            except Unusable:
                continue  # a dead letter: it changes nothing
    return events


def _of(
    run: Range, partition: int, records: dict[tuple[str, int, int], tuple[Topic, Record]]
) -> list[tuple[Topic, Record]]:
    return [records[run.topic, partition, offset] for offset in range(run.first, run.next)]


def _topics(name: str) -> list[Topic]:
    return [topic for processor in SERVICES[name] for topic in processor.topics]


def _published_topics(processors: tuple[Processor, ...], model: Model) -> list[Topic]:
    return [topic for topic in all_topics() if model.published.get(topic.name)]
