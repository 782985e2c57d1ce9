"""Hard rules, programme weights, few shipments, and their explanations."""

from datetime import date, timedelta
from itertools import combinations
from random import Random

import pytest

from services.festival.domain.planning import AvailableLot, Plan, RequestDemand, Rules, explanations, plan
from shared.events.festival import LineReason, LotReason, PlanRule

DAY = date(2023, 4, 1)
LAST_DAY = date(2023, 4, 20)


def a_lot(lot: str, facility: str, product: str, qty: int, best_before: date | None = None) -> AvailableLot:
    return AvailableLot(lot, facility, product, qty, DAY, best_before, 1)


def sent_pieces(result: Plan) -> dict[tuple[str, str, str], int]:
    """Pieces by facility, booth and product."""
    pieces: dict[tuple[str, str, str], int] = {}
    for allotment in result.allotments:
        key = allotment.lot.facility, allotment.booth, allotment.lot.product
        pieces[key] = pieces.get(key, 0) + allotment.qty
    return pieces


def against(result: Plan) -> dict[tuple[str, str], tuple[PlanRule, ...]]:
    return {(conflict.booth, conflict.product): conflict.rules for conflict in result.conflicts}


def test_a_lot_must_be_good_on_the_last_day_and_its_best_before_day_is_good() -> None:
    stock = [a_lot("1", "A", "p", 4, LAST_DAY - timedelta(1)), a_lot("2", "A", "p", 4, LAST_DAY)]
    result = plan([RequestDemand("b", "p", 8)], stock, rules=Rules(last_day=LAST_DAY))
    assert [(allotment.lot.lot, allotment.qty) for allotment in result.allotments] == [("2", 4)]
    [conflict] = result.conflicts
    assert conflict.rules == (PlanRule.STOCK, PlanRule.BEST_BEFORE)
    assert conflict.reason == (
        "b lacks 4 of 8 pieces of p: all 4 pieces that can be had are given out, "
        "and 4 pieces of A would be past their best-before day."
    )
    assert conflict.reason_id == (
        "b kekurangan 4 dari 8 p: semua 4 buah yang ada sudah dibagikan, "
        "dan 4 buah dari A akan melewati tanggal kedaluwarsa."
    )


def test_a_parcel_must_come_before_the_opening() -> None:
    stock = [a_lot("1", "A", "p", 4), a_lot("2", "B", "p", 4)]
    result = plan([RequestDemand("b", "p", 8)], stock, rules=Rules(days_left=3, lead_days={"A": 4, "B": 3}))
    assert sent_pieces(result) == {("B", "b", "p"): 4}
    assert against(result) == {("b", "p"): (PlanRule.STOCK, PlanRule.LEAD_TIME)}
    assert {share.facility: (share.offered, share.reason) for share in result.shares} == {
        "A": (0, "Nothing of it can be planned: 4 pieces of A would come too late."),
        "B": (4, "All 4 pieces that it could offer of what was asked are taken."),
    }


def test_what_one_booth_has_no_room_for_the_others_share_evenly() -> None:
    wanted = [RequestDemand(booth, "p", 10) for booth in ("b1", "b2", "b3")]
    result = plan(wanted, [a_lot("1", "A", "p", 12)], rules=Rules(capacity={"b1": 1}, spread_evenly=True))
    assert sent_pieces(result) == {("A", "b1", "p"): 1, ("A", "b2", "p"): 6, ("A", "b3", "p"): 5}


def test_what_others_share_keeps_to_their_rules() -> None:
    wanted = [RequestDemand(booth, product, 10) for booth in ("b1", "b2", "b3", "b4") for product in ("p", "q")]
    rules = Rules(
        capacity={"b1": 1, "b2": 12},
        limits={("b3", "cake"): 5},
        categories={("b3", "p"): "cake"},
        spread_evenly=True,
    )
    result = plan(wanted, [a_lot("1", "A", "p", 20), a_lot("2", "B", "q", 20)], rules=rules)
    intakes = {(booth, product): qty for (_, booth, product), qty in sent_pieces(result).items()}
    assert intakes == {
        ("b1", "p"): 1,
        ("b2", "p"): 7,
        ("b3", "p"): 5,
        ("b4", "p"): 7,
        ("b2", "q"): 5,
        ("b3", "q"): 8,
        ("b4", "q"): 7,
    }


