"""Booths that were opened by mistake, and strays: the organiser's commands, and the answers of sales to them."""

from typing import Any

import pytest

from services.festival.domain import Booth, Command, Transfer
from services.festival.domain.booth import BoothStatus
from services.festival.domain.command import CommandStatus
from services.festival.domain.line import LineStatus
from services.festival.domain.logistics.transfer import TransferStatus
from shared.events.festival import (
    BoothClosing,
    BoothForwarded,
    BoothStocked,
    BoothStockMoved,
    CommandRefusal,
    CommandRefused,
    LossPlace,
    MergeBooths,
    MoveStray,
    RecordLoss,
)
from shared.events.language import Body
from shared.events.sales import BoothForwardingBegun, BoothForwardingRefused, ForwardingRefusal, LotCount
from tests.support.builders.festival import (
    B1,
    B2,
    ODOP,
    FestivalWorld,
    a_booth,
    a_booth_closing,
    a_closing,
    a_receipt,
    a_recount,
    a_request,
    a_return,
    a_sell_through,
    a_shipment,
    a_transfer,
    a_world,
    kinds,
)

MERGE = MergeBooths(festival=ODOP, booth=B1, to=B2)
STRAY = MoveStray(festival=ODOP, booth=B1, stray="odop.b1")


def stocked() -> FestivalWorld:
    """B1 has received 10 pieces of L1."""
    world = a_world()
    world.make("L1", 20)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    world.give(a_receipt(L1=10))
    return world


def begun(**changed: Any) -> BoothForwardingBegun:
    fields = {"festival": ODOP, "booth": B1, "to": B2, "order": "c-1", "records": 1, "lots": ()}
    return BoothForwardingBegun(**fields | changed)


def left(**lots: int) -> tuple[LotCount, ...]:
    return tuple(LotCount(lot=lot, qty=qty) for lot, qty in lots.items())


def status(world: FestivalWorld, id: str = "c-1") -> CommandStatus:
    return world.one(Command, id).outcome


# merging


def test_a_merge_waits_for_sales_and_the_first_booth_takes_nothing_more() -> None:
    world = stocked()
    assert world.give(MERGE, "c-1") == [BoothForwarded(booth=B1, to=B2, festival=ODOP, order="c-1", merge=True)]
    assert status(world) is CommandStatus.WAITING
    assert world.one(Booth, B1).status is BoothStatus.CLOSING
    assert world.refusal(a_transfer(L1=1))[1] is CommandRefusal.WRONG_STATE
    assert world.refusal(MERGE) == ("booth", CommandRefusal.WRONG_STATE)


def test_the_unsold_pieces_move_as_with_a_transfer_and_the_first_booth_closes() -> None:
    world = stocked()
    world.give(MERGE, "c-1")
    bodies = world.give(begun(lots=left(L1=7)))
    assert kinds(bodies) == ["TransferSent", "BoothStockMoved", "TransferReceived", "BoothStocked", "BoothClosing"]
    assert BoothStockMoved(booth=B1, lot="L1", qty=7, to=B2) in bodies
    assert [(body.booth, body.qty) for body in bodies if isinstance(body, BoothStocked)] == [(B2, 7)]
    assert isinstance(bodies[-1], BoothClosing)
    assert bodies[-1].deadline == world.now
    assert status(world) is CommandStatus.DONE
    [transfer] = world.all(Transfer)
    assert (transfer.name, transfer.status, transfer.sent) == ("merge.B1", TransferStatus.RECEIVED, (("L1", 7),))
    first, second = world.one(Booth, B1), world.one(Booth, B2)
    assert (first.merged_into, first.deadline) == (B2, world.now)
    [lot] = first.lots
    assert (lot.received, lot.moved_out) == (10, 7)
    [lot] = second.lots
    assert (lot.received, lot.in_transit) == (7, 0)


