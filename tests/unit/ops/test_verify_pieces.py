"""What `verify` makes of pieces at a booth that were credited and came home, without any server. All made up."""

from dataclasses import replace
from datetime import date

import pytest

from ops.verify.evidence import Evidence
from ops.verify.parts import by_lot
from ops.verify.pools import credited
from ops.verify.report import Check
from ops.verify.stock import counted_in, in_transit, returns
from services.festival.domain import Booth as FestivalBooth
from services.festival.domain import Shipment
from services.festival.domain.booth import BoothLot as HeldLot
from services.festival.domain.logistics.shipment import DispatchStatus, Parcel, ShipmentStatus
from services.inventory.domain import Lot
from services.inventory.domain.lot import Find, Reservation, ReservationStatus
from services.sales.domain.booth import Booth, BoothLot

pytestmark = pytest.mark.unit

B1, DAY = "PASAR.B1", date(2026, 4, 17)
SENT = {"LA-KPG": 5, "LP-ATB": 5, "LP-KPG": 10}


def evidence_of(sold: dict[str, int], home: dict[str, int], **changed: int) -> Evidence:
    """A booth that three facilities sent one product to; `sold` and `home` by facility. Each sent one lot, called
    like itself. `changed`: of the lot of LP-KPG as festival holds it."""
    booth = Booth(
        B1,
        lots=tuple(
            BoothLot(facility, facility, "KRJ", DAY, stocked=qty, label_qty=sold.get(facility, 0))
            for facility, qty in SENT.items()
        ),
    )
    lots = tuple(
        HeldLot(facility, facility, "KRJ", DAY, received=qty, returned=home.get(facility, 0))
        for facility, qty in SENT.items()
    )
    festival_booth = FestivalBooth(B1, "PASAR", "Booth", (), (), lots=(*lots[:2], replace(lots[2], **changed)))
    return Evidence(entities={Booth: {B1: booth}, FestivalBooth: {B1: festival_booth}})


def credited_check(evidence: Evidence) -> Check:
    return credited(evidence, by_lot(evidence))


def test_a_sale_credited_in_parts_of_what_came_is_right() -> None:
    evidence = evidence_of({"LA-KPG": 5, "LP-ATB": 5, "LP-KPG": 5}, {"LP-KPG": 5})
    assert (credited_check(evidence).broken, returns(evidence).broken) == ([], [])
    assert (credited_check(evidence).looked_at, returns(evidence).looked_at) == (3, 4)


def test_a_facility_credited_with_more_than_it_sent_is_found_and_so_is_what_comes_home_too_much() -> None:
    evidence = evidence_of({"LA-KPG": 15}, {"LP-ATB": 5, "LP-KPG": 10})
    assert credited_check(evidence).broken == [
        "LA-KPG is credited with 15 pieces of lot LA-KPG at PASAR.B1, where 5 came"
    ]
    assert returns(evidence).broken == ["15 of KRJ come home from PASAR.B1, where 5 can be left"]


def test_a_credit_beyond_what_came_is_no_return_as_long_as_the_rest_stays() -> None:
    evidence = evidence_of({"LA-KPG": 15}, {"LP-KPG": 5})
    assert len(credited_check(evidence).broken) == 1
    assert returns(evidence).broken == []


@pytest.mark.parametrize(
    ("sold", "changed", "sentence"),
    [
        (4, {"returned": 6}, None),
        # Sold without a label, a piece may have been of another lot of the product.
        (4, {"returned": 10}, None),
        (4, {"returned": 11}, "lot LP-KPG: 11 come home from PASAR.B1, where 10 can have been"),
        (4, {"returned": 8, "returning": 3}, "lot LP-KPG: 11 come home"),
        (0, {"returned": 8, "moved_out": 3}, "8 come home from PASAR.B1, where 7 can have been"),
        # A person's word on a loss may be wrong: what was lost may come home after all.
        (0, {"returned": 10, "recorded_lost": 2}, None),
        # Sold first and heard of late: nothing is left, and nothing comes home.
        (8, {"moved_out": 4}, None),
    ],
)
def test_no_more_of_a_lot_comes_home_than_came_and_did_not_leave(
    sold: int, changed: dict[str, int], sentence: str | None
) -> None:
    broken = returns(evidence_of({"LP-KPG": sold}, {}, **changed)).broken
    if sentence is None:
        assert broken == []
    else:
        assert sentence in broken[0]


