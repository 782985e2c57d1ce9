"""Devices: every record that a device sent is known, and no booth was settled before its devices had said all."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from ops.verify.evidence import Evidence
from ops.verify.heard.tills import DeviceRecord
from ops.verify.report import SHOWN, Check
from services.sales.domain import Booth
from services.sales.domain.booth import BoothStatus
from services.sales.domain.device import Device, receive_record
from shared.events.sales import TillRecord


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about tills' devices."""
    yield devices(evidence)
    yield strays(evidence)


def devices(evidence: Evidence) -> Check:
    """Nothing that a device sent is hidden behind something else, and nothing is waited for in silence."""
    check = Check(
        "devices",
        "per device: the numbers heard = its records; a booth was settled early only with every branch complete",
    )
    records = evidence.heard.tills.records
    said = Counter(evidence.heard.sales.devices)
    for booth in evidence.of(Booth).values():
        by_device: dict[str, list[DeviceRecord]] = defaultdict(list)
        for record in records.get(booth.id, []):
            by_device[record.device].append(record)
        for device in booth.devices:
            _heard(check, booth, device, by_device.pop(device.device, []))
            check.same(
                f"device {device.device} at {booth.id}",
                said.pop((booth.id, device.device, device.till), 0),
                1,
                "times said to be heard, not",
            )
            if booth.status in (BoothStatus.CLOSING, BoothStatus.SETTLED) and not device.complete:
                check.notes.append(_missing(booth, device))
        for id, unheard in sorted(by_device.items()):
            check.wrong(f"device {id} at {booth.id} has sent {len(unheard)} records, but the booth does not know it")
        if booth.status is BoothStatus.SETTLED:
            _settled(check, evidence, booth)
    for booth_id, id, _ in sorted(said):
        check.wrong(f"device {id} at {booth_id} was said to be heard, but the booth does not know it")
    for booth_id in sorted(records.keys() - evidence.of(Booth).keys()):
        check.wrong(
            f"tills of booth {booth_id} have sent {len(records[booth_id])} records, but sales does not know it"
        )
    return check


def strays(evidence: Evidence) -> Check:
    """For people to know: tills that festival did not name, and whole booths that it never opened."""
    check = Check("strays", "for information: tills that were heard, but are at no booth that festival knows")
    for booth in sorted(evidence.of(Booth).values(), key=lambda booth: booth.id):
        check.looked_at += 1
        tills = sorted({device.till for device in booth.devices})
        if booth.status is BoothStatus.UNKNOWN:
            if tills and (booth.moved is None or booth.records > booth.moved.records):
                check.notes.append(
                    f"booth {booth.id} was never opened by festival: {booth.receipts} receipts of {', '.join(tills)}"
                )
            continue
        listed = {*booth.tills, *booth.struck_tills}
        for till in tills:
            if till not in listed:
                check.notes.append(f"till {till} has records at {booth.id}, but festival did not name it there")
    return check


def _heard(check: Check, booth: Booth, device: Device, records: Sequence[DeviceRecord]) -> None:
    what = f"device {device.device} at {booth.id}"
    numbers = Counter(record.seq for record in records)
    known = sum(last - first + 1 for branch in device.branches for first, last in branch.seen)
    check.same(what, known, len(records), "records known, in the topic")
    heard = Counter(
        number for branch in device.branches for first, last in branch.seen for number in range(first, last + 1)
    )
    hidden = [seq for seq, times in sorted(numbers.items()) if heard[seq] != times]
    check.expect(not hidden, f"{what}: records {hidden[:SHOWN]} are not known as often as they were sent")
    last_words = [record.last_seq for record in records if record.last_seq is not None]
    closed = [branch.last_seq for branch in device.branches if branch.last_seq is not None]
    check.same(what, max(closed, default=None), max(last_words, default=None), "closed with record, in the topic")


def _settled(check: Check, evidence: Evidence, booth: Booth) -> None:
    """Before its deadline a booth is settled by the event with which the last of its branches was complete. If that
    was no record of a till, it is not known which of these came before it: one such moment must have been."""
    cause = evidence.heard.settled_by.get(booth.id)
    if cause is None or cause in evidence.heard.deadlines:
        return
    records = evidence.heard.tills.records.get(booth.id, [])
    by_record = any(record.id == cause for record in records)
    told = evidence.heard.booths[booth.id]
    named = [till for till in told.opened if till not in told.struck]
    heard: tuple[Device, ...] = ()
    complete = not by_record and _complete(booth, heard, named)
    for record in records:
        if complete:
            break
        body = TillRecord.model_construct(
            booth=booth.id, till=record.till, device=record.device, seq=record.seq, previous=record.previous
        )
        heard, _ = receive_record(heard, body, record.id, record.last_seq)
        if not by_record or record.id == cause:
            complete = _complete(booth, heard, named)
        if record.id == cause:
            break
    check.expect(complete, f"booth {booth.id} was settled before its deadline, but not all of its tills had said all")


def _complete(booth: Booth, heard: tuple[Device, ...], named: Sequence[str]) -> bool:
    """Whether all of these devices were complete, or were struck at any time."""
    struck = {
        (device.device, place)
        for device in booth.devices
        for place, branch in enumerate(device.branches)
        if branch.struck
    }
    tills = {device.till for device in heard}
    return all(till in tills for till in named) and all(
        branch.complete or (device.device, place) in struck
        for device in heard
        for place, branch in enumerate(device.branches)
    )


def _missing(booth: Booth, device: Device) -> str:
    gaps = [
        f"{first}" if first == last else f"{first} to {last}"
        for branch in device.branches
        if not branch.struck
        for first, last in branch.missing
    ]
    lacks = f"records {', '.join(gaps[:SHOWN])} are missing" if gaps else "it has not closed"
    is_waited_for = "is waited for" if booth.status is BoothStatus.CLOSING else "was not waited for"
    return f"device {device.device} of {device.till} at {booth.id} {is_waited_for}: {lacks}"
