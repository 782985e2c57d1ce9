"""What was sold of one lot: by the last snapshot of each sale, and by what counts moved to it or from it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import NamedTuple

from pydantic_core import from_json

from ops.trace.timeline import TimelineEntry
from shared import shown
from shared.events.language import Event, Topic
from shared.events.sales import SALE_SHARES, SALES, PartBasis, PoolAdjusted, SaleAccounted, SalePart

_ADJUSTED = b'"adjusted_qty"'


class _Snapshot(NamedTuple):
    """A snapshot of one sale, and when it was told."""

    at: datetime
    sale: SaleAccounted


class _LotPart(NamedTuple):
    sale: SaleAccounted
    part: SalePart


class LotSales:
    """Everything that sales told of a lot. The highest revision of a sale is the truth."""

    def __init__(self, lot: str, facility: str, product: str) -> None:
        self._lot = lot
        self._facility = facility
        self._product = product
        self._sales: dict[tuple[str, str], dict[int, _Snapshot]] = defaultdict(dict)
        self._adjusted: dict[str, tuple[datetime, PoolAdjusted]] = {}

    def may_tell(self, topic: Topic, value: bytes) -> bool:
        """Whether a record is worth decoding: it names the lot, or a sale that did (which may do so no more), or
        tells of unlabelled sales."""
        if topic is SALE_SHARES:
            return _ADJUSTED in value
        return self._lot.encode() in value or (bool(self._sales) and _sale_of(value) in self._sales)

    def hear(self, event: Event) -> None:
        match event.body:
            case SaleAccounted() as body:
                self._sales[body.booth, body.sale][body.revision] = _Snapshot(event.time, body)
            case PoolAdjusted() as body if (body.facility, body.product) == (self._facility, self._product):
                known = self._adjusted.get(body.booth)
                if known is None or known[1].revision < body.revision:
                    self._adjusted[body.booth] = (event.time, body)
            case _:
                return

    def entries(self, zone: tzinfo, *, every_sale: bool) -> Iterator[TimelineEntry]:
        """Each sale, or their sums by booth and hour; what was disputed, rejected and voided; and adjustments."""
        last = [told[max(told)].sale for told in self._sales.values()]
        sold = [_LotPart(sale, part) for sale in last for part in sale.parts if part.lot == self._lot]
        yield from map(_one_part, sold) if every_sale else _by_hour(sold, zone)
        for told in self._sales.values():
            yield from self._doubts([told[revision] for revision in sorted(told)])
        for booth, (at, body) in sorted(self._adjusted.items()):
            yield from self._adjustment(booth, at, body)

    def _doubts(self, told: list[_Snapshot]) -> Iterator[TimelineEntry]:
        """What changed between the snapshots of one sale, as far as it is this lot's."""
        if told[0].sale.lot == self._lot and told[0].sale.disputed:
            yield _doubt(told[0], told[0].sale.disputed, "disputed: more than the booth had")
        for before, after in pairwise(told):
            if after.sale.lot == self._lot:
                disputed = after.sale.disputed - before.sale.disputed
                if disputed > 0:
                    yield _doubt(after, disputed, "disputed: more than the booth had")
                rejected = after.sale.rejected - before.sale.rejected
                if rejected > 0:
                    yield _doubt(after, rejected, "rejected: the organiser says that they were not sold")
                voided = after.sale.voided - before.sale.voided
            else:
                voided = self._pieces(before.sale) - self._pieces(after.sale)
            if voided > 0:
                yield _doubt(after, voided, "voided, back at the booth")

    def _pieces(self, sale: SaleAccounted) -> int:
        return sum(part.qty for part in sale.parts if part.lot == self._lot)

    def _adjustment(self, booth: str, at: datetime, body: PoolAdjusted) -> Iterator[TimelineEntry]:
        for lot in body.lots:
            if lot.lot == self._lot:
                way = "to" if (lot.qty, lot.amount_rupiah) > (0, 0) else "from"
                basis = "counted" if body.counted else "provisional"
                worth = shown.rupiah(abs(lot.amount_rupiah))
                text = (
                    f"{abs(lot.qty)} unlabelled at {booth} moved {way} this lot, {worth} (by {body.cause}, {basis})"
                )
                yield TimelineEntry(at, PoolAdjusted.__name__, text, "sales", SALE_SHARES.name)


def _sale_of(value: bytes) -> tuple[str, str] | None:
    try:
        body = from_json(value)
        return body["booth"], body["sale"]
    except (ValueError, KeyError, TypeError):
        return None  # decoding would say the same


def _one_part(sold: _LotPart) -> TimelineEntry:
    sale, part = sold
    text = f"{part.qty} sold at {sale.booth} for {shown.rupiah(part.amount_rupiah)}{_how(part)}"
    return TimelineEntry(sale.sold_at, SaleAccounted.__name__, text, sale.till, f"sale {sale.sale}")


def _by_hour(sold: Iterable[_LotPart], zone: tzinfo) -> Iterator[TimelineEntry]:
    hours: dict[tuple[str, datetime], list[_LotPart]] = defaultdict(list)
    for one in sold:
        hour = one.sale.sold_at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        hours[one.sale.booth, hour].append(one)
    for (booth, hour), made in hours.items():
        pieces, amount = sum(one.part.qty for one in made), sum(one.part.amount_rupiah for one in made)
        sales = len({one.sale.sale for one in made})
        text = f"{pieces} sold at {booth} in {sales} {'sales' if sales > 1 else 'sale'} between "
        text += f"{hour:%H}:00 and {hour:%H}:59 {shown.zone(hour)} for {shown.rupiah(amount)}"
        unlabelled = sum(one.part.qty for one in made if one.part.basis is PartBasis.SHARE)
        if unlabelled:
            text += f" ({unlabelled} without a label)"
        first = min(one.sale.sold_at for one in made)
        tills = ", ".join(sorted({one.sale.till for one in made}))
        yield TimelineEntry(first, SaleAccounted.__name__, text, tills, SALES.name)


def _doubt(told: _Snapshot, qty: int, what: str) -> TimelineEntry:
    text = f"{qty} of a sale at {told.sale.booth} {what}"
    return TimelineEntry(told.at, SaleAccounted.__name__, text, told.sale.till, f"sale {told.sale.sale}")


def _how(part: SalePart) -> str:
    """What is out of the ordinary about the part, in brackets; nothing if it is an ordinary one."""
    marks = {
        "a share of what was sold without a label": part.basis is PartBasis.SHARE,
        "named by the organiser": part.basis is PartBasis.NAMED,
        "though recalled": part.recalled,
    }
    said = ", ".join(mark for mark, true in marks.items() if true)
    return f" ({said})" if said else ""