def test_a_booth_takes_no_more_than_it_can_hold() -> None:
    wanted = [RequestDemand("b", "p", 8), RequestDemand("b", "q", 8), RequestDemand("c", "p", 2)]
    stock = [a_lot("1", "A", "p", 9), a_lot("2", "B", "q", 9)]
    result = plan(wanted, stock, rules=Rules(capacity={"b": 10}))
    assert sum(qty for (_, booth, _), qty in sent_pieces(result).items() if booth == "b") == 10
    assert sent_pieces(result)["A", "c", "p"] == 2
    assert set(against(result).values()) == {(PlanRule.CAPACITY,)}
    assert result.conflicts[0].reason.endswith("the booth has room for 10 more pieces and would like 16.")
    assert result.conflicts[0].reason_id.endswith("stan itu masih dapat menampung 10 buah, padahal menginginkan 16.")


def test_a_booth_takes_no_more_of_a_category_than_it_may() -> None:
    wanted = [RequestDemand("b", "p", 8), RequestDemand("b", "q", 8), RequestDemand("b", "r", 1)]
    stock = [a_lot("1", "A", "p", 9), a_lot("2", "B", "q", 9), a_lot("3", "B", "r", 9)]
    rules = Rules(categories={("b", "p"): "food", ("b", "q"): "food", ("b", "r"): "cloth"}, limits={("b", "food"): 5})
    result = plan(wanted, stock, rules=rules)
    assert sum(result.offers.values()) == 17
    # 2 of 8 and 4 of 9: of two shares from which only one can be raised, the smaller.
    assert {share.facility: share.allocated for share in result.shares} == {"A": 3, "B": 3}
    assert against(result) == {("b", "p"): (PlanRule.CATEGORY,), ("b", "q"): (PlanRule.CATEGORY,)}
    assert result.conflicts[0].reason.endswith(
        "the booth has room for 5 more pieces of this category and would like 16."
    )
    assert result.conflicts[0].reason_id.endswith(
        "stan itu masih dapat menerima 5 buah dari kategori ini, padahal menginginkan 16."
    )


def test_a_full_booth_makes_way_for_what_only_it_asked() -> None:
    """c can take p as well as b; so that B has its share, p goes to c."""
    wanted = [RequestDemand("b", "p", 4), RequestDemand("b", "q", 4), RequestDemand("c", "p", 4)]
    stock = [a_lot("1", "A", "p", 4), a_lot("2", "B", "q", 4)]
    result = plan(wanted, stock, rules=Rules(capacity={"b": 4}))
    assert sent_pieces(result) == {("A", "c", "p"): 4, ("B", "b", "q"): 4}


def test_a_programme_weight_counts_as_so_many_times_the_share() -> None:
    stock = [a_lot("1", "A", "p", 30), a_lot("2", "B", "p", 30)]
    result = plan([RequestDemand("b", "p", 30)], stock, rules=Rules(weights={"A": 2}))
    assert {share.facility: share.allocated for share in result.shares} == {"A": 20, "B": 10}
    assert "(66 %, weight 2)" in result.shares[0].reason


def test_facilities_swap_goods_so_that_each_serves_one_booth() -> None:
    wanted = [RequestDemand("b1", "p", 10), RequestDemand("b2", "q", 10)]
    stock = [a_lot(f"{f}{p}", f, p, 10) for f in "AB" for p in "pq"]
    result = plan(wanted, stock)
    assert result.shipments == result.shipments_at_least == 2
    assert {share.allocated for share in result.shares} == {10}


