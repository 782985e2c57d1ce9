"""Long events in parts: whole again in the same order, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.festival import AllocationPlanned, PlanLine, Shortfall
from shared.events.parts import in_parts, joined


def a_plan(lines: int, short: int = 0) -> AllocationPlanned:
    return AllocationPlanned(
        festival="ODOP",
        request="R1",
        replan=False,
        lines=tuple(
            PlanLine(
                reservation=f"ODOP/R1.{n}",
                booth="ODOP.B1",
                product="KTI",
                facility="PR-KPG",
                lot=f"L{n}",
                qty=n + 1,
                revision=1,
            )
            for n in range(lines)
        ),
        shares=(),
        short=tuple(Shortfall(booth=f"ODOP.B{n}", product="KTI", asked=9, short=1) for n in range(short)),
        plan=3,
    )


@given(lines=st.integers(0, 40), short=st.integers(0, 20), size=st.integers(1, 3000))
def test_the_parts_are_the_whole_again(lines: int, short: int, size: int) -> None:
    plan = a_plan(lines, short)
    parts = list(in_parts(plan, size))
    assert joined(parts) == plan
    assert all(part.plan == 3 for part in parts)
    assert sum(len(part.lines) + len(part.short) for part in parts) == lines + short
    # A row larger than the size has a part of its own.
    rows = [sum(len(row.model_dump_json()) + 1 for row in (*part.lines, *part.short)) for part in parts]
    assert all(bytes <= size or len((*part.lines, *part.short)) == 1 for part, bytes in zip(parts, rows, strict=True))


def test_a_short_event_is_one_part() -> None:
    [part] = in_parts(a_plan(3))
    assert (part.part, part.parts, bool(part.digest)) == (1, 1, True)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_without_one_part_there_is_no_plan(lost: int) -> None:
    parts = list(in_parts(a_plan(9), 800))
    assert len(parts) == 3
    assert joined([part for n, part in enumerate(parts) if n != lost]) is None


def test_parts_in_another_order_or_of_another_plan_are_no_plan() -> None:
    parts, other_parts = list(in_parts(a_plan(9), 800)), list(in_parts(a_plan(9, 1), 800))
    assert joined(list(reversed(parts))) is None
    assert joined([*parts[:2], other_parts[2].model_copy(update={"parts": 3})]) is None
    changed = parts[1].model_copy(update={"lines": parts[1].lines[:-1]})
    assert joined([parts[0], changed, parts[2]]) is None
    assert joined([]) is None


def test_an_event_from_before_parts_is_whole() -> None:
    assert joined([a_plan(2)]) == a_plan(2)
