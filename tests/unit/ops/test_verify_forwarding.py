"""Verify on records that count at another booth: their sums add up, and what is wrong with them is found."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ops.verify.evidence import Evidence
from ops.verify.topic_evidence import PublishedEvent
from services.sales.domain import Booth, Receipt
from services.sales.domain.booth import BoothStatus
from services.sales.domain.forwarding import KeptRecord
from services.sales.domain.forwarding import record_id as kept_id
from shared import envelope
from shared.events.festival import BoothForwarded
from shared.events.language import Body
from shared.events.sales import DeviceForwarded, ForwardingContinued, RecordForwarded
from tests.support.builders.sales import (
    B1,
    B2,
    ODOP,
    a_cash_count,
    a_closing,
    a_count,
    a_drawer,
    a_last_word,
    a_move,
    a_reopening,
    a_sale,
    a_stocking,
    a_void,
    an_opening,
    record_id,
)
from tests.support.witness import Witness, broken, notes, with_entity, without

WRONG = "odop.b1"
STRAY_DEVICE, MERGED_DEVICE = f"{WRONG}-T1", f"{B2}-T1"
_FORWARDED = (RecordForwarded, DeviceForwarded)


class ForwardingWitness(Witness):
    """As the witness, with forwarded records heard as verify reads them: before the records of tills."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: list[Body] = []
        self._later: list[PublishedEvent] = []

    def tell(self, body: Body, id: str | None = None, source: str = "test", subject: str | None = None) -> list[Body]:
        bodies = super().tell(body, id, source, subject)
        under_way = (*_FORWARDED, ForwardingContinued)
        self.under_way += [publication for publication in bodies if isinstance(publication, under_way)]
        return bodies

    def arrive(self) -> None:
        while self.under_way:
            self.tell(self.under_way.pop(0))

    def _hear(self, body: Body, source: str, id: str, cause: str) -> None:
        event = PublishedEvent(type(body).__name__, source, id, cause, envelope.encode(body))
        if not isinstance(body, _FORWARDED):
            self._later.append(event)
        elif not cause:  # heard once, with the id under which it was worked
            self.words.add(event)

    def evidence(self) -> Evidence:
        self.pass_all_on()
        self.words.tills.take_forwarded()
        for event in self._later:
            self.words.add(event)
        self._later.clear()
        return super().evidence()


def forwarding(booth: str, **changed: Any) -> BoothForwarded:
    return BoothForwarded(**{"booth": booth, "to": B1, "festival": ODOP, "order": f"o-{booth}"} | changed)


def played() -> ForwardingWitness:
    """A stray with records of all kinds before and after it is moved, and a booth that is merged while it sells."""
    world = ForwardingWitness()
    world.give(
        an_opening(),
        an_opening(B2),
        a_stocking("L1", 20),
        a_stocking("L1", 10, B2),
        a_drawer(1, 50_000, booth=WRONG),
        a_sale(2, "L1", 3, booth=WRONG, drawer=record_id(STRAY_DEVICE, 1)),
        a_void(record_id(STRAY_DEVICE, 2), 3, booth=WRONG, qty=1),
        forwarding(WRONG),
        a_sale(4, None, 2, booth=WRONG),
        a_void(record_id(STRAY_DEVICE, 2), 5, booth=WRONG, qty=1),
        a_cash_count(6, record_id(STRAY_DEVICE, 1), 60_000, 60_000, booth=WRONG),
        a_last_word(7, booth=WRONG),
        a_drawer(1, 10_000, booth=B2),
        a_sale(2, "L1", 3, booth=B2, drawer=record_id(MERGED_DEVICE, 1)),
        forwarding(B2, merge=True),
        a_move(7, "L1", B2),
        a_stocking("L1", 7),
        a_closing(B2),
        a_sale(3, "L1", 2, booth=B2, drawer=record_id(MERGED_DEVICE, 1)),
        a_void(record_id(MERGED_DEVICE, 2), 4, booth=B2, qty=1),
        a_void(record_id(MERGED_DEVICE, 3), 5, booth=B2, qty=1),
        a_cash_count(6, record_id(MERGED_DEVICE, 1), 30_000, 30_000, booth=B2),
        a_drawer(7, 5_000, booth=B2),
        a_count(8, booth=B2, L1=20),
        a_last_word(9, booth=B2),
    )
    world.arrive()
    return world


def test_forwarded_records_add_up() -> None:
    evidence = played().evidence()
    assert broken(evidence) == {}
    booths = evidence.of(Booth)
    assert {lot.lot: lot.sold for lot in booths[B1].lots} == {"L1": 1 + 2 + 1}
    assert {lot.lot: (lot.sold, lot.unsold, lot.beyond) for lot in booths[B2].lots} == {"L1": (2, 1, 0)}
    assert [device.complete for device in booths[B1].devices] == [True, True]
    assert "strays" not in {
        name for name, lines in notes(evidence).items() for line in lines if "never opened" in line
    }


def test_a_booth_that_took_devices_over_is_checked_when_it_is_settled() -> None:
    world = played()
    world.give(a_closing(), a_last_word(1, till="T2"))
    evidence = world.evidence()
    assert evidence.of(Booth)[B1].status is BoothStatus.SETTLED
    assert broken(evidence) == {}


