"""The runtime's own documents: lanes (the fence), ledger, outbox, timers and parked keys.

| collection  | `_id`                     | content                                                              |
|-------------|---------------------------|----------------------------------------------------------------------|
| `lanes`     | `<group>/<p>`             | of each topic the next offset and the mark of the record before it;  |
|             |                           | next outbox number, batches so far, number of the ids' derivation    |
| `ledger`    | `<source> <event id>`     | every event ever worked: digest, lane, batch; who gave it            |
| `outbox`    | `<group>/<p>/<number>`    | a page of a lane's events that Kafka has not acknowledged yet        |
| `deadlines` | `<group> <deadline id>`   | a timer: lane, key, deadline and due time                            |
| `parked`    | `<group> <key>`           | a key on which a rule failed, with its waiting events in order       |
"""

from shared.runtime.storage.outbox import FULL_BYTES, FULL_RECORDS, to_outbox
from shared.runtime.storage.store import RuntimeStore, ledger_entry
from shared.runtime.storage.types import (
    ChangeSet,
    Lane,
    OutboxEntry,
    OutboxRecord,
    ParkedEvents,
    Timer,
    lane_id,
    outbox_id,
)

__all__ = [
    "FULL_BYTES",
    "FULL_RECORDS",
    "ChangeSet",
    "Lane",
    "OutboxEntry",
    "OutboxRecord",
    "ParkedEvents",
    "RuntimeStore",
    "Timer",
    "lane_id",
    "ledger_entry",
    "outbox_id",
    "to_outbox",
]
