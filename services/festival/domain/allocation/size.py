"""The size of a request's events, bounded so that every reader accepts them."""

from collections.abc import Iterable
from dataclasses import replace

from services.festival.domain.allocation.request import Request, lines_of, plan_event
from services.festival.domain.line import COUNTED, PROMISED, AllocationLine
from services.festival.domain.planning import Plan
from shared.events.festival import AllocationRevised, BackReason, GivenBack, ShareMoved, ShortMoved
from shared.events.language import MAX_QTY, MAX_TEXT, MAX_VALUE_BYTES, Body

_A = "A"
_BACK = GivenBack(
    reservation=_A, booth=_A, product=_A, facility=_A, lot=_A, qty=MAX_QTY, why=max(BackReason, key=len)
)
_SHARE = ShareMoved(facility=_A, offered=MAX_QTY**2, before=MAX_QTY**2, after=MAX_QTY**2)
_SHORT = ShortMoved(booth=_A, product=_A, asked=MAX_QTY, before=MAX_QTY, after=MAX_QTY)
# In two languages, of characters that JSON escapes with six bytes each.
_SENTENCES = 2 * 6 * MAX_TEXT


def fits(request: Request, plan: Plan) -> bool:
    """Whether every event of the request still fits with this plan.

    That is the plan itself, the revision that brings it, and every later one, even if all unsent lines go back. So
    unsent lines can always be given back.
    """
    lines = lines_of(request, plan)
    # As if no line covered anything: lines that go back with this plan are short as well.
    body = plan_event(replace(request, lines=()), lines, plan, replan=True).body
    return _json_bytes(body) <= MAX_VALUE_BYTES and _revision_bytes(request, lines) <= MAX_VALUE_BYTES


def _revision_bytes(request: Request, lines: tuple[AllocationLine, ...]) -> int:
    """The bytes of the largest possible AllocationRevised."""
    back = [line for line in request.lines if line.status in PROMISED]
    held = {line.facility for line in (*request.lines, *lines) if line.status in COUNTED}
    empty = AllocationRevised(
        festival=request.festival,
        request=request.name,
        carried_out=False,
        reason="",
        reason_id="",
        kept=MAX_QTY**2,
        added=(),
        back=(),
        shares=(),
        short=(),
    )
    return (
        _json_bytes(empty)
        + _SENTENCES
        + _row_bytes(
            _BACK, ((line.reservation, line.booth, line.product, line.facility, line.lot) for line in (*back, *lines))
        )
        + _row_bytes(_SHARE, ((facility,) for facility in held))
        + _row_bytes(_SHORT, ((demand.booth, demand.product) for demand in request.demands))
    )


def _row_bytes(model: Body, rows: Iterable[tuple[str, ...]]) -> int:
    """The bytes of rows like `model` with these ASCII ids. This is many times as fast as writing them."""
    bare = _json_bytes(model) + len(",")
    return sum(bare + sum(map(len, ids)) for ids in rows)


def _json_bytes(body: Body) -> int:
    return len(body.model_dump_json().encode())
