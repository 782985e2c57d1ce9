"""The lines of a log file: its end, and what is written later."""

import json
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.2


def log_lines(path: Path, *, last: int, follow: bool) -> Iterator[str]:
    """The last lines of the file, without their ends. With `follow` also later ones, for ever.

    A line that is not complete yet comes when it is, or at the end without `follow`. A file that got shorter was
    begun anew, and is read from its beginning.
    """
    with path.open("rb") as file:
        lines = deque(file, last)
        part = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        yield from map(_text, lines)
        if not follow:
            if part:
                yield _text(part)
            return
        while True:
            while line := file.readline():
                part += line
                if part.endswith(b"\n"):
                    yield _text(part)
                    part = b""
            if path.stat().st_size < file.tell():
                file.seek(0)
                part = b""
            else:
                time.sleep(POLL_SECONDS)


def log_entry(service: str, line: str) -> dict[str, Any]:
    """The line as an object with its service: the fields of a line that is JSON, else the whole line as `event`."""
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    entry = fields if isinstance(fields, dict) else {"event": line}
    return {"service": service} | entry | {"service": service}


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r\n")
