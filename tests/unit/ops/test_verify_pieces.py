"""What `verify` makes of pieces at a booth that were credited and came home, without any server. All made up."""

from dataclasses import replace
from datetime import date

import pytest

from ops.verify.evidence import Evidence
from ops.verify.parts import by_lot
from ops.verify.pools import credited
from ops.verify.report import Check
from ops.verify.stock import returns
from services.festival.domain import Booth as FestivalBooth
from services.festival.domain.booth import BoothLot as HeldLot
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
    theirs = FestivalBooth(B1, "PASAR", "Booth", (), (), lots=(*lots[:2], replace(lots[2], **changed)))
    return Evidence(entities={Booth: {B1: booth}, FestivalBooth: {B1: theirs}})


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
