from typing import Any

from aiokafka import ConsumerRecord

from shared import envelope
from shared.errors import Unusable
from shared.events.language import Event, Unchanged
from shared.runtime.batch import Batch, Item, Loaded
from shared.runtime.processor import Decision
from shared.runtime.state import State
from shared.runtime.storage import ChangeSet, Lane, OutboxRecord, ParkedEvents
from shared.runtime.witness import mark
from tests.support.records import IN, NOON, PROCESSOR, Added, RunningTotal, a_record

LANE = Lane(PROCESSOR.group, 0)
PARKED = f"{PROCESSOR.group} a"


def an_item(record: ConsumerRecord[Any, Any]) -> Item:
    try:
        event = envelope.decode(IN, record)
    except Unusable as bad:
        return Item(record, None, reason=bad.reason, message=bad.message)
    ledger_id, digest = f"{event.source} {event.id}", envelope.digest(record.value or b"")
    attributes = envelope.attributes(record.headers)
    return Item(record, event, ledger_id, digest, reads=PROCESSOR.reads(event), attributes=attributes)


def work_batch(*records: ConsumerRecord[Any, Any], loaded: Loaded | None = None, lane: Lane = LANE) -> ChangeSet:
    loaded = loaded or Loaded(entities={(RunningTotal, "a"): None, (RunningTotal, "b"): None})
    batch = Batch(PROCESSOR, "x.", {0: lane}, loaded)
    batch.work(0, [an_item(record) for record in records])
    return batch.finish()


def published_to(writes: ChangeSet, topic: str) -> list[OutboxRecord]:
    return [numbered.record for numbered in writes.outbox if numbered.record.topic == f"x.{topic}"]


def dead_letter_reasons(writes: ChangeSet) -> list[str | None]:
    letters = [n.record for n in writes.outbox if n.record.topic.endswith(".dlq")]
    return [envelope.header(letter.headers, "dlq_reason") for letter in letters]


def totals(writes: ChangeSet) -> dict[str, int]:
    return {op._doc["_id"]: op._doc["total"] for op in writes.entities.get("accounts", [])}


def waiting(*records: ConsumerRecord[Any, Any]) -> ParkedEvents:
    items = [an_item(record) for record in records]
    return tuple((item.ledger_id, item.digest) for item in items)


def adds(amount: int, id: str, offset: int, account: str = "a") -> ConsumerRecord[Any, Any]:
    return a_record(Added(account=account, amount=amount), id=id, offset=offset)


def test_events_of_one_document_build_on_each_other_and_it_is_written_once() -> None:
    writes = work_batch(adds(2, "e1", 0), adds(3, "e2", 1))
    assert totals(writes) == {"a": 5}
    assert [entry["_id"] for entry in writes.ledger] == ["till-1 e1", "till-1 e2"]


def test_a_duplicate_within_the_batch_changes_nothing() -> None:
    writes = work_batch(adds(2, "e1", 0), adds(2, "e1", 1))
    assert totals(writes) == {"a": 2}
    assert len(published_to(writes, "karya.test.out.v1")) == 1
    assert dead_letter_reasons(writes) == []


def test_a_duplicate_of_an_earlier_batch_changes_nothing() -> None:
    first = adds(2, "e1", 0)
    loaded = Loaded(
        processed={"till-1 e1": envelope.digest(first.value)}, entities={(RunningTotal, "a"): RunningTotal("a", 2)}
    )
    writes = work_batch(first, loaded=loaded)
    assert totals(writes) == {}
    assert published_to(writes, "karya.test.out.v1") == []
    assert writes.lanes[0].offsets == {"karya.test.in.v1": 1}


def test_the_same_id_with_another_body_is_a_dead_letter() -> None:
    assert dead_letter_reasons(work_batch(adds(2, "e1", 0), adds(3, "e1", 1))) == ["ID_REUSED"]


def test_numbers_follow_the_lane_and_offsets_stand_behind_the_last_record() -> None:
    last = adds(3, "e2", 9)
    lane = Lane(
        PROCESSOR.group,
        0,
        {IN.name: 7, "other": 2},
        next_out=40,
        batches=3,
        marks={IN.name: b"before", "other": b"kept"},
    )
    writes = work_batch(adds(2, "e1", 7), last, lane=lane)
    assert [numbered.number for numbered in writes.outbox] == [40, 41, 42]
    after = writes.lanes[0]
    assert (after.offsets, after.next_out, after.batches) == ({IN.name: 10, "other": 2}, 43, 4)
    assert after.marks == {IN.name: mark(last), "other": b"kept"}