def test_a_stray_that_was_opened_after_its_move_and_merged_then_adds_up() -> None:
    world = ForwardingWitness()
    stray = "ODOP.B9"
    world.give(
        an_opening(tills=("T1",)),
        a_stocking("L1", 20),
        a_sale(1, "L1", 1, booth=stray),
        forwarding(stray),
        an_opening(stray),
        a_stocking("L1", 5, stray),
        a_sale(2, "L1", 1, booth=stray),
        forwarding(stray, merge=True, order="o-2"),
        a_move(4, "L1", stray),
        a_stocking("L1", 4),
        a_closing(stray),
        a_sale(3, "L1", 1, booth=stray),
        a_last_word(4, booth=stray),
    )
    world.arrive()
    world.give(a_closing())
    evidence = world.evidence()
    assert broken(evidence) == {}
    assert evidence.of(Booth)[B1].status is BoothStatus.SETTLED
    assert [device.seen for device in evidence.of(Booth)[B1].devices] == [((1, 4),)]


def test_a_receipt_after_the_merge_with_a_void_from_before_it_adds_up() -> None:
    world = ForwardingWitness()
    world.give(
        an_opening(),
        an_opening(B2),
        an_opening("ODOP.B3"),
        a_stocking("L1", 10, B2),
        a_void(record_id(MERGED_DEVICE, 1), 1, booth=B2, till="T2", qty=1),
        forwarding(B2, merge=True),
        a_move(10, "L1", B2),
        a_stocking("L1", 10),
        a_closing(B2),
        forwarding(B1, to="ODOP.B3", merge=True),
        a_sale(1, "L1", 1, booth=B2),
        a_void(record_id(MERGED_DEVICE, 1), 2, booth=B2, till="T2", qty=1),
    )
    world.arrive()
    evidence = world.evidence()
    assert broken(evidence) == {}
    assert evidence.of(Booth)[B1].drawers == evidence.of(Booth)["ODOP.B3"].drawers == ()


def waits_again(receipt: Receipt) -> Receipt:
    [sale] = receipt.sales
    return receipt.with_sale(replace(sale, waiting=sale.forwarded, forwarded=0))


def counts_twice(receipt: Receipt) -> Receipt:
    [sale] = receipt.sales
    return receipt.with_sale(replace(sale, forwarded=sale.forwarded + 1))


def of_another_device(record: KeptRecord) -> KeptRecord:
    return replace(record, id=kept_id(WRONG, "another", 1, record.event))


def of_another_booth(record: KeptRecord) -> KeptRecord:
    return replace(record, booth="odop.b7")


def forwards_one_more(booth: Booth) -> Booth:
    assert booth.forwarding is not None
    return replace(booth, forwarding=booth.forwarding._replace(records=booth.forwarding.records + 1))


def forgets_a_device(booth: Booth) -> Booth:
    return replace(booth, devices=booth.devices[:1])


def forgets_the_numbers_before_the_merge(booth: Booth) -> Booth:
    *other_devices, device = booth.devices
    [branch] = device.branches
    [run] = branch.runs
    cut = replace(branch, runs=(run._replace(first=3),))
    return replace(booth, devices=(*other_devices, replace(device, branches=(cut,))))


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda e: with_entity(e, Receipt, waits_again, f"{WRONG} {record_id(STRAY_DEVICE, 4)}"), "reported sales"),
        (lambda e: with_entity(e, Receipt, counts_twice, f"{WRONG} {record_id(STRAY_DEVICE, 4)}"), "sales in parts"),
        (lambda e: without(e, Receipt, f"{B1} {record_id(STRAY_DEVICE, 4)}"), "reported sales"),
        (lambda e: without(e, Receipt, f"{B1} {record_id(MERGED_DEVICE, 3)}"), "reported sales"),
        (
            lambda e: without(e, KeptRecord, kept_id(WRONG, STRAY_DEVICE, 4, record_id(STRAY_DEVICE, 4))),
            "kept records",
        ),
        (lambda e: with_entity(e, KeptRecord, of_another_device), "kept records"),
        (lambda e: with_entity(e, KeptRecord, of_another_booth), "kept records"),
        (lambda e: with_entity(e, Booth, forwards_one_more, WRONG), "kept records"),
        (lambda e: with_entity(e, Booth, forwards_one_more, B2), "kept records"),
        (lambda e: with_entity(e, Booth, forgets_a_device, B1), "devices"),
        (lambda e: with_entity(e, Booth, forgets_the_numbers_before_the_merge, B1), "devices"),
    ],
)
def test_a_wrong_forwarding_is_found(change: Callable[[Evidence], Evidence], check: str) -> None:
    assert check in broken(change(played().evidence()))


def test_a_stray_that_nobody_forwards_is_found() -> None:
    world = played()
    tills = world.evidence().published.tills
    tills.forwarded[WRONG].remove(kept_id(WRONG, STRAY_DEVICE, 4, record_id(STRAY_DEVICE, 4)))
    assert [line for line in broken(world.evidence())["kept records"] if "do not count at ODOP.B1" in line]


