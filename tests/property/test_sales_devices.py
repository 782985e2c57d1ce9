"""Holders of one device's identity, in any order that keeps each one's own: nobody is settled early, none doubled."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sales.domain.device import Device, receive_record
from tests.support.builders.sales import an_introduction
from tests.support.examples import examples

pytestmark = pytest.mark.property


@dataclass(frozen=True)
class Record:
    """`previous` is the id of the record before it; the first has none."""

    id: str
    seq: int
    previous: str | None
    closes: bool


Line = tuple[Record, ...]


@st.composite
def holders(draw: st.DrawFn, most: int) -> list[Line]:
    """The records of each holder from the first on. All but the first begin as a copy of another one's line, or anew
    (a copy of nothing)."""
    lines: list[Line] = []
    for n in range(draw(st.integers(1, most))):
        prefix = draw(st.sampled_from(lines)) if lines else ()
        line = prefix[: draw(st.integers(0, len(prefix)))]
        for _ in range(draw(st.integers(1, 5))):
            before = line[-1].id if line else None
            line = (*line, Record(f"{'abc'[n]}{len(line) + 1}", len(line) + 1, before, draw(st.integers(0, 4)) == 0))
        if draw(st.integers(0, 4)) and not line[-1].closes:
            line = (*line, Record(f"{'abc'[n]}{len(line) + 1}", len(line) + 1, line[-1].id, True))
        lines.append(line)
    return lines


turns = st.lists(st.integers(0, 5), max_size=40)


def interleaved(lines: Sequence[Line], turns: Sequence[int]) -> list[Record]:
    """Each record once: whoever sends what both have sends it first."""
    rest = [list(line) for line in lines]
    order: list[Record] = []
    for turn in [*turns, *[0] * sum(map(len, lines))]:
        waiting = [line for line in rest if line]
        if not waiting:
            break
        record = waiting[turn % len(waiting)].pop(0)
        if record not in order:
            order.append(record)
    return order


def device_after(order: Sequence[Record]) -> Device:
    devices: tuple[Device, ...] = ()
    for record in order:
        body = an_introduction(record.seq, device="D", previous=record.previous)
        devices, _ = receive_record(devices, body, record.id, record.seq if record.closes else None)
    [device] = devices
    return device


def is_closed(lines: Sequence[Line]) -> bool:
    """Every holder that another one does not go on from has said its last word."""
    ends = [line for line in lines if not any(line == other[: len(line)] and line != other for other in lines)]
    return all(line[-1].closes for line in ends)


@examples(400)
@given(holders(3), turns)
def test_a_device_is_complete_when_all_holders_closed_in_whatever_order_they_are_heard(
    lines: list[Line], turns: list[int]
) -> None:
    assert device_after(interleaved(lines, turns)).complete == is_closed(lines)


@examples(400)
@given(holders(3), turns)
def test_a_device_is_never_complete_while_a_holder_that_was_heard_has_more_to_say(
    lines: list[Line], turns: list[int]
) -> None:
    order = interleaved(lines, turns)
    for upto in range(1, len(order) + 1):
        so_far = order[:upto]
        followed = {record.previous for record in so_far}
        ends = [record for record in so_far if record.id not in followed]
        assert not device_after(so_far).complete or all(record.closes for record in ends), "settled early"


@examples(400)
@given(st.integers(1, 12), st.data())
def test_a_record_that_is_lost_is_missed(most: int, data: st.DataObject) -> None:
    line = tuple(Record(f"a{n}", n, f"a{n - 1}" if n > 1 else None, n == most) for n in range(1, most + 1))
    lost = data.draw(st.sets(st.integers(1, most), max_size=3))
    order = data.draw(st.permutations([record for record in line if record.seq not in lost]))
    if order:
        device = device_after(order)
        assert device.complete == (not lost)
        [branch] = device.branches
        gaps = {n for first, last in branch.missing for n in range(first, last + 1)}
        assert gaps == {n for n in lost if n < branch.top or branch.last_seq is not None}
