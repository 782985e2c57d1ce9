"""The SQLite file of a spool: its tables, opening, conversion of previous versions, and readable errors."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

from shared import envelope
from shared.causes import cause_of
from shared.errors import SpoolFailed
from shared.events.language import Body, Topic, event_type
from shared.wording import Message

VERSION = 4
_WITHOUT_DEVICE = 1  # the version that had no device id, and whose bodies may need conversion
_WITHOUT_EDITING = 2  # the version in which no record could be edited or taken out
_WITHOUT_GATEWAY = 3  # the version that knew no gateway
_IDENTITY = """
create table identity (
    only integer primary key check (only = 1),
    device text not null,
    source text not null,
    offered integer not null default 0
);
"""
_TABLES = """
create table said (
    number integer primary key,
    id text not null unique,
    key text not null,
    type text not null,
    value blob not null,
    headers text not null,
    recorded_at text not null,
    acknowledged integer not null default 0,
    previous text,
    taken_out integer not null default 0
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
# Outside of the version: a file without it has no snapshot, and is as good.
_SNAPSHOTS = """
create table if not exists snapshots (
    topic text not null,
    address text not null,
    etag text not null,
    primary key (topic, address)
);
"""
_GATEWAY_TABLES = """
create table if not exists cursors (
    gateway text, place text, topics text, after text not null, primary key (gateway, place, topics)
);
create table if not exists refusals (
    number integer primary key, status text not null, reason text not null, message text not null
);
"""
_BUSY_SECONDS = 10.0
_DEVICES = UUID("4d0c0ba6-6b4c-4f6e-9d0b-6a4c7d8a1b52")


@dataclass(frozen=True, slots=True)
class FormerRecord:
    """A record of a file of the first version. `value` is its JSON; `previous` the id of the record before it."""

    number: int
    id: str
    type: str
    value: dict[str, Any]
    recorded_at: datetime
    previous: str | None


@dataclass(frozen=True, slots=True)
class Migration:
    """Conversion of a spool of the first version. `bodies` maps all records in order and the device's id to a body
    for each record. Events received on `topics_to_reread` are deleted, and received again by the next sync."""

    bodies: Callable[[Sequence[FormerRecord], str], list[Body]]
    topics_to_reread: tuple[Topic, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """The agent of a spool: its file, the topic of its records, and their `ce_source`. `migration` None: records of
    the first version need no conversion."""

    path: Path
    topic: Topic
    source: str
    migration: Migration | None = None


def open_file(owner: Owner) -> sqlite3.Connection:
    """A connection to the owner's file, which is created if missing and converted if it has a previous version.

    Raises SpoolFailed for a file of another owner or version; passes on sqlite3.DatabaseError and OSError.
    """
    owner.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Other users of the machine must not read it; SQLite's side files get the same permissions.
    os.close(os.open(owner.path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(owner.path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.execute("begin immediate")
        (version,) = db.execute("pragma user_version").fetchone()
        if version == 0:
            _run(db, _TABLES)
            _name(db, str(uuid4()), owner.source)
            _add_gateway(db)
        elif version == _WITHOUT_DEVICE:
            _convert(db, owner)
        elif version == _WITHOUT_EDITING:
            db.execute("alter table identity add column offered integer not null default 0")
            _add_editing(db)
        elif version == _WITHOUT_GATEWAY:
            _add_gateway(db)
        elif version != VERSION:
            raise SpoolFailed(
                Message(
                    "The spool {path} was made by another version of karya. Nothing in it was changed; "
                    "please sync it with the version that made it.",
                    path=str(owner.path),
                )
            )
        _run(db, _SNAPSHOTS)
        (source,) = db.execute("select source from identity").fetchone()
        if source != owner.source:
            raise SpoolFailed(
                Message(
                    "The spool {path} belongs to {source} and not to {other}. Nothing in it was "
                    "changed; please use the name that it was made for.",
                    path=str(owner.path),
                    source=source,
                    other=owner.source,
                )
            )
        db.execute("commit")
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def explaining_faults(path: Path, consequence: Message) -> Iterator[None]:
    """Translate faults of the file into SpoolFailed, whose message gives the cause and the `consequence`."""
    try:
        yield
    except OSError as error:
        raise SpoolFailed(
            Message("The spool {path} can't be opened: {reason}.", path=str(path), reason=cause_of(error))
        ) from error
    except sqlite3.DatabaseError as error:
        raise SpoolFailed(
            Message("{cause} {consequence}", cause=_cause(path, error), consequence=consequence)
        ) from error


def _cause(path: Path, error: sqlite3.DatabaseError) -> Message:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return Message(
                "There is no room left on the disk; please free some space on the disk of {path}.", path=str(path)
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Message(
                "Another program has kept the spool {path} busy for {seconds} seconds.",
                path=str(path),
                seconds=int(_BUSY_SECONDS),
            )
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return Message(
                "The file {path} is damaged or no spool. Please do not delete it: `spool check` shows "
                "which records can be read and how to continue.",
                path=str(path),
            )
        case _:
            return Message(
                "The spool {path} can't be used: {reason}. Please check the disk and the permissions of the file.",
                path=str(path),
                reason=cause_of(error),
            )


def _run(db: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";")[:-1]:
        db.execute(statement)


def _name(db: sqlite3.Connection, device: str, source: str) -> None:
    _run(db, _IDENTITY)
    db.execute("insert into identity (only, device, source) values (1, ?, ?)", (device, source))


def _convert(db: sqlite3.Connection, owner: Owner) -> None:
    rows = db.execute("select number, id, type, value, recorded_at from said order by number").fetchall()
    ids = [None, *(id for _, id, *_ in rows)]
    records = [
        FormerRecord(number, id, type, json.loads(value), datetime.fromisoformat(recorded_at), previous)
        for (number, id, type, value, recorded_at), previous in zip(rows, ids, strict=False)
    ]
    # Two copies of one file must become one device: the device id follows from the first record.
    device = str(uuid5(_DEVICES, records[0].id)) if records else str(uuid4())
    db.execute("alter table said add column previous text")
    db.executemany(
        "update said set previous = ? where number = ?", [(record.previous, record.number) for record in records]
    )
    if owner.migration is not None:
        for record, body in zip(records, owner.migration.bodies(records, device), strict=True):
            _rewrite(db, owner, record, body)
        for topic in owner.migration.topics_to_reread:
            db.execute("delete from heard where topic = ?", (topic.name,))
            db.execute("delete from positions where topic = ?", (topic.name,))
    _name(db, device, owner.source)
    _add_editing(db)


def _add_editing(db: sqlite3.Connection) -> None:
    db.execute("alter table said add column taken_out integer not null default 0")
    # The former version did not keep which records a sync had begun to send.
    db.execute("update identity set offered = (select coalesce(max(number), 0) from said)")
    _add_gateway(db)


def _add_gateway(db: sqlite3.Connection) -> None:
    _run(db, _GATEWAY_TABLES)
    db.execute(f"pragma user_version = {VERSION}")


def _rewrite(db: sqlite3.Connection, owner: Owner, record: FormerRecord, body: Body) -> None:
    headers = envelope.headers(
        id=record.id, source=owner.source, topic=owner.topic, body=body, time=record.recorded_at
    )
    db.execute(
        "update said set key = ?, type = ?, value = ?, headers = ? where number = ?",
        (
            owner.topic.key_of(body),
            event_type(owner.topic, type(body)),
            envelope.encode(body),
            headers_text(headers),
            record.number,
        ),
    )


def headers_text(headers: envelope.Headers) -> str:
    """The file's text form of headers."""
    return json.dumps([[name, value.decode()] for name, value in headers])
