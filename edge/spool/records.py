"""Records of one agent: kept when they are made, sent in their order, and what was heard about them."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from edge.spool.file import Owner, explained, headers_text, open_file
from shared import envelope
from shared.errors import WrongEntry
from shared.events.language import Body, Event, Topic, as_utc, event_type

_NOT_KEPT = "This record was NOT kept, all earlier ones are safe. Please enter it again afterwards."
_NOT_NOTED = (
    "All records are kept. What Kafka has taken could not be noted: it will be sent again and count once. "
    "Please sync again afterwards."
)
_NOT_HEARD = (
    "All records are kept. Only what was heard just now is not: it will be heard again. Please sync again afterwards."
)
_BESIDE = "Nothing is lost, but the file is whole only together with the files -wal and -shm beside it."
_NOTHING_CHANGED = "Nothing in it was changed."
_SELECT_SAID = (
    "select number, id, key, type, value, headers, recorded_at, acknowledged, previous from said order by number"
)


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where a record stands: its number on its device, and the id of the record before it (None for the first)."""

    device: str
    number: int
    previous: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """One record of this agent. `number` counts from 1; `recorded_at` is when it was made (UTC)."""

    number: int
    id: str
    key: str
    body: Body
    value: bytes
    headers: envelope.Headers
    recorded_at: datetime
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """One event that concerns this agent. `about` is the id of what it said, if the event answers it."""

    about: str | None
    body: Body
    logged_at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records were made, and how many of them Kafka has not acknowledged yet."""

    said: int
    pending: int


class Spool:
    """The owner's file, made if it is not there.

    Every method raises SpoolFailed, with what to do, when the file can't be used; nothing is half written then.
    """

    def __init__(self, owner: Owner) -> None:
        self.path = owner.path
        self.topic = owner.topic
        self.source = owner.source
        with self._explained(_NOTHING_CHANGED):
            self._db = open_file(owner)

    @property
    def device(self) -> str:
        """The device's id."""
        with self._explained(_NOTHING_CHANGED):
            (device,) = self._db.execute("select device from identity").fetchone()
        return str(device)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    # What we say

    def say(self, write: Callable[[RecordPlace], Body], at: datetime) -> Said:
        """Keep a record made at `at`, for good, before returning. `write` gets its place."""
        with self._transaction(_NOT_KEPT):
            place = self._next_place()
            body = write(place)
            try:
                at = as_utc(at)
            except OverflowError as wrong:
                raise WrongEntry(f"This device's clock is {wrong}. Please set it.") from None
            said = Said(
                number=place.number,
                id=str(uuid4()),
                key=self.topic.key_of(body),
                body=body,
                value=envelope.encode(body),
                headers=[],
                recorded_at=at,
                acknowledged=False,
            )
            headers = envelope.headers(id=said.id, source=self.source, topic=self.topic, body=body, time=at)
            said.headers.extend(headers)
            self._db.execute(
                "insert into said (number, id, key, type, value, headers, recorded_at, previous)"
                " values (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    said.number,
                    said.id,
                    said.key,
                    event_type(self.topic, type(body)),
                    said.value,
                    headers_text(headers),
                    at.isoformat(),
                    place.previous,
                ),
            )
        return said

    def pending(self, limit: int) -> list[Said]:
        """The first `limit` records that Kafka has not acknowledged, in the order they were made."""
        return self._said("where not acknowledged order by number limit ?", limit)

    def all_said(self) -> list[Said]:
        """Every record, in the order they were made."""
        return self._said("order by number")

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Kafka has these records."""
        with self._transaction(_NOT_NOTED):
            self._db.executemany(
                "update said set acknowledged = 1 where number = ?", [(number,) for number in numbers]
            )

    def counts(self) -> Counts:
        with self._explained(_NOTHING_CHANGED):
            row = self._db.execute("select count(*), coalesce(sum(not acknowledged), 0) from said").fetchone()
        return Counts(*row)

    def unanswered(self, bodies: Sequence[type[Body]]) -> int:
        """How many records of these kinds were heard nothing about."""
        kinds = [event_type(self.topic, body) for body in bodies]
        with self._explained(_NOTHING_CHANGED):
            (count,) = self._db.execute(
                f"select count(*) from said where type in ({', '.join('?' * len(kinds))})"
                " and not exists (select 1 from heard where about = said.id)",
                kinds,
            ).fetchone()
        return int(count)

    # What we hear

    def hear(self, topic: Topic, partition: int, events: Sequence[tuple[Event, str | None]], next: int) -> None:
        """Keep events with the ids that they are about, and that the partition is read up to `next`."""
        with self._transaction(_NOT_HEARD):
            # A service may publish an event twice after a crash.
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
                    for event, about in events
                ],
            )
            self._db.execute(
                "insert or replace into positions (topic, partition, next) values (?, ?, ?)",
                (topic.name, partition, next),
            )

    def position(self, topic: Topic, partition: int) -> int:
        """The next offset to read of a partition."""
        with self._explained(_NOTHING_CHANGED):
            row = self._db.execute(
                "select next from positions where topic = ? and partition = ?", (topic.name, partition)
            ).fetchone()
        return int(row[0]) if row else 0

    def heard(self, topic: Topic) -> list[Heard]:
        """Every event heard on `topic`, in the order of its log."""
        with self._explained(_NOTHING_CHANGED):
            rows = self._db.execute(
                "select about, type, value, logged_at from heard where topic = ? order by number", (topic.name,)
            ).fetchall()
        models = topic.by_type
        return [
            Heard(about, models[type].model_validate_json(value), datetime.fromisoformat(logged_at))
            for about, type, value, logged_at in rows
        ]

    def take_over(self, other: "Spool") -> int:
        """Keep the records of `other` that are not here, its acknowledgements and what it heard; how many records
        came. Without records of its own this becomes the same device.

        Raises WrongEntry if the two have different records of one number, or one device's records as another's.
        """
        with self._transaction(_NOTHING_CHANGED):
            here = dict(self._db.execute("select number, id from said"))
            there = dict(other._db.execute("select number, id from said"))
            apart = [number for number in here.keys() & there.keys() if here[number] != there[number]]
            if apart:
                raise WrongEntry(
                    f"The two differ from record {min(apart)} on. Nothing was changed: a spool that has gone on is "
                    "not written over. To send what is in the other too, import it into another folder "
                    "(--spool-dir) and sync there; sales then waits for both."
                )
            if here and there.keys() - here.keys() and self.device != other.device:
                raise WrongEntry("The two have the same records as different devices. Nothing was changed.")
            if not here:
                self._db.execute("update identity set device = ?", (other.device,))
            self._db.executemany(
                "insert into said (number, id, key, type, value, headers, recorded_at, acknowledged, previous)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [row for row in other._db.execute(_SELECT_SAID) if row[0] not in here],
            )
            sent = other._db.execute("select number from said where acknowledged")
            self._db.executemany("update said set acknowledged = 1 where number = ?", sent)
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
        return len(there.keys() - here.keys())

    def save(self, file: Path) -> None:
        """All of it into `file`, which is empty, as it is at one moment, while others use this one."""
        with self._explained(_NOTHING_CHANGED):
            self._db.execute("vacuum into ?", (str(file),))

    def checkpoint(self) -> None:
        """All that is kept lies in the one file afterwards, unless another process writes at this moment."""
        with self._explained(_BESIDE):
            self._db.execute("pragma wal_checkpoint(truncate)")

    def _next_place(self) -> RecordPlace:
        (device,) = self._db.execute("select device from identity").fetchone()
        last = self._db.execute("select number, id from said order by number desc limit 1").fetchone()
        number, previous = last if last else (0, None)
        return RecordPlace(device, number + 1, previous)

    def _said(self, which: str, *parameters: int) -> list[Said]:
        with self._explained(_NOTHING_CHANGED):
            rows = self._db.execute(
                f"select number, id, key, type, value, headers, recorded_at, acknowledged from said {which}",
                parameters,
            ).fetchall()
        models = self.topic.by_type
        return [
            Said(
                number=number,
                id=id,
                key=key,
                body=models[type].model_validate_json(value),
                value=value,
                headers=[(name, text.encode()) for name, text in json.loads(headers)],
                recorded_at=datetime.fromisoformat(recorded_at),
                acknowledged=bool(acknowledged),
            )
            for number, id, key, type, value, headers, recorded_at, acknowledged in rows
        ]

    @contextmanager
    def _transaction(self, unless: str) -> Iterator[None]:
        with self._explained(unless):
            # Immediate: who reads the last number is the one who writes the next.
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                # SQLite has rolled back by itself when the disk is full.
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def _explained(self, consequence: str) -> AbstractContextManager[None]:
        return explained(self.path, consequence)
