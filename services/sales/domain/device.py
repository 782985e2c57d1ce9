"""The devices of a booth: which of their records have arrived, and whether the booth still waits for more.

A device numbers its records from 1, and each record names its predecessor. Two holders of one identity can continue
from the same record, for example after a restore from an old copy. Their numbers then repeat, and each sequence is a
branch.

A branch keeps only the ids at the ends of its runs. A record in the middle of a run can therefore not be told from a
lost record of the same number. It then counts as received.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple

from shared.events.sales import DeviceHeard, TillRecord

Ranges = tuple[tuple[int, int], ...]


class RecordRun(NamedTuple):
    """Consecutive records, by their numbers. `after`: the id of the record before the first; `head`: the id of the
    last."""

    first: int
    last: int
    after: str | None
    head: str


@dataclass(frozen=True, slots=True)
class Branch:
    """One sequence of a device's records.

    `runs`: the received records, in order, with a gap between each two runs. `first`: the number at which the branch
    begins. `last_seq`: as in its TillClosed. `struck`: the organiser gave the branch up as lost.
    """

    first: int
    runs: tuple[RecordRun, ...]
    last_seq: int | None = None
    struck: bool = False

    @property
    def seen(self) -> Ranges:
        """The numbers received, as ranges (first, last)."""
        return tuple((run.first, run.last) for run in self.runs)

    @property
    def top(self) -> int:
        """The highest number received."""
        return self.runs[-1].last

    @property
    def missing(self) -> Ranges:
        """Ranges of the numbers up to `last_seq` (or the highest received) that have not arrived."""
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
        """Whether the branch is struck, or closed with no missing and no later records."""
        return self.struck or (self.last_seq is not None and self.top <= self.last_seq and not self.missing)

    def takes(self, run: RecordRun) -> bool:
        """Whether one more record can belong to this branch.

        Its number must be free here, and its neighbours must follow it or be followed by it.
        """
        if any(other.first <= run.first <= other.last for other in self.runs):
            return False
        below = next((other for other in reversed(self.runs) if other.last < run.first), None)
        above = next((other for other in self.runs if other.first > run.first), None)
        return (below is None or below.last + 1 < run.first or below.head == run.after) and (
            above is None or run.first + 1 < above.first or above.after == run.head
        )


@dataclass(frozen=True, slots=True)
class Device:
    """One spool at the booth, under the name of a till. `given_up`: the organiser struck the till's name as well."""

    device: str
    till: str
    branches: tuple[Branch, ...]
    given_up: bool = False

    @property
    def complete(self) -> bool:
        """Whether all branches are complete."""
        return all(branch.complete for branch in self.branches)

    @property
    def seen(self) -> Ranges:
        """The numbers received, branch by branch."""
        return tuple(numbers for branch in self.branches for numbers in branch.seen)

    @property
    def struck(self) -> bool:
        """Whether all branches are struck."""
        return all(branch.struck for branch in self.branches)


def receive_record(
    devices: tuple[Device, ...], record: TillRecord, id: str, last_seq: int | None = None
) -> tuple[tuple[Device, ...], DeviceHeard | None]:
    """The devices after a record with this ce_id, and DeviceHeard for a new device. `last_seq`: as in a
    TillClosed."""
    for index, device in enumerate(devices):
        if device.device == record.device:
            branches = _with_record(device.branches, record, id, last_seq)
            updated = Device(device.device, device.till, branches, device.given_up)
            return (*devices[:index], updated, *devices[index + 1 :]), None
    first = Branch(1, (RecordRun(record.seq, record.seq, record.previous, id),), last_seq)
    device = Device(record.device, record.till, (first,))
    return (*devices, device), DeviceHeard(booth=record.booth, till=record.till, device=record.device)


def join(devices: tuple[Device, ...], copy: Device) -> tuple[Device, ...]:
    """The devices with the records that another booth knows of one of them, or with that device."""
    if all(device.device != copy.device for device in devices):
        return (*devices, copy)
    return tuple(
        replace(device, branches=_joined_branches(device.branches, copy.branches))
        if device.device == copy.device
        else device
        for device in devices
    )


