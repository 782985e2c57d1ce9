"""The longest standstill and the recovery times that follow from the samples of a run."""

from math import inf

from aiokafka import TopicPartition

from lab.chaos.faults import FaultKind, InjectedFault
from lab.chaos.progress import ProgressMonitor, Sample
from shared.settings import Settings

PART = TopicPartition("karya.production.v1", 0)


def monitored(*samples: tuple[float, int, int]) -> ProgressMonitor:
    """Samples as (seconds, end of the topic, worked by inventory)."""
    monitor = ProgressMonitor(Settings(), lambda: 0.0)
    monitor.samples = [Sample(at, {PART: end}, {"inventory": {PART: worked}}) for at, end, worked in samples]
    return monitor


def a_fault(began: float, ended: float) -> InjectedFault:
    return InjectedFault(FaultKind.KILL, "inventory-1", began, ended, ("inventory",))


def of_a_terminal(synced: float | None) -> InjectedFault:
    return InjectedFault(FaultKind.DISK_FULL, "RT-KPG T1", 1, 2, (), synced)


def test_time_without_work_counts_only_while_something_waits() -> None:
    idle = [(0.5 * n, 10, 10) for n in range(20)]
    assert monitored(*idle).longest_standstill == 0
    stuck = monitored((0, 10, 5), (0.5, 10, 5), (1, 11, 5), (1.5, 11, 6), (2, 11, 11))
    assert stuck.longest_standstill == 1


def test_a_time_without_looks_is_a_standstill() -> None:
    assert monitored((0, 10, 10), (0.5, 10, 10), (9.5, 10, 10), (10, 10, 10)).longest_standstill == 9


def test_idle_time_is_no_standstill_after_a_time_without_looks_either() -> None:
    idle = [(9 + 0.5 * n, 10, 10) for n in range(100)]
    assert monitored((0, 10, 10), *idle, (60, 11, 10), (60.5, 11, 11)).longest_standstill == 9


def test_two_times_without_looks_are_one_standstill_only_if_nothing_moved_between() -> None:
    assert monitored((0, 10, 5), (5, 10, 6), (9, 10, 7), (9.5, 10, 10)).longest_standstill == 5
    assert monitored((0, 10, 5), (5, 10, 5), (9, 10, 7), (9.5, 10, 10)).longest_standstill == 9


def test_events_a_second_are_those_of_a_look_by_the_time_until_that_look() -> None:
    monitor = monitored((0, 10, 10), (4, 1000, 900))
    assert [sample.events_per_second for sample in monitor.samples] == [0, 250]


def test_recovery_is_when_all_is_worked_that_was_there_when_the_fault_ended() -> None:
    monitor = monitored((0, 5, 5), (1, 10, 5), (2, 20, 5), (3, 30, 15), (4, 40, 25))
    assert monitor.recovery(a_fault(1, 2)) == 2
    assert monitor.recovery(a_fault(1, 4)) is None, "the run ended first"


def test_a_terminals_fault_is_over_when_its_spool_is_synced() -> None:
    monitor = monitored((0, 5, 5), (1, 10, 5), (2, 20, 5))
    faults = [of_a_terminal(0.4), of_a_terminal(2.4), of_a_terminal(None), of_a_terminal(1.4)]
    assert monitor.recoveries(faults) == {FaultKind.DISK_FULL: (1.4, 2.4, 1)}


def test_recoveries_are_a_median_and_the_longest_of_each_kind_and_those_that_never_came() -> None:
    monitor = monitored((0, 5, 5), (1, 10, 5), (2, 20, 5), (3, 30, 15), (4, 40, 25))
    faults = [a_fault(0, 1), a_fault(1, 2), a_fault(1, 4)]
    assert monitor.recoveries(faults) == {FaultKind.KILL: (2, 2, 1)}
    assert monitor.recoveries([a_fault(1, 4)]) == {FaultKind.KILL: (inf, inf, 1)}
