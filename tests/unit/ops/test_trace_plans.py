"""What the life of a lot tells of long plans, which come in several events. All made up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ops import trace
from ops.trace.plans import LongPlans
from ops.trace.sold import LotSales
from shared import envelope
from shared.events.festival import FESTIVAL, AllocationPlanned, PlanLine
from shared.events.language import Body
from shared.events.parts import in_parts
from shared.wording import Message

pytestmark = pytest.mark.unit

LOT, ODOP, NOON = "PR-KPG-KTI-230418-007-4", "ODOP", datetime(2023, 4, 18, 4, tzinfo=UTC)


class Log:
    """A log with these records of the festival topic."""

    def __init__(self, records: Sequence[Any]) -> None:
        self._records = records

    async def read(self, _ends: Any) -> AsyncIterator[tuple[str, Sequence[Any]]]:
        yield FESTIVAL.name, self._records


def a_record(number: int, body: Body) -> Any:
    headers = envelope.headers(id=f"e{number}", source="karya/festival", topic=FESTIVAL, body=body, time=NOON)
    return SimpleNamespace(
        topic=FESTIVAL.name,
        partition=0,
        offset=number,
        key=ODOP.encode(),
        value=envelope.encode(body),
        headers=headers,
        timestamp=int(NOON.timestamp() * 1000),
    )


def a_plan(lines: int, row_bytes: int = 1200) -> list[AllocationPlanned]:
    """The parts of a plan whose first and last lines are of the lot."""
    lots = [LOT, *(f"L{n}" for n in range(lines - 2)), LOT]
    planned = AllocationPlanned(
        festival=ODOP,
        request="R1",
        replan=False,
        lines=tuple(
            PlanLine(
                reservation=f"ODOP/R1.{n}",
                booth="ODOP.B1",
                product="KTI",
                facility="PR-KPG",
                lot=lot,
                qty=n,
                revision=1,
            )
            for n, lot in enumerate(lots, 1)
        ),
        shares=(),
        short=(),
        plan=3,
    )
    return list(in_parts(planned, row_bytes))


def told(bodies: Sequence[Body]) -> list[Message]:
    """The entries of the lot, in order."""
    plans = LongPlans()
    history = trace.LotHistory(LOT, "PR-KPG", "KTI", UTC, ())
    records = [a_record(number, body) for number, body in enumerate(bodies)]
    log: Any = Log(records)
    events = asyncio.run(
        trace._events(log, {}, {FESTIVAL.name: FESTIVAL}, history, LotSales(LOT, "PR-KPG", "KTI"), set(), plans)
    )
    entries = [entry for event, record in events for entry in trace._entries(event, record, LOT)]
    return [entry.message for entry in (*entries, *plans.missing())]


def test_the_parts_of_a_long_plan_are_told_as_one_plan() -> None:
    parts = a_plan(16)
    assert len(parts) == 3
    assert [message.english for message in told(parts)] == [
        "1 planned for ODOP.B1, ODOP/R1.1 (plan 3, part 1 of 3)",
        "16 planned for ODOP.B1, ODOP/R1.16 (plan 3, part 3 of 3)",
    ]


@pytest.mark.parametrize(("lost", "number"), [(0, 1), (1, 2), (2, 3)])
def test_a_missing_part_is_told_whether_or_not_it_names_the_lot(lost: int, number: int) -> None:
    texts = [message.english for message in told([part for n, part in enumerate(a_plan(16)) if n != lost])]
    assert texts[-1] == f"plan 3 of R1 is not whole and counts for nothing: part {number} of 3 is missing"
    assert len(texts) == (3 if number == 2 else 2)


def test_a_short_plan_is_told_without_parts() -> None:
    assert [message.english for message in told(a_plan(2, 10_000))] == [
        "1 planned for ODOP.B1, ODOP/R1.1",
        "2 planned for ODOP.B1, ODOP/R1.2",
    ]
