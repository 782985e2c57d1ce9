"""A spool's backup in one file, and what a backup brings back."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.spool.check import check
from edge.spool.file import Owner, explained
from edge.spool.records import Spool
from shared.errors import SpoolFailed, WrongEntry


@dataclass(frozen=True, slots=True)
class Imported:
    """`added` records came from the backup; `known` were here before; `unsent` of both. `missing`: numbers of records
    that the backup lacks."""

    device: str
    added: int
    known: int
    unsent: int
    missing: tuple[int, ...]


def export(spool: Spool, file: Path) -> None:
    """Write all of the spool into the new file `file`, as it is at one moment; others may use the spool meanwhile.

    Raises WrongEntry if the file is there already or can't be made, SpoolFailed as the spool does.
    """
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise WrongEntry(f"{file} is there already. Please name a new file.") from None
    except OSError as error:
        raise WrongEntry(f"{file} can't be made: {error.strerror}.") from None
    try:
        spool.save(file)
        _to_disk(file)
    except BaseException:
        # Half a backup looks like a whole one.
        file.unlink()
        raise


def import_into(spool: Spool, file: Path, owner: Owner) -> Imported:
    """Bring back what the backup `file` holds of the same device. The file itself is not changed.

    Raises WrongEntry if there is no such file or it holds other records than are here, SpoolFailed if it is damaged
    or belongs to somebody else.
    """
    if not file.is_file():
        raise WrongEntry(f"There is no file {file}.")
    with (
        explained(file, "Nothing was changed."),
        TemporaryDirectory(dir=spool.path.parent) as folder,
        Spool(replace(owner, path=_copied(file, Path(folder)))) as backup,
    ):
        health = check(backup.path, owner.topic)
        if health.faults:
            raise SpoolFailed(
                f"{file} is damaged: {health.faults[0]}. Nothing was changed. Please make a new file of what can be "
                "read of it (`spool check FILE --repair NEW`) and import that."
            )
        added = spool.take_over(backup)
    counts = spool.counts()
    return Imported(spool.device, added, counts.said - added, counts.pending, health.missing)


def _copied(file: Path, folder: Path) -> Path:
    """A copy that may be opened and converted. What a power cut left beside the file belongs to it."""
    copy = folder / "backup.spool"
    shutil.copyfile(file, copy)
    wal = file.with_name(f"{file.name}-wal")
    if wal.is_file():
        shutil.copyfile(wal, copy.with_name(f"{copy.name}-wal"))
    return copy


def _to_disk(file: Path) -> None:
    for path, flags in ((file, os.O_RDWR), (file.absolute().parent, os.O_RDONLY)):
        handle = os.open(path, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