def test_the_sums_of_both_booths_add_up_to_the_end() -> None:
    world = stocked()
    world.give(MERGE, "c-1")
    world.give(begun(lots=left(L1=7)))
    world.give(a_sell_through(B1, L1=3))
    assert world.one(Booth, B1).accounted
    world.give(a_closing())
    world.give(a_sell_through(B2, L1=5))
    bodies = world.give(a_return("L1", 2, B2))
    world.settle()
    [closed] = [body for body in world.published if type(body).__name__ == "FestivalClosed"]
    assert (closed.received, closed.sold, closed.returned, closed.lost, closed.surplus) == (10, 8, 2, 0, 0)  # type: ignore[attr-defined]
    assert bodies


def test_a_booth_with_nothing_left_merges_too() -> None:
    world = a_world()
    world.give(MERGE, "c-1")
    assert kinds(world.give(begun())) == ["BoothClosing"]
    assert world.all(Transfer) == []


def test_reserved_lines_for_the_first_booth_go_back() -> None:
    world = a_world()
    world.make("L1", 20)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    world.give(MERGE, "c-1")
    world.settle()
    assert {line.status for line in world.request().lines} == {LineStatus.RELEASED}


def test_a_loss_is_recorded_where_the_stock_goes() -> None:
    world = stocked()
    loss = RecordLoss(festival=ODOP, lot="L1", place=LossPlace.BOOTH, booth=B1, qty=4)
    world.give(MERGE, "c-1")
    assert world.refusal(loss) == ("booth", CommandRefusal.WRONG_STATE)
    world.give(begun(lots=left(L1=7)))
    assert world.refusal(loss) == ("booth", CommandRefusal.WRONG_STATE)
    assert kinds(world.give(loss.model_copy(update={"booth": B2}))) == ["BoothStockLost"]


def test_recalled_pieces_stay_and_go_home_from_the_first_booth() -> None:
    world = stocked()
    world.give(MERGE, "c-1")
    world.recall("L1")
    world.settle()
    assert kinds(world.give(begun(lots=left(L1=7)))) == ["BoothClosing"]


@pytest.mark.parametrize(
    ("before", "body", "expected"),
    [
        ((), MERGE.model_copy(update={"to": B1}), ("to", CommandRefusal.WRONG_STATE)),
        ((), MERGE.model_copy(update={"to": "ODOP.B9"}), ("to", CommandRefusal.UNKNOWN_BOOTH)),
        ((), MERGE.model_copy(update={"booth": "ODOP.B9"}), ("booth", CommandRefusal.UNKNOWN_BOOTH)),
        ((a_booth_closing(B2),), MERGE, ("to", CommandRefusal.WRONG_STATE)),
        ((a_booth_closing(B1),), MERGE, ("booth", CommandRefusal.WRONG_STATE)),
        ((a_closing(),), MERGE, ("festival", CommandRefusal.WRONG_STATE)),
        ((a_transfer(L1=1),), MERGE, ("booth", CommandRefusal.WRONG_STATE)),
        ((a_transfer(L1=1),), MergeBooths(festival=ODOP, booth=B2, to=B1), ("booth", CommandRefusal.WRONG_STATE)),
        (
            (a_booth("ODOP.B3", "SVR"),),
            MergeBooths(festival=ODOP, booth=B1, to="ODOP.B3"),
            ("to", CommandRefusal.NO_PRICE),
        ),
        ((a_transfer("merge.B1", B1, B2, L1=1),), MERGE, ("booth", CommandRefusal.WRONG_STATE)),
    ],
)
def test_a_merge_that_would_lose_something_is_refused(
    before: tuple[Body, ...], body: MergeBooths, expected: tuple[str, CommandRefusal]
) -> None:
    world = stocked()
    for command in before:
        world.give(command)
    assert world.refusal(body) == expected


def test_goods_on_their_way_to_the_first_booth_are_received_first() -> None:
    world = a_world()
    world.make("L1", 20)
    world.give(a_request((B1, "KTI", 10)))
    world.settle()
    world.give(a_shipment())
    world.settle()
    assert world.refusal(MERGE) == ("booth", CommandRefusal.WRONG_STATE)