def test_few_booths_are_served_in_full_unless_all_are_to_have_their_part() -> None:
    wanted, stock = [RequestDemand("b1", "p", 10), RequestDemand("b2", "p", 10)], [a_lot("1", "A", "p", 10)]
    assert sent_pieces(plan(wanted, stock)) == {("A", "b1", "p"): 10}
    assert sent_pieces(plan(wanted, stock, rules=Rules(spread_evenly=True))) == {
        ("A", "b1", "p"): 5,
        ("A", "b2", "p"): 5,
    }


@pytest.mark.parametrize(
    ("stock", "rules"),
    [
        ([], (PlanRule.STOCK,)),
        ([("A", 4, True)], (PlanRule.STOCK, PlanRule.BEST_BEFORE)),
        ([("A", 5, True)], (PlanRule.STOCK, PlanRule.BEST_BEFORE)),
        ([("late", 5, False)], (PlanRule.STOCK, PlanRule.LEAD_TIME)),
        ([("late", 5, True)], (PlanRule.STOCK, PlanRule.BEST_BEFORE, PlanRule.LEAD_TIME)),
        ([("A", 5, True), ("late", 4, False)], (PlanRule.STOCK, PlanRule.BEST_BEFORE, PlanRule.LEAD_TIME)),
        ([("A", 5, True), ("late", 5, False)], (PlanRule.STOCK, PlanRule.BEST_BEFORE, PlanRule.LEAD_TIME)),
    ],
)
def test_a_conflict_names_every_rule_that_keeps_a_lot_out(
    stock: list[tuple[str, int, bool]], rules: tuple[PlanRule, ...]
) -> None:
    """Five pieces are asked for, and no piece of the stock (facility, pieces, spoilt or not) can be planned."""
    lots = [
        a_lot(str(n), facility, "p", qty, LAST_DAY - timedelta(1) if spoilt else None)
        for n, (facility, qty, spoilt) in enumerate(stock)
    ]
    result = plan(
        [RequestDemand("b", "p", 5)], lots, rules=Rules(last_day=LAST_DAY, days_left=1, lead_days={"late": 2})
    )
    assert not result.allotments
    assert against(result) == {("b", "p"): rules}


def test_rules_that_keep_the_same_lot_out_are_named_together() -> None:
    stock = [
        a_lot("1", "late", "p", 5, LAST_DAY - timedelta(1)),
        a_lot("2", "late", "p", 4),
        a_lot("3", "out", "p", 3),
    ]
    rules = Rules(last_day=LAST_DAY, days_left=1, lead_days={"late": 2}, left_out=frozenset({"late", "out"}))
    result = plan([RequestDemand("b", "p", 20)], stock, rules=rules)
    [conflict] = result.conflicts
    assert conflict.rules == (PlanRule.STOCK, PlanRule.BEST_BEFORE, PlanRule.LEAD_TIME, PlanRule.LEFT_OUT)
    assert (
        "5 pieces of late would be past their best-before day and come too late and are left out" in conflict.reason
    )
    assert "4 pieces of late would come too late and are left out by the revision" in conflict.reason
    assert "3 pieces of out are left out by the revision" in conflict.reason
    assert [share.facility for share in result.shares] == ["late", "out"]


def test_what_is_kept_out_and_what_does_not_exist_are_told_apart() -> None:
    stock = [a_lot("1", "A", "p", 86, LAST_DAY - timedelta(1))]
    [conflict] = plan([RequestDemand("b", "p", 90)], stock, rules=Rules(last_day=LAST_DAY)).conflicts
    assert conflict.rules == (PlanRule.STOCK, PlanRule.BEST_BEFORE)
    assert conflict.reason == (
        "b lacks 90 of 90 pieces of p: no facility has any that can be planned, "
        "and 86 pieces of A would be past their best-before day; 4 more do not exist yet."
    )
    assert conflict.reason_id == (
        "b kekurangan 90 dari 90 p: tidak ada satuan kerja yang dapat menyediakannya, "
        "dan 86 buah dari A akan melewati tanggal kedaluwarsa; 4 lagi belum ada."
    )


