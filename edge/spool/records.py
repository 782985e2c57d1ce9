"""The records of one agent in their order, their acknowledgements, and the events that the agent received."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from edge.spool.device_key import DeviceKeyFile
from edge.spool.file import Owner, explaining_faults, headers_text, open_file
from shared import envelope
from shared.access.signatures import HEADER, PrivateKey, SignedContent, sign
from shared.errors import WrongEntry
from shared.events.language import FIRST_YEAR, LAST_YEAR, Body, Event, Topic, as_utc, event_type
from shared.wording import Message, message_of

_NOT_KEPT = Message("This record was NOT kept, all earlier ones are safe. Please enter it again afterwards.")
_NOT_MARKED = Message(
    "All records are kept. The spool could not mark them as sent: they will be sent again "
    "and count once. Please sync again afterwards."
)
_NOT_RECEIVED = Message(
    "All records are kept. Only the events received just now are not: they will be "
    "received again. Please sync again afterwards."
)
_INCOMPLETE_FILE = Message(
    "Nothing is lost, but the file is complete only together with the files -wal and -shm beside it."
)
_NOTHING_CHANGED = Message("Nothing in it was changed.")
_SELECT_RECORDS = (
    "select number, id, key, type, value, headers, recorded_at, acknowledged, previous, taken_out from said"
    " order by number"
)


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """The position of a record: its device, its number there, and the id of the record before it (None for the
    first)."""

    device: str
    number: int
    previous: str | None


@dataclass(frozen=True, slots=True)
class SpooledRecord:
    """One record of this agent. `number` counts from 1; `recorded_at` (UTC) is the time of recording. `taken_out`:
    it is never sent."""

    number: int
    id: str
    key: str
    body: Body
    value: bytes
    headers: envelope.Headers
    recorded_at: datetime
    acknowledged: bool
    taken_out: bool = False


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event for this agent. `about` is the id of the record that the event answers, if any."""

    about: str | None
    body: Body
    logged_at: datetime


@dataclass(frozen=True, slots=True)
class NewsFeed:
    """What one gateway says to the devices of a place, on some topics (their names, with commas)."""

    gateway: str
    place: str
    topics: str


