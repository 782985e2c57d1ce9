"""The devices of a booth: which records of each were heard, and whether the booth still waits for it.

A device numbers its records from 1, and each names the one before it. When two holders of one identity go on from the
same record (a spool restored from an old copy), their numbers repeat: each line of records is a branch.

Of a branch only the ends of its runs are kept by id. So a record that another one follows can't be told from one that
was lost, if somebody else has a record of its number: it is then taken for heard.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from shared.events.sales import DeviceHeard, TillRecord

Ranges = tuple[tuple[int, int], ...]


class RecordRun(NamedTuple):
    """Records that follow one another, by their numbers. `after`: the id of the record before the first one;
    `head`: of the last one."""

    first: int
    last: int
    after: str | None
    head: str


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a device's records. `runs`: what was heard of it, in order and with a gap between each two.
    `first`: where the branch begins. `last_seq`: of its TillClosed. `struck`: the organiser gave it up for lost."""

    first: int
    runs: tuple[RecordRun, ...]
    last_seq: int | None = None
    struck: bool = False

    @property
    def seen(self) -> Ranges:
        """Numbers that were heard, as ranges (first, last)."""
        return tuple((run.first, run.last) for run in self.runs)

    @property
    def top(self) -> int:
        return self.runs[-1].last

    @property
    def missing(self) -> Ranges:
        """Ranges of the numbers up to `last_seq` (or the highest heard) that were not heard yet."""
        gaps: list[tuple[int, int]] = []
        expected = self.first
        for run in self.runs:
            if run.first > expected:
                gaps.append((expected, run.first - 1))
            expected = run.last + 1
        if self.last_seq is not None and expected <= self.last_seq:
            gaps.append((expected, self.last_seq))
        return tuple(gaps)

    @property
    def complete(self) -> bool:
        """It has closed, recorded nothing since, and none of its records is missing; or it was struck."""
        return self.struck or (self.last_seq is not None and self.top <= self.last_seq and not self.missing)

    def takes(self, run: RecordRun) -> bool:
        """One more record may be of this branch: nobody else has its number here, and its neighbours follow it or
        are followed by it."""
        if any(known.first <= run.first <= known.last for known in self.runs):
            return False
        below = next((known for known in reversed(self.runs) if known.last < run.first), None)
        above = next((known for known in self.runs if known.first > run.first), None)
        return (below is None or below.last + 1 < run.first or below.head == run.after) and (
            above is None or run.first + 1 < above.first or above.after == run.head
        )


@dataclass(frozen=True, slots=True)
class Device:
    """One spool at the booth, under the name of a till. `given_up`: the organiser struck the till's name with it."""

    device: str
    till: str
    branches: tuple[Branch, ...]
    given_up: bool = False

    @property
    def complete(self) -> bool:
        return all(branch.complete for branch in self.branches)

    @property
    def seen(self) -> Ranges:
        """Numbers that were heard, branch by branch."""
        return tuple(numbers for branch in self.branches for numbers in branch.seen)

    @property
    def struck(self) -> bool:
        return all(branch.struck for branch in self.branches)


def receive_record(
    devices: tuple[Device, ...], record: TillRecord, id: str, last_seq: int | None = None
) -> tuple[tuple[Device, ...], DeviceHeard | None]:
    """The devices after a record with this ce_id, and word of a device that is new. `last_seq`: of a TillClosed."""
    for place, device in enumerate(devices):
        if device.device == record.device:
            branches = _with_record(device.branches, record, id, last_seq)
            heard = Device(device.device, device.till, branches, device.given_up)
            return (*devices[:place], heard, *devices[place + 1 :]), None
    first = Branch(1, (RecordRun(record.seq, record.seq, record.previous, id),), last_seq)
    device = Device(record.device, record.till, (first,))
    return (*devices, device), DeviceHeard(booth=record.booth, till=record.till, device=record.device)


def strike(devices: tuple[Device, ...], till: str, device: str | None, branch: int | None) -> tuple[Device, ...]:
    """The devices without what the organiser gave up for lost: branch number `branch` (from 1) of one device, all of
    a device, or all devices of a till's name."""

    def struck(known: Device) -> Device:
        if known.till != till or device not in (None, known.device):
            return known
        branches = tuple(
            replace(one, struck=True) if branch in (None, number) else one
            for number, one in enumerate(known.branches, 1)
        )
        return replace(known, branches=branches, given_up=known.given_up or device is None)

    return tuple(map(struck, devices))


def _with_record(
    branches: tuple[Branch, ...], record: TillRecord, id: str, last_seq: int | None
) -> tuple[Branch, ...]:
    run = RecordRun(record.seq, record.seq, record.previous, id)
    place = _branch_index(branches, run)
    if place is None:
        # A second successor, or a known number: somebody else goes on under this identity.
        first = run.first if _follows_known(branches, run) else run.first - 1
        return (*branches, Branch(first, (run,), last_seq))
    branch = branches[place]
    closed = branch.last_seq if last_seq is None else max(last_seq, branch.last_seq or 0)
    branch = Branch(branch.first, _merge_run(branch.runs, run), closed, branch.struck)
    return (*branches[:place], branch, *branches[place + 1 :])


def _branch_index(branches: tuple[Branch, ...], run: RecordRun) -> int | None:
    """The branch that the record goes on with or fills a gap of; None if it begins one."""
    for place, branch in enumerate(branches):
        # Nearly every record is the next one, and looks at no other.
        if branch.runs[-1].head == run.after and branch.top + 1 == run.first:
            return place
    open_in = [
        (place, branch) for place, branch in enumerate(branches) if run.first >= branch.first and branch.takes(run)
    ]
    for place, branch in open_in:
        if any(known.head == run.after or known.after == run.head for known in branch.runs):
            return place
    if run.first > 1 and _follows_known(branches, run):
        return None
    # Its predecessor was not heard yet: the branch that has come closest to it, so that the gap is waited for.
    closest = [(branch.top <= run.first, branch.top, -place) for place, branch in open_in]
    return -max(closest)[2] if closest else None


def _follows_known(branches: tuple[Branch, ...], run: RecordRun) -> bool:
    """The record before it may be one that was heard and that another one follows already, or there is none."""
    before = run.first - 1
    runs = [known for branch in branches for known in branch.runs]
    return not before or any(known.head == run.after or known.first <= before < known.last for known in runs)


def _merge_run(runs: tuple[RecordRun, ...], run: RecordRun) -> tuple[RecordRun, ...]:
    if runs and runs[-1].last + 1 == run.first:
        return (*runs[:-1], runs[-1]._replace(last=run.last, head=run.head))
    joined: list[RecordRun] = []
    for known in sorted((*runs, run)):
        if joined and known.first == joined[-1].last + 1:
            joined[-1] = joined[-1]._replace(last=known.last, head=known.head)
        else:
            joined.append(known)
    return tuple(joined)
