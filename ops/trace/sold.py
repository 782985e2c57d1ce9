"""The sales of one lot, by the last snapshot of each sale, and the adjustments of unlabelled sales."""

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
from shared.wording import Message

_ADJUSTED = b'"adjusted_qty"'


class _Snapshot(NamedTuple):
    """A snapshot of one sale, and the time of its publication."""

    at: datetime
    sale: SaleAccounted


class _LotPart(NamedTuple):
    sale: SaleAccounted
    part: SalePart


class LotSales:
    """The events of sales about one lot. The highest revision of a sale counts."""

    def __init__(self, lot: str, facility: str, product: str) -> None:
        self._lot = lot
        self._facility = facility
        self._product = product
        self._sales: dict[tuple[str, str], dict[int, _Snapshot]] = defaultdict(dict)
        self._adjusted: dict[str, tuple[datetime, PoolAdjusted]] = {}

    def may_concern(self, topic: Topic, value: bytes) -> bool:
        """Whether a record may concern the lot, so that it must be decoded: it names the lot, a sale that named the
        lot before, or an adjustment."""
        if topic is SALE_SHARES:
            return _ADJUSTED in value
        return self._lot.encode() in value or (bool(self._sales) and _sale_of(value) in self._sales)

    def add(self, event: Event) -> None:
        match event.body:
            case SaleAccounted() as body:
                self._sales[body.booth, body.sale][body.revision] = _Snapshot(event.time, body)
            case PoolAdjusted() as body if (body.facility, body.product) == (self._facility, self._product):
                previous = self._adjusted.get(body.booth)
                if previous is None or previous[1].revision < body.revision:
                    self._adjusted[body.booth] = (event.time, body)
            case _:
                return

    @property
    def receipts(self) -> set[tuple[str, str]]:
        """Booth and receipt of each sale that concerned the lot."""
        return {(sale.booth, sale.receipt) for history in self._sales.values() for _, sale in history.values()}

    def entries(self, zone: tzinfo, *, every_sale: bool) -> Iterator[TimelineEntry]:
        """Entries for sales (each, or summed by booth and hour), disputes, rejections, voids and adjustments."""
        last = [history[max(history)].sale for history in self._sales.values()]
        lot_parts = [_LotPart(sale, part) for sale in last for part in sale.parts if part.lot == self._lot]
        yield from map(_sale_entry, lot_parts) if every_sale else _hourly_entries(lot_parts, zone)
        for history in self._sales.values():
            yield from self._doubts([history[revision] for revision in sorted(history)])
        for booth, (at, body) in sorted(self._adjusted.items()):
            yield from self._adjustment(booth, at, body)

    def _doubts(self, snapshots: list[_Snapshot]) -> Iterator[TimelineEntry]:
        """Entries for disputes, rejections and voids of this lot, from changes between the snapshots of one sale."""
        if snapshots[0].sale.lot == self._lot and snapshots[0].sale.disputed:
            yield _doubt_entry(snapshots[0], snapshots[0].sale.disputed, Message("disputed: more than the booth had"))
        for before, after in pairwise(snapshots):
            if after.sale.lot == self._lot:
                disputed = after.sale.disputed - before.sale.disputed
                if disputed > 0:
                    yield _doubt_entry(after, disputed, Message("disputed: more than the booth had"))
                rejected = after.sale.rejected - before.sale.rejected
                if rejected > 0:
                    yield _doubt_entry(
                        after, rejected, Message("rejected: the organiser says that they were not sold")
                    )
                voided = after.sale.voided - before.sale.voided
            else:
                voided = self._pieces(before.sale) - self._pieces(after.sale)
            if voided > 0:
                yield _doubt_entry(after, voided, Message("voided, back at the booth"))

    def _pieces(self, sale: SaleAccounted) -> int:
        return sum(part.qty for part in sale.parts if part.lot == self._lot)

    def _adjustment(self, booth: str, at: datetime, body: PoolAdjusted) -> Iterator[TimelineEntry]:
        for lot in body.lots:
            if lot.lot == self._lot:
                values: dict[str, str | int] = {
                    "qty": abs(lot.qty),
                    "booth": booth,
                    "worth": abs(lot.amount_rupiah),
                    "cause": body.cause.value,
                    "basis": "counted" if body.counted else "provisional",
                }
                text = Message(
                    "{qty} unlabelled at {booth} moved from this lot, {worth:rupiah} (by {cause:word}, {basis:word})",
                    **values,
                )
                if (lot.qty, lot.amount_rupiah) > (0, 0):
                    text = Message(
                        "{qty} unlabelled at {booth} moved to this lot, {worth:rupiah} (by {cause:word}, "
                        "{basis:word})",
                        **values,
                    )
                yield TimelineEntry(at, PoolAdjusted.__name__, text, "sales", SALE_SHARES.name)


def _sale_of(value: bytes) -> tuple[str, str] | None:
    try:
        body = from_json(value)
        return body["booth"], body["sale"]
    except (ValueError, KeyError, TypeError):
        return None  # decoding fails too


def _sale_entry(lot_part: _LotPart) -> TimelineEntry:
    sale, part = lot_part
    text = Message(
        "{qty} sold at {booth} for {amount:rupiah}", qty=part.qty, booth=sale.booth, amount=part.amount_rupiah
    )
    for circumstance in _circumstances(part):
        text = Message("{sold} ({circumstance})", sold=text, circumstance=circumstance)
    return TimelineEntry(sale.sold_at, SaleAccounted.__name__, text, sale.till, f"sale {sale.sale}")


def _hourly_entries(sold: Iterable[_LotPart], zone: tzinfo) -> Iterator[TimelineEntry]:
    hours: dict[tuple[str, datetime], list[_LotPart]] = defaultdict(list)
    for lot_part in sold:
        hour = lot_part.sale.sold_at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        hours[lot_part.sale.booth, hour].append(lot_part)
    for (booth, hour), hour_parts in hours.items():
        pieces, amount = sum(part.qty for _, part in hour_parts), sum(part.amount_rupiah for _, part in hour_parts)
        sales = len({sale.sale for sale, _ in hour_parts})
        text = Message(
            "{pieces} sold at {booth} in {sales:sale|sales} between {hour}:00 and {hour}:59 {zone} for "
            "{amount:rupiah}",
            pieces=pieces,
            booth=booth,
            sales=sales,
            hour=f"{hour:%H}",
            zone=shown.zone(hour),
            amount=amount,
        )
        unlabelled = sum(part.qty for _, part in hour_parts if part.basis is PartBasis.SHARE)
        if unlabelled:
            text = Message("{sold} ({unlabelled} without a label)", sold=text, unlabelled=unlabelled)
        first = min(sale.sold_at for sale, _ in hour_parts)
        tills = ", ".join(sorted({sale.till for sale, _ in hour_parts}))
        yield TimelineEntry(first, SaleAccounted.__name__, text, tills, SALES.name)


def _doubt_entry(snapshot: _Snapshot, qty: int, outcome: Message) -> TimelineEntry:
    text = Message("{qty} of a sale at {booth} {outcome}", qty=qty, booth=snapshot.sale.booth, outcome=outcome)
    return TimelineEntry(snapshot.at, SaleAccounted.__name__, text, snapshot.sale.till, f"sale {snapshot.sale.sale}")


def _circumstances(part: SalePart) -> Iterator[Message]:
    """The special circumstances of a part; none for an ordinary part."""
    if part.basis is PartBasis.SHARE:
        yield Message("a share of what was sold without a label")
    if part.basis is PartBasis.NAMED:
        yield Message("named by the organiser")
    if part.recalled:
        yield Message("though recalled")
