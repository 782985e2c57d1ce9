"""Runs a command that has its own stack: one at a time, with a clean end by any signal."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from shared import file_locks
from shared.errors import KaryaError
from shared.translation import tr


class AlreadyRunning(KaryaError):
    """The same command runs in this checkout already, and both would use the same folder."""


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Empty `folder`, and lock it for this process until the end. Raises AlreadyRunning."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            file_locks.lock(lock, wait=False)
        except BlockingIOError:
            raise AlreadyRunning(
                tr("This command is running in this checkout already; wait for it, or stop it first.")
            ) from None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that started processes are stopped."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
