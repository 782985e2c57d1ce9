"""Unsent records in a file: written on one device, and sent to a gateway from another machine.

The file is the body of a request to the gateway's intake. Each record in it keeps its device's own signature.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from edge.spool import Spool
from edge.sync.gateway import LARGEST_WINDOW, MOST_BYTES, PATIENCE, RECORDS, as_event, problem_detail
from shared.causes import cause_of
from shared.errors import NotReached, WrongEntry
from shared.wording import Message, message_of

STORED, HELD = "stored", "held"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class BroughtRecord:
    """What became of one record of a file. `status` is the gateway's: stored, held, refused or unusable."""

    id: str
    status: str
    reason: str | None
    message: Message | None

    @property
    def is_taken(self) -> bool:
        return self.status in (STORED, HELD)


def export_unsent(spool: Spool, file: Path) -> int:
    """Write all unsent records into the new file, and return their number. From then on nobody can amend them here.

    They stay unsent here: sent twice they count once. Raises WrongEntry if there are none, or the file can't be made.
    """
    events: list[dict[str, str]] = []
    after = 0
    while page := spool.offer(_PAGE, after):
        events += [as_event(record) for record in page]
        after = page[-1].number
    if not events:
        raise WrongEntry(Message("Every record of this device was sent. No file was written."))
    text = "[\n" + ",\n".join(json.dumps(event, separators=(",", ":")) for event in events) + "\n]\n"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
    except FileExistsError:
        raise WrongEntry(Message("{file} exists already. Please name a new file.", file=str(file))) from None
    except OSError as error:
        # An incomplete file would look like a complete one; the records are still in the spool.
        file.unlink(missing_ok=True)
        raise WrongEntry(
            Message("{file} can't be created: {reason}.", file=str(file), reason=cause_of(error))
        ) from None
    return len(events)


def read_records(file: Path) -> list[dict[str, Any]]:
    """The records of a file that `export_unsent` has written. Raises WrongEntry."""
    try:
        records = json.loads(file.read_bytes())
    except OSError as error:
        raise WrongEntry(Message("{file} can't be read: {reason}.", file=str(file), reason=cause_of(error))) from None
    except (ValueError, RecursionError):
        records = None
    if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
        raise WrongEntry(Message("{file} has no records that a device has exported.", file=str(file)))
    return records


def bring(client: httpx.Client, records: Sequence[dict[str, Any]]) -> list[BroughtRecord]:
    """Send the records to the gateway of `client`, in their order. Raises NotReached; what it has taken then counts
    once, however often it is sent again."""
    brought: list[BroughtRecord] = []
    for body, count in _requests(records):
        try:
            answer = client.post("/intake", content=body, headers={"Content-Type": RECORDS}, timeout=PATIENCE)
        except (httpx.RequestError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise NotReached(
                Message("The gateway does not answer ({reason}). Please import again.", reason=cause_of(error))
            ) from error
        if answer.status_code != 200:
            raise NotReached(
                Message(
                    "The gateway answers {status}: {detail}", status=answer.status_code, detail=problem_detail(answer)
                )
            )
        brought += _brought(answer, count)
    return brought


def _requests(records: Sequence[dict[str, Any]]) -> Iterator[tuple[bytes, int]]:
    """The bodies of requests of a bounded size, each with the number of its records."""
    parts: list[bytes] = []
    size = 0
    for record in records:
        part = json.dumps(record, separators=(",", ":")).encode()
        if parts and (len(parts) == LARGEST_WINDOW or size + len(part) > MOST_BYTES):
            yield b"[" + b",".join(parts) + b"]", len(parts)
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
    yield b"[" + b",".join(parts) + b"]", len(parts)


def _brought(answer: httpx.Response, count: int) -> list[BroughtRecord]:
    """What became of `count` records by the gateway's answer. Raises NotReached for an answer of something else."""
    try:
        brought = [
            BroughtRecord(
                id=row["id"] or "",
                status=row["status"],
                reason=row.get("reason"),
                message=message_of(row["template"], row["values"]) if "template" in row else None,
            )
            for row in answer.json()
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        brought = []
    if len(brought) != count:
        raise NotReached(Message("What answers there is no gateway that this version knows."))
    return brought
