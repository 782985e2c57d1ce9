"""How a bench counts what one process did, and what it held in memory."""

import os

import psutil
import pytest
from aiokafka import TopicPartition

from lab.bench.meter import EventCounter, RunResult, peak_megabytes
from lab.bench.spread import joint_rate

pytestmark = pytest.mark.unit

FIRST, SECOND = TopicPartition("lots", 0), TopicPartition("lots", 1)


def test_what_was_worked_before_the_start_does_not_count() -> None:
    counter = EventCounter()
    assert counter.update({FIRST: 500, SECOND: 700}) == 0
    assert counter.update({FIRST: 510, SECOND: 701}) == 11


def test_a_lane_that_comes_later_counts_from_where_it_stands() -> None:
    counter = EventCounter()
    counter.update({FIRST: 0})
    assert counter.update({FIRST: 5, SECOND: 900}) == 5
    assert counter.update({FIRST: 5, SECOND: 903}) == 8


def test_a_lane_that_goes_takes_nothing_along_and_brings_nothing_back() -> None:
    counter = EventCounter()
    counter.update({FIRST: 0, SECOND: 0})
    assert counter.update({FIRST: 5, SECOND: 7}) == 12
    assert counter.update({FIRST: 6}) == 13
    assert counter.update({FIRST: 6, SECOND: 1000}) == 13


def test_the_pace_together_counts_only_what_each_did_while_all_were_at_work() -> None:
    early = RunResult(1.0, 50.0, ((0.0, 0), (10.0, 100), (20.0, 200)))
    late = RunResult(1.0, 50.0, ((10.0, 0), (20.0, 50), (30.0, 80)))
    joint = joint_rate([early, late])
    assert joint is not None
    assert joint.pace == pytest.approx((100 + 50) / 10)
    assert joint.seconds == pytest.approx(10)


def test_who_never_worked_at_the_same_time_has_no_pace_together() -> None:
    early = RunResult(1.0, 50.0, ((0.0, 0), (10.0, 100)))
    late = RunResult(1.0, 50.0, ((12.0, 0), (20.0, 50)))
    assert joint_rate([early, late]) is None


def test_the_peak_of_memory_outlasts_what_was_given_back() -> None:
    ballast = bytearray(64_000_000)
    # Untouched pages would not be in memory.
    ballast[::4096] = b"x" * len(ballast[::4096])
    del ballast
    # Both are told by the system in its own good time: some megabytes more or less.
    assert peak_megabytes(os.getpid()) > psutil.Process().memory_info().rss / 1e6 + 50
