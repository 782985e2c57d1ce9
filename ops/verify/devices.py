"""Checks of devices: all records of a device are known, and no booth was settled before its devices were complete."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from ops.verify.evidence import Evidence
from ops.verify.report import SHOWN, Check
from ops.verify.topic_evidence.tills import DeviceRecord
from services.sales.domain import Booth
from services.sales.domain.booth import BoothStatus
from services.sales.domain.device import Device, receive_record
from services.sales.domain.forwarding import KeptRecord, record_id
from shared.events.sales import TillRecord
from shared.wording import Message


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about tills' devices."""
    yield devices(evidence)
    yield kept_records(evidence)
    yield strays(evidence)


def devices(evidence: Evidence) -> Check:
    """Every record of a device is known to its booth, and a note names the missing records of incomplete devices."""
    check = Check(
        "devices",
        "per device: known numbers = its records; a booth was settled early only with every branch complete",
    )
    records = evidence.published.tills.records
    published = Counter(evidence.published.sales.devices)
    for booth in evidence.of(Booth).values():
        by_device: dict[str, list[DeviceRecord]] = defaultdict(list)
        for record in records.get(booth.id, []):
            by_device[record.device].append(record)
        for device in booth.devices:
            _compare_records(check, booth, device, by_device.pop(device.device, []))
            check.expect_equal(
                published.pop((booth.id, device.device, device.till), 0),
                1,
                "device {device} at {booth}: {first} times announced, not {second}",
                device=device.device,
                booth=booth.id,
            )
            ended = booth.status in (BoothStatus.CLOSING, BoothStatus.SETTLED)
            # The devices of a merged booth go on at another one, which waits for them.
            if ended and booth.forwarding is None and not device.complete:
                _note_missing(check, booth, device)
        for id, unheard in sorted(by_device.items()):
            check.fail(
                "device {device} at {booth} has sent {count} records, but the booth does not know it",
                device=id,
                booth=booth.id,
                count=len(unheard),
            )
        if booth.status is BoothStatus.SETTLED and booth.forwarding is None:
            _check_settlement(check, evidence, booth)
    for booth_id, id, _ in sorted(published):
        check.fail(
            "device {device} at {booth} was announced, but the booth does not know it", device=id, booth=booth_id
        )
    for booth_id in sorted(records.keys() - evidence.of(Booth).keys()):
        check.fail(
            "tills of booth {booth} have sent {count} records, but sales does not know it",
            booth=booth_id,
            count=len(records[booth_id]),
        )
    return check


def kept_records(evidence: Evidence) -> Check:
    """Each record of a booth that nobody opened is kept as long as no booth is named for it, and then forwarded."""
    check = Check(
        "kept records", "every record at a booth that nobody opened is kept, and is forwarded once a booth is named"
    )
    ids_by_booth: dict[str, set[str]] = defaultdict(set)
    for record in evidence.of(KeptRecord).values():
        ids_by_booth[record.booth].add(record.id)
    tills = evidence.published.tills
    for booth in evidence.of(Booth).values():
        sent_ids = {
            record_id(booth.id, record.device, record.seq, record.id) for record in tills.records.get(booth.id, ())
        }
        kept_here, forwarded_ids = ids_by_booth.pop(booth.id, set()), tills.forwarded.get(booth.id, [])
        unsent_ids = sorted(kept_here - sent_ids)
        check.expect(
            not unsent_ids,
            "booth {booth} keeps records that no till sent: {records}",
            booth=booth.id,
            records=", ".join(unsent_ids[:SHOWN]),
        )
        if booth.status is BoothStatus.UNKNOWN:
            lost_ids = sorted(sent_ids - kept_here)
            check.expect(
                not lost_ids,
                "records at {booth} are not kept: {records}",
                booth=booth.id,
                records=", ".join(lost_ids[:SHOWN]),
            )
        if booth.forwarding is None:
            continue
        # A booth that was opened after its records were moved has forwarded none since; it may be merged.
        counted_ids = [id for id in forwarded_ids if booth.status is BoothStatus.UNKNOWN or id not in kept_here]
        check.expect_equal(
            booth.forwarding.records,
            len(counted_ids),
            "booth {booth}: {first} records forwarded, but published were {second}",
            booth=booth.id,
        )
        if booth.status is BoothStatus.UNKNOWN:
            held_back = sorted(sent_ids - set(forwarded_ids))
            check.expect(
                not held_back,
                "records at {booth} do not count at {to}: {records}",
                booth=booth.id,
                to=booth.forwarding.to,
                records=", ".join(held_back[:SHOWN]),
            )
    for id in sorted(ids_by_booth):
        check.fail(
            "{count} records are kept of booth {booth}, but sales does not know it",
            count=len(ids_by_booth[id]),
            booth=id,
        )
    return check


