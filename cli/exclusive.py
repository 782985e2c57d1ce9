"""What commands with a stack of their own have in common: one at a time, and a clean end by any signal."""

import fcntl
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from shared.errors import KaryaError


class AlreadyRunning(KaryaError):
    """The same command runs in this checkout already; two would use the same folder."""


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """`folder` is empty and ours until the end. Raises Busy."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                "This command is running in this checkout already; wait for it, or stop it first."
            ) from None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does: everything that was started is stopped."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
