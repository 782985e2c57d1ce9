"""Audit of mended and archived dead letters: each record counts once, by its mended copy or not at all."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from ops import repairs
from ops.repairs import Repairs
from ops.verify.report import Check
from shared import envelope
from shared.envelope import header
from shared.runtime.dlq import BUG, KEY_PARKED


@dataclass(frozen=True, slots=True)
class _Letter:
    """The fields of a dead letter that the audit needs. `id`: the record's event in its reader's ledger."""

    service: str
    reason: str
    id: str
    digest: bytes


class RepairAudit:
    """Collects letters, mended copies and operators' events, in any order; then `close`."""

    def __init__(self) -> None:
        self.check = Check(
            "mended", "a mended or archived record is an unusable one; with its mended copy it counts once"
        )
        self.done = Repairs()
        # By the place of the record, and by the service that could not use it.
        self._letters: dict[str, dict[str, _Letter]] = defaultdict(dict)
        # By id: the place of the record that the copy stands for, and the copy's topic.
        self._copies: dict[str, tuple[str, str]] = {}

    def add_events(self, records: Iterable[ConsumerRecord]) -> None:
        """Add records of the operators' topic."""
        self.done.add(records)

    def add_record(self, topic: str, record: ConsumerRecord) -> None:
        """Add a record of `topic` (without prefix), which may be a mended copy."""
        mends = header(record.headers, repairs.MENDS)
        if mends is not None and header(record.headers, "ce_source") == repairs.SOURCE:
            self._copies[header(record.headers, "ce_id") or ""] = mends, topic

    def add_letter(self, topic: str, service: str, reason: str, id: str, letter: ConsumerRecord) -> None:
        """Add a dead letter of a record of `topic` (without prefix), whose event is `id` in ledgers."""
        partition, offset = (header(letter.headers, f"dlq_{part}") or "" for part in ("partition", "offset"))
        place = f"{topic}/{partition}/{offset}"
        self._letters[place][service] = _Letter(service, reason, id, envelope.digest(letter.value or b""))

    def states(self) -> Counter[tuple[str, str, str, str]]:
        """The number of records mended and archived, by service, topic, reason, and `mended` or `archived`."""
        counts: Counter[tuple[str, str, str, str]] = Counter()
        for place, letters in self._letters.items():
            topic = place.rsplit("/", 2)[0]
            for letter in letters.values():
                if place in self.done.mended or repairs.copy_id(place, topic) in self._copies:
                    counts[letter.service, topic, letter.reason, "mended"] += 1
                elif place in self.done.archived:
                    counts[letter.service, topic, letter.reason, "archived"] += 1
        return counts

    def close(self, worked_digest: Callable[[str, str], bytes | None]) -> None:
        """Compare. `worked_digest`: the digest of an event of a service's ledger, by service and `<source> <id>`."""
        for id, (place, topic) in sorted(self._copies.items()):
            self.check.looked_at += 1
            letters = self._letters.get(place, {}).values()
            if not letters:
                self.check.fail(
                    "{id} on {topic} is a mended copy of {place}, which is no dead letter",
                    id=id,
                    topic=topic,
                    place=place,
                )
            elif any(letter.reason in (BUG, KEY_PARKED) for letter in letters):
                self.check.fail(
                    "{id} is a mended copy of {place}, which is readable and waits for its replay", id=id, place=place
                )
            elif place.rsplit("/", 2)[0] != topic or repairs.copy_id(place, topic) != id:
                self.check.fail(
                    "{id} on {topic} is not the id of the mended copy of {place}: it may count twice",
                    id=id,
                    topic=topic,
                    place=place,
                )
            elif any(worked_digest(letter.service, letter.id) == letter.digest for letter in letters):
                self.check.fail(
                    "{place} was worked itself, and by its mended copy {id}: it counts twice", place=place, id=id
                )
            elif place not in self.done.mended:
                self.check.note(
                    "{place} has a mended copy, and no event says so: repeat `karya dlq mend`", place=place
                )
        for place, mending in sorted(self.done.mended.items()):
            self.check.expect(
                mending.body.mended in self._copies,
                "{place} is said to be mended, but its topic has no copy {mended}",
                place=place,
                mended=mending.body.mended,
            )
        for place, archived in sorted(self.done.archived.items()):
            letters = self._letters.get(place, {}).values()
            self.check.expect(
                bool(letters) and not any(letter.reason in (BUG, KEY_PARKED) for letter in letters),
                "{place} was archived by {actor}, but it is no unusable dead letter",
                place=place,
                actor=archived.actor,
            )