def strays(evidence: Evidence) -> Check:
    """Notes on tills that festival did not list, and on booths that it never opened.

    A stray that was moved is none any more.
    """
    check = Check("strays", "for information: tills with records that festival knows at no booth")
    for booth in sorted(evidence.of(Booth).values(), key=lambda booth: booth.id):
        check.looked_at += 1
        tills = sorted({device.till for device in booth.devices})
        if booth.status is BoothStatus.UNKNOWN:
            if tills and booth.forwarding is None:
                check.note(
                    "booth {booth} was never opened by festival: {receipts} receipts of {tills}",
                    booth=booth.id,
                    receipts=booth.receipts,
                    tills=", ".join(tills),
                )
            continue
        listed = {*booth.tills, *booth.struck_tills}
        # A stray that was moved, and a booth that was merged, bring tills that the organiser knows.
        came = evidence.published.tills.came
        for till in sorted({device.till for device in booth.devices if (booth.id, device.device) not in came}):
            if till not in listed:
                check.note(
                    "till {till} has records at {booth}, but festival did not name it there",
                    till=till,
                    booth=booth.id,
                )
    return check


def _compare_records(check: Check, booth: Booth, device: Device, records: Sequence[DeviceRecord]) -> None:
    subject = Message("device {device} at {booth}", device=device.device, booth=booth.id)
    numbers = Counter(record.seq for record in records)
    known_count = sum(last - first + 1 for branch in device.branches for first, last in branch.seen)
    check.expect_equal(
        known_count, len(records), "{subject}: {first} records known, in the topic {second}", subject=subject
    )
    occurrences = Counter(
        number for branch in device.branches for first, last in branch.seen for number in range(first, last + 1)
    )
    hidden = [seq for seq, times in sorted(numbers.items()) if occurrences[seq] != times]
    check.expect(
        not hidden,
        "{subject}: records {numbers} are not known as often as they were sent",
        subject=subject,
        numbers=hidden[:SHOWN],
    )
    last_words = [(last_seq, record) for record in records if (last_seq := record.closes(booth.opening)) is not None]
    last = max((seq for seq, record in last_words if not record.closed_before(booth.opening)), default=None)
    last_number = max((branch.last_seq for branch in device.branches if branch.last_seq is not None), default=None)
    later = {
        seq for seq, record in last_words if record.closed_before(booth.opening) and (last is None or seq > last)
    }
    if last_number not in later:
        check.expect_equal(
            last_number, last, "{subject}: {first} closed with record, in the topic {second}", subject=subject
        )


def _check_settlement(check: Check, evidence: Evidence, booth: Booth) -> None:
    """Check that a booth settled before its deadline was complete at the event that settled it. If that event is no
    record of a till, its position among the records is unknown: the booth must have been complete at any of them."""
    cause = evidence.published.settled_by.get(booth.id)
    if cause is None or cause in evidence.published.deadlines:
        return
    records = evidence.published.tills.records.get(booth.id, [])
    by_record = any(record.id == cause for record in records)
    announced = evidence.published.booths[booth.id]
    listed_tills = [till for till in announced.opened if till not in announced.struck]
    devices: tuple[Device, ...] = ()
    complete = not by_record and _complete(booth, devices, listed_tills)
    for record in records:
        if complete:
            break
        body = TillRecord.model_construct(
            booth=booth.id, till=record.till, device=record.device, seq=record.seq, previous=record.previous
        )
        devices, _ = receive_record(devices, body, record.id, record.closes(booth.opening))
        if not by_record or record.id == cause:
            complete = _complete(booth, devices, listed_tills)
        if record.id == cause:
            break
    check.expect(
        complete,
        "booth {booth} was settled before its deadline, but not all of its tills were complete",
        booth=booth.id,
    )


def _complete(booth: Booth, devices: tuple[Device, ...], listed_tills: Sequence[str]) -> bool:
    """Whether all listed tills have a device, and all branches of `devices` were complete or ever struck."""
    struck = {
        (device.device, index)
        for device in booth.devices
        for index, branch in enumerate(device.branches)
        if branch.struck
    }
    tills = {device.till for device in devices}
    return all(till in tills for till in listed_tills) and all(
        branch.complete or (device.device, index) in struck
        for device in devices
        for index, branch in enumerate(device.branches)
    )


def _note_missing(check: Check, booth: Booth, device: Device) -> None:
    gaps = [
        f"{first}" if first == last else f"{first}–{last}"
        for branch in device.branches
        if not branch.struck
        for first, last in branch.missing
    ]
    missing = (
        Message("records {numbers} are missing", numbers=", ".join(gaps[:SHOWN]))
        if gaps
        else Message("it has not closed")
    )
    named = {"device": device.device, "till": device.till, "booth": booth.id, "missing": missing}
    if booth.status is BoothStatus.CLOSING:
        check.note("device {device} of {till} at {booth} is waited for: {missing}", **named)
    else:
        check.note("device {device} of {till} at {booth} was not waited for: {missing}", **named)
