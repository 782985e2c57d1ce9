"""Whether a spool's file is whole, and a new file of what can be read of a damaged one."""

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
from shared.errors import SpoolFailed, WrongEntry
from shared.events.language import Topic

_FEWEST_BYTES = 100  # of a record: more of them than this can't be in a file
_MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Health:
    """What a look at the file found. `device` None: it can't be read. `missing`: numbers of records that are not
    there though later ones are."""

    path: Path
    device: str | None
    records: int
    unsent: int
    missing: tuple[int, ...]
    faults: tuple[str, ...]

    @property
    def well(self) -> bool:
        return not self.missing and not self.faults


@dataclass(frozen=True, slots=True)
class Repaired:
    """`kept` records are in the new file; `lost` are the numbers that can't be read, as far as they are known."""

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


def check(path: Path, topic: Topic) -> Health:
    """Look at the file, without a change to it: SQLite's own check, numbers without gaps, each record readable and
    naming the one before it. Raises WrongEntry if there is no such file or it is of another version."""
    faults: list[str] = []
    rows: list[_Row] = []
    device = None
    try:
        with _read_only(path) as db:
            faults += _sqlite_faults(db)
            rows = list(_rows(db, path))
            device = _identity(db)
            if device is None:
                faults.append("it does not say which device it is")
    except sqlite3.DatabaseError as error:
        faults.append(f"it can't be read: {error}")
    faults += _broken_links(rows, topic, device)
    return Health(
        path=path,
        device=device,
        records=len(rows),
        unsent=sum(not row.acknowledged for row in rows),
        missing=_missing({row.number for row in rows}),
        faults=tuple(faults[:_MOST_FAULTS]),
    )


def repair(path: Path, new: Path, owner: Owner) -> Repaired:
    """Make the file `new` of all records of `path` that can be read. They keep their numbers, ids and device. What
    was heard is left out: the next sync hears it again.

    Raises WrongEntry if `new` is there already or `path` is not, SpoolFailed if nothing can be read.
    """
    if new.exists():
        raise WrongEntry(f"{new} is there already. Please name a new file.")
    try:
        with _read_only(path) as db:
            rows = [row for row in _rows(db, path) if not _unreadable(row, owner.topic)]
            device = _identity(db) or _device_told(rows)
    except sqlite3.DatabaseError as error:
        raise SpoolFailed(
            f"Nothing in {path} can be read ({error}). Please keep it, and go on with a backup or a new spool."
        ) from error
    if device is None:
        raise SpoolFailed(f"No record in {path} can be read. Please keep it, and go on with a backup or a new spool.")
    with closing(open_file(Owner(new, owner.topic, owner.source))) as db:
        db.execute("begin immediate")
        db.execute("update identity set device = ?", (device,))
        db.executemany(f"insert into said ({_COLUMNS}) values ({', '.join('?' * len(_Row._fields))})", rows)
        db.execute("commit")
    return Repaired(len(rows), _missing({row.number for row in rows}))


_COLUMNS = ", ".join(_Row._fields)


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise WrongEntry(f"There is no file {path}.")
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as db:
        (version,) = db.execute("pragma user_version").fetchone()
        if version not in (0, VERSION):
            raise WrongEntry(
                f"{path} was made by another version of karya. A former version is read by any command that records "
                "or shows something; please use one of them first."
            )
        yield db


def _sqlite_faults(db: sqlite3.Connection) -> list[str]:
    try:
        found = [str(row[0]) for row in db.execute("pragma integrity_check")]
    except sqlite3.DatabaseError as error:
        return [f"SQLite's check fails: {error}"]
    return [line.strip() for text in found if text != "ok" for line in text.splitlines()]


def _rows(db: sqlite3.Connection, path: Path) -> Iterator[_Row]:
    """All records that can be read, in their order; on a damaged file each is asked for by its number."""
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
        found = db.execute("select device from identity").fetchone()
    except sqlite3.DatabaseError:
        return None
    return str(found[0]) if found else None


def _device_told(rows: Sequence[_Row]) -> str | None:
    return next((str(device) for row in rows if (device := _told(row).get("device"))), None)


def _missing(numbers: Set[int]) -> tuple[int, ...]:
    return tuple(number for number in range(1, max(numbers, default=0)) if number not in numbers)


def _broken_links(rows: Sequence[_Row], topic: Topic, device: str | None) -> list[str]:
    faults = []
    ids: dict[int, str] = {0: ""}
    for row in rows:
        ids[row.number] = row.id
        if _unreadable(row, topic):
            faults.append(f"record {row.number} can't be read")
            continue
        before = ids.get(row.number - 1)
        if before is not None and (row.previous or "") != before:
            faults.append(f"record {row.number} does not name the record before it")
        place = {"device": device, "seq": row.number, "previous": row.previous}
        told = _told(row)
        if any(told.get(name, place[name]) != place[name] for name in place):
            faults.append(f"record {row.number} says another place of itself than it has")
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


def _told(row: _Row) -> Mapping[str, Any]:
    """What the record's body says, if it is JSON at all."""
    try:
        told = json.loads(row.value)
    except (ValueError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}
