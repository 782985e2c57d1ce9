"""`karya audit` and the accounts of `karya trace`: who gave a command, by the records alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from cli.audit import moment
from ops.audit import AuditEntry, AuditFilter, _entries
from ops.repairs import Repairs
from ops.trace import _replays
from ops.trace.actors import Actors
from shared import envelope
from shared.errors import WrongEntry
from shared.events.catalogue import ENTRY_COMMANDS, RetireEntry
from shared.events.festival import ORGANISER, CancelFestival
from shared.events.gateway import HELD_COMMANDS, RefuseRecords
from shared.events.identity import IDENTITY_COMMANDS, GrantRole, OpenAccount, RevokeDevice, Role
from shared.events.language import Body, Topic
from shared.events.operator import OPERATOR, DatabaseSwitched, LetterArchived, LetterReplayed
from shared.runtime.audit import CURSOR, given_by
from shared.settings import Settings

pytestmark = pytest.mark.unit

NOON = datetime(2026, 4, 18, 4, tzinfo=UTC)
RINA, BUDI = "s-abcdefghijklmnopqrstuvwxyz", "s-zyxwvutsrqponmlkjihgfedcba"


def a_record(topic: Topic, body: Body, offset: int = 0, **headers: Any) -> Any:
    given = {"id": f"c-{offset}", "source": "karya/test", "actor": RINA, "time": NOON} | headers
    return ConsumerRecord(
        topic=f"t.{topic.name}",
        partition=0,
        offset=offset,
        timestamp=int((NOON + timedelta(hours=offset)).timestamp() * 1000),
        timestamp_type=1,
        key=topic.key_of(body).encode(),
        value=envelope.encode(body),
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=tuple(envelope.headers(topic=topic, body=body, **given)),
    )


def entries(topic: Topic, *records: Any, **wanted: Any) -> list[AuditEntry]:
    return [entry for _, entry in _entries(topic, records, AuditFilter(**wanted))]


def test_a_command_is_told_with_the_account_that_gave_it() -> None:
    [entry] = entries(ORGANISER, a_record(ORGANISER, CancelFestival(festival="ODOP", reason="rain")))
    assert entry.as_dict() == {
        "at": "2026-04-18T04:00:00.000Z",
        "actor": RINA,
        "command": "CancelFestival",
        "key": "ODOP",
        "id": "c-0",
        "record": f"t.{ORGANISER.name} 0/0",
    }


def test_without_an_account_the_program_is_told() -> None:
    [entry] = entries(
        ENTRY_COMMANDS, a_record(ENTRY_COMMANDS, RetireEntry(entry="product/KTI"), actor=None, source="karya/seed")
    )
    assert (entry.actor, entry.key) == ("karya/seed", "product/KTI")


def test_what_an_operator_repaired_is_told_with_the_operator() -> None:
    body = LetterArchived(original="t/0/1", letter="d/0/1", arrived_at=NOON, actor="op.kupang", reason="twice")
    [entry] = entries(OPERATOR, a_record(OPERATOR, body, actor=None))
    assert (entry.actor, entry.command, entry.key) == ("op.kupang", "LetterArchived", "t/0/1")


def test_filters_leave_out_what_is_not_wanted() -> None:
    records = [
        a_record(ORGANISER, CancelFestival(festival="ODOP"), 0),
        a_record(ORGANISER, CancelFestival(festival="RAYA"), 1, actor=BUDI),
        a_record(ORGANISER, CancelFestival(festival="ODOP"), 2, actor=BUDI),
    ]

    def ids(**wanted: Any) -> list[str]:
        return [entry.id for entry in entries(ORGANISER, *records, **wanted)]

    assert ids() == ["c-0", "c-1", "c-2"]
    assert ids(actor=BUDI) == ["c-1", "c-2"]
    assert ids(festival="ODOP") == ["c-0", "c-2"]
    assert ids(since=NOON + timedelta(hours=1)) == ["c-1", "c-2"]
    assert ids(actor=BUDI, festival="ODOP", since=NOON + timedelta(hours=3)) == []


def test_a_role_within_a_festival_is_about_the_festival() -> None:
    records = [
        a_record(IDENTITY_COMMANDS, GrantRole(subject=BUDI, role=Role.ORGANISER, scope="ODOP"), 0),
        a_record(IDENTITY_COMMANDS, GrantRole(subject=BUDI, role=Role.CASHIER, scope="ODOP.B1"), 1),
        a_record(IDENTITY_COMMANDS, GrantRole(subject=BUDI, role=Role.FACILITY_STAFF, scope="LP-KPG"), 2),
        a_record(IDENTITY_COMMANDS, OpenAccount(subject=BUDI, credential="c"), 3),
    ]
    assert [entry.id for entry in entries(IDENTITY_COMMANDS, *records, festival="ODOP")] == ["c-0", "c-1"]


def test_what_names_a_booth_or_a_place_is_about_its_festival() -> None:
    device = "d-" + "a" * 52
    held = a_record(HELD_COMMANDS, RefuseRecords(place="ODOP.B1", device=device, reason="stolen"), 0)
    assert [entry.id for entry in entries(HELD_COMMANDS, held, festival="ODOP")] == ["c-0"]
    # The words of the filter say so: a device may have been moved, and the command names none.
    revoked = a_record(IDENTITY_COMMANDS, RevokeDevice(subject=device), 1)
    assert entries(IDENTITY_COMMANDS, revoked, festival="ODOP") == []


def test_each_event_of_an_operator_is_told_with_the_operator() -> None:
    place = {"original": "t/0/1", "actor": "op.kupang"}
    bodies = (
        LetterReplayed(**place, letter="d/0/1", reason="BUG", arrived_at=NOON, compared=True),
        DatabaseSwitched(original="sales", actor="op.kupang", say_missing=False),
    )
    found = [entries(OPERATOR, a_record(OPERATOR, body, actor=None))[0] for body in bodies]
    assert [(entry.actor, entry.command, entry.key) for entry in found] == [
        ("op.kupang", "LetterReplayed", "t/0/1"),
        ("op.kupang", "DatabaseSwitched", "sales"),
    ]


def test_the_ledger_keeps_who_gave_a_command_and_nothing_about_other_events() -> None:
    event = envelope.decode(ORGANISER, a_record(ORGANISER, CancelFestival(festival="ODOP", reason="a name")))
    fields = given_by(event, "karya/test c-0")
    assert fields == {
        "given": "2026-04-18T04:00:00.000Z karya/test c-0",
        "actor": RINA,
        "kind": "CancelFestival",
        "key": "ODOP",
        "festival": "ODOP",
    }
    assert CURSOR.fullmatch(fields["given"])
    assert given_by(replace(event, actor=None), "karya/test c-0") == {}


def test_a_record_that_commands_nothing_is_left_out() -> None:
    broken = a_record(ORGANISER, CancelFestival(festival="ODOP"))
    broken.value = b"{"
    assert entries(ORGANISER, broken) == []


def test_the_account_of_a_command_is_that_of_all_that_follows() -> None:
    command = a_record(ORGANISER, CancelFestival(festival="ODOP"), 0)
    first = a_record(ORGANISER, CancelFestival(festival="ODOP"), 1, actor=None, cause="c-0")
    second = a_record(ORGANISER, CancelFestival(festival="ODOP"), 2, actor=None, cause="c-1")
    other = a_record(ORGANISER, CancelFestival(festival="ODOP"), 3, actor=None, cause="c-9")
    circle = a_record(ORGANISER, CancelFestival(festival="ODOP"), 4, actor=None, cause="c-4")
    actors = Actors()
    actors.add([command, first, second, other, circle])
    # A later record with the id of an earlier one had no effect.
    actors.add([a_record(ORGANISER, CancelFestival(festival="ODOP"), 0, actor=BUDI)])
    assert [actors.of(record) for record in (command, first, second, other, circle)] == [RINA, RINA, RINA, None, None]


def test_a_moment_is_read_by_this_machines_clock_if_it_names_no_zone() -> None:
    assert moment("2026-04-18 08:00") == datetime(2026, 4, 18, 8).astimezone()
    assert moment("2026-04-18T04:00:00Z") == NOON
    assert moment("2026-04-18") == datetime(2026, 4, 18).astimezone()
    with pytest.raises(WrongEntry, match="is no moment"):
        moment("yesterday")


def test_a_trace_tells_of_the_replays_of_a_record() -> None:
    command = a_record(ORGANISER, CancelFestival(festival="ODOP"), 7)
    replays = [
        LetterReplayed(
            original=f"{ORGANISER.name}/0/{offset}",
            letter=f"{ORGANISER.name}.dlq/0/0",
            reason="BUG",
            arrived_at=NOON,
            actor=f"op.{offset}",
            compared=True,
        )
        for offset in (7, 8, 7)
    ]
    repairs = Repairs()
    repairs.add(a_record(OPERATOR, body, number, actor=None) for number, body in enumerate(replays))
    found = list(_replays(repairs, Settings(topic_prefix="t."), command))
    assert [(entry.kind, entry.who, entry.where) for entry in found] == [
        ("LetterReplayed", "op.7", f"t.{ORGANISER.name} 0/7")
    ] * 2
