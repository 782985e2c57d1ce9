"""What an edge agent has to say and what it has heard, in one SQLite file that a power cut does not harm.

A record is numbered and gets its id when it is made, and stays for good: a record sent twice has the same id,
and numbers run from 1 without gaps. Several processes may use one spool: numbers are given in a write
transaction, and two who send at once only send some records twice, each in the same order.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from shared import envelope
from shared.errors import SpoolFailed, WrongEntry
from shared.events.language import Body, Event, Topic, as_utc, event_type

_VERSION = 1
_SCHEMA = """
create table said (
    number integer primary key,
    id text not null unique,
    key text not null,
    type text not null,
    value blob not null,
    headers text not null,
    recorded_at text not null,
    acknowledged integer not null default 0
);
create index said_pending on said (number) where not acknowledged;
create table heard (
    number integer primary key,
    source text not null,
    id text not null,
    topic text not null,
    type text not null,
    value blob not null,
    about text,
    logged_at text not null,
    unique (source, id, topic)
);
create index heard_about on heard (about);
create table positions (topic text, partition integer, next integer not null, primary key (topic, partition));
"""
_BUSY_SECONDS = 10.0


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
    """The file at `path`, made if it is not there, of an agent that speaks on `topic` as `source`.

    Every method raises SpoolFailed, with what to do, when the file can't be used; nothing is half written then.
    """

    def __init__(self, path: Path, topic: Topic, source: str) -> None:
        self.path = path
        self.topic = topic
        self.source = source
        with self._explained():
            self._db = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    # What we say

    def say(self, write: Callable[[int], Body], at: datetime) -> Said:
        """Keep a record made at `at`, for good, before returning. `write` gets its number."""
        with self._transaction():
            (last,) = self._db.execute("select coalesce(max(number), 0) from said").fetchone()
            body = write(last + 1)
            try:
                at = as_utc(at)
            except OverflowError as wrong:
                raise WrongEntry(f"This device's clock is {wrong}. Please set it.") from None
            said = Said(
                number=last + 1,
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
                "insert into said (number, id, key, type, value, headers, recorded_at) values (?, ?, ?, ?, ?, ?, ?)",
                (
                    said.number,
                    said.id,
                    said.key,
                    event_type(self.topic, type(body)),
                    said.value,
                    json.dumps([[name, value.decode()] for name, value in headers]),
                    at.isoformat(),
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
        with self._transaction():
            self._db.executemany(
                "update said set acknowledged = 1 where number = ?", [(number,) for number in numbers]
            )

    def counts(self) -> Counts:
        with self._explained():
            row = self._db.execute("select count(*), coalesce(sum(not acknowledged), 0) from said").fetchone()
        return Counts(*row)

    def unanswered(self, bodies: Sequence[type[Body]]) -> int:
        """How many records of these kinds were heard nothing about."""
        kinds = [event_type(self.topic, body) for body in bodies]
        with self._explained():
            (count,) = self._db.execute(
                f"select count(*) from said where type in ({', '.join('?' * len(kinds))})"
                " and not exists (select 1 from heard where about = said.id)",
                kinds,
            ).fetchone()
        return int(count)

    # What we hear

    def hear(self, topic: Topic, partition: int, events: Sequence[tuple[Event, str | None]], next: int) -> None:
        """Keep events with the ids that they are about, and that the partition is read up to `next`."""
        with self._transaction():
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
        with self._explained():
            row = self._db.execute(
                "select next from positions where topic = ? and partition = ?", (topic.name, partition)
            ).fetchone()
        return int(row[0]) if row else 0

    def heard(self, topic: Topic) -> list[Heard]:
        """Every event heard on `topic`, in the order of its log."""
        with self._explained():
            rows = self._db.execute(
                "select about, type, value, logged_at from heard where topic = ? order by number", (topic.name,)
            ).fetchall()
        models = topic.by_type
        return [
            Heard(about, models[type].model_validate_json(value), datetime.fromisoformat(logged_at))
            for about, type, value, logged_at in rows
        ]

    # The file

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Nobody else on the machine needs to read it; SQLite's side files take over the same rights.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = full")
            db.execute("begin immediate")
            (version,) = db.execute("pragma user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA.split(";")[:-1]:
                    db.execute(statement)
                db.execute(f"pragma user_version = {_VERSION}")
            elif version != _VERSION:
                raise SpoolFailed(
                    f"The spool {self.path} was made by another version of karya. Nothing in it was changed; "
                    "please sync it with the version that made it."
                )
            db.execute("commit")
        except BaseException:
            db.close()
            raise
        return db

    def _said(self, which: str, *parameters: int) -> list[Said]:
        with self._explained():
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
    def _transaction(self) -> Iterator[None]:
        with self._explained():
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

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SpoolFailed(f"The spool {self.path} can't be opened: {error.strerror}.") from error
        except sqlite3.DatabaseError as error:
            raise SpoolFailed(f"{self._explain(error)} ({error})") from error

    def _explain(self, error: sqlite3.DatabaseError) -> str:
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_FULL:
                return (
                    "There is no room left on the disk: this record was NOT kept, all earlier ones are safe. "
                    f"Please free some space where {self.path} lies and enter it again."
                )
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return (
                    f"Another program has kept the spool {self.path} busy for {_BUSY_SECONDS:.0f} seconds: "
                    "this was NOT kept. Please try again."
                )
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                return (
                    f"The file {self.path} is damaged or no spool. Please do not delete it: "
                    "move it aside for repair, and go on with a new one."
                )
            case _:
                return f"The spool {self.path} can't be used: please check the disk and the rights of the file."