def test_a_redo_says_the_same_with_the_same_ids() -> None:
    records = [adds(2, "e1", 0), adds(7, "e2", 1)]
    assert work_batch(*records).outbox == work_batch(*records).outbox


def test_a_record_that_is_passed_on_keeps_its_bytes_its_headers_and_its_place_among_the_others() -> None:
    event = adds(2, "e1", 0)
    body = Added(account="b", amount=7)
    passed_on = Unchanged(IN, body, b'{"amount": 7, "account":"b"}', (("ce_id", b"of-another"), ("devsig", b"x")))

    def rule(state: State, _event: Event) -> Decision:
        return state, [passed_on, IN.of(body)]

    processor = PROCESSOR.with_decide(rule)
    batch = Batch(processor, "x.", {0: LANE}, Loaded(entities={(RunningTotal, "a"): None}))
    batch.work(0, [an_item(event)])
    first, second = published_to(batch.finish(), IN.name)
    assert first == OutboxRecord(f"x.{IN.name}", None, b"b", passed_on.value, list(passed_on.headers))
    # Kafka's client takes no other sequence.
    assert type(first.headers) is list
    assert envelope.header(second.headers, "causationid") == "e1"


def test_a_bad_record_stands_in_nobodys_way() -> None:
    bad = a_record(offset=1, value=b"{", headers=[("ce_id", None), ("x", b"\xff")])
    writes = work_batch(adds(2, "e1", 0), bad, adds(3, "e2", 2))
    assert totals(writes) == {"a": 5}
    assert dead_letter_reasons(writes) == ["MISSING_HEADER"]
    [letter] = [n.record for n in writes.outbox if n.record.topic.endswith(".dlq")]
    assert letter.value == b"{"
    assert list(letter.headers)[:2] == [("ce_id", None), ("x", b"\xff")]


def test_a_bug_parks_its_key_in_order_and_no_other() -> None:
    writes = work_batch(adds(1, "e1", 0), adds(13, "e2", 1), adds(2, "e3", 2), adds(5, "e4", 3, account="b"))
    assert totals(writes) == {"a": 1, "b": 5}
    assert dead_letter_reasons(writes) == ["BUG", "KEY_PARKED"]
    assert [[id for id, _ in waiting] for waiting in writes.parked.values()] == [["till-1 e2", "till-1 e3"]]
    assert [entry["_id"] for entry in writes.ledger] == ["till-1 e1", "till-1 e4"]


def test_a_replay_works_a_parked_key_in_its_order_only_and_frees_it() -> None:
    waits = (adds(4, "e2", 5), adds(2, "e3", 6))
    loaded = Loaded(parked={PARKED: waiting(*waits)}, entities={(RunningTotal, "a"): RunningTotal("a", 1)})
    out_of_turn = adds(2, "e3", 4)
    writes = work_batch(out_of_turn, *waits, adds(9, "e9", 7), loaded=loaded)
    assert writes.parked == {PARKED: ()}
    assert totals(writes) == {"a": 16}
    assert dead_letter_reasons(writes) == []


def test_a_parked_key_whose_bug_is_still_there_stays_parked_and_says_so_again() -> None:
    loaded = Loaded(parked={PARKED: waiting(adds(13, "e2", 1))}, entities={(RunningTotal, "a"): None})
    writes = work_batch(adds(13, "e2", 4), adds(1, "e3", 5), loaded=loaded)
    assert dead_letter_reasons(writes) == ["BUG", "KEY_PARKED"]
    assert writes.parked == {PARKED: waiting(adds(13, "e2", 1), adds(1, "e3", 5))}


def test_another_body_under_an_id_that_is_parked_is_a_dead_letter_and_never_takes_its_turn() -> None:
    loaded = Loaded(
        parked={PARKED: waiting(adds(4, "e2", 1), adds(2, "e3", 2))}, entities={(RunningTotal, "a"): None}
    )
    writes = work_batch(adds(9, "e2", 5), adds(9, "e3", 6), adds(4, "e2", 7), adds(2, "e3", 8), loaded=loaded)
    assert dead_letter_reasons(writes) == ["ID_REUSED", "ID_REUSED"]
    assert totals(writes) == {"a": 6}
    assert writes.parked == {PARKED: ()}


