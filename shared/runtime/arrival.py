"""The order in which a service's documents were created, and cursors in it.

The transaction that first writes a document gives it a number: lane, batch of the lane, index in the batch. A lane's
transactions come one after the other, so no document is ever inserted before one that was read. A cursor has the last
number read of each lane. A reader that continues from it misses no document.
"""

import re
from collections.abc import Iterable, Mapping

ARRIVED = "arrived"
_PLACE = r"[0-9]{1,3}-[0-9]{1,10}-[0-9]{1,6}"
CURSOR = re.compile(f"({_PLACE}(,{_PLACE}){{0,255}})?")


def arrival(partition: int, batch: int, index: int) -> str:
    """The number of the new document at `index` in a lane's batch."""
    # Fixed width, so that the order of strings is the order of numbers.
    return f"{partition:03d}-{batch:010d}-{index:06d}"


def read_up_to(cursor: str) -> dict[str, str]:
    """The last number read of each lane. `cursor` matches CURSOR; an empty cursor has read nothing."""
    return read_on({}, (arrival(*map(int, part.split("-"))) for part in cursor.split(",") if part))


def read_on(read: Mapping[str, str], numbers: Iterable[str]) -> dict[str, str]:
    """The last numbers after these were read, too, each lane's in order."""
    return {**read, **{lane_of(number): number for number in numbers}}


def cursor_of(read: Mapping[str, str]) -> str:
    """The cursor of these last numbers, as `read_up_to` parses it."""
    return ",".join("-".join(str(int(part)) for part in number.split("-")) for _, number in sorted(read.items()))


def lane_of(number: str) -> str:
    return number.partition("-")[0]
