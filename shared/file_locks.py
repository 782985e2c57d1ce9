"""Locks that one process holds at a time, where the operating system has them.

Elsewhere nothing is locked. Two commands of one person that run at the same moment may then renew one session twice,
or start the same local stack twice. Each of them alone works as it should.
"""

from importlib.util import find_spec
from typing import IO

HAS_LOCKS = find_spec("fcntl") is not None


def lock(file: IO[str] | int, *, wait: bool = True) -> None:
    """Lock an open file until it is closed. Without `wait` a lock of another process raises BlockingIOError."""
    if not HAS_LOCKS:
        return
    # Not at the start: a system without locks has no such module.
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
