"""The plan of faults: one per seed, all kinds, inside the run."""

from collections import Counter

from lab.chaos.faults import LONGEST, FaultKind, plan


def test_one_seed_is_one_plan() -> None:
    assert plan(7, 600, 5) == plan(7, 600, 5)
    assert plan(7, 600, 5) != plan(8, 600, 5)


def test_a_run_of_ninety_seconds_has_each_kind_or_nearly() -> None:
    kinds = {planned.kind for planned in plan(1, 90, 5)}
    assert len(kinds) >= len(FaultKind) - 2


def test_half_an_hour_has_two_hundred_faults_of_all_kinds() -> None:
    for seed in range(5):
        faults = plan(seed, 1800, 5)
        assert len(faults) >= 200
        assert set(Counter(planned.kind for planned in faults)) == set(FaultKind)


def test_faults_lie_inside_the_run_in_order() -> None:
    faults = plan(3, 300, 5)
    assert [planned.after for planned in faults] == sorted(planned.after for planned in faults)
    assert all(5 <= planned.after < 295 for planned in faults)
    assert all(1 <= planned.lasts <= LONGEST and 0 <= planned.pick < 1 for planned in faults)
