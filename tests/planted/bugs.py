"""The bugs: each undoes one thing that the promise of exactly-once stands on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from pymongo import ReplaceOne
from pymongo.errors import OperationFailure

from services.inventory.domain import Lot
from services.inventory.domain.reservation import release
from services.inventory.domain.rules import change
from services.inventory.handlers import LOT
from services.sales.domain import Booth, Receipt, accounting
from services.sales.domain.device import Device
from services.sales.domain.receipt import Sale
from shared.events.inventory import ReleaseRequested
from shared.events.language import Publication
from shared.mongo import Session
from shared.patches.faststream import PatientConsumer
from shared.runtime.batch import Batch, Item
from shared.runtime.lanes import Lanes
from shared.runtime.relay import Relay
from shared.runtime.step import Step
from shared.runtime.storage import ChangeSet, Lane, OutboxEntry, OutboxRecord, RuntimeStore, store
from shared.runtime.storage.store import _to_lane
from shared.runtime.witness import mark

STEP = "tests/integration/test_step.py::"
KILLED = f"{STEP}test_a_service_killed_between_two_parts_of_the_step_ends_as_if_undisturbed"


@dataclass(frozen=True, slots=True)
class Bug:
    """`plant` patches the product; `test` (a pytest node) must then fail with `seen` in what it says."""

    sentence: str
    plant: Callable[[], None]
    test: str
    seen: str


def _offset_before_the_transaction() -> None:
    original = Step._attempt

    async def transact(
        step: Step, items: Mapping[int, Sequence[Item]]
    ) -> tuple[ChangeSet, dict[int, Sequence[Item]]]:
        for partition, run in items.items():
            lane = step._lanes.expected(partition)
            assert lane is not None
            moved = replace(
                lane,
                offsets={**lane.offsets, **{i.record.topic: i.record.offset + 1 for i in run}},
                marks={**lane.marks, **{i.record.topic: mark(i.record) for i in run}},
            )
            await step._database["lanes"].replace_one({"_id": lane.id}, _to_lane(moved), True)
            step._lanes.committed(ChangeSet(lanes={partition: moved}))
        return await original(step, items)

    Step._attempt = transact  # type: ignore[assignment, method-assign]


def _fence_not_checked() -> None:
    def lane_filter(lane: Lane) -> dict[str, Any]:
        return {"_id": lane.id}

    store._unmoved = lane_filter


def _outbox_deleted_before_the_acknowledgement() -> None:
    original = Relay._publish

    async def publish(relay: Relay, page: Sequence[OutboxEntry]) -> None:
        if page:
            await relay._store.delete_published(
                (run[0].id, run[-1].id) for run in (list(of) for _, of in groupby(page, key=attrgetter("lane")))
            )
        await original(relay, page)

    async def delete_nothing(relay: Relay) -> None:
        relay._acknowledged = []
        relay._to_delete.clear()

    Relay._publish = publish  # type: ignore[method-assign]
    # So that whoever dies after a delete has died before the acknowledgement.
    Relay._delete_acknowledged = delete_nothing  # type: ignore[method-assign]


def _duplicate_filter_off() -> None:
    original = RuntimeStore.write

    async def no_entries(_: RuntimeStore, ids: Iterable[str]) -> dict[str, bytes]:
        return {}

    async def write(
        store: RuntimeStore, writes: ChangeSet, session: Session, fence: Mapping[int, Lane] | None
    ) -> None:
        if writes.ledger:
            again: list[Any] = [ReplaceOne({"_id": entry["_id"]}, entry, True) for entry in writes.ledger]
            await store._database["ledger"].bulk_write(again, session=session)
            writes.ledger = []
        await original(store, writes, session, fence)

    RuntimeStore.processed = no_entries  # type: ignore[method-assign]
    RuntimeStore.write = write  # type: ignore[method-assign]


def _write_conflict_swallowed() -> None:
    original = Step._attempt

    async def transact(
        step: Step, items: Mapping[int, Sequence[Item]]
    ) -> tuple[ChangeSet, dict[int, Sequence[Item]]]:
        try:
            return await original(step, items)
        except OperationFailure as conflict:
            if conflict.has_error_label("TransientTransactionError"):
                return ChangeSet(), {}
            raise

    Step._attempt = transact  # type: ignore[assignment, method-assign]


def _failed_batch_passed_over() -> None:
    def invalidate(_: Lanes, __: Iterable[int]) -> None: ...

    Lanes.invalidate = invalidate  # type: ignore[method-assign]


def _outbox_not_taken_over() -> None:
    async def take_over(_: Relay, __: str) -> None: ...

    Relay.take_over = take_over  # type: ignore[method-assign]


def _reservation_not_released() -> None:
    def publish_only(lot: Lot, request: ReleaseRequested) -> Any:
        _, publications = release(lot, request)
        return lot, publications

    LOT.by_body[ReleaseRequested] = replace(LOT.by_body[ReleaseRequested], rule=change(publish_only))  # type: ignore[index]


def _void_forgotten_by_the_pool() -> None:
    original = accounting._with_pool

    def pool_growth(booth: Booth, sold_at: datetime, product: str, pooled: dict[str, tuple[int, int]]) -> Booth:
        more = {lot: (max(0, qty), max(0, rupiah)) for lot, (qty, rupiah) in pooled.items()}
        return original(booth, sold_at, product, more)

    accounting._with_pool = pool_growth


def _part_paid_twice() -> None:
    original = accounting._share

    def share(booth: Booth, receipt: Receipt, sale: Sale, facility: str, _: Any, now: Any) -> Publication:
        return original(booth, receipt, sale, facility, [], now)

    accounting._share = share


def _branch_not_waited_for() -> None:
    Device.complete = property(lambda device: any(branch.complete for branch in device.branches))  # type: ignore[assignment, method-assign]


def _dead_letter_skipped() -> None:
    def no_letters(_: Batch, item: Item, reason: str = "", message: str = "") -> list[OutboxRecord]:
        return []

    Batch._dead_letter = no_letters  # type: ignore[method-assign]


def _relay_out_of_order() -> None:
    original = Relay._publish

    async def publish(relay: Relay, page: Sequence[OutboxEntry]) -> None:
        backwards = [
            numbered._replace(record=other.record) for numbered, other in zip(page, reversed(page), strict=True)
        ]
        await original(relay, backwards)

    Relay._publish = publish  # type: ignore[method-assign]


def _aborted_record_worked() -> None:
    original = PatientConsumer.__init__

    def init_uncommitted(consumer: PatientConsumer, *topics: str, **options: Any) -> None:
        original(consumer, *topics, **{**options, "isolation_level": "read_uncommitted"})

    PatientConsumer.__init__ = init_uncommitted


BUGS = {
    "offset-first": Bug(
        "The offset is committed before the transaction",
        _offset_before_the_transaction,
        f"{KILLED}[2-3 loaded, nothing decided]",
        "not seen within",
    ),
    "no-fence": Bug(
        "The fence is not checked",
        _fence_not_checked,
        f"{STEP}test_a_lane_that_somebody_else_has_moved_is_not_worked_from_old_knowledge[said]",
        "two batches of one number",
    ),
    "deleted-first": Bug(
        "The outbox is deleted before the acknowledgement",
        _outbox_deleted_before_the_acknowledgement,
        f"{KILLED}[R3 outbox deleted]",
        "AssertionError: karya.",
    ),
    "no-filter": Bug(
        "The duplicate filter is off",
        _duplicate_filter_off,
        f"{STEP}test_duplicates_and_redelivery_change_nothing[pymongo]",
        "Differing items",
    ),
    "conflict-swallowed": Bug(
        "A write conflict is swallowed instead of redone",
        _write_conflict_swallowed,
        f"{STEP}test_a_batch_that_meets_a_write_conflict_is_worked_again",
        "not seen within",
    ),
    "passed-over": Bug(
        "A failed batch is passed over",
        _failed_batch_passed_over,
        f"{STEP}test_a_record_that_failed_is_handled_though_a_later_one_succeeded_and_the_service_restarted",
        "not seen within",
    ),
    "not-taken-over": Bug(
        "A new owner of a lane does not say what the old one left",
        _outbox_not_taken_over,
        f"{KILLED}[4-6 committed, not handed to the relay]",
        "not seen within 40 s",
    ),
    "not-released": Bug(
        "A released reservation keeps its pieces",
        _reservation_not_released,
        "tests/unit/inventory",
        "assert (6, 4) == (10, 0)",
    ),
    "void-forgotten": Bug(
        "The pool of unlabelled sales forgets a void",
        _void_forgotten_by_the_pool,
        "tests/unit/sales/test_voids.py::test_a_void_of_an_unlabelled_sale_takes_it_out_of_the_pool",
        "assert (8, 80008) == (5, 50005)",
    ),
    "paid-twice": Bug(
        "A part of a sale that changes is paid once more as a whole",
        _part_paid_twice,
        "tests/unit/sales/test_voids.py::test_a_void_gives_pieces_and_share_back_and_is_public",
        "assert (0, (), 0, 0) == (0, (), -4, -40004)",
    ),
    "branch-not-waited-for": Bug(
        "The records of a restored spool are not waited for",
        _branch_not_waited_for,
        "tests/unit/sales/test_devices.py::test_a_restored_spool_doubles_no_sale_and_hides_none",
        "where False = is_closing(",
    ),
    "no-dead-letter": Bug(
        "The dead letter is not written",
        _dead_letter_skipped,
        f"{STEP}test_bad_records_in_a_batch_of_good_ones_go_to_the_dlq_and_all_good_ones_are_worked[pymongo]",
        "not seen within",
    ),
    "aborted-worked": Bug(
        "A record that its producer took back is worked",
        _aborted_record_worked,
        "tests/integration/test_committed.py::test_what_was_taken_back_is_never_worked_and_its_holes_are_no_fault",
        "[21, 44]",
    ),
    "out-of-order": Bug(
        "The relay publishes out of order",
        _relay_out_of_order,
        "tests/unit/shared/runtime/test_relay.py",
        "assert [4, 3, 2, 1, 0] == [0, 1, 2, 3, 4]",
    ),
}