@dataclass(frozen=True, slots=True)
class IntakeRefusal:
    """The gateway's answer to a record that it did not store: `held`, `refused` or `unusable`, a reason for programs,
    and a sentence for people."""

    number: int
    status: str
    reason: str
    message: Message

    @property
    def is_held(self) -> bool:
        """Whether the gateway has the record, and an operator is to decide."""
        return self.status == "held"


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of records, and how many of them are not acknowledged yet."""

    records: int
    pending: int


class Spool:
    """The owner's records and received events; the file is created if missing.

    Every method raises SpoolFailed, with advice, when the file can't be used; nothing is half written then.
    """

    def __init__(self, owner: Owner) -> None:
        self.path = owner.path
        self.topic = owner.topic
        self.source = owner.source
        self._key_file = DeviceKeyFile(owner.path.with_suffix(".key"))
        self._key: PrivateKey | None = None
        with self._explaining_faults(_NOTHING_CHANGED):
            self._db = open_file(owner)

    @property
    def device(self) -> str:
        """The device's id."""
        with self._explaining_faults(_NOTHING_CHANGED):
            (device,) = self._db.execute("select device from identity").fetchone()
        return str(device)

    def device_key(self) -> PrivateKey:
        """The key that signs the records of this device, made at its first use."""
        if self._key is None:
            with self._explaining_faults(_NOTHING_CHANGED):
                self._key = self._key_file.key()
        return self._key

    @property
    def identity(self) -> str | None:
        """The identity service at which this device is enrolled; None if it is not."""
        with self._explaining_faults(_NOTHING_CHANGED):
            return self._key_file.identity

    def enrolled(self, identity: str) -> None:
        """Note where this device is enrolled."""
        with self._explaining_faults(_NOTHING_CHANGED):
            self._key_file.enrolled(identity)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    # The agent's records

    def append(self, write: Callable[[RecordPlace], Body], at: datetime) -> SpooledRecord:
        """Store a record made at `at` durably. `write` makes its body from its place."""
        [record] = self.append_all([write], at)
        return record

    def append_all(self, writes: Sequence[Callable[[RecordPlace], Body]], at: datetime) -> list[SpooledRecord]:
        """Store these records durably, all of them or none."""
        records: list[SpooledRecord] = []
        with self._transaction(_NOT_KEPT):
            place = self._next_place()
            for write in writes:
                record = self._made(place, write(place), at)
                self._db.execute(
                    "insert into said (number, id, key, type, value, headers, recorded_at, previous)"
                    " values (?, ?, ?, ?, ?, ?, ?, ?)",
                    (record.number, *self._columns(record), record.recorded_at.isoformat(), place.previous),
                )
                records.append(record)
                place = RecordPlace(place.device, record.number + 1, record.id)
        return records

    def amend(self, number: int, write: Callable[[RecordPlace, Body], Body]) -> SpooledRecord:
        """Store another body in the place of an unsent record. `write` makes it from the place and the former body.

        The record keeps its number and time and gets a new id: a copy of this file may have sent the former one.
        Later records name the new id where they named the former. Raises WrongEntry for a record that a sync has
        begun to send.
        """
        with self._transaction(_NOTHING_CHANGED):
            former = self._unsent(number)
            (previous,) = self._db.execute("select previous from said where number = ?", (number,)).fetchone()
            (device,) = self._db.execute("select device from identity").fetchone()
            place = RecordPlace(device, number, previous)
            record = self._made(place, write(place, former.body), former.recorded_at)
            self._rewrite(record)
            for later in self._select("where number > ? order by number", number):
                body = _renamed(later.body, former.id, record.id)
                if body is not later.body:
                    self._rewrite(self._made_again(later, body))
            self._db.execute("update said set previous = ? where number = ?", (record.id, number + 1))
        return record

    def take_out(self, number: int) -> SpooledRecord:
        """Mark an unsent record as never to be sent; its number is not given again. Only for records without a
        sequence. Raises WrongEntry for a record that a sync has begun to send."""
        with self._transaction(_NOTHING_CHANGED):
            record = self._unsent(number)
            self._db.execute("update said set taken_out = 1 where number = ?", (number,))
        return replace(record, taken_out=True)

    def offer(self, limit: int, after: int = 0) -> list[SpooledRecord]:
        """The first `limit` pending records behind number `after`, which from now on can't be amended or taken out:
        Kafka may get them."""
        with self._transaction(_NOTHING_CHANGED):
            records = self.pending(limit, after)
            if records:
                self._db.execute("update identity set offered = max(offered, ?)", (records[-1].number,))
        return records

    def pending(self, limit: int, after: int = 0) -> list[SpooledRecord]:
        """The first `limit` records behind number `after` that are not acknowledged, in their order."""
        return self._select(
            "where not acknowledged and not taken_out and number > ? order by number limit ?", after, limit
        )

    def records(self) -> list[SpooledRecord]:
        """Every record, in the order of the numbers."""
        return self._select("order by number")

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Mark the records with these numbers as stored in Kafka."""
        with self._transaction(_NOT_MARKED):
            rows = [(number,) for number in numbers]
            self._db.executemany("update said set acknowledged = 1 where number = ?", rows)
            self._db.executemany("delete from refusals where number = ?", rows)

    def signed_again(self, records: Sequence[SpooledRecord]) -> list[SpooledRecord]:
        """The records, each signed by the key that this device has now; none if it is not enrolled. The spool keeps
        their first signatures."""
        if self.identity is None:
            return []
        return [replace(record, headers=self._signed(record, record.headers)) for record in records]

    def refuse(self, refusals: Sequence[IntakeRefusal]) -> None:
        """Keep why the gateway did not take these records. They stay pending, and the next sync offers them again:
        another account, or a newer gateway, may take them."""
        with self._transaction(_NOT_MARKED):
            self._db.executemany(
                "insert or replace into refusals (number, status, reason, message) values (?, ?, ?, ?)",
                [
                    (
                        refusal.number,
                        refusal.status,
                        refusal.reason,
                        json.dumps([refusal.message.template, refusal.message.plain_values]),
                    )
                    for refusal in refusals
                ],
            )

    def refusals(self) -> dict[int, IntakeRefusal]:
        """The last refusal of each pending record that has one, by its number."""
        with self._explaining_faults(_NOTHING_CHANGED):
            rows = self._db.execute(
                "select number, status, reason, message from refusals join said using (number)"
                " where not acknowledged and not taken_out"
            ).fetchall()
        return {
            number: IntakeRefusal(number, status, reason, message_of(*json.loads(message)))
            for number, status, reason, message in rows
        }

    def counts(self) -> Counts:
        with self._explaining_faults(_NOTHING_CHANGED):
            counts = self._db.execute(
                "select count(*), coalesce(sum(not acknowledged and not taken_out), 0) from said"
            ).fetchone()
        return Counts(*counts)

    def unanswered(self, bodies: Sequence[type[Body]]) -> int:
        """The number of records of these kinds without a received answer."""
        kinds = [event_type(self.topic, body) for body in bodies]
        with self._explaining_faults(_NOTHING_CHANGED):
            (count,) = self._db.execute(
                f"select count(*) from said where not taken_out and type in ({', '.join('?' * len(kinds))})"
                " and not exists (select 1 from heard where about = said.id)",
                kinds,
            ).fetchone()
        return int(count)

    # Received events

    def receive(self, topic: Topic, partition: int, events: Sequence[tuple[Event, str | None]], next: int) -> None:
        """Store events, each with the id of the record that it answers, and `next` as the partition's position."""
        with self._transaction(_NOT_RECEIVED):
            self._keep([(topic, event, about) for event, about in events])
            self._db.execute(
                "insert or replace into positions (topic, partition, next) values (?, ?, ?)",
                (topic.name, partition, next),
            )

    def keep_snapshot(self, topic: Topic, events: Sequence[Event], address: str, etag: str) -> None:
        """Store the events of a snapshot as if they had been received, and the ETag that the address gave it."""
        with self._transaction(_NOT_RECEIVED):
            self._keep([(topic, event, None) for event in events])
            self._db.execute(
                "insert or replace into snapshots (topic, address, etag) values (?, ?, ?)",
                (topic.name, address, etag),
            )

    def etag(self, topic: Topic, address: str) -> str | None:
        """The ETag of the last snapshot from this address; None if there is none."""
        with self._explaining_faults(_NOTHING_CHANGED):
            row = self._db.execute(
                "select etag from snapshots where topic = ? and address = ?", (topic.name, address)
            ).fetchone()
        return str(row[0]) if row and row[0] else None

    def position(self, topic: Topic, partition: int) -> int:
        """The next offset to read of a partition."""
        with self._explaining_faults(_NOTHING_CHANGED):
            row = self._db.execute(
                "select next from positions where topic = ? and partition = ?", (topic.name, partition)
            ).fetchone()
        return int(row[0]) if row else 0

    def receive_news(self, feed: NewsFeed, events: Sequence[tuple[Topic, Event, str | None]], after: str) -> None:
        """Store events, each with its topic and the id of the record that it answers, and `after` as the feed's
        cursor."""
        with self._transaction(_NOT_RECEIVED):
            self._keep(events)
            self._db.execute(
                "insert or replace into cursors (gateway, place, topics, after) values (?, ?, ?, ?)",
                (feed.gateway, feed.place, feed.topics, after),
            )

    def cursor(self, feed: NewsFeed) -> str:
        """The cursor from which the feed goes on; empty at its beginning."""
        with self._explaining_faults(_NOTHING_CHANGED):
            row = self._db.execute(
                "select after from cursors where gateway = ? and place = ? and topics = ?",
                (feed.gateway, feed.place, feed.topics),
            ).fetchone()
        return str(row[0]) if row else ""

    def received(self, topic: Topic) -> list[ReceivedEvent]:
        """Every event received on `topic`, in the order of its log."""
        with self._explaining_faults(_NOTHING_CHANGED):
            rows = self._db.execute(
                "select about, type, value, logged_at from heard where topic = ? order by number", (topic.name,)
            ).fetchall()
        models = topic.by_type
        return [
            ReceivedEvent(about, models[type].model_validate_json(value), datetime.fromisoformat(logged_at))
            for about, type, value, logged_at in rows
        ]

    def has_received(self, topic: Topic, body: type[Body]) -> bool:
        """Whether any event of this kind was received on `topic`."""
        with self._explaining_faults(_NOTHING_CHANGED):
            (found,) = self._db.execute(
                "select exists (select 1 from heard where topic = ? and type = ?)",
                (topic.name, event_type(topic, body)),
            ).fetchone()
        return bool(found)

    def merge(self, other: "Spool") -> int:
        """Add the records, removals, acknowledgements and received events of `other` that this spool lacks.

        Returns the number of added records. A spool without records takes over the device id.

        Raises WrongEntry if the two have different records of one number, or the same records as different devices.
        """
        with self._transaction(_NOTHING_CHANGED):
            own = dict(self._db.execute("select number, id from said"))
            ids_of_other = dict(other._db.execute("select number, id from said"))
            conflicting = [
                number for number in own.keys() & ids_of_other.keys() if own[number] != ids_of_other[number]
            ]
            if conflicting:
                raise WrongEntry(
                    Message(
                        "The two differ from record {number} on. Nothing was changed: an import never "
                        "overwrites records. To send the records of the other file too, import it into "
                        "another folder (--spool-dir) and sync there; sales then waits for both.",
                        number=min(conflicting),
                    )
                )
            if own and ids_of_other.keys() - own.keys() and self.device != other.device:
                raise WrongEntry(Message("The two have the same records as different devices. Nothing was changed."))
            if not own:
                self._db.execute("update identity set device = ?", (other.device,))
            # What was taken out of one copy stays out, unless the other may have sent it.
            taken_out = other._db.execute("select number from said where taken_out")
            self._db.executemany(
                "update said set taken_out = 1 where number = ? and not acknowledged"
                " and number > (select offered from identity)",
                taken_out,
            )
            if ids_of_other.keys() - own.keys():
                # The device of the backup may have sent them since.
                self._db.execute("update identity set offered = max(offered, ?)", (max(ids_of_other),))
            self._db.executemany(
                "insert into said (number, id, key, type, value, headers, recorded_at, acknowledged, previous,"
                " taken_out) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [row for row in other._db.execute(_SELECT_RECORDS) if row[0] not in own],
            )
            acknowledged = other._db.execute("select number from said where acknowledged")
            self._db.executemany("update said set acknowledged = 1, taken_out = 0 where number = ?", acknowledged)
            self._db.executemany(
                "insert or ignore into heard (source, id, topic, type, value, about, logged_at)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                other._db.execute(
                    "select source, id, topic, type, value, about, logged_at from heard order by number"
                ),
            )
            self._db.executemany(
                "insert into positions (topic, partition, next) values (?, ?, ?)"
                " on conflict (topic, partition) do update set next = max(next, excluded.next)",
                other._db.execute("select topic, partition, next from positions"),
            )
            self._db.executemany(
                "insert or ignore into cursors (gateway, place, topics, after) values (?, ?, ?, ?)",
                other._db.execute("select gateway, place, topics, after from cursors"),
            )
        return len(ids_of_other.keys() - own.keys())

    def save(self, file: Path) -> None:
        """Write a snapshot of the spool into the empty `file`; other processes may use the spool meanwhile."""
        with self._explaining_faults(_NOTHING_CHANGED):
            self._db.execute("vacuum into ?", (str(file),))

    def checkpoint(self) -> None:
        """Move all data into the one file, unless another process writes at this moment."""
        with self._explaining_faults(_INCOMPLETE_FILE):
            self._db.execute("pragma wal_checkpoint(truncate)")

    def _keep(self, events: Sequence[tuple[Topic, Event, str | None]]) -> None:
        # A service may publish an event twice after a crash, and an event may come from Kafka and from a gateway.
        self._db.executemany(
            "insert or ignore into heard (source, id, topic, type, value, about, logged_at)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    event.source,
                    event.id,
                    topic.name,
                    event_type(topic, type(event.body)),
                    envelope.encode(event.body),
                    about,
                    event.logged_at.isoformat(),
                )
                for topic, event, about in events
            ],
        )

    def _unsent(self, number: int) -> SpooledRecord:
        records = self._select("where number = ?", number)
        if not records:
            raise WrongEntry(
                Message("There is no record {number} here. Please compare it with `list`.", number=number)
            )
        (offered,) = self._db.execute("select offered from identity").fetchone()
        if records[0].acknowledged or number <= offered:
            raise WrongEntry(
                Message(
                    "Record {number} was sent, or a sync has begun to send it, so it stays. Nothing was changed.",
                    number=number,
                )
            )
        if records[0].taken_out:
            raise WrongEntry(Message("Record {number} was taken out already.", number=number))
        return records[0]

    def _made(self, place: RecordPlace, body: Body, at: datetime) -> SpooledRecord:
        """A new record of the body, made at `at`."""
        try:
            at = as_utc(at)
        except OverflowError:
            raise WrongEntry(
                Message(
                    "This device's clock is outside the years {first} to {last}. Please set it.",
                    first=FIRST_YEAR,
                    last=LAST_YEAR,
                )
            ) from None
        record = SpooledRecord(
            number=place.number,
            id=str(uuid4()),
            key=self.topic.key_of(body),
            body=body,
            value=envelope.encode(body),
            headers=[],
            recorded_at=at,
            acknowledged=False,
        )
        record.headers.extend(self._headers(record))
        return record

    def _made_again(self, record: SpooledRecord, body: Body) -> SpooledRecord:
        new_record = replace(record, body=body, value=envelope.encode(body))
        return replace(new_record, headers=self._headers(new_record))

    def _headers(self, record: SpooledRecord) -> envelope.Headers:
        headers = envelope.headers(
            id=record.id, source=self.source, topic=self.topic, body=record.body, time=record.recorded_at
        )
        return self._signed(record, headers)

    def _signed(self, record: SpooledRecord, headers: envelope.Headers) -> envelope.Headers:
        signature = sign(self.device_key(), SignedContent.of(headers, record.key.encode(), record.value))
        return [*(header for header in headers if header[0] != HEADER), (HEADER, signature.encode())]

    def _columns(self, record: SpooledRecord) -> tuple[str, str, str, bytes, str]:
        type_ = event_type(self.topic, type(record.body))
        return record.id, record.key, type_, record.value, headers_text(record.headers)

    def _rewrite(self, record: SpooledRecord) -> None:
        self._db.execute(
            "update said set id = ?, key = ?, type = ?, value = ?, headers = ? where number = ?",
            (*self._columns(record), record.number),
        )

    def _next_place(self) -> RecordPlace:
        (device,) = self._db.execute("select device from identity").fetchone()
        last = self._db.execute("select number, id from said order by number desc limit 1").fetchone()
        number, previous = last if last else (0, None)
        return RecordPlace(device, number + 1, previous)

    def _select(self, condition: str, *parameters: int) -> list[SpooledRecord]:
        with self._explaining_faults(_NOTHING_CHANGED):
            rows = self._db.execute(
                "select number, id, key, type, value, headers, recorded_at, acknowledged, taken_out from said"
                f" {condition}",
                parameters,
            ).fetchall()
        models = self.topic.by_type
        return [
            SpooledRecord(
                number=number,
                id=id,
                key=key,
                body=models[type].model_validate_json(value),
                value=value,
                headers=[(name, text.encode()) for name, text in json.loads(headers)],
                recorded_at=datetime.fromisoformat(recorded_at),
                acknowledged=bool(acknowledged),
                taken_out=bool(taken_out),
            )
            for number, id, key, type, value, headers, recorded_at, acknowledged, taken_out in rows
        ]

    @contextmanager
    def _transaction(self, unless: Message) -> Iterator[None]:
        with self._explaining_faults(unless):
            # Immediate: the process that reads the last number must be the one that writes the next.
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                # A full disk makes SQLite roll back by itself.
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def _explaining_faults(self, consequence: Message) -> AbstractContextManager[None]:
        return explaining_faults(self.path, consequence)


def _renamed(body: Body, former: str, new: str) -> Body:
    """The body with the id `new` in each field that held `former`; the same body if none did."""
    changed = {name: new for name, value in body if value == former}
    return body.model_copy(update=changed) if changed else body