def test_a_refused_merge_leaves_the_booth_open() -> None:
    world = stocked()
    world.give(MERGE, "c-1")
    answer = BoothForwardingRefused(
        festival=ODOP, booth=B1, to=B2, order="c-1", reason=ForwardingRefusal.NOT_OPEN, other=ODOP
    )
    [refused] = world.give(answer)
    assert isinstance(refused, CommandRefused)
    assert (refused.field, refused.message) == ("booth", f"Sales knows no open booth {B1} of {ODOP}.")
    assert status(world) is CommandStatus.REFUSED
    booth = world.one(Booth, B1)
    assert (booth.status, booth.merged_into) == (BoothStatus.OPEN, None)


def test_until_sales_answers_nothing_changes_what_it_counts_on() -> None:
    world = stocked()
    world.give(a_booth("ODOP.B3"))
    world.give(MERGE, "c-1")
    assert world.refusal(a_recount(L1=6)) == ("booth", CommandRefusal.WRONG_STATE)
    # The stock and the devices come to B2 with the answer.
    for command in (a_booth_closing(B2), MergeBooths(festival=ODOP, booth=B2, to="ODOP.B3"), a_closing()):
        assert world.refusal(command) == ("booth", CommandRefusal.WRONG_STATE)
    world.give(begun(lots=left(L1=7)))
    assert "ShipmentRecounted" in kinds(world.give(a_recount(L1=9)))
    assert "BoothForwarded" in kinds(world.give(MergeBooths(festival=ODOP, booth=B2, to="ODOP.B3"), "c-2"))
    assert world.refusal(a_closing()) == ("booth", CommandRefusal.WRONG_STATE)


def test_an_answer_counts_once() -> None:
    world = stocked()
    world.give(MERGE, "c-1")
    world.give(begun(lots=left(L1=7)))
    assert world.give(begun(lots=left(L1=7))) == []
    assert world.give(begun(order="nobody")) == []
    assert (
        world.give(
            BoothForwardingRefused(
                festival=ODOP, booth=B1, to=B2, order="c-1", reason=ForwardingRefusal.NOT_OPEN, other=ODOP
            )
        )
        == []
    )


# strays


@pytest.mark.parametrize("ends", [(), (a_closing(),), (a_closing(), a_sell_through())])
def test_a_stray_moves_to_a_booth_in_any_state(ends: tuple[Body, ...]) -> None:
    world = a_world(*ends)
    assert world.give(STRAY, "c-1") == [BoothForwarded(booth="odop.b1", to=B1, festival=ODOP, order="c-1")]
    assert status(world) is CommandStatus.WAITING
    assert world.give(begun(booth="odop.b1", to=B1)) == []
    assert status(world) is CommandStatus.DONE


def test_a_stray_of_another_booth_of_the_festival_is_no_stray() -> None:
    world = a_world()
    assert world.refusal(STRAY.model_copy(update={"stray": B2})) == ("stray", CommandRefusal.WRONG_STATE)
    assert world.refusal(STRAY.model_copy(update={"booth": "ODOP.B9"})) == ("booth", CommandRefusal.UNKNOWN_BOOTH)
    assert kinds(world.give(STRAY.model_copy(update={"stray": "ODOP.B9"}))) == ["BoothForwarded"]


def test_the_reason_of_sales_reaches_the_organiser() -> None:
    world = a_world()
    world.give(STRAY, "c-1")
    answer = BoothForwardingRefused(
        festival=ODOP, booth="odop.b1", to=B1, order="c-1", reason=ForwardingRefusal.NO_RECORDS
    )
    [refused] = world.give(answer)
    assert isinstance(refused, CommandRefused)
    assert (refused.field, refused.template.split(" {")[0]) == ("stray", "No till has sent records for")