def test_a_stray_that_waits_adds_up_and_is_a_note() -> None:
    world = ForwardingWitness()
    world.give(an_opening(), a_sale(1, None, 2, booth=WRONG))
    evidence = world.evidence()
    assert broken(evidence) == {}
    assert notes(evidence)["strays"] == [f"booth {WRONG} was never opened by festival: 1 receipts of T1"]
    assert "kept records" in broken(without(evidence, KeptRecord))


@pytest.mark.parametrize(("booth", "merge"), [(WRONG, False), (B2, True)])
def test_a_mended_record_that_counts_at_another_booth_adds_up(booth: str, merge: bool) -> None:
    world = ForwardingWitness()
    world.give(an_opening(), an_opening(B2), a_stocking("L1", 10))
    if merge:
        world.give(a_drawer(1, 50_000, booth=booth), forwarding(booth, merge=True))
    seq = 2 if merge else 1
    world.tell(a_sale(seq, "L1", 3, booth=booth), "copy", subject="s1")
    world.give(a_void("s1", seq + 1, booth=booth, qty=1))
    if not merge:
        world.give(forwarding(booth))
    world.arrive()
    evidence = world.evidence()
    assert broken(evidence) == {}
    assert {lot.lot: lot.sold for lot in evidence.of(Booth)[B1].lots} == {"L1": 2}


@pytest.mark.parametrize("reopened_first", [True, False])
@pytest.mark.parametrize(("booth", "merge"), [(WRONG, False), (B2, True)])
@pytest.mark.parametrize("closed_first", [True, False])
def test_a_till_of_another_booth_closes_at_a_booth_that_was_reopened(
    booth: str, merge: bool, closed_first: bool, reopened_first: bool
) -> None:
    world = ForwardingWitness()
    world.give(an_opening(), an_opening(B2), a_stocking("L1", 10), a_stocking("L1", 5, B2))
    world.hear_all()
    reopen = [a_last_word(1, booth=B1), a_closing(), a_reopening()]

    def forward() -> None:
        last = [a_drawer(1, 50_000, booth=booth), a_last_word(2, booth=booth)]
        order = forwarding(booth, merge=merge)
        world.give(*([*last, order] if closed_first else [last[0], order, last[1]]))
        world.arrive()

    for step in (lambda: world.give(*reopen), forward) if reopened_first else (forward, lambda: world.give(*reopen)):
        step()
        world.hear_all()
    evidence = world.evidence()
    assert evidence.of(Booth)[B1].opening == 2
    assert [device.complete for device in evidence.of(Booth)[B1].devices] == (
        [False, True] if reopened_first else [False, False]
    )
    assert broken(evidence) == {}
    if reopened_first:
        assert "devices" in broken(with_entity(evidence, Booth, closes_earlier, B1))


def closes_earlier(booth: Booth) -> Booth:
    *other_devices, device = booth.devices
    [branch] = device.branches
    return replace(booth, devices=(*other_devices, replace(device, branches=(replace(branch, last_seq=1),))))


def test_a_sale_of_a_merged_booth_that_counts_at_both_is_found() -> None:
    evidence = played().evidence()
    other_record = f"{B1} {record_id(MERGED_DEVICE, 3)}"
    twin = replace(evidence.of(Receipt)[other_record], id=f"{B2} {record_id(MERGED_DEVICE, 3)}", booth=B2)
    receipts = {**evidence.of(Receipt), twin.id: twin}
    assert "reported sales" in broken(Evidence(evidence.published, {**evidence.entities, Receipt: receipts}))


@pytest.mark.parametrize(("booth", "merge"), [(WRONG, False), (B2, True)])
def test_a_till_that_came_from_another_booth_is_no_stray(booth: str, merge: bool) -> None:
    world = ForwardingWitness()
    world.give(
        an_opening(tills=("T1",)),
        an_opening(B2, tills=("T9",)),
        a_drawer(1, 50_000, till="T9", booth=booth),
        a_last_word(1, till="T8"),
    )
    stranger = f"till T8 has records at {B1}, but festival did not name it there"
    lost = [] if merge else [f"booth {WRONG} was never opened by festival: 0 receipts of T9"]
    assert notes(world.evidence())["strays"] == [stranger, *lost]
    world.give(forwarding(booth, merge=merge), a_last_word(2, till="T9", booth=booth))
    world.arrive()
    assert {device.till for device in world.booth(B1).devices} == {"T8", "T9"}
    assert notes(world.evidence())["strays"] == [stranger]


def test_a_move_that_stopped_on_its_way_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.sales.domain.forwarding.MOST_AT_ONCE", 1)
    monkeypatch.setattr("services.sales.handlers.MOST_AT_ONCE", 1)
    world = ForwardingWitness()
    world.give(an_opening(), a_drawer(1, 50_000, booth=WRONG), a_drawer(2, 50_000, booth=WRONG), forwarding(WRONG))
    world.tell(world.under_way.pop(0))
    world.under_way = [body for body in world.under_way if isinstance(body, RecordForwarded)]
    world.arrive()
    assert list(broken(world.evidence())) == ["kept records"]
