"""Export of a spool into one file, and import of such a backup."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.spool.check import check
from edge.spool.file import Owner, explaining_faults
from edge.spool.records import Spool
from shared.causes import cause_of
from shared.errors import SpoolFailed, WrongEntry
from shared.wording import Message


@dataclass(frozen=True, slots=True)
class Imported:
    """Counts of an import: records `added` from the backup, records `known` before, and `unsent` records of both.
    `missing`: numbers of records that the backup lacks."""

    device: str
    added: int
    known: int
    unsent: int
    missing: tuple[int, ...]


def export(spool: Spool, file: Path) -> None:
    """Write a snapshot of the whole spool into the new file `file`. Other processes may use the spool meanwhile.

    Raises WrongEntry if the file exists or can't be created, SpoolFailed as the spool does.
    """
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise WrongEntry(Message("{file} exists already. Please name a new file.", file=str(file))) from None
    except OSError as error:
        raise WrongEntry(
            Message("{file} can't be created: {reason}.", file=str(file), reason=cause_of(error))
        ) from None
    try:
        spool.save(file)
        _to_disk(file)
    except BaseException:
        # An incomplete backup would look like a complete one.
        file.unlink()
        raise


def import_into(spool: Spool, file: Path, owner: Owner) -> Imported:
    """Merge the records of the backup `file` into the spool of the same device. The backup is not changed.

    Raises WrongEntry if the file is missing or its records conflict with the spool's, SpoolFailed if it is damaged
    or belongs to another agent.
    """
    if not file.is_file():
        raise WrongEntry(Message("There is no file {file}.", file=str(file)))
    with (
        explaining_faults(file, Message("Nothing was changed.")),
        TemporaryDirectory(dir=spool.path.parent) as folder,
        Spool(replace(owner, path=_copied(file, Path(folder)))) as backup,
    ):
        health = check(backup.path, owner.topic)
        if health.faults:
            raise SpoolFailed(
                Message(
                    "{file} is damaged: {fault}. Nothing was changed. Please rescue its readable records "
                    "into a new file (`spool check FILE --repair NEW`) and import that file.",
                    file=str(file),
                    fault=health.faults[0],
                )
            )
        added = spool.merge(backup)
    counts = spool.counts()
    return Imported(spool.device, added, counts.records - added, counts.pending, health.missing)


def _copied(file: Path, folder: Path) -> Path:
    """A copy of `file` that may be opened and converted. SQLite's write-ahead log beside the file is copied too."""
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
