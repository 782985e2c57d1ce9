"""What a report says of the load: whether it was enough, and whether all of it is accounted for."""

import pytest

from lab.chaos.run import ChaosReport, unaccounted


@pytest.mark.parametrize(("rate", "below"), [(299.9, True), (300.0, False)])
def test_a_run_with_too_little_load_says_so(rate: float, below: bool) -> None:
    report = ChaosReport(seed=1, minutes=1, events_per_second=rate)
    assert report.as_dict()["below_rate"] is below


def test_records_that_a_spool_took_and_that_were_never_acknowledged_are_lost() -> None:
    assert unaccounted(7, 7) == []
    assert unaccounted(7, 6) == ["terminals and tills recorded 7 times, but their spools hold 6 acknowledged records"]
