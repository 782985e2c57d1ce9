"""Quix Streams, as its documentation shows it: state in RocksDB with a changelog, at-least-once.

A sink writes to MongoDB in batches, at the default checkpoints. It keeps the lots and publishes no events.
"""

import tempfile
from typing import Any
from urllib.parse import urlsplit

from quixstreams import Application, State
from quixstreams.sinks.community.mongodb import MongoDBSink

from lab.bench.meter import Meter
from lab.bench.peers.rule import after, at_first
from lab.bench.runners.job import Job, print_result
from shared.kafka import topic_name


def main() -> None:
    job, settings = Job.from_arguments()
    meter: list[Meter] = []
    events_done = 0

    def keep(value: bytes, key: str, _: int, headers: Any, state: State) -> dict[str, Any] | None:
        nonlocal events_done
        if not meter:
            meter.append(Meter())
        events_done += 1
        if events_done % 1000 == 0:
            meter[0].advance(events_done)
        document = after(state.get("lot") or at_first(key), key, value, headers or ())
        if document is not None:
            state.set("lot", document)
        return document

    with tempfile.TemporaryDirectory() as folder:
        app = Application(
            broker_address=settings.kafka,
            consumer_group=topic_name(settings, job.group),
            auto_offset_reset="earliest",
            state_dir=folder,
            loglevel="WARNING",
        )
        topics = [
            app.topic(name, key_deserializer="str", value_deserializer="bytes")
            for name in sorted({part.topic for part in job.by_part})
        ]
        first, second = (app.dataframe(topic) for topic in topics)
        address = urlsplit(settings.mongo)
        sink = MongoDBSink(
            host=address.hostname or "127.0.0.1",
            port=address.port or 27017,
            db=f"{settings.database_prefix}{job.group}",
            collection="lots",
            update_method="ReplaceOne",
            directConnection=True,
        )
        changed = first.concat(second).apply(keep, stateful=True, metadata=True)
        changed.filter(lambda document: document is not None).sink(sink)
        app.run(count=job.events)
        meter[0].advance(events_done)
        print_result(meter[0].end())


if __name__ == "__main__":
    main()
