"""The order in which a service's documents came to be, and how far somebody has read in it.

A document gets its number with the transaction that first writes it: lane, batch of the lane, place in the batch. A
lane's transactions come one after the other, so that nothing is ever put before what was read of the lane. A cursor
says how far each lane was read: whoever goes on from it misses nothing, however much came in between.
"""

import re
from collections.abc import Iterable, Mapping

ARRIVED = "arrived"
_PLACE = r"[0-9]{1,3}-[0-9]{1,10}-[0-9]{1,6}"
CURSOR = re.compile(f"({_PLACE}(,{_PLACE}){{0,255}})?")


def arrival(partition: int, batch: int, index: int) -> str:
    """The number of the document at `index` of those that are new in a lane's batch."""
    # Fixed width, so that the order of strings is the order of numbers.
    return f"{partition:03d}-{batch:010d}-{index:06d}"


def read_up_to(cursor: str) -> dict[str, str]:
    """The last number read of each lane. `cursor` fits CURSOR; an empty one has read nothing."""
    return read_on({}, (arrival(*map(int, part.split("-"))) for part in cursor.split(",") if part))


def read_on(read: Mapping[str, str], numbers: Iterable[str]) -> dict[str, str]:
    """The same after these numbers were read too, each lane's in their order."""
    return {**read, **{lane_of(number): number for number in numbers}}


def cursor_of(read: Mapping[str, str]) -> str:
    """What `read_up_to` reads."""
    return ",".join("-".join(str(int(part)) for part in number.split("-")) for _, number in sorted(read.items()))


def lane_of(number: str) -> str:
    return number.partition("-")[0]