def test_every_line_says_why_in_two_languages() -> None:
    stock = [
        a_lot("1", "A", "p", 2, LAST_DAY),
        a_lot("2", "A", "p", 9),
        a_lot("3", "A", "q", 3),
        a_lot("4", "B", "q", 1),
    ]
    result = plan([RequestDemand("b", "p", 3), RequestDemand("b", "q", 4)], stock)
    why = {allotment.lot.lot: (allotment.why, allotment.first) for allotment in result.allotments}
    assert why == {
        "1": (LineReason.ONLY, LotReason.SPOILS_FIRST),
        "2": (LineReason.ONLY, LotReason.NEXT),
        "3": (LineReason.TOGETHER, LotReason.ONLY),
        "4": (LineReason.SHARE, LotReason.ONLY),
    }
    sentence = explanations.line(
        LineReason.ONLY, LotReason.SPOILS_FIRST, facility="A", product="p", booth="b", lot="1"
    )
    assert sentence == (
        "Only A offers p; 1 spoils first.",
        "Hanya A yang menawarkan p; 1 yang paling dulu kedaluwarsa.",
    )


def test_sentences_about_many_facilities_fit_into_an_event() -> None:
    stock = [a_lot(f"{n}", f"F{n:03}" + "x" * 110, "p", 5) for n in range(300)]
    result = plan(
        [RequestDemand("b" * 120, "p", 100)],
        stock,
        rules=Rules(days_left=0, lead_days={lot.facility: 1 for lot in stock[:150]}),
    )
    assert all(len(text) <= 500 for share in result.shares for text in (share.reason, share.reason_id))
    assert all(len(text) <= 500 for conflict in result.conflicts for text in (conflict.reason, conflict.reason_id))


@pytest.mark.parametrize("seed", range(200))
def test_the_named_rules_leave_the_demand_short_and_include_each_that_keeps_a_lot_out(seed: int) -> None:
    """The conflict names a smallest set of rules, compared with plans under every set. If stock is one of them, it
    names every rule besides that keeps some of it out."""
    random = Random(seed)
    stock = [
        a_lot(f"{n}", random.choice("AB"), "p", random.randint(1, 6), random.choice([None, LAST_DAY - timedelta(1)]))
        for n in range(random.randint(0, 4))
    ]
    every = {
        PlanRule.BEST_BEFORE: {"last_day": LAST_DAY},
        PlanRule.LEAD_TIME: {"days_left": 1, "lead_days": {"A": 2}},
        PlanRule.CAPACITY: {"capacity": {"b": random.randint(0, 12)}},
        PlanRule.CATEGORY: {"categories": {("b", "p"): "c"}, "limits": {("b", "c"): random.randint(0, 12)}},
    }
    # Without the rule of stock there is always enough stock.
    more = a_lot("more", "C", "p", 10)

    def short(rules: tuple[PlanRule, ...]) -> bool:
        under = {name: value for rule in rules for name, value in every.get(rule, {}).items()}
        lots = stock if PlanRule.STOCK in rules else [*stock, more]
        return bool(plan([RequestDemand("b", "p", 10)], lots, rules=Rules(**under)).short)

    sets = [rules for size in range(6) for rules in combinations(PlanRule, size) if short(rules)]
    result = plan(
        [RequestDemand("b", "p", 10)],
        stock,
        rules=Rules(**{k: v for value in every.values() for k, v in value.items()}),
    )
    assert bool(sets) == bool(result.conflicts)
    for conflict in result.conflicts:
        assert short(conflict.rules)
        keeping_out = {PlanRule.BEST_BEFORE} if any(lot.best_before for lot in stock) else set()
        keeping_out |= {PlanRule.LEAD_TIME} if any(lot.facility == "A" for lot in stock) else set()
        if PlanRule.STOCK in conflict.rules:
            assert set(conflict.rules) - {PlanRule.CAPACITY, PlanRule.CATEGORY} == {PlanRule.STOCK, *keeping_out}
            assert any(set(rules) <= set(conflict.rules) for rules in sets if len(rules) == len(sets[0]))
        else:
            assert len(conflict.rules) == len(sets[0])