def test_what_was_counted_home_before_a_late_sale_was_heard_is_a_note() -> None:
    evidence = evidence_of({"LP-KPG": 8}, {"LP-KPG": 4})
    assert returns(evidence).ok, "other lots of the product have room"
    evidence = evidence_of({"LA-KPG": 5, "LP-ATB": 5, "LP-KPG": 8}, {"LP-KPG": 4})
    assert returns(evidence).broken == ["4 of KRJ come home from PASAR.B1, where 2 can be left"]
    evidence.published.sold_history[B1].append({"LA-KPG": 5, "LP-ATB": 5, "LP-KPG": 6})
    assert returns(evidence).ok
    assert returns(evidence).notes == ["2 of KRJ that came home from PASAR.B1 were heard later as sold"]


@pytest.mark.parametrize("more", [0, 1])
def test_no_more_of_a_product_comes_home_than_its_sales_leave_whichever_lots_they_were_of(more: int) -> None:
    evidence = evidence_of({"LA-KPG": 4, "LP-ATB": 4, "LP-KPG": 7}, {"LA-KPG": 5, "LP-ATB": more})
    expected = ["6 of KRJ come home from PASAR.B1, where 5 can be left"] if more else []
    assert returns(evidence).broken == expected


def test_what_is_on_its_way_home_counts_though_sales_never_heard_of_the_booth() -> None:
    evidence = evidence_of({}, {"LP-ATB": 6})
    evidence.entities[Booth] = {}
    assert "6 come home" in returns(evidence).broken[0]


def recounted(held: dict[str, int], finds: int = 5, stocked: int = 25) -> Evidence:
    """Twenty pieces were sent to a booth, and a recount found `stocked`; `held`: of the lot as festival holds it."""
    shipment = Shipment(
        "PASAR/S1",
        "PASAR",
        "S1",
        "PASAR/R1",
        "LA-KPG",
        B1,
        (Parcel("PASAR/R1.1", "L", 20, DispatchStatus.LEFT),),
        ShipmentStatus.RECEIVED,
        stocked=(("L", stocked),),
        recounts=1,
    )
    booth = FestivalBooth(B1, "PASAR", "Booth", (), (), lots=(HeldLot("L", "LA-KPG", "KRJ", DAY, **held),))
    reservation = Reservation("PASAR/R1.1", "PASAR", "R1", B1, 20, ReservationStatus.DISPATCHED)
    lot = Lot(
        "L",
        "LA-KPG",
        "KRJ",
        "food",
        DAY,
        None,
        20,
        0,
        reservations=(reservation,),
        finds=(Find("PASAR", B1, finds),) if finds else (),
    )
    return Evidence(entities={FestivalBooth: {B1: booth}, Shipment: {shipment.id: shipment}, Lot: {lot.id: lot}})


def test_found_pieces_have_their_place_in_the_sums() -> None:
    evidence = recounted({"received": 25, "found": 5})
    assert (counted_in(evidence).broken, in_transit(evidence).broken) == ([], [])
    evidence = recounted({"received": 18, "lost_on_the_way": 2}, finds=0, stocked=18)
    assert (counted_in(evidence).broken, in_transit(evidence).broken) == ([], [])


@pytest.mark.parametrize(
    ("held", "finds", "sentence"),
    [
        ({"received": 25}, 0, "received, lost and found"),
        ({"received": 24, "found": 4}, 4, "received, lost and found"),
        ({"received": 25, "found": 5}, 0, "found by festival, by inventory"),
        ({"received": 25, "found": 5}, 6, "found by festival, by inventory"),
    ],
)
def test_pieces_from_nowhere_are_found(held: dict[str, int], finds: int, sentence: str) -> None:
    assert any(sentence in broken for broken in counted_in(recounted(held, finds)).broken)


def test_what_a_booth_or_a_shipment_does_not_have_is_found() -> None:
    evidence = recounted({"received": 25, "found": 5})
    evidence.entities[FestivalBooth] = {}
    assert [broken.split(" of ")[0] for broken in counted_in(evidence).broken] == ["25", "inventory knows"]


@pytest.mark.parametrize(("changed", "broken"), [({"recount": 1}, 0), ({"recount": 0}, 1), ({"pool_qty": 1}, 1)])
def test_sales_beyond_a_recount_are_a_note_and_others_beyond_what_came_are_wrong(
    changed: dict[str, int], broken: int
) -> None:
    evidence = evidence_of({"LA-KPG": 5, "LP-ATB": 5, "LP-KPG": 5}, {})
    booth = evidence.entities[Booth][B1]
    first = replace(booth.lots[0], stocked=3, **changed)
    evidence.entities[Booth] = {B1: replace(booth, lots=(first, *booth.lots[1:]))}
    check = credited_check(evidence)
    assert len(check.broken) == broken
    assert bool(check.notes) == (not broken)