def test_a_deadline_is_kept_with_its_lane() -> None:
    [due] = work_batch(adds(7, "e1", 0)).deadlines.values()
    assert (due.lane, due.key, due.deadline, due.due) == (LANE.id, "a", "d1", NOON)


def test_the_journal_tells_what_was_worked_in_its_order() -> None:
    writes = work_batch(adds(1, "e1", 3), adds(1, "e2", 4))
    [entry] = published_to(writes, "karya.test.journal.v1")
    assert entry.value == (
        b'{"lane":"karya.test.account/000","batch":1,"ranges":[{"topic":"karya.test.in.v1","first":3,"next":5}],'
        b'"derivation":2}'
    )


def test_a_new_document_is_inserted_and_a_known_one_replaced() -> None:
    kinds = [type(op).__name__ for op in work_batch(adds(1, "e1", 0)).entities["accounts"]]
    assert kinds == ["InsertOne"]
    loaded = Loaded(entities={(RunningTotal, "a"): RunningTotal("a", 2)})
    kinds = [type(op).__name__ for op in work_batch(adds(1, "e1", 0), loaded=loaded).entities["accounts"]]
    assert kinds == ["ReplaceOne"]


def arrivals(writes: ChangeSet) -> dict[str, str]:
    return {op._doc["_id"]: op._doc["arrived"] for op in writes.entities["accounts"]}


def test_what_is_new_is_numbered_by_lane_batch_and_its_place_there() -> None:
    lane = Lane(PROCESSOR.group, 0, batches=6)
    writes = work_batch(adds(2, "e1", 0, "b"), adds(3, "e2", 1), adds(3, "e3", 2, "b"), lane=lane)
    assert arrivals(writes) == {"b": "000-0000000007-000000", "a": "000-0000000007-000001"}
    writes = work_batch(adds(13, "bug", 0), adds(2, "e1", 1, "b"), lane=lane)
    assert arrivals(writes) == {"b": "000-0000000007-000000"}


def test_batches_that_are_worked_together_number_as_they_do_alone() -> None:
    batch = Batch(PROCESSOR, "x.", {0: LANE}, Loaded(entities={(RunningTotal, "a"): None, (RunningTotal, "b"): None}))
    batch.work(0, [an_item(adds(2, "e1", 0, "b"))])
    batch.work(0, [an_item(adds(2, "e2", 1))])
    assert arrivals(batch.finish()) == {"b": "000-0000000001-000000", "a": "000-0000000002-000000"}


def test_what_is_there_keeps_its_number() -> None:
    key = (RunningTotal, "a")
    loaded = Loaded(entities={key: RunningTotal("a", 1)}, arrived={key: "000-0000000001-000004"})
    assert arrivals(work_batch(adds(2, "e1", 0), loaded=loaded)) == {"a": "000-0000000001-000004"}


def test_the_trace_goes_on_and_the_cause_is_named() -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    body = Added(account="a", amount=1)
    headers = envelope.headers(id="e1", source="till-1", topic=IN, body=body, time=NOON, trace=parent)
    [out] = published_to(work_batch(a_record(body, headers=[*headers])), "karya.test.out.v1")
    trace = envelope.header(out.headers, "traceparent")
    assert trace is not None
    assert trace.split("-")[1] == parent.split("-")[1]
    assert envelope.header(out.headers, "causationid") == "e1"


def test_what_is_not_worked_once_it_is_enough_waits_for_another_batch() -> None:
    run = [an_item(adds(amount, f"e{amount}", amount)) for amount in range(1, 5)]
    batch = Batch(
        PROCESSOR, "x.", {0: LANE, 1: Lane(PROCESSOR.group, 1)}, Loaded(entities={(RunningTotal, "a"): None})
    )
    answers = iter([False, True])
    assert batch.work(0, run, lambda: next(answers)) == 2
    writes = batch.finish()
    assert totals(writes) == {"a": 3}
    assert len(writes.ledger) == 2
    assert {lane.partition: dict(lane.offsets) for lane in writes.lanes.values()} == {0: {IN.name: 3}}


def test_at_least_one_is_worked_however_late_it_is() -> None:
    batch = Batch(PROCESSOR, "x.", {0: LANE}, Loaded(entities={(RunningTotal, "a"): None}))
    assert batch.work(0, [an_item(adds(1, "e1", 0)), an_item(adds(2, "e2", 1))], lambda: True) == 1
