"""The devices of a booth: which records of each were heard, and whether the booth still waits for it.

A device numbers its records from 1, and each names the one before it. When two holders of one identity go on from the
same record (a spool restored from an old copy), their numbers repeat: each line of records is a branch.
"""

from dataclasses import dataclass, replace

from shared.events.sales import DeviceHeard, TillRecord

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a device's records. `seen`: numbers that were heard, as ranges (first, last) with a gap between
    each two. `head` is the id of the record with the highest number. `first`: where the branch begins. `last_seq`: of
    its TillClosed. `struck`: the organiser gave it up for lost."""

    first: int
    seen: Ranges
    head: str
    last_seq: int | None = None
    struck: bool = False

    @property
    def top(self) -> int:
        return self.seen[-1][1]

    @property
    def missing(self) -> Ranges:
        """Ranges of the numbers up to `last_seq` (or the highest heard) that were not heard yet."""
        gaps: list[tuple[int, int]] = []
        expected = self.first
        for first, last in self.seen:
            if first > expected:
                gaps.append((expected, first - 1))
            expected = last + 1
        if self.last_seq is not None and expected <= self.last_seq:
            gaps.append((expected, self.last_seq))
        return tuple(gaps)

    @property
    def complete(self) -> bool:
        """It has closed, recorded nothing since, and none of its records is missing; or it was struck."""
        return self.struck or (self.last_seq is not None and self.top <= self.last_seq and not self.missing)

    def has(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self.seen)


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
    def struck(self) -> bool:
        return all(branch.struck for branch in self.branches)


def hear(
    devices: tuple[Device, ...], record: TillRecord, id: str, last_seq: int | None = None
) -> tuple[tuple[Device, ...], DeviceHeard | None]:
    """The devices after a record with this ce_id, and word of a device that is new. `last_seq`: of a TillClosed."""
    for place, device in enumerate(devices):
        if device.device == record.device:
            branches = _heard(device.branches, record, id, last_seq)
            return (
                *devices[:place],
                Device(device.device, device.till, branches, device.given_up),
                *devices[place + 1 :],
            ), None
    first = Branch(first=1, seen=((record.seq, record.seq),), head=id, last_seq=last_seq)
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


def _heard(branches: tuple[Branch, ...], record: TillRecord, id: str, last_seq: int | None) -> tuple[Branch, ...]:
    place = _place(branches, record)
    if place is None:
        # A second successor, or a known number: somebody else goes on under this identity. Where nobody has that
        # number yet, all records before it are known to be others': the one it follows is missing.
        known = any(branch.has(record.seq) for branch in branches)
        return (*branches, Branch(record.seq if known else record.seq - 1, ((record.seq, record.seq),), id, last_seq))
    branch = branches[place]
    closed = branch.last_seq if last_seq is None else max(last_seq, branch.last_seq or 0)
    head = id if record.seq > branch.top else branch.head
    branch = Branch(branch.first, _with(branch.seen, record.seq), head, closed, branch.struck)
    return (*branches[:place], branch, *branches[place + 1 :])


def _place(branches: tuple[Branch, ...], record: TillRecord) -> int | None:
    """The branch that the record goes on with or fills a gap of; None if it begins one."""
    for place, branch in enumerate(branches):
        if branch.head == record.previous and branch.top + 1 == record.seq:
            return place
    # Its predecessor was not heard yet: the branch that has come closest to it, so that the gap is waited for.
    open_at = [
        (branch.top <= record.seq, branch.top, -place)
        for place, branch in enumerate(branches)
        if record.seq >= branch.first and not branch.has(record.seq) and branch.top + 1 != record.seq
    ]
    if open_at:
        return -max(open_at)[2]
    return None


def _with(seen: Ranges, number: int) -> Ranges:
    if seen and seen[-1][1] + 1 == number:
        return (*seen[:-1], (seen[-1][0], number))
    merged: list[tuple[int, int]] = []
    for first, last in sorted((*seen, (number, number))):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)
