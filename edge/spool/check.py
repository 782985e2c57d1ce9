"""Health check of a spool's file, and rescue of a damaged file's readable records into a new file."""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from edge.spool.file import VERSION, Owner, open_file
from shared.causes import cause_of
from shared.errors import SpoolFailed, WrongEntry
from shared.events.language import Topic
from shared.wording import Message

_FEWEST_BYTES = 100  # the least size of a record, which bounds the number of records in a file
_MOST_FAULTS = 20
_CONTINUE = Message("Please keep the file, and continue with a backup or a new spool.")


@dataclass(frozen=True, slots=True)
class Health:
    """Result of a check. `device` None: the device id can't be read. `missing`: numbers of absent records below the
    highest number."""

    path: Path
    device: str | None
    records: int
    unsent: int
    missing: tuple[int, ...]
    faults: tuple[Message, ...]

    @property
    def ok(self) -> bool:
        return not self.missing and not self.faults


@dataclass(frozen=True, slots=True)
class Repaired:
    """Result of a repair: `kept` counts the records in the new file; `lost` holds the known numbers of unreadable
    records."""

    kept: int
    lost: tuple[int, ...]


class _Row(NamedTuple):
    number: int
    id: str
    key: str
    type: str
    value: bytes
    headers: str
    recorded_at: str
    acknowledged: int
    previous: str | None
    taken_out: int


def check(path: Path, topic: Topic) -> Health:
    """Check the file without changing it: SQLite's own check, gaps in the numbers, unreadable records, and records
    that do not name the record before them. Raises WrongEntry if the file is missing or has another version."""
    faults: list[Message] = []
    rows: list[_Row] = []
    device = None
    try:
        with _read_only(path) as db:
            faults += _sqlite_faults(db)
            rows = list(_rows(db, path))
            device = _identity(db)
            if device is None:
                faults.append(Message("it has no device id"))
    except sqlite3.DatabaseError as error:
        faults.append(Message("it can't be read: {reason}", reason=cause_of(error)))
    faults += _broken_links(rows, topic, device)
    return Health(
        path=path,
        device=device,
        records=len(rows),
        unsent=sum(not row.acknowledged and not row.taken_out for row in rows),
        missing=_missing({row.number for row in rows}),
        faults=tuple(faults[:_MOST_FAULTS]),
    )


def repair(path: Path, new: Path, owner: Owner) -> Repaired:
    """Write all readable records of `path` into the new file `new`. The records keep their numbers, ids and device.
    Received events are left out: the next sync receives them again.

    Raises WrongEntry if `new` exists or `path` does not, SpoolFailed if no record is readable.
    """
    if new.exists():
        raise WrongEntry(Message("{new} exists already. Please name a new file.", new=str(new)))
    try:
        with _read_only(path) as db:
            rows = [row for row in _rows(db, path) if not _unreadable(row, owner.topic)]
            device = _identity(db) or _device_in_bodies(rows)
    except sqlite3.DatabaseError as error:
        raise SpoolFailed(
            Message(
                "Nothing in {path} can be read: {reason}. {advice}",
                path=str(path),
                reason=cause_of(error),
                advice=_CONTINUE,
            )
        ) from error
    if device is None:
        raise SpoolFailed(Message("No record in {path} can be read. {advice}", path=str(path), advice=_CONTINUE))
    with closing(open_file(Owner(new, owner.topic, owner.source))) as db:
        db.execute("begin immediate")
        # The damaged file may not tell which of them were sent.
        most = max(row.number for row in rows)
        db.execute("update identity set device = ?, offered = ?", (device, most))
        db.executemany(f"insert into said ({_COLUMNS}) values ({', '.join('?' * len(_Row._fields))})", rows)
        db.execute("commit")
    return Repaired(len(rows), _missing({row.number for row in rows}))


_COLUMNS = ", ".join(_Row._fields)


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise WrongEntry(Message("There is no file {path}.", path=str(path)))
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as db:
        (version,) = db.execute("pragma user_version").fetchone()
        if version not in (0, VERSION):
            raise WrongEntry(
                Message(
                    "{path} was made by another version of karya. A command that records or lists "
                    "something converts the previous version; please run one first.",
                    path=str(path),
                )
            )
        yield db


def _sqlite_faults(db: sqlite3.Connection) -> list[Message]:
    try:
        lines = [line for (text,) in db.execute("pragma integrity_check") for line in str(text).splitlines()]
    except sqlite3.DatabaseError as error:
        return [Message("its check ended early: {reason}", reason=cause_of(error))]
    wrong = [line for line in lines if line != "ok"]
    return [Message("{count:place in it is|places in it are} damaged", count=len(wrong))] if wrong else []


def _rows(db: sqlite3.Connection, path: Path) -> Iterator[_Row]:
    """All readable records in the order of their numbers. A damaged file is queried for each number."""
    try:
        yield from [_Row(*row) for row in db.execute(f"select {_COLUMNS} from said order by number")]
        return
    except sqlite3.DatabaseError:
        most = os.path.getsize(path) // _FEWEST_BYTES
    for number in range(1, most + 1):
        row = _row(db, number)
        if row is not None:
            yield row


def _row(db: sqlite3.Connection, number: int) -> _Row | None:
    try:
        row = db.execute(f"select {_COLUMNS} from said where number = ?", (number,)).fetchone()
    except sqlite3.DatabaseError:
        return None
    return _Row(*row) if row else None


def _identity(db: sqlite3.Connection) -> str | None:
    try:
        row = db.execute("select device from identity").fetchone()
    except sqlite3.DatabaseError:
        return None
    return str(row[0]) if row else None


def _device_in_bodies(rows: Sequence[_Row]) -> str | None:
    return next((str(device) for row in rows if (device := _body_fields(row).get("device"))), None)


def _missing(numbers: Set[int]) -> tuple[int, ...]:
    return tuple(number for number in range(1, max(numbers, default=0)) if number not in numbers)


def _broken_links(rows: Sequence[_Row], topic: Topic, device: str | None) -> list[Message]:
    faults = []
    ids: dict[int, str] = {0: ""}
    for row in rows:
        ids[row.number] = row.id
        if _unreadable(row, topic):
            faults.append(Message("record {number} can't be read", number=row.number))
            continue
        previous = ids.get(row.number - 1)
        if previous is not None and (row.previous or "") != previous:
            faults.append(Message("record {number} does not name the record before it", number=row.number))
        expected = {"device": device, "seq": row.number, "previous": row.previous}
        fields = _body_fields(row)
        if any(fields.get(name, expected[name]) != expected[name] for name in expected):
            faults.append(
                Message("record {number} names another device, number or predecessor in its body", number=row.number)
            )
    return faults


def _unreadable(row: _Row, topic: Topic) -> bool:
    model = topic.by_type.get(row.type)
    if model is None:
        return True
    try:
        model.model_validate_json(row.value)
        datetime.fromisoformat(row.recorded_at)
        json.loads(row.headers)
    except (ValidationError, ValueError, TypeError):
        return True
    return False


def _body_fields(row: _Row) -> Mapping[str, Any]:
    """The fields of the record's body; none if the body is no JSON object."""
    try:
        fields = json.loads(row.value)
    except (ValueError, TypeError):
        return {}
    return fields if isinstance(fields, dict) else {}