def strike(devices: tuple[Device, ...], till: str, device: str | None, branch: int | None) -> tuple[Device, ...]:
    """The devices without the records that the organiser gave up as lost.

    These are branch number `branch` (from 1) of one device, all branches of a device, or all devices of a till's
    name.
    """

    def struck(candidate: Device) -> Device:
        if candidate.till != till or device not in (None, candidate.device):
            return candidate
        branches = tuple(
            replace(candidate_branch, struck=True) if branch in (None, number) else candidate_branch
            for number, candidate_branch in enumerate(candidate.branches, 1)
        )
        return replace(candidate, branches=branches, given_up=candidate.given_up or device is None)

    return tuple(map(struck, devices))


def _with_record(
    branches: tuple[Branch, ...], record: TillRecord, id: str, last_seq: int | None
) -> tuple[Branch, ...]:
    run = RecordRun(record.seq, record.seq, record.previous, id)
    index = _branch_index(branches, run)
    if index is None:
        # A second successor, or a number received before, means a second holder of this identity.
        first = run.first if _follows_known(branches, run) else run.first - 1
        return (*branches, Branch(first, (run,), last_seq))
    branch = branches[index]
    closed = branch.last_seq if last_seq is None else max(last_seq, branch.last_seq or 0)
    branch = Branch(branch.first, _merge_run(branch.runs, run), closed, branch.struck)
    return (*branches[:index], branch, *branches[index + 1 :])


def _branch_index(branches: tuple[Branch, ...], run: RecordRun) -> int | None:
    """The index of the branch that the record continues or whose gap it fills; None if it begins a new branch."""
    for index, branch in enumerate(branches):
        # Nearly every record is the next one, so this needs no other branch.
        if branch.runs[-1].head == run.after and branch.top + 1 == run.first:
            return index
    open_in = [
        (index, branch) for index, branch in enumerate(branches) if run.first >= branch.first and branch.takes(run)
    ]
    for index, branch in open_in:
        if any(other.head == run.after or other.after == run.head for other in branch.runs):
            return index
    if run.first > 1 and _follows_known(branches, run):
        return None
    # Without the predecessor, take the branch that has come closest to it. The booth then waits for the gap.
    closest = [(branch.top <= run.first, branch.top, -index) for index, branch in open_in]
    return -max(closest)[2] if closest else None


def _follows_known(branches: tuple[Branch, ...], run: RecordRun) -> bool:
    """Whether the record is the first, or its predecessor may be a received record that already has a successor."""
    before = run.first - 1
    runs = [other for branch in branches for other in branch.runs]
    return not before or any(other.head == run.after or other.first <= before < other.last for other in runs)


def _joined_branches(branches: tuple[Branch, ...], others: tuple[Branch, ...]) -> tuple[Branch, ...]:
    """The branches with the records of `others`. Both are of one device, whose branches began in the same order."""
    joined = list(branches)
    unmatched = list(range(len(branches)))
    for other in others:
        index = next((index for index in unmatched if joined[index].first == other.first), None)
        if index is None:
            joined.append(other)
            continue
        unmatched.remove(index)
        branch = joined[index]
        closed = max((last for last in (branch.last_seq, other.last_seq) if last is not None), default=None)
        runs = _join_runs((*branch.runs, *other.runs))
        joined[index] = Branch(branch.first, runs, closed, branch.struck or other.struck)
    return tuple(joined)


def _merge_run(runs: tuple[RecordRun, ...], run: RecordRun) -> tuple[RecordRun, ...]:
    if runs and runs[-1].last + 1 == run.first:
        return (*runs[:-1], runs[-1]._replace(last=run.last, head=run.head))
    return _join_runs((*runs, run))


def _join_runs(runs: Iterable[RecordRun]) -> tuple[RecordRun, ...]:
    joined: list[RecordRun] = []
    for run in sorted(runs, key=attrgetter("first")):
        if joined and run.first <= joined[-1].last + 1:
            if run.last > joined[-1].last:
                joined[-1] = joined[-1]._replace(last=run.last, head=run.head)
        else:
            joined.append(run)
    return tuple(joined)
