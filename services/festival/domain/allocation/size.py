"""How large what is said of a request can become: an event that no reader takes would be as good as not said."""

from collections.abc import Iterable
from dataclasses import replace

from services.festival.domain.allocation.line import COUNTED, PROMISED, AllocationLine
from services.festival.domain.allocation.request import Request, lines_of, plan_event
from services.festival.domain.planning import Plan
from shared.events.festival import AllocationRevised, BackReason, GivenBack, ShareMoved, ShortMoved
from shared.events.language import MAX_QTY, MAX_TEXT, MAX_VALUE_BYTES, Body

_A = "A"
_BACK = GivenBack(
    reservation=_A, booth=_A, product=_A, facility=_A, lot=_A, qty=MAX_QTY, why=max(BackReason, key=len)
)
_SHARE = ShareMoved(facility=_A, offered=MAX_QTY**2, before=MAX_QTY**2, after=MAX_QTY**2)
_SHORT = ShortMoved(booth=_A, product=_A, asked=MAX_QTY, before=MAX_QTY, after=MAX_QTY)
# In two languages, of characters that JSON writes with six each.
_SENTENCES = 2 * 6 * MAX_TEXT


def fits(request: Request, found: Plan) -> bool:
    """Whether all can still be said of the request if it is planned so: the plan itself, the revision that brings
    it, and every later one, even if all that was not sent goes back. So that much can always be taken back."""
    lines = lines_of(request, found)
    # As if no line covered anything: what goes back with this plan is short as well.
    said = plan_event(replace(request, lines=()), lines, found, replan=True).body
    return _json_bytes(said) <= MAX_VALUE_BYTES and _revision_bytes(request, lines) <= MAX_VALUE_BYTES


def _revision_bytes(request: Request, lines: tuple[AllocationLine, ...]) -> int:
    """Bytes of the largest AllocationRevised."""
    back = [line for line in request.lines if line.status in PROMISED]
    held = {line.facility for line in (*request.lines, *lines) if line.status in COUNTED}
    names = AllocationRevised(
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
        _json_bytes(names)
        + _SENTENCES
        + _row_bytes(
            _BACK, ((one.reservation, one.booth, one.product, one.facility, one.lot) for one in (*back, *lines))
        )
        + _row_bytes(_SHARE, ((facility,) for facility in held))
        + _row_bytes(_SHORT, ((want.booth, want.product) for want in request.demands))
    )


def _row_bytes(model: Body, rows: Iterable[tuple[str, ...]]) -> int:
    """Bytes of so many rows like `model` with these ids, which are ASCII; many times as fast as to write them."""
    bare = _json_bytes(model) + len(",")
    return sum(bare + sum(map(len, ids)) for ids in rows)


def _json_bytes(body: Body) -> int:
    return len(body.model_dump_json().encode())
